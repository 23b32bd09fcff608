"""The door's figures, by the real loop before a scripted person: each visit once, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import generate_latest

from kiosk.errors import CameraUnavailable, DoorError, MatchError
from kiosk.kpi.prometheus import Prometheus
from kiosk.kpi.sinks import Board
from kiosk.reasons import Reason
from kiosk.runtime.kpis import DoorKpis
from kiosk.values import Liveness, Match, SceneKind
from tests.runtime.test_loop import Bench
from tests.support.metering import samples_of
from tests.support.parts import VERSION
from tests.support.visits import GOOD, face_at, liveness, quality_of

ENDED = "kiosk_authentications_total"
FAILED_CHECKS = "kiosk_quality_failures_total"
Samples = dict[tuple[str, ...], float]


@contextmanager
def watched(**more: object) -> Iterator[tuple[Bench, Samples]]:
    """A bench, and what Prometheus would read when it is over: samples that are not 0."""
    prometheus = Prometheus()
    counted = DoorKpis(Board([prometheus]))
    found: Samples = {}
    with counted:
        yield Bench(watchers=(counted,), **more), found  # type: ignore[arg-type]
    text = generate_latest(prometheus.registry).decode()
    found.update({key: value for key, value in samples_of(text).items() if value and not key[0].endswith("_created")})


def ended(found: Samples) -> dict[tuple[str, str, str], float]:
    """(outcome, reason, engine) to visits."""
    short = {key[1:]: value for key, value in found.items() if key[0] == ENDED}
    return {
        (outcome.split("=")[1], reason.split("=")[1], engine.split("=")[1]): value
        for (engine, outcome, reason), value in short.items()
    }


def leave(bench: Bench) -> None:
    """Step away until the kiosk is ready for the next visitor."""
    bench.perceiver.seen = ()
    bench.until(SceneKind.IDLE, turns=900)


def nobody(similarity: float) -> Match:
    """Nobody resembles enough."""
    return Match(None, similarity, 20.0, "site", VERSION, Reason.UNKNOWN_PERSON)


def test_a_day_at_the_door() -> None:
    """Two are let in, one is a stranger, one an attack, one leaves while being guided, one was in the dark first."""
    with watched() as (bench, found):
        for _ in range(2):
            bench.stand()
            bench.until(SceneKind.GRANTED)
            leave(bench)
        bench.matcher.match = nobody(61.0)
        bench.stand()
        bench.until(SceneKind.DENIED)
        leave(bench)
        bench.result = liveness(Liveness.SPOOF)
        bench.stand()
        bench.until(SceneKind.DENIED)
        leave(bench)
        bench.perceiver.seen = (face_at(distance_mm=700.0),)
        bench.until(SceneKind.GUIDING)
        leave(bench)
        bench.result = liveness()
        bench.matcher.match = Match("person-1", 99.5, 20.0, "local", VERSION, Reason.WELCOME)
        bench.perceiver.quality = quality_of(Reason.TOO_DARK, Reason.BLURRED)
        bench.stand()
        for _ in range(60):
            bench.loop.turn()
        bench.perceiver.quality = GOOD
        bench.until(SceneKind.GRANTED)
    assert ended(found) == {
        ("approved", "WELCOME", "local"): 3,
        ("failed", "UNKNOWN_PERSON", "site"): 1,
        ("failed", "NOT_LIVE", "site"): 1,
        ("abandoned", "NO_FACE", "none"): 1,
    }
    assert found["kiosk_similarity_count", "engine=local", "outcome=approved"] == 3
    assert found["kiosk_similarity_sum", "engine=local", "outcome=approved"] == pytest.approx(3 * 99.5)
    assert ("kiosk_similarity_bucket", "engine=local", "le=99.0", "outcome=approved") not in found
    assert found["kiosk_similarity_bucket", "engine=site", "le=70.0", "outcome=failed"] == 2
    assert found[FAILED_CHECKS, "at=door", "check=TOO_DARK"] == 1
    assert "person-1" not in repr(found)


def test_a_check_is_counted_once_a_visit() -> None:
    """However long the hint stands and how often it comes back; only what the visitor was told counts."""
    with watched() as (bench, found):
        bench.stand()
        for _ in range(3):
            for reason in (Reason.SUNGLASSES, Reason.TOO_BRIGHT):
                bench.perceiver.quality = quality_of(reason)
                for _ in range(20):
                    bench.loop.turn()
        leave(bench)
    checks = {key[2]: value for key, value in found.items() if key[0] == FAILED_CHECKS}
    assert checks == {"check=SUNGLASSES": 1, "check=TOO_BRIGHT": 1}
    assert ended(found) == {("abandoned", "NO_FACE", "none"): 1}


def test_a_face_that_never_fits_was_abandoned_by_the_kiosk() -> None:
    """With the word that the visitor reads."""
    with watched() as (bench, found):
        bench.perceiver.seen = (face_at(distance_mm=700.0),)
        bench.until(SceneKind.COOLING_DOWN, turns=900)
        leave(bench)
    assert ended(found) == {("abandoned", "FIT_TIMED_OUT", "none"): 1}


def test_unsure_until_the_tries_are_used_up_is_incomplete() -> None:
    """Three attempts, one visit, no verdict."""
    with watched(result=liveness(Liveness.UNSURE, Reason.LOW_VIDEO_QUALITY)) as (bench, found):
        bench.stand()
        bench.until(SceneKind.DENIED, turns=1500)
        leave(bench)
    assert ended(found) == {("incomplete", "LOW_VIDEO_QUALITY", "local"): 1}
    assert found["kiosk_similarity_count", "engine=local", "outcome=incomplete"] == 1


def test_whoever_leaves_between_two_tries_left_it_incomplete() -> None:
    """With the reason why there was to be another one."""
    with watched(result=liveness(Liveness.UNSURE, Reason.LOW_VIDEO_QUALITY)) as (bench, found):
        bench.stand()
        bench.until(SceneKind.FLASHING)
        bench.until(SceneKind.GUIDING, turns=900)
        leave(bench)
    assert ended(found) == {("incomplete", "LOW_VIDEO_QUALITY", "local"): 1}


def test_whoever_leaves_during_the_check_left_it_incomplete() -> None:
    """It was refused, but says nothing of the visitor."""
    with watched() as (bench, found):
        bench.stand()
        bench.until(SceneKind.FLASHING)
        bench.perceiver.seen = ()
        bench.until(SceneKind.DENIED)
        leave(bench)
    assert [key[:2] for key in ended(found)] == [("incomplete", "LEFT_DURING_CHECK")]


def test_an_engine_that_does_not_answer_leaves_it_incomplete() -> None:
    """No similarity is made up."""
    with watched() as (bench, found):
        bench.matcher.error = MatchError("nobody answers")
        bench.stand()
        bench.until(SceneKind.DENIED)
        leave(bench)
    assert ended(found) == {("incomplete", "MATCH_FAILED", "none"): 1}
    assert not any(key[0].startswith("kiosk_similarity") for key in found)


def test_an_unknown_badge_was_compared_with_nobody() -> None:
    """The 0 in such an answer is no similarity."""
    with watched() as (bench, found):
        bench.matcher.match = Match(None, 0.0, 0.0, "local", "", Reason.UNKNOWN_BADGE)
        bench.stand()
        bench.until(SceneKind.DENIED)
        leave(bench)
    assert [key[0] for key in ended(found)] == ["failed"]
    assert not any(key[0].startswith("kiosk_similarity") for key in found)


def test_a_part_that_fails_leaves_the_visit_incomplete() -> None:
    """During the guiding, during the flash, and at the relay, where "welcome" was never said."""
    with watched() as (bench, found):
        for kind in (SceneKind.GUIDING, SceneKind.FLASHING):
            bench.perceiver.seen = (face_at(distance_mm=700.0),) if kind is SceneKind.GUIDING else (face_at(),)
            bench.until(kind)
            bench.feed.fault = CameraUnavailable("unplugged")
            bench.until(SceneKind.FAULTED)
            bench.feed.fault = None
            bench.feed.generation += 1
            leave(bench)
        bench.door.error = DoorError("no such line")
        bench.stand()
        bench.until(SceneKind.FAULTED)
    assert ended(found) == {
        ("incomplete", "CAMERA_LOST", "none"): 1,
        ("incomplete", "CAMERA_LOST", "local"): 1,
        ("incomplete", "DOOR_LOST", "local"): 1,
    }


def test_the_end_of_the_program_leaves_the_visit_incomplete() -> None:
    """Counted at the close; without a visitor nothing is."""
    with watched() as (bench, found):
        bench.stand()
        bench.until(SceneKind.HOLDING)
    assert ended(found) == {("incomplete", "none", "none"): 1}
    with watched() as (bench, found):
        bench.loop.turn()
    assert ended(found) == {}


def test_a_face_that_stays_is_the_next_visit() -> None:
    """After the longest wait of the cooling down a new visit begins, and counts on its own."""
    with watched(result=liveness(Liveness.SPOOF)) as (bench, found):
        bench.stand()
        bench.until(SceneKind.DENIED)
        bench.until(SceneKind.IDLE, turns=3000)
        bench.until(SceneKind.DENIED)
    assert ended(found) == {("failed", "NOT_LIVE", "local"): 2}
