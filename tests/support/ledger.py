"""An oracle for visits: it keeps its own books of what was told to ``step`` and checks what came back.

It knows the rules of ``ARCHITECTURE`` only (table and invariants), not how ``step`` follows them: faces, answers,
times and faults are taken from the events, never from the visit's own fields (except the kind of its state).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Liveness, Match, Moment, Pose, SceneKind, Verdict
from kiosk.visit.events import (
    BadgeRead,
    DropAttempt,
    Effect,
    Event,
    LivenessJudged,
    MatchArrived,
    MatchFailed,
    Observed,
    PartFailed,
    PartRecovered,
    PulseDoor,
    RecordEvent,
    StartAttempt,
    Ticked,
)
from kiosk.visit.light import modulation
from kiosk.visit.rules import Rules
from kiosk.visit.scene import scene
from kiosk.visit.states import Visit, keeps_frames, wants_exposure_lock
from tests.support.visits import Step

TABLE = {
    "Idle": {"Guiding"},
    "Guiding": {"Holding", "Idle", "CoolingDown", "Denied"},
    "Holding": {"Guiding", "Flashing", "Moving", "Denied"},
    "Flashing": {"Deciding", "Guiding", "Denied"},
    "Moving": {"Deciding", "Guiding", "Denied"},
    "Deciding": {"Granted", "Denied", "Guiding"},
    "Granted": {"CoolingDown"},
    "Denied": {"CoolingDown"},
    "CoolingDown": {"Idle"},
    "Faulted": {"CoolingDown"},
}
OPEN = {"Guiding", "Holding", "Flashing", "Moving", "Deciding", "Granted", "Denied"}
CHECK = {"Flashing", "Moving", "Deciding"}
LONGEST_UNSEEN_S = 0.4
WAYS = {
    Reason.TURN_LEFT: (1.0, 0.0),
    Reason.TURN_RIGHT: (-1.0, 0.0),
    Reason.LOOK_UP: (0.0, 1.0),
    Reason.LOOK_DOWN: (0.0, -1.0),
}
"""(yaw, pitch) of each instruction."""
PROVES_MOVEMENT = {"instruction", "parallax", "passive", "second_factor", "continuity"}


@dataclass
class Attempt:
    """The books of one attempt."""

    track: int
    began_s: float
    ends_s: float
    seen_s: float
    decides_s: float | None = None
    verdicts: list[Liveness] = field(default_factory=list)
    proven: bool = False
    matches: list[Match] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    badges: list[str | None] = field(default_factory=list)
    """The badge of each match."""
    gates: set[str] = field(default_factory=set)
    dropped: int = 0
    pulses: int = 0
    badge: str | None = None
    moving: Moving | None = None
    """The books of a check by movements."""


@dataclass
class Moving:
    """What the screen asked for and what the head did, from the picture and the observations."""

    neutral: Pose
    given_s: float
    asked: list[Reason] = field(default_factory=list)
    out: int = 0
    wrong: int = 0
    back: int = 0
    """Instructions after which the head looked straight again."""

    def book(self, hint: Reason | None, pose: Pose, at_s: float, settings: LivenessSettings) -> str:
        """One observation under what the screen says; the answer is what was wrong, if anything."""
        yaw = (pose.yaw_deg - self.neutral.yaw_deg) / settings.turn_deg
        pitch = (pose.pitch_deg - self.neutral.pitch_deg) / (0.7 * settings.turn_deg)
        shares = {way: yaw * sign_yaw + pitch * sign_pitch for way, (sign_yaw, sign_pitch) in WAYS.items()}
        if at_s - self.given_s > settings.turn_s + 0.2:
            return "too slow"
        if hint is Reason.LOOK_STRAIGHT:
            if self.out < 2:
                return "asked to look straight without having turned"
            if max(shares.values()) <= 0.5:
                self.back = len(self.asked)
                self.given_s = at_s
            return ""
        assert hint is not None
        if self.asked[-1:] != [hint]:
            if self.back < len(self.asked):
                return "asked for more before looking straight"
            self.asked.append(hint)
            self.out = self.wrong = 0
        other = max(share for way, share in shares.items() if way is not hint)
        self.out += shares[hint] >= 1.0
        self.wrong = self.wrong + 1 if other >= 1.0 and other > shares[hint] else 0
        return "another way than asked" if self.wrong >= 2 else ""


class Ledger:
    """Wraps a step function; every call is checked."""

    def __init__(self, stepper: Step) -> None:
        self.stepper = stepper
        self.attempts: dict[int, Attempt] = {}
        self.faults: set[Reason] = set()
        self.open = False
        self.unsure = 0
        self.denials = 0
        self.pulses = 0
        self.last_s = self.observed_s = self.frame_s = float("-inf")
        self.challenges: set[object] = set()
        self.no_flash: dict[str, bool] = {}
        """Badges that were read, and whether their holder must not see a flash."""
        self.visited: dict[str, int] = {}

    def __call__(self, visit: Visit, event: Event, now: Moment, rules: Rules) -> tuple[Visit, tuple[Effect, ...]]:
        """``step``, checked."""
        before, now_s = _kind(visit), now.monotonic_s
        self._book_event(visit, event, now, rules)
        after, effects = self.stepper(visit, event, now, rules)
        self.visited[_kind(after)] = self.visited.get(_kind(after), 0) + 1
        self._check_foreign(visit, event, now, rules, after, effects)
        for effect in effects:
            self._check_effect(effect, before, after, event, now, rules)
        self._check_table(before, _kind(after), event, now_s)
        if before in CHECK and _kind(after) == "Deciding" and self.attempts[visit.attempt].decides_s is None:
            self.attempts[visit.attempt].decides_s = now_s
        self._check_lasting(visit, after, now_s)
        self.last_s = now_s
        if isinstance(event, Observed):
            self.observed_s, self.frame_s = now_s, event.observation.at_s
        return after, effects

    def _book_event(self, visit: Visit, event: Event, now: Moment, rules: Rules) -> None:
        if isinstance(event, PartFailed):
            self.faults.add(event.fault)
        if isinstance(event, PartRecovered):
            self.faults.discard(event.fault)
        if isinstance(event, BadgeRead):
            self.no_flash[event.badge] = event.no_flash
        current = self.attempts.get(visit.attempt)
        if current is None or _kind(visit) not in CHECK:
            return
        now_s = now.monotonic_s
        if now_s < self.last_s:
            current.broken.append("clock")
        if now_s - self.observed_s > rules.visit.stall_s:
            current.broken.append("stall")
        if isinstance(event, PartFailed):
            current.broken.append("fault")
        if isinstance(event, MatchFailed) and event.attempt == visit.attempt:
            current.broken.append("matcher")
        if isinstance(event, Observed):
            self._book_faces(current, event, now_s, rules)
            if _kind(visit) == "Moving" and current.moving is not None and len(event.observation.faces) == 1:
                pose = event.observation.faces[0].pose
                wrong = current.moving.book(scene(visit, now_s).hint, pose, event.observation.at_s, rules.liveness)
                current.broken += [wrong] if wrong else []
        if isinstance(event, LivenessJudged) and event.attempt == visit.attempt:
            result = event.result
            if _kind(visit) != "Moving" or result.verdict is Liveness.SPOOF:
                current.verdicts.append(result.verdict)
                current.gates = {gate.name for gate in result.gates}
            current.proven = bool(result.gates) and all(gate.verdict is Verdict.PASS for gate in result.gates)
        if isinstance(event, MatchArrived) and event.attempt == visit.attempt:
            current.matches.append(event.match)
            current.badges.append(event.badge)

    def _book_faces(self, current: Attempt, event: Observed, now_s: float, rules: Rules) -> None:
        seen = event.observation
        tracks = {face.track for face in seen.faces}
        if seen.at_s < self.frame_s:
            current.broken.append("clock")
        if seen.at_s - self.frame_s > rules.visit.stall_s:
            current.broken.append("stall")
        if len(seen.faces) > 1:
            current.broken.append("second face")
        elif tracks - {current.track}:
            current.broken.append("other face")
        elif tracks:
            current.seen_s = now_s
        elif now_s - current.seen_s > LONGEST_UNSEEN_S:
            current.broken.append("left")

    def _check_foreign(
        self, visit: Visit, event: Event, now: Moment, rules: Rules, after: Visit, effects: tuple[Effect, ...]
    ) -> None:
        """An answer of another attempt, or outside a check, does no more than the time that it took."""
        if not isinstance(event, (LivenessJudged, MatchArrived, MatchFailed)):
            return
        if event.attempt != visit.attempt or _kind(visit) not in CHECK:
            assert (after, effects) == self.stepper(visit, Ticked(), now, rules), "a foreign answer changed something"

    def _check_effect(self, effect: Effect, before: str, after: Visit, event: Event, now: Moment, rules: Rules) -> None:
        match effect:
            case PulseDoor():
                self._check_pulse(effect, before, after, now, rules)
            case StartAttempt():
                self._check_start(effect, before, after, event, now, rules)
            case DropAttempt(attempt=attempt):
                self.attempts[attempt].dropped += 1
                assert self.attempts[attempt].dropped == 1, "evidence is dropped once"
            case RecordEvent(kind=kind):
                self._check_record(kind, rules)

    def _check_pulse(self, effect: PulseDoor, before: str, after: Visit, now: Moment, rules: Rules) -> None:
        grant = effect.grant
        current = self.attempts[grant.attempt]
        self.pulses += 1
        current.pulses += 1
        assert (before, _kind(after)) == ("Deciding", "Granted"), f"a pulse from {before} to {_kind(after)}"
        assert grant.attempt == after.attempt, "a pulse for an old attempt"
        assert current.pulses == 1, "two pulses for one attempt"
        assert not self.faults, "a pulse with a part out of order"
        assert not current.broken, f"a pulse after {current.broken}"
        assert current.verdicts == [Liveness.LIVE] * len(current.verdicts) != [], f"a pulse on {current.verdicts}"
        assert current.proven, "a pulse without every gate passed"
        assert current.decides_s is not None
        assert now.monotonic_s <= current.decides_s + rules.identity.deadline_s, "a pulse after the deadline"
        assert current.matches, "a pulse without a match"
        match = current.matches[0]
        assert match.person_id == grant.person_id, "a pulse for somebody else"
        assert match.similarity >= rules.identity.threshold, "a pulse below the threshold"
        assert match.similarity - match.runner_up >= rules.identity.margin, "a pulse within the margin"
        assert match.reason is Reason.WELCOME
        if current.moving is None:
            assert "instruction" not in current.gates, "a pulse on the gates of another check"
            return
        moving = current.moving
        assert len(moving.asked) == len(set(moving.asked)) == moving.back == rules.liveness.turns, (
            f"a pulse after {moving.asked}, {moving.back} of them to the end"
        )
        assert current.gates >= PROVES_MOVEMENT, f"a pulse without {PROVES_MOVEMENT - current.gates}"
        assert current.badge, "a pulse without a second factor"
        assert current.badges[0] == current.badge, "a pulse for a face that was not compared with the badge's holder"

    def _check_start(
        self, effect: StartAttempt, before: str, after: Visit, event: Event, now: Moment, rules: Rules
    ) -> None:
        assert (before, _kind(after)) == ("Holding", "Moving" if effect.movement else "Flashing")
        assert effect.attempt == after.attempt
        assert effect.attempt not in self.attempts, "an attempt number came twice"
        assert effect.badge is None or effect.badge in self.no_flash, "a badge that nobody read"
        assert isinstance(event, Observed)
        seen = event.observation
        assert [face.track for face in seen.faces] == [effect.track]
        now_s = now.monotonic_s
        if effect.movement:
            assert effect.badge, "movements without a second factor"
            assert effect.challenge.slots == ()
            moving = Moving(seen.faces[0].pose, seen.at_s)
            self.attempts[effect.attempt] = Attempt(
                effect.track, now_s, now_s, now_s, badge=effect.badge, moving=moving
            )
            return
        assert effect.challenge not in self.challenges, "a challenge came twice"
        assert not (effect.badge and self.no_flash[effect.badge]), "a flash at somebody who must not see one"
        assert seen.gains_locked is not False, "a flash without the exposure lock"
        if seen.lux is not None:
            share = modulation(rules.panel, seen.faces[0].distance_mm, seen.lux)
            assert share >= rules.liveness.modulation_low, "a flash that nobody could see"
        self.challenges.add(effect.challenge)
        self.attempts[effect.attempt] = Attempt(effect.track, now_s, now_s + effect.challenge.duration_s, now_s)

    def _check_record(self, kind: str, rules: Rules) -> None:
        if kind == "VISIT_STARTED":
            assert not self.open, "two visits at once"
            self.open, self.unsure = True, 0
        if kind == "VISIT_ENDED":
            assert self.open, "the end of a visit that never began"
            self.open = False
        if kind == "ATTEMPT_UNSURE":
            self.unsure += 1
            assert self.unsure <= rules.liveness.tries, "more tries than allowed"

    def _check_table(self, before: str, after: str, event: Event, now_s: float) -> None:
        if isinstance(event, PartFailed):
            assert after == "Faulted"
            return
        assert (after == "Faulted") == bool(self.faults), "Faulted exactly while a part is out of order"
        if now_s < self.last_s and before in {"Guiding", "Holding", "Flashing", "Moving", "Deciding"}:
            assert after == "Denied", "the clock went back and the visit went on"
        if after == before:
            return
        assert after in TABLE[before], f"{before} to {after} is not in the table"

    def _check_lasting(self, visit: Visit, after: Visit, now_s: float) -> None:
        kind = _kind(after)
        assert self.open == (kind in OPEN), "the records do not say when a visit began or ended"
        for number, attempt in self.attempts.items():
            under_way = number == after.attempt and kind in CHECK
            assert attempt.dropped == (0 if under_way else 1), "evidence outlived its attempt, or died too early"
        assert keeps_frames(after) <= (kind in {"Guiding", "Holding", "Flashing", "Moving", "Deciding"})
        assert wants_exposure_lock(after) <= keeps_frames(after)
        picture = scene(after, now_s)
        assert (picture.kind is SceneKind.GRANTED) == (kind == "Granted")
        assert (picture.flash is not None) == (picture.kind is SceneKind.FLASHING)
        assert after.attempt >= visit.attempt
        if kind != _kind(visit):
            assert_pixel_free(after)


def _kind(visit: Visit) -> str:
    return type(visit.state).__name__


def assert_pixel_free(value: object) -> None:
    """No array, no bytes, anywhere inside."""
    assert not isinstance(value, (np.ndarray, bytes, bytearray, memoryview)), "pixels or an embedding in the visit"
    if dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            assert_pixel_free(getattr(value, each.name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            assert_pixel_free(item)
