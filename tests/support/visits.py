"""Faces, observations and answers for tests of the visit, and ``Walk``, which leads one visit through its states."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kiosk.config.tree import GuidanceSettings, IdentitySettings, LivenessSettings, VisitSettings
from kiosk.reasons import Reason
from kiosk.values import (
    Box,
    Challenge,
    Gate,
    Liveness,
    LivenessResult,
    Match,
    Measure,
    Moment,
    Observation,
    Panel,
    Pose,
    Quality,
    SeenFace,
    Slot,
    Verdict,
)
from kiosk.visit.events import (
    BadgeRead,
    Effect,
    Event,
    LivenessJudged,
    MatchArrived,
    Observed,
    PulseDoor,
    RecordEvent,
    Ticked,
)
from kiosk.visit.geometry import EYE_MM, FACE_HEIGHTS, FACE_WIDTHS, FOREHEAD, focal_px, oval_for
from kiosk.visit.policy import MOVEMENT_GATES
from kiosk.visit.rules import Rules
from kiosk.visit.scene import scene
from kiosk.visit.states import Deciding, Denied, Flashing, Granted, Guiding, Holding, Moving, Visit
from kiosk.visit.step import new_visit, step

WIDTH, HEIGHT = 640, 480
FRAME_S = 1.0 / 30.0
BADGE = "4711"
ALICE, BOB = "6f9d2f1e-0000-4000-8000-000000000001", "6f9d2f1e-0000-4000-8000-000000000002"
Step = Callable[[Visit, Event, Moment, Rules], tuple[Visit, tuple[Effect, ...]]]


def draw(nonce: bytes) -> Challenge:
    """Ten colours and two grey guards, all of them from the nonce."""
    digest = hashlib.sha256(nonce).digest()
    grey = Slot((128, 128, 128), "full", 0.3)
    colours = tuple(Slot((digest[i], digest[i + 10], digest[i + 20]), "full", 0.3) for i in range(10))
    return Challenge((grey, *colours, grey))


def rules_with(**groups: object) -> Rules:
    """The default rules, with both ways of checking, and some fields replaced."""
    rules = Rules(
        visit=VisitSettings(),
        guidance=GuidanceSettings(),
        liveness=LivenessSettings(path="auto"),
        identity=IdentitySettings(),
        panel=Panel(155.0, 88.0, 500.0),
        focal_px=focal_px(62.2, WIDTH),
        draw=draw,
    )
    return replace(rules, **groups)  # type: ignore[arg-type]


RULES = rules_with()


def quality_of(*problems: Reason) -> Quality:
    """A quality with these problems and one check that passed."""
    passed = Measure("faces", 1.0, (1.0, 1.0), "", Verdict.PASS, Reason.ONE_PERSON)
    failed = (Measure(reason.lower(), 0.0, (1.0, None), "", Verdict.FAIL, reason) for reason in problems)
    return Quality((passed, *failed))


GOOD = quality_of()


STRAIGHT = Pose(0.0, 0.0, 0.0)
POSES = {
    Reason.TURN_LEFT: Pose(25.0, 0.0, 0.0),
    Reason.TURN_RIGHT: Pose(-25.0, 0.0, 0.0),
    Reason.LOOK_UP: Pose(0.0, 18.0, 0.0),
    Reason.LOOK_DOWN: Pose(0.0, -18.0, 0.0),
    Reason.LOOK_STRAIGHT: STRAIGHT,
}
"""How a visitor looks who follows the instruction: to their left the nose points to the image's right."""


def face_at(
    track: int = 1,
    x: float = 0.0,
    y: float = 0.0,
    distance_mm: float = 425.0,
    rules: Rules = RULES,
    pose: Pose = STRAIGHT,
) -> SeenFace:
    """A face whose mesh is ``x``, ``y`` oval sizes off the oval's centre (image axes: right and down)."""
    oval = oval_for(rules.guidance, WIDTH, HEIGHT, rules.focal_px)
    eye_px = rules.focal_px * EYE_MM / distance_mm
    width, height = FACE_WIDTHS * eye_px, FACE_HEIGHTS * eye_px
    centre_x = (oval.centre_x_ratio + x * oval.width_ratio) * WIDTH
    centre_y = (oval.centre_y_ratio + y * oval.height_ratio) * HEIGHT
    top = centre_y + height / 2 - height * FOREHEAD
    return SeenFace(
        track=track,
        box=Box(centre_x - width / 2, top, width, height * FOREHEAD),
        eye_centre_px=(centre_x, centre_y - 0.1 * height),
        eye_distance_px=eye_px,
        distance_mm=distance_mm,
        pose=pose,
    )


def liveness(
    verdict: Liveness = Liveness.LIVE, *reasons: Reason, gates: tuple[Gate, ...] | None = None
) -> LivenessResult:
    """A verdict with gates that fit it."""
    word = {Liveness.LIVE: Verdict.PASS, Liveness.SPOOF: Verdict.FAIL, Liveness.UNSURE: Verdict.INSUFFICIENT}[verdict]
    return LivenessResult(verdict, 93.0, (Gate("timing", word, 0.9, 0.75),) if gates is None else gates, reasons)


def match_of(
    person: str | None = ALICE, similarity: float = 99.5, runner_up: float = 40.0, reason: Reason = Reason.WELCOME
) -> Match:
    """An answer of the matcher."""
    return Match(person, similarity, runner_up, "local", "sface-1", reason)


def moved(verdict: Liveness = Liveness.LIVE, leaves_out: str = "") -> LivenessResult:
    """A verdict on a check by movements, with its gates (but the one left out)."""
    word = {Liveness.LIVE: Verdict.PASS, Liveness.SPOOF: Verdict.FAIL, Liveness.UNSURE: Verdict.INSUFFICIENT}[verdict]
    names = sorted(MOVEMENT_GATES - {leaves_out})
    return LivenessResult(verdict, 90.0, tuple(Gate(name, word, 1.0, 0.5) for name in names), ())


class Walk:
    """One visit, a clock, and every effect so far."""

    def __init__(self, rules: Rules = RULES, stepper: Step = step) -> None:
        self.rules = rules
        self.stepper = stepper
        self.visit = new_visit(rules, WIDTH, HEIGHT)
        self.now_s = 100.0
        self.count = 0
        self.effects: list[Effect] = []

    def moment(self) -> Moment:
        """Now, with a nonce that is never used twice."""
        utc = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now_s)
        return Moment(self.now_s, utc, self.count.to_bytes(32, "big"))

    def send(self, event: Event, after_s: float = 0.001) -> tuple[Effect, ...]:
        """Let time pass and hand over one event."""
        self.now_s += after_s
        self.count += 1
        self.visit, effects = self.stepper(self.visit, event, self.moment(), self.rules)
        self.effects.extend(effects)
        return effects

    def observation(
        self,
        *faces: SeenFace,
        quality: Quality | None = GOOD,
        locked: bool | None = True,
        lux: float | None = None,
        at_s: float | None = None,
    ) -> Observation:
        """What the camera sees at the next frame."""
        at = self.now_s if at_s is None else at_s
        return Observation(self.count, at, WIDTH, HEIGHT, faces, quality if faces else None, locked, lux)

    def look(
        self,
        *faces: SeenFace,
        times: int = 1,
        after_s: float = FRAME_S,
        quality: Quality | None = GOOD,
        locked: bool | None = True,
        lux: float | None = None,
    ) -> tuple[Effect, ...]:
        """Observe these faces, ``times`` frames running."""
        told: tuple[Effect, ...] = ()
        for _ in range(times):
            at_s = self.now_s + after_s
            seen = self.observation(*faces, quality=quality, locked=locked, lux=lux, at_s=at_s)
            told += self.send(Observed(seen), after_s)
        return told

    def tick(self, seconds: float, each_s: float = 0.1) -> tuple[Effect, ...]:
        """Let time pass without frames."""
        told: tuple[Effect, ...] = ()
        for _ in range(round(seconds / each_s)):
            told += self.send(Ticked(), each_s)
        return told

    def empty(self, seconds: float) -> tuple[Effect, ...]:
        """Nobody is there."""
        return self.look(times=round(seconds / 0.1), after_s=0.1)

    def until(self, state: type, face: SeenFace, frames: int, **looks: bool | float | None) -> Walk:
        """Show this face until the state is reached."""
        for _ in range(frames):
            if isinstance(self.visit.state, state):
                break
            self.look(face, **looks)  # type: ignore[arg-type]
        return self

    def to_guiding(self, face: SeenFace | None = None) -> Walk:
        """A face that does not fit yet is being guided."""
        return self.until(Guiding, face or face_at(distance_mm=700.0), 5)

    def to_holding(self, face: SeenFace | None = None) -> Walk:
        """A face in the oval holds still."""
        return self.until(Holding, face or face_at(), 15)

    def to_flashing(self, face: SeenFace | None = None) -> Walk:
        """The flash began."""
        return self.until(Flashing, face or face_at(), 120)

    def to_deciding(self, face: SeenFace | None = None) -> Walk:
        """The flash is over and no answer came yet."""
        return self.to_flashing(face).until(Deciding, face or face_at(), 150)

    def to_granted(self, face: SeenFace | None = None, person: str = ALICE) -> Walk:
        """The door was opened."""
        self.to_deciding(face)
        if isinstance(self.visit.state, Deciding):
            self.answer_match(match_of(person))
            self.answer_liveness(liveness())
        return self.until(Granted, face or face_at(), 2)

    def to_moving(self, badge: str = BADGE, *, no_flash: bool = False) -> Walk:
        """A badge was read, the sun shines (or the badge forbids the flash), and the instructions begin."""
        self.send(BadgeRead(badge, no_flash))
        return self.until(Moving, face_at(), 120, lux=None if no_flash else 20_000.0)

    def obey(self, steps: int = 99, pose: Pose | None = None, after_s: float = 0.1) -> Walk:
        """Do what the screen says, each for three frames, ``steps`` times at most; ``pose``: do this instead."""
        for _ in range(steps):
            if not isinstance(self.visit.state, Moving):
                break
            asked = scene(self.visit, self.now_s).hint
            assert asked is not None
            self.look(face_at(pose=pose or POSES[asked]), times=3, after_s=after_s)
        return self

    def answer_match(self, match: Match, attempt: int | None = None, badge: str | None = None) -> tuple[Effect, ...]:
        """The matcher answers, for the newest attempt unless told otherwise."""
        return self.send(MatchArrived(self.visit.attempt if attempt is None else attempt, match, badge))

    def answer_liveness(self, result: LivenessResult, attempt: int | None = None) -> tuple[Effect, ...]:
        """The gates answer, for the newest attempt unless told otherwise."""
        return self.send(LivenessJudged(self.visit.attempt if attempt is None else attempt, result))


def kinds(effects: tuple[Effect, ...] | list[Effect]) -> list[str]:
    """The recorded events, by kind."""
    return [effect.kind for effect in effects if isinstance(effect, RecordEvent)]


def pulses(walk: Walk) -> int:
    """How often the door was opened."""
    return sum(isinstance(effect, PulseDoor) for effect in walk.effects)


def denied_reason(walk: Walk) -> Reason:
    """Why the visit was refused (it must have been)."""
    assert isinstance(walk.visit.state, Denied)
    return walk.visit.state.reason
