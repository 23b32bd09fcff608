"""The invariants of a visit as a stateful property test, and planted bugs that the same machine must catch.

Random single events hardly ever get past Guiding, so the main rule *walks to a state*, does something odd there,
and then always tempts: it walks on and answers. Counters prove that every state was really reached and that doors
were really opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from kiosk.reasons import Reason
from kiosk.values import Liveness, Match, SeenFace
from kiosk.visit.events import BadgeRead, MatchArrived, MatchFailed, Observed, PartFailed, PartRecovered, Ticked
from kiosk.visit.policy import MOVEMENT_GATES
from kiosk.visit.scene import scene
from kiosk.visit.states import Deciding, Flashing, Granted, Guiding, Holding, Idle, Moving
from kiosk.visit.step import step
from tests.support import planted
from tests.support.ledger import Ledger
from tests.support.visits import ALICE, BADGE, BOB, POSES, Step, Walk, face_at, liveness, match_of, moved, quality_of

STATES = ("Idle", "Guiding", "Holding", "Flashing", "Moving", "Deciding", "Granted", "Denied", "CoolingDown", "Faulted")
MATCHES = (
    match_of(),
    match_of(BOB),
    match_of(ALICE, 97.9, 20.0),
    match_of(ALICE, 99.0, 98.5),
    match_of(None, 60.0, 50.0, Reason.UNKNOWN_PERSON),
)
SEEN: tuple[tuple[SeenFace, ...], ...] = (
    (face_at(1),),
    (face_at(2),),
    (face_at(1), face_at(2, x=1.0)),
    (face_at(1, x=0.25),),
    (face_at(1, x=0.9),),
    (face_at(1, distance_mm=700.0),),
    (face_at(1, distance_mm=200.0),),
    (),
)
SLOW_S = 0.1
Twist = Callable[[Walk], object]


def sees(*faces: SeenFace, times: int = 1) -> Twist:
    """Somebody else, several, or nobody is in the picture for a while."""
    return lambda walk: walk.look(*faces, times=times, after_s=SLOW_S)


def answers(*verdicts: Liveness, match: Match | None = None, shift: int = 0) -> Twist:
    """Answers that come early, twice, or for another attempt."""

    def twist(walk: Walk) -> None:
        if match is not None:
            walk.answer_match(match, walk.visit.attempt + shift)
        for verdict in verdicts:
            walk.answer_liveness(liveness(verdict), walk.visit.attempt + shift)

    return twist


def matcher_fails(walk: Walk) -> None:
    """The matcher cannot answer."""
    walk.send(MatchFailed(walk.visit.attempt, Reason.MATCH_FAILED))


def part_fails(walk: Walk) -> None:
    """A part is lost, and stays so."""
    walk.send(PartFailed(Reason.DOOR_LOST))


def part_fails_and_recovers(walk: Walk) -> None:
    """A part is lost for a moment."""
    walk.send(PartFailed(Reason.CAMERA_LOST))
    walk.send(PartRecovered(Reason.CAMERA_LOST))


def clock_goes_back(walk: Walk) -> None:
    """The monotonic clock is not."""
    walk.send(Ticked(), -0.05)


def clock_goes_back_with_an_answer(walk: Walk) -> None:
    """The same, noticed with the answer that would open."""
    walk.answer_liveness(liveness())
    walk.send(MatchArrived(walk.visit.attempt, match_of()), -0.01)


def frames_jump_back(walk: Walk) -> None:
    """An old frame is fed in."""
    walk.send(Observed(walk.observation(face_at(), at_s=walk.now_s - 0.5)))


def frames_jump_ahead(walk: Walk) -> None:
    """Frames are missing in between."""
    walk.send(Observed(walk.observation(face_at(), at_s=walk.now_s + 1.5)))


def frames_stop(walk: Walk) -> None:
    """The loop runs, the camera does not."""
    walk.tick(1.5)


def deadline_passes(walk: Walk) -> None:
    """The answers come just too late."""
    walk.look(face_at(), times=19, after_s=SLOW_S)
    walk.now_s += 0.15


def light_is_too_bright(walk: Walk) -> None:
    """The flash could not be seen."""
    walk.look(face_at(), times=12, after_s=SLOW_S, lux=4000.0)


def exposure_drifts(walk: Walk) -> None:
    """The camera says that its exposure is not locked."""
    walk.look(face_at(), times=12, after_s=SLOW_S, locked=False)


TWISTS: tuple[Twist, ...] = (
    *(sees(*faces) for faces in SEEN),
    *(sees(*faces, times=5) for faces in (SEEN[1], SEEN[2], ())),
    answers(Liveness.SPOOF),
    answers(Liveness.UNSURE),
    answers(Liveness.LIVE, Liveness.SPOOF),
    answers(match=match_of(BOB)),
    answers(Liveness.LIVE, match=match_of(), shift=-1),
    answers(Liveness.LIVE, match=match_of(), shift=1),
    matcher_fails,
    part_fails,
    part_fails_and_recovers,
    clock_goes_back,
    lambda walk: walk.look(face_at(), after_s=-500.0),
    clock_goes_back_with_an_answer,
    frames_jump_back,
    frames_jump_ahead,
    lambda walk: walk.look(face_at(), after_s=1.5),
    frames_stop,
    deadline_passes,
    light_is_too_bright,
    *(exposure_drifts,) * 3,  # matters in one state only: drawn once, it was missed for hundreds of examples
)
DEEP = st.sampled_from([Guiding, Holding, Flashing, Deciding])


DEEP_MOVING = st.sampled_from([Holding, Moving, Deciding])


def turns_wrong(walk: Walk) -> None:
    """Another way than the screen says."""
    asked = scene(walk.visit, walk.now_s).hint
    other = Reason.TURN_LEFT if asked in (Reason.LOOK_UP, Reason.LOOK_DOWN) else Reason.LOOK_UP
    walk.obey(1, POSES[other])


def turns_and_stays(walk: Walk) -> None:
    """Turned, and never straight again."""
    asked = scene(walk.visit, walk.now_s).hint
    walk.obey(1).look(face_at(pose=POSES.get(asked or Reason.TURN_LEFT, POSES[Reason.TURN_LEFT])), after_s=SLOW_S)


def dawdles(walk: Walk) -> None:
    """Does nothing for longer than there is time."""
    walk.look(face_at(), times=45, after_s=SLOW_S)


def judged_early(walk: Walk) -> None:
    """A LIVE verdict comes while there is still something to do."""
    walk.answer_liveness(moved())
    walk.answer_match(match_of(), badge=BADGE)


def shows_another_badge(walk: Walk) -> None:
    """During the check."""
    walk.send(BadgeRead("1234"))


MOVING_TWISTS: tuple[Twist, ...] = (
    *TWISTS,
    turns_wrong,
    turns_and_stays,
    dawdles,
    judged_early,
    shows_another_badge,
    lambda _walk: None,
)


class VisitMachine(RuleBasedStateMachine):
    """Everything that can happen in front of a door, in any order."""

    stepper: ClassVar[Step] = staticmethod(step)
    visited: ClassVar[dict[str, int]] = {}
    pulses: ClassVar[list[int]] = []
    moved: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(type(self).stepper)
        self.walk = Walk(stepper=self.ledger)

    def teardown(self) -> None:
        """Count what was reached."""
        for kind, count in self.ledger.visited.items():
            self.visited[kind] = self.visited.get(kind, 0) + count
        self.pulses.append(self.ledger.pulses)

    def start_over(self) -> None:
        """A mended kiosk and an empty place."""
        for fault in self.walk.visit.faults:
            self.walk.send(PartRecovered(fault))
        self.walk.look(times=9, after_s=0.9)

    def go_on(self, state: type) -> None:
        """Show the face until the state is reached, or for as long as that should take."""
        for earlier, frames in ((Guiding, 5), (Holding, 5), (Flashing, 32), (Deciding, 40)):
            self.walk.until(earlier, face_at(), frames, after_s=SLOW_S)
            if earlier is state:
                break

    def tempt(self, match: Match = MATCHES[0], verdict: Liveness = Liveness.LIVE, *, match_first: bool = True) -> None:
        """Both answers come, for whatever attempt is the latest."""
        if match_first:
            self.walk.answer_match(match)
        self.walk.answer_liveness(liveness(verdict))
        if not match_first:
            self.walk.answer_match(match)
        self.walk.look(face_at())

    @rule(deep=DEEP, twist=st.sampled_from(TWISTS), goes_on=st.booleans(), match_first=st.booleans())
    def check_with_a_twist(self, deep: type, twist: Twist, goes_on: bool, match_first: bool) -> None:
        """One thing goes wrong in a visit that else would open."""
        self.start_over()
        self.go_on(deep)
        twist(self.walk)
        if goes_on and isinstance(self.walk.visit.state, (Guiding, Holding, Flashing, Moving, Deciding)):
            self.go_on(Deciding)
        self.tempt(match_first=match_first)

    @rule(match=st.sampled_from(MATCHES), match_first=st.booleans())
    def check_with_any_match(self, match: Match, match_first: bool) -> None:
        """Nothing goes wrong; the matcher decides."""
        self.start_over()
        self.go_on(Deciding)
        self.tempt(match, match_first=match_first)

    @rule(verdict=st.sampled_from(Liveness), match_first=st.booleans())
    def check_with_any_verdict(self, verdict: Liveness, match_first: bool) -> None:
        """Nothing goes wrong; the gates decide."""
        self.start_over()
        self.go_on(Deciding)
        self.tempt(verdict=verdict, match_first=match_first)

    @rule(match_first=st.booleans(), twist=st.sampled_from(TWISTS))
    def check_of_the_right_person(self, match_first: bool, twist: Twist) -> None:
        """The door opens; whatever happens then must not open it again."""
        self.start_over()
        self.go_on(Deciding)
        self.tempt(match_first=match_first)
        assert isinstance(self.walk.visit.state, Granted)
        twist(self.walk)
        self.tempt()

    @rule(
        deep=DEEP_MOVING,
        twist=st.sampled_from(MOVING_TWISTS),
        steps=st.sampled_from(range(6)),
        no_flash=st.booleans(),
        match_first=st.booleans(),
    )
    def movement_with_a_twist(self, deep: type, twist: Twist, steps: int, no_flash: bool, match_first: bool) -> None:
        """One thing goes wrong in a check without a flash that else would open."""
        self.start_over()
        self.walk.send(BadgeRead(BADGE, no_flash))
        lux = None if no_flash else 20_000.0
        self.walk.until(Holding if deep is Holding else Moving, face_at(), 60, after_s=SLOW_S, lux=lux)
        self.walk.obey(99 if deep is Deciding else steps)
        twist(self.walk)
        if isinstance(self.walk.visit.state, (Guiding, Holding)):
            self.walk.until(Moving, face_at(), 60, after_s=SLOW_S, lux=lux)
        self.walk.obey()
        self.tempt_moved(match_first=match_first)

    @rule(
        match=st.sampled_from(MATCHES),
        badge=st.sampled_from([BADGE, None, "1234"]),
        leaves_out=st.sampled_from(["", "", *sorted(MOVEMENT_GATES), "all"]),
        verdict=st.sampled_from(Liveness),
    )
    def movement_with_any_answer(self, match: Match, badge: str | None, leaves_out: str, verdict: Liveness) -> None:
        """Every instruction is followed; matcher and gates decide."""
        self.start_over()
        self.walk.to_moving().obey()
        result = liveness(verdict) if leaves_out == "all" else moved(verdict, leaves_out)
        self.walk.answer_match(match, badge=badge)
        self.walk.answer_liveness(result)
        self.walk.look(face_at())

    @rule(answer=st.booleans(), steps=st.sampled_from(range(6)))
    def movement_without_a_badge(self, answer: bool, steps: int) -> None:
        """The sun shines and nobody shows a badge."""
        self.start_over()
        self.walk.look(face_at(), times=20, after_s=SLOW_S, lux=20_000.0)
        self.walk.obey(steps)
        if answer:
            self.tempt_moved()

    @rule(steps=st.sampled_from(range(6)))
    def movement_judged_too_early(self, steps: int) -> None:
        """Both answers come before the last instruction was followed, and then nothing more."""
        self.start_over()
        self.walk.to_moving().obey(steps)
        judged_early(self.walk)
        self.walk.look(face_at())

    @rule(steps=st.sampled_from(range(6)))
    def movement_too_slow(self, steps: int) -> None:
        """Everything is followed in the end, but one instruction took too long."""
        self.start_over()
        self.walk.to_moving().obey(steps)
        dawdles(self.walk)
        if isinstance(self.walk.visit.state, Moving):
            self.walk.obey()
            self.tempt_moved()

    @rule(
        deep=st.sampled_from([Flashing, Deciding]),
        others=st.sampled_from([(), (), SEEN[1]]),
        match_first=st.booleans(),
    )
    def goes_away_during_the_check(self, deep: type, others: tuple[SeenFace, ...], match_first: bool) -> None:
        """And comes back, or somebody else was there meanwhile."""
        self.start_over()
        self.go_on(deep)
        self.walk.look(*others, times=5, after_s=SLOW_S)
        self.walk.look(face_at())
        if isinstance(self.walk.visit.state, Flashing):
            self.go_on(Deciding)
        self.tempt(match_first=match_first)

    @rule(match_first=st.booleans())
    def matcher_that_fails(self, match_first: bool) -> None:
        """And answers all the same."""
        self.start_over()
        self.go_on(Flashing)
        matcher_fails(self.walk)
        self.go_on(Deciding)
        self.tempt(match_first=match_first)

    def tempt_moved(self, *, match_first: bool = True) -> None:
        """Both answers that would open after a movement."""
        if match_first:
            self.walk.answer_match(match_of(), badge=BADGE)
        self.walk.answer_liveness(moved())
        if not match_first:
            self.walk.answer_match(match_of(), badge=BADGE)
        self.walk.look(face_at())
        if isinstance(self.walk.visit.state, Granted):
            self.moved.append(1)

    @rule(tries=st.sampled_from(range(1, 5)))
    def unsure_again_and_again(self, tries: int) -> None:
        """The same visit is unsure more than once."""
        self.start_over()
        for _ in range(tries):
            self.go_on(Flashing)
            self.walk.answer_liveness(liveness(Liveness.UNSURE))

    @rule()
    def refused_and_stays(self) -> None:
        """A refused face does not go away."""
        self.start_over()
        self.go_on(Flashing)
        self.walk.answer_liveness(liveness(Liveness.SPOOF))
        self.walk.look(face_at(), times=35, after_s=SLOW_S)

    @rule(seen=st.sampled_from(SEEN), bad=st.booleans(), locked=st.sampled_from([True, False, None]))
    def one_frame(self, seen: tuple[SeenFace, ...], bad: bool, locked: bool | None) -> None:
        """Anything at all in one frame."""
        quality = quality_of(Reason.TOO_DARK) if bad else quality_of()
        self.walk.look(*seen, quality=quality, locked=locked)

    @rule(twist=st.sampled_from(TWISTS), badge=st.none() | st.sampled_from(["4711", "0815"]))
    def anything_at_any_time(self, twist: Twist, badge: str | None) -> None:
        """Odd things without a walk before them."""
        if badge is not None:
            self.walk.send(BadgeRead(badge))
        twist(self.walk)

    @rule(with_frames=st.booleans())
    def everybody_leaves(self, with_frames: bool) -> None:
        """An empty scene reaches Idle in bounded time: at most a lost face, a result and a cooling down."""
        for fault in self.walk.visit.faults:
            self.walk.send(PartRecovered(fault))
        if with_frames:
            self.walk.empty(8.0)
        else:
            self.walk.tick(8.0)
        assert isinstance(self.walk.visit.state, Idle)


QUICK = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_invariants_hold_and_every_state_is_reached() -> None:
    """Every state in every mixture; and doors do open, else nothing would be proven."""
    VisitMachine.visited.clear()
    VisitMachine.pulses.clear()
    VisitMachine.moved.clear()
    run_state_machine_as_test(VisitMachine, settings=QUICK)
    assert {kind: VisitMachine.visited.get(kind, 0) >= 50 for kind in STATES} == dict.fromkeys(STATES, True)
    assert sum(VisitMachine.pulses) >= 20
    assert sum(VisitMachine.moved) >= 20


@pytest.mark.parametrize("bug", planted.BUGS, ids=lambda bug: bug.__name__)
def test_the_machine_catches_a_planted_bug(bug: Step, capsys: pytest.CaptureFixture[str]) -> None:
    """The same machine and the same books: what they cannot see, they do not prove."""
    machine = type(
        "BuggyMachine", (VisitMachine,), {"stepper": staticmethod(bug), "visited": {}, "pulses": [], "moved": []}
    )
    # What is drawn depends on which modules other tests have loaded: room enough for an unlucky draw.
    eager = settings(QUICK, max_examples=2000, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=eager)
    capsys.readouterr()  # the machine prints how it found the bug; that is no news here


def test_there_are_enough_planted_bugs() -> None:
    """Bugs are collected by name; a renamed one must not drop out silently."""
    assert len(planted.BUGS) == 33
