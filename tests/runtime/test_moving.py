"""The check without a flash through the loop: landmarks of a head, or of a print, that follow the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kiosk.closing import Closing
from kiosk.errors import RecordsFull
from kiosk.reasons import Reason
from kiosk.runtime.badges import Badges
from kiosk.runtime.loop import Loop
from kiosk.values import Face, Frame, Pose, SceneKind
from tests.runtime.test_loop import Bench
from tests.support.parts import face_like, unit
from tests.support.turning import POSES as TURNS
from tests.support.turning import Turning, landmarks
from tests.support.visits import RULES, face_at

STRAIGHT = Pose(0.0, 0.0, 0.0)
SPEED = 0.12
"""Share of the way to the asked pose that the head covers from frame to frame."""


class Reader(Closing):
    """A badge reader; ``shown`` is read once."""

    def __init__(self) -> None:
        self.shown: str | None = None

    def close(self) -> None:
        """Nothing to release."""

    def read(self) -> str | None:
        """What was shown."""
        shown, self.shown = self.shown, None
        return shown


class Book:
    """Whose holder must not see a flash; ``error`` is raised instead when set."""

    def __init__(self) -> None:
        self.forbidden: set[str] = set()
        self.error: RecordsFull | None = None

    def no_flash(self, badge: str) -> bool:
        """As the test says."""
        if self.error is not None:
            raise self.error
        return badge in self.forbidden


class Mover(Bench):
    """A bench with a badge reader and somebody who does what the screen says."""

    def prepare(self, surface: str = "head") -> Mover:
        """Somebody with ``surface`` stands right."""
        self.random = np.random.default_rng(7)
        self.reader, self.book = Reader(), Book()
        self.feed.latest = self.noisy(self.feed.latest)  # type: ignore[method-assign]
        parts = replace(self.loop._parts, badges=Badges(self.reader, self.book))
        self.loop = Loop(parts, replace(RULES, badges=True), (640, 480), (self.log,))
        self.turning = Turning(surface=surface)
        self.pose = STRAIGHT
        self.show()
        return self

    def noisy(self, latest: Callable[[int, float], Frame | None]) -> Callable[[int, float], Frame | None]:
        """Frames as a sensor makes them: a picture without noise is an injected one."""

        def frame(newer_than_sequence: int, timeout_s: float) -> Frame | None:
            found = latest(newer_than_sequence, timeout_s)
            if found is None:
                return None
            noise = self.random.integers(-3, 4, found.pixels.shape, np.int16)
            return replace(found, pixels=(found.pixels + noise).astype(np.uint8))

        return frame

    def show(self) -> None:
        """What is perceived at the next frame."""
        self.perceiver.seen = (face_at(pose=self.pose),)
        pose = STRAIGHT if self.turning.surface == "still" else self.pose
        points = landmarks(self.turning, pose, self.random)
        self.perceiver.face = Face(face_like().box, points, {}, self.pose)

    def play(self, *kinds: SceneKind, turns: int = 900) -> Reason | None:
        """Follow the screen until one of these pictures is on it; the answer is its hint."""
        for _ in range(turns):
            turn = self.loop.turn()
            if turn.scene.kind in kinds:
                return turn.scene.hint
            asked = TURNS.get(turn.scene.hint or Reason.LOOK_STRAIGHT, STRAIGHT)
            if turn.scene.kind is not SceneKind.MOVING:
                asked = STRAIGHT
            way = asked.yaw_deg - self.pose.yaw_deg, asked.pitch_deg - self.pose.pitch_deg
            self.pose = Pose(self.pose.yaw_deg + SPEED * way[0], self.pose.pitch_deg + SPEED * way[1], 0.0)
            self.show()
        raise AssertionError(f"never reached {kinds}")


def mover(surface: str = "head", *, badge: str | None = "4711", lux: float | None = 20_000.0) -> Mover:
    """Somebody who showed this badge in this light."""
    bench = Mover()
    bench.prepare(surface)
    bench.reader.shown = badge
    bench.feed.lux = lux
    return bench


def test_a_head_that_follows_opens_the_door_in_bright_sun() -> None:
    """No colour was ever on the screen; the match was made with the badge; the face was the same all along."""
    bench = mover()
    assert bench.play(SceneKind.GRANTED, SceneKind.DENIED) is Reason.WELCOME
    assert len(bench.door.grants) == 1
    assert bench.matcher.asked == ["4711"]
    assert {scene.kind for scene in bench.display.scenes} >= {SceneKind.MOVING, SceneKind.DECIDING}
    assert not any(scene.flash for scene in bench.display.scenes)
    evidence = bench.attempts.last_evidence
    assert bench.judged == []
    assert evidence is None, "forgotten with the attempt"
    assert bench.log.visits[0].attempts == 1
    liveness = bench.log.visits[0].liveness
    assert liveness is not None
    assert {gate.name for gate in liveness.gates} >= {"instruction", "parallax", "second_factor"}


@pytest.mark.parametrize("surface", ["print", "bent", "still"])
def test_a_picture_that_is_turned_as_asked_is_refused(surface: str) -> None:
    """Though the badge is right, and the pose estimate says what was asked for."""
    bench = mover(surface)
    assert bench.play(SceneKind.GRANTED, SceneKind.DENIED, turns=4000) is not Reason.WELCOME
    assert bench.door.grants == []


def test_a_face_swapped_during_the_movement_is_refused() -> None:
    """The embeddings while it looks straight are not the one from before."""
    bench = mover()
    bench.play(SceneKind.MOVING)
    bench.models.vector = unit(0.0, 1.0)
    assert bench.play(SceneKind.GRANTED, SceneKind.DENIED) is Reason.NOT_LIVE


def test_samples_are_taken_while_the_face_looks_straight() -> None:
    """A few of them, at most one every 0.7 s, and one at the end."""
    bench = mover()
    bench.play(SceneKind.MOVING)
    before = bench.models.embedded
    bench.play(SceneKind.GRANTED)
    assert 3 <= bench.models.embedded - before <= 6


def test_without_a_badge_the_sun_is_too_bright_and_the_screen_asks_for_one() -> None:
    """There is a reader."""
    bench = mover(badge=None)
    assert bench.play(SceneKind.GRANTED, SceneKind.DENIED) is Reason.BADGE_NEEDED
    assert bench.door.grants == []


def test_who_must_not_see_a_flash_sees_none() -> None:
    """In an ordinary room."""
    bench = mover(lux=300.0)
    bench.book.forbidden.add("4711")
    assert bench.play(SceneKind.GRANTED, SceneKind.DENIED) is Reason.WELCOME
    assert not any(scene.flash for scene in bench.display.scenes)
    other = mover(lux=300.0)
    other.play(SceneKind.FLASHING)


def test_a_badge_that_cannot_be_looked_up_is_out_of_service() -> None:
    """Nobody is checked on half a knowledge."""
    bench = mover(lux=300.0)
    bench.book.error = RecordsFull("the disk is full")
    assert bench.play(SceneKind.FAULTED) is None
    assert bench.door.grants == []


def test_a_camera_that_falls_silent_during_the_movement_denies() -> None:
    """And the evidence is forgotten."""
    bench = mover()
    bench.play(SceneKind.MOVING)
    bench.feed.silent = True
    assert bench.play(SceneKind.DENIED) is Reason.LOOP_STALLED
    assert bench.attempts.kept == 0


def test_a_face_that_is_lost_on_the_last_frame_is_judged_on_the_next_try() -> None:
    """No newest face, no judging: the deadline refuses."""
    bench = mover()
    bench.play(SceneKind.MOVING)
    bench.attempts._attempt.newest = None  # type: ignore[union-attr]
    bench.attempts.keep = lambda *_args: None  # type: ignore[method-assign]
    assert bench.play(SceneKind.GRANTED, SceneKind.DENIED) is not Reason.WELCOME
    assert bench.door.grants == []
