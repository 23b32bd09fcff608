"""The engine over the wire: boto3 against this project's server, and against endpoints that do everything wrong."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware.stills import decode_image
from kiosk.config.engines import EndpointSettings, ModelThresholds
from kiosk.errors import ConfigurationError, InputError, MatchError, RecordsError
from kiosk.identity.answers import Place
from kiosk.identity.asking import Asker, Unusable
from kiosk.identity.calling import open_client
from kiosk.identity.collection import FaceCollections
from kiosk.identity.rekognition import RekognitionEngine
from kiosk.identity.shards import collection_of, names
from kiosk.reasons import Reason
from kiosk.values import Pixels
from tests.support.awskit import Bench, open_bench
from tests.support.facekit import VERSION, someone
from tests.support.painted import GOOD, PaintedModels, painting

LIMITS = {VERSION: ModelThresholds(threshold=99.0, margin=1.0)}
BADGES = {"17": "person-1", "18": "person-2"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A server without its socket."""
    with open_bench(tmp_path) as opened:
        yield opened


def face(person: int, quality: int = GOOD) -> Pixels:
    """A crop of one person."""
    return decode_image(painting((person, (60, 60, 120), quality)))


def as_png(pixels: Pixels) -> bytes:
    """Without loss: the painted models read colours."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def engine(calls: Any, *, shards: int = 1, limits: Any = None, enrolled: Any = None, **more: Any) -> Any:
    """Over these calls."""
    place = Place("aws", "door", shards, LIMITS if limits is None else limits)
    return RekognitionEngine(Asker("aws", calls, **more), place, as_png, BADGES.get, enrolled or (lambda _: True))


def described(calls: Any, place: Place) -> tuple[str, int]:
    """Face model and number of faces."""
    return FaceCollections(Asker("aws", calls), place).described()


def enroll(bench: Bench, shards: int, *people: int) -> None:
    """Each in the shard that is theirs."""
    aws = bench.client()
    for name in names("door", shards):
        aws.create_collection(CollectionId=name)
    for person in people:
        person_id = f"person-{person}"
        shard = collection_of("door", person_id, shards)
        image = {"Bytes": painting((person, (60, 60, 120), GOOD))}
        aws.index_faces(CollectionId=shard, Image=image, ExternalImageId=person_id, MaxFaces=1)


def test_a_server_whose_face_model_changed_is_a_failure_and_no_fault_of_the_picture(tmp_path: Path) -> None:
    """Another engine must be asked then: nobody would get in otherwise, not even whoever has moved already."""
    with open_bench(tmp_path) as before:
        enroll(before, 1, 1)
    with open_bench(tmp_path, models=PaintedModels("test-model+2")) as after, pytest.raises(MatchError) as told:
        engine(after.client()).search(someone(0), deadline_s=30.0, crop=face(1, GOOD - 1))
    assert not isinstance(told.value, Unusable)
    assert "embedder_before" in told.value.mend


@pytest.mark.parametrize("shards", [1, 5])
def test_people_are_found_in_whatever_shard_they_are(bench: Bench, shards: int) -> None:
    """And strangers in none; the answer says which engine and which model."""
    enroll(bench, shards, 1, 2, 3, 4)
    asked = engine(bench.client(bench.key("match")), shards=shards)
    for person in (1, 2, 3, 4):
        found = asked.search(someone(0), deadline_s=30.0, crop=face(person, GOOD - 1))
        assert (found.person_id, found.reason) == (f"person-{person}", Reason.WELCOME)
        assert (found.source, found.model_version) == ("aws", VERSION)
        assert found.similarity >= 99.0
    stranger = asked.search(someone(0), deadline_s=30.0, crop=face(77))
    assert (stranger.person_id, stranger.reason) == (None, Reason.UNKNOWN_PERSON)


def test_two_records_of_one_face_are_ambiguous(bench: Bench) -> None:
    """Neither is named."""
    enroll(bench, 3, 1)
    image = {"Bytes": painting((1, (60, 60, 120), GOOD))}
    other = collection_of("door", "person-9", 3)
    bench.client().index_faces(CollectionId=other, Image=image, ExternalImageId="person-9")
    found = engine(bench.client(), shards=3).search(someone(0), deadline_s=30.0, crop=face(1))
    assert (found.person_id, found.reason) == (None, Reason.AMBIGUOUS_PERSON)


def test_a_badge_asks_one_shard_and_one_person(bench: Bench) -> None:
    """The holder is let in, another face with the badge is not, an unknown badge neither."""
    enroll(bench, 4, 1, 2)
    asked = engine(bench.client(), shards=4)
    before = len(bench.log)
    found = asked.search(someone(0), deadline_s=30.0, badge="17", crop=face(1))
    assert (found.person_id, found.reason) == ("person-1", Reason.WELCOME)
    assert len(bench.log) == before + 1
    wrong = asked.search(someone(0), deadline_s=30.0, badge="17", crop=face(2))
    assert (wrong.person_id, wrong.reason) == (None, Reason.BADGE_MISMATCH)
    nobody = asked.search(someone(0), deadline_s=30.0, badge="99", crop=face(1))
    assert (nobody.person_id, nobody.reason) == (None, Reason.UNKNOWN_BADGE)


def test_an_unknown_face_model_is_refused_and_says_so(bench: Bench) -> None:
    """A similarity without thresholds means nothing."""
    enroll(bench, 1, 1)
    asked = engine(bench.client(), limits={"7.0": ModelThresholds()})
    with pytest.raises(MatchError, match=r"face model 'test-model\+1' has no thresholds; .*known: 7.0"):
        asked.search(someone(0), deadline_s=30.0, crop=face(1))


def test_a_picture_without_a_face_is_unusable_not_a_failure(bench: Bench) -> None:
    """The engine is well."""
    enroll(bench, 1, 1)
    asked = engine(bench.client())
    with pytest.raises(Unusable, match="InvalidParameterException"):
        asked.search(someone(0), deadline_s=30.0, crop=decode_image(painting()))
    with pytest.raises(Unusable, match="no picture"):
        asked.search(someone(0), deadline_s=30.0)


def test_a_collection_deleted_under_us_is_a_failure(bench: Bench) -> None:
    """Not an empty one."""
    enroll(bench, 2, 1)
    bench.client().delete_collection(CollectionId="door-1")
    with pytest.raises(MatchError, match="ResourceNotFoundException"):
        engine(bench.client(), shards=2).search(someone(0), deadline_s=30.0, crop=face(1))


def test_what_doctor_asks_names_what_is_wrong(bench: Bench) -> None:
    """How many faces there are, or which collection or model is in the way."""
    enroll(bench, 2, 1, 2, 3)
    aws = bench.client(bench.key("read-only"))
    assert described(aws, Place("aws", "door", 2, LIMITS)) == (VERSION, 3)
    shelf = bench.store.shelf()
    version, faces = FaceCollections(Asker("aws", aws), Place("aws", "door", 2, LIMITS)).counted()
    assert (version, faces) == (VERSION, {name: len(shelf.faces(name, 0, 10)) for name in ("door-0", "door-1")})
    with pytest.raises(MatchError, match=r"aws: face model 'test-model\+1' has no thresholds; add \[identity.models"):
        described(aws, Place("aws", "door", 2, {}))
    with pytest.raises(MatchError, match="collection door-2: answered ResourceNotFoundException"):
        described(aws, Place("aws", "door", 3, LIMITS))


ANSWER = {"FaceModelVersion": VERSION, "FaceMatches": []}


def throttled(times: int) -> Callable[..., Any]:
    """Answers after so many refusals."""
    from botocore.exceptions import ClientError

    left = [times]

    def search(**_: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "SearchFacesByImage")
        return ANSWER

    return search


def test_what_may_succeed_is_asked_again_in_growing_pauses() -> None:
    """As long as the deadline allows, and no longer."""
    pauses: list[float] = []
    calls = type("Calls", (), {"search_faces_by_image": staticmethod(throttled(3))})()
    chances = iter((0.0, 1.0, 0.5))
    asked = engine(calls, pause=pauses.append, chance=lambda: next(chances))
    assert asked.search(someone(0), deadline_s=60.0, crop=face(1)).reason is Reason.UNKNOWN_PERSON
    assert pauses == pytest.approx([0.025, 0.1, 0.15])
    calls = type("Calls", (), {"search_faces_by_image": staticmethod(throttled(10**9))})()
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    asked = engine(calls, pause=wait, clock=lambda: now[0], chance=lambda: 1.0)
    with pytest.raises(MatchError, match="ThrottlingException"):
        asked.search(someone(0), deadline_s=2.0, crop=face(1))
    assert now[0] == pytest.approx(0.05 + 0.1 + 0.2 + 0.4 + 0.8)  # the next pause would have ended too late


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        "<html>",
        {"FaceModelVersion": VERSION},
        {"FaceModelVersion": VERSION, "FaceMatches": None},
        {"FaceModelVersion": VERSION, "FaceMatches": [{}]},
        {"FaceModelVersion": VERSION, "FaceMatches": [{"Similarity": "high", "Face": {"ExternalImageId": "ada"}}]},
        {"FaceModelVersion": VERSION, "FaceMatches": [{"Similarity": 1e9, "Face": {"ExternalImageId": "ada"}}]},
        {"FaceModelVersion": VERSION, "FaceMatches": [{"Similarity": float("nan"), "Face": {"ExternalImageId": "a"}}]},
        {"FaceModelVersion": ["x"], "FaceMatches": []},
        {"FaceModelVersion": VERSION, "FaceMatches": [{"Similarity": 10**400, "Face": {"ExternalImageId": "ada"}}]},
        {"FaceModelVersion": VERSION, "FaceMatches": [{"Similarity": 99.9, "Face": {}}]},
        [],
    ],
)
def test_half_an_answer_is_a_failure(answer: Any) -> None:
    """Never "nobody", and never somebody."""
    calls = type("Calls", (), {"search_faces_by_image": staticmethod(lambda **_: answer)})()
    with pytest.raises(MatchError):
        engine(calls).search(someone(0), deadline_s=30.0, crop=face(1))


def answering(*matches: tuple[str | None, float]) -> Any:
    """Calls that always answer with these people; None: a face without one."""
    found = [
        {"Similarity": similarity, "Face": {"FaceId": str(at), **({"ExternalImageId": person} if person else {})}}
        for at, (person, similarity) in enumerate(matches)
    ]
    return type("Calls", (), {"search_faces_by_image": staticmethod(lambda **_: {**ANSWER, "FaceMatches": found})})()


@pytest.mark.parametrize(
    ("matches", "reason"),
    [
        ([(None, 99.9)], Reason.UNKNOWN_PERSON),
        ([(None, 99.9), ("ada", 99.2)], Reason.AMBIGUOUS_PERSON),
        ([(None, 100.0), ("ada", 98.9)], Reason.UNKNOWN_PERSON),
        ([("ada", 99.9), (None, 99.5)], Reason.AMBIGUOUS_PERSON),
        ([("ada", 99.9)] * 100, Reason.AMBIGUOUS_PERSON),
        ([("ada", 99.9), ("bob", 98.0)], Reason.WELCOME),
    ],
)
def test_a_face_without_a_person_is_somebody_all_the_same(
    matches: list[tuple[str | None, float]], reason: Reason
) -> None:
    """It is never let in, and nobody is who is hardly more similar; nor when there was no room for a second person."""
    found = engine(answering(*matches)).search(someone(0), deadline_s=30.0, crop=face(1))
    assert found.reason is reason
    assert (found.person_id is not None) == (reason is Reason.WELCOME)


def test_who_was_removed_here_stays_out_whatever_a_server_says() -> None:
    """Its collection is not the list of who may enter."""
    asked: list[str] = []

    def nobody(person_id: str) -> bool:
        asked.append(person_id)
        return False

    found = engine(answering(("ada", 99.9)), enrolled=nobody).search(someone(0), deadline_s=30.0, crop=face(1))
    assert (found.person_id, found.reason, asked) == (None, Reason.UNKNOWN_PERSON, ["ada"])

    def broken(_: str) -> bool:
        raise RecordsError("the disk failed")

    with pytest.raises(MatchError, match="cannot be looked up"):
        engine(answering(("ada", 99.9)), enrolled=broken).search(someone(0), deadline_s=30.0, crop=face(1))


def test_a_crop_too_small_to_send_is_unusable() -> None:
    """One line, and no engine is blamed."""
    place = Place("aws", "door", 1, LIMITS)

    def small(_: Pixels) -> bytes:
        raise InputError("too small")

    with pytest.raises(Unusable, match="too small"):
        RekognitionEngine(Asker("aws", answering()), place, small, BADGES.get, lambda _: True).search(
            someone(0), deadline_s=5.0, crop=face(1)
        )


# Endpoints that do everything wrong, asked by boto3 itself.

OK_BODY = json.dumps(ANSWER).encode()


def reply(status: str, body: bytes, kind: str = "application/x-amz-json-1.1", length: int | None = None) -> bytes:
    """One HTTP answer."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n".encode() + body


@contextmanager
def endpoint(answer: bytes, *, then: str = "close", over: threading.Event | None = None) -> Iterator[str]:
    """Sends ``answer`` to whatever it is asked, then closes, or hangs until ``over``."""

    class Handler(socketserver.BaseRequestHandler):
        """One connection."""

        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(answer)
            if then == "hang" and over is not None:
                over.wait(60)

    class Server(socketserver.ThreadingTCPServer):
        """On a port of its own."""

        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            if over is not None:
                over.set()
            server.shutdown()
            thread.join()


def asked_at(url: str, deadline_s: float, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the engine makes of this endpoint."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "S")
    client = open_client(EndpointSettings(enabled=True, endpoint_url=url), deadline_s)
    try:
        return engine(client).search(someone(0), deadline_s=deadline_s, crop=face(1))
    finally:
        client.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply("200 OK", b"<html>Welcome to our network. Please log in.</html>", "text/html"), "answer|cannot be read"),
        (reply("200 OK", OK_BODY[:20]), "no answer|cannot be read"),
        (reply("200 OK", OK_BODY[:20], length=len(OK_BODY)), "no answer|cannot be read"),
        (reply("503 Slow Down", b"busy", "text/plain"), "answered"),
        (reply("400 Bad Request", b'{"__type":"ExpiredTokenException","message":"x"}'), "ExpiredTokenException"),
        (reply("302 Found", b""), "answer"),
        (b"", "no answer"),
        (b"\x00\x01\x02", "no answer"),
        (reply("200 OK", b"[]"), "no answer|cannot be read"),
        (reply("200 OK", b"null"), "no answer|cannot be read"),
        (reply("200 OK", b'{"FaceMatches":[1]}'), "no answer|cannot be read"),
        (reply("200 OK", b"[" * 100_000), "no answer|cannot be read"),
    ],
    ids=[
        "captive portal",
        "half a JSON",
        "cut off",
        "503",
        "expired",
        "moved",
        "silence",
        "rubbish",
        "list",
        "null",
        "numbers",
        "depth",
    ],
)
def test_an_endpoint_that_misbehaves_is_a_failure(monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str) -> None:
    """Each time a MatchError that names the engine, never an answer."""
    with endpoint(answer) as url, pytest.raises(MatchError, match=words):
        asked_at(url, 20.0, monkeypatch)


def test_an_endpoint_that_hangs_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its answer had begun: the call ends with the deadline, not with the server."""
    over = threading.Event()
    began = time.monotonic()
    with (
        endpoint(reply("200 OK", OK_BODY[:10], length=len(OK_BODY)), then="hang", over=over) as url,
        pytest.raises(MatchError, match="no answer"),
    ):
        asked_at(url, 0.5, monkeypatch)
    assert time.monotonic() - began < 40.0  # not the endpoint's minute


def test_nobody_at_home_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The port is closed."""
    with endpoint(b"") as url:
        pass
    with pytest.raises(MatchError, match="no answer"):
        asked_at(url, 5.0, monkeypatch)


def test_without_credentials_it_is_a_failure_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The local gallery answers then; nothing is sent unsigned."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = open_client(EndpointSettings(enabled=True, endpoint_url="http://127.0.0.1:9"), 1.0)
    with pytest.raises(MatchError, match="NoCredentials"):
        engine(client).search(someone(0), deadline_s=5.0, crop=np.zeros((90, 90, 3), np.uint8))


@pytest.mark.parametrize(
    "settings",
    [
        EndpointSettings(profile="no-such-profile"),
        EndpointSettings(ca_bundle=Path("/no/such.crt")),
    ],
)
def test_settings_of_no_use_are_told_at_the_start(
    settings: EndpointSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one line."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError) as caught:
        open_client(settings, 1.0)
    assert "\n" not in str(caught.value)
