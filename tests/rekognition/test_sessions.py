"""Liveness sessions through boto3: asked for, carried out once, fetched by who asked, gone after three minutes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from hardware.stills import decode_image, encode_jpeg
from kiosk.reasons import Reason
from kiosk.rekognition.checking import outcome_of
from kiosk.rekognition.sessions import MOST_IMAGE_BYTES, Outcome, SessionImage
from kiosk.values import Liveness, LivenessResult
from tests.support.awskit import Bench
from tests.support.painted import GOOD, TURNED, PaintedModels, painting

Refusal = Callable[..., tuple[str, int, str]]
SESSION = "00000000-0000-0000-0000-000000000000"


def outcome(confidence: float = 93.0) -> Outcome:
    """Of a check with one reference and two audit pictures."""
    image = SessionImage(b"\xff\xd8 a face", (0.1, 0.2, 0.3, 0.4))
    bare = SessionImage(b"\xff\xd8 nobody", None)
    return Outcome("FaceMovementAndLightChallenge", confidence, ("LOW_LIGHTING_DETECTED",), image, (image, bare))


def test_a_session_is_made_carried_out_and_fetched(bench: Bench, aws: Any) -> None:
    """Status, confidence, feedback, challenge, pictures with the face's place."""
    session = aws.create_face_liveness_session(Settings={"AuditImagesLimit": 2})["SessionId"]
    results = aws.get_face_liveness_session_results
    assert results(SessionId=session)["Status"] == "CREATED"
    shelf = bench.store.shelf()
    known = shelf.session(session)
    assert known is not None
    assert known.audit_limit == 2
    assert shelf.start_session(session)
    told = results(SessionId=session)
    assert told["Status"] == "IN_PROGRESS"
    assert "Confidence" not in told
    assert shelf.end_session(session, outcome())
    told = results(SessionId=session)
    assert (told["Status"], told["Confidence"]) == ("SUCCEEDED", 93.0)
    assert told["ReferenceImage"]["Bytes"] == b"\xff\xd8 a face"
    assert told["ReferenceImage"]["BoundingBox"] == pytest.approx(
        {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}
    )
    assert [one["Bytes"] for one in told["AuditImages"]] == [b"\xff\xd8 a face", b"\xff\xd8 nobody"]
    assert "BoundingBox" not in told["AuditImages"][1]
    assert [one["Code"] for one in told["Feedback"]] == ["LOW_LIGHTING_DETECTED"]
    assert told["Challenge"]["Type"] == "FaceMovementAndLightChallenge"


def test_a_session_takes_one_check(bench: Bench, aws: Any) -> None:
    """A second one changes nothing, not even when the first came to nothing."""
    shelf = bench.store.shelf()
    session = aws.create_face_liveness_session()["SessionId"]
    assert not shelf.end_session(session, outcome())  # not begun
    assert shelf.start_session(session)
    assert not shelf.start_session(session)
    assert shelf.end_session(session, None)
    assert not shelf.end_session(session, outcome(99.0))
    told = aws.get_face_liveness_session_results(SessionId=session)
    assert told["Status"] == "FAILED"
    assert "Confidence" not in told


def test_after_three_minutes_nothing_is_left(bench: Bench, aws: Any, refusal: Refusal) -> None:
    """Neither answer nor pictures, and no late check; an hour later it was never here."""
    shelf = bench.store.shelf()
    done, open_one, begun = (aws.create_face_liveness_session()["SessionId"] for _ in range(3))
    for session in (done, begun):
        assert shelf.start_session(session)
    assert shelf.end_session(done, outcome())
    bench.later = timedelta(seconds=181)
    for session in (done, open_one, begun):
        told = aws.get_face_liveness_session_results(SessionId=session)
        assert told["Status"] == "EXPIRED"
        assert not {"Confidence", "ReferenceImage", "AuditImages"} & set(told)
    assert not shelf.start_session(open_one)
    assert not shelf.end_session(begun, outcome())
    shelf.tidy()
    with shelf.read() as connection:
        assert connection.exec_driver_sql("SELECT count(outcome) FROM liveness_sessions").scalar() == 0
    bench.later = timedelta(hours=2)
    code, status, _ = refusal(aws.get_face_liveness_session_results, SessionId=done)
    assert (code, status) == ("SessionNotFoundException", 400)


def test_only_who_asked_can_read_it(bench: Bench, aws: Any, refusal: Refusal) -> None:
    """Another key, be it an admin's, learns no more than of a session that never was."""
    session = aws.create_face_liveness_session()["SessionId"]
    other = bench.client(bench.key("admin"))
    told = [refusal(other.get_face_liveness_session_results, SessionId=one) for one in (session, SESSION)]
    assert told[0] == told[1]
    assert told[0][0] == "SessionNotFoundException"


def test_the_same_token_gives_the_same_session(bench: Bench, aws: Any) -> None:
    """So that a repeated request costs nobody a second check; of another key, or after it expired, a new one."""

    def made(client: Any, token: str) -> str:
        return str(client.create_face_liveness_session(ClientRequestToken=token)["SessionId"])

    first = made(aws, "a")
    assert made(aws, "a") == first
    assert made(aws, "b") != first
    assert made(bench.client(bench.key("match")), "a") != first
    bench.later = timedelta(seconds=200)
    assert made(aws, "a") != first


def test_what_cannot_be_kept_is_not_promised(aws: Any, refusal: Refusal) -> None:
    """No bucket, no key of AWS's, not five audit pictures."""
    for wrong in (
        {"Settings": {"OutputConfig": {"S3Bucket": "somebodys"}}},
        {"KmsKeyId": "alias/mine"},
        {"Settings": {"AuditImagesLimit": 5}},
    ):
        assert refusal(aws.create_face_liveness_session, **wrong)[0] == "InvalidParameterException"


def test_a_challenge_is_remembered(bench: Bench, aws: Any) -> None:
    """Which kinds may be played."""
    only = {"ChallengePreferences": [{"Type": "FaceMovementChallenge"}]}
    session = aws.create_face_liveness_session(Settings=only)["SessionId"]
    found = bench.store.shelf().session(session)
    assert found is not None
    assert found.challenges == ("FaceMovementChallenge",)


def pixels(person: int, quality: int = GOOD) -> np.ndarray:
    """A picture of one person."""
    return decode_image(painting((person, (60, 60, 100), quality)))


def result(*reasons: Reason) -> LivenessResult:
    """An unsure one."""
    return LivenessResult(Liveness.UNSURE, 40.0, (), reasons)


def test_the_reference_is_the_best_picture_before_the_flash() -> None:
    """Frontal rather than turned; audit pictures are spread over the flash."""
    before = [pixels(1, TURNED), pixels(1), pixels(1, TURNED)]
    during = [pixels(2), pixels(3), pixels(4), pixels(5), pixels(6)]
    asked = result(Reason.LOW_LIGHTING, Reason.NOT_LIVE, Reason.LOW_LIGHTING)
    made = outcome_of(asked, before, during, 3, PaintedModels(), encode_jpeg)
    assert made.confidence == 40.0
    assert made.feedback == ("LOW_LIGHTING_DETECTED",)  # what a person can do better, once; not which gate refused
    assert made.reference is not None
    shown = decode_image(made.reference.jpeg)
    assert abs(int(shown[110, 110, 1]) - GOOD) < 8
    people = [int(decode_image(one.jpeg)[110, 110, 0]) for one in made.audit]
    assert [round(one) for one in people] == pytest.approx([2, 4, 6], abs=1)


def test_without_a_face_there_is_no_reference() -> None:
    """Nothing made up."""
    empty = decode_image(painting())
    made = outcome_of(result(), [empty], [empty], 1, PaintedModels(), encode_jpeg)
    assert made.reference is None
    assert [one.box for one in made.audit] == [None]
    assert outcome_of(result(), [], [], 4, PaintedModels(), encode_jpeg).audit == ()


def test_a_large_picture_is_made_to_fit() -> None:
    """Noise of a large camera, which JPEG cannot shrink."""
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1600, 3), np.uint8)
    made = encode_jpeg(noise, MOST_IMAGE_BYTES)
    assert len(made) <= MOST_IMAGE_BYTES
    assert decode_image(made).shape[2] == 3


def test_a_picture_never_reaches_the_log(bench: Bench, aws: Any) -> None:
    """Nor its base64."""
    session = aws.create_face_liveness_session()["SessionId"]
    shelf = bench.store.shelf()
    shelf.start_session(session)
    shelf.end_session(session, outcome())
    aws.get_face_liveness_session_results(SessionId=session)
    assert "face" not in json.dumps([keys for _, keys in bench.log])
    assert "a face" not in repr(shelf.session(session))
