"""Clocks, stalls, results, badges and faults in the state table. Every walk is checked by the ledger."""

from __future__ import annotations

import pytest

from kiosk.config.tree import VisitSettings
from kiosk.reasons import Reason
from kiosk.values import Liveness, Moment, Observation
from kiosk.visit.events import (
    BadgeRead,
    Observed,
    PartFailed,
    PartRecovered,
    Ticked,
)
from kiosk.visit.states import (
    CoolingDown,
    Deciding,
    Faulted,
    Flashing,
    Granted,
    Guiding,
    Holding,
    Idle,
    attempt_under_way,
)
from kiosk.visit.step import step
from tests.support.ledger import Ledger
from tests.support.visits import (
    FRAME_S,
    Walk,
    denied_reason,
    face_at,
    kinds,
    liveness,
    match_of,
    pulses,
    rules_with,
)

# Time


@pytest.mark.parametrize("state", [Holding, Flashing, Deciding])
def test_a_stalled_loop_ends_the_check(walk: Walk, state: type) -> None:
    """A stalled loop ends the check."""
    walk.to_holding().until(state, face_at(), 200)
    walk.look(face_at(), after_s=1.1)
    assert denied_reason(walk) is Reason.LOOP_STALLED


def test_ticks_without_frames_are_a_stall_too(walk: Walk) -> None:
    """Ticks without frames are a stall too."""
    walk.to_flashing().tick(1.1)
    assert denied_reason(walk) is Reason.LOOP_STALLED


@pytest.mark.parametrize(("shift_s", "reason"), [(-0.5, Reason.CLOCK_WENT_BACK), (1.2, Reason.LOOP_STALLED)])
def test_the_frames_own_times_must_be_whole(walk: Walk, shift_s: float, reason: Reason) -> None:
    """The frames own times must be whole."""
    walk.to_flashing()
    seen = walk.observation(face_at(), at_s=walk.now_s + shift_s)
    walk.send(Observed(seen), FRAME_S)
    assert denied_reason(walk) is reason


@pytest.mark.parametrize("state", [Guiding, Holding, Flashing, Deciding])
def test_time_that_goes_back_ends_the_visit(walk: Walk, state: type) -> None:
    """Time that goes back ends the visit."""
    walk.to_guiding().until(state, face_at(), 200)
    assert isinstance(walk.visit.state, state)
    walk.look(face_at(), after_s=-0.01)
    assert denied_reason(walk) is Reason.CLOCK_WENT_BACK


def test_time_that_goes_back_never_lengthens_a_result_or_a_wait(walk: Walk) -> None:
    """Time that goes back never lengthens a result or a wait."""
    walk.to_granted()
    walk.send(Ticked(), -50.0)
    assert isinstance(walk.visit.state, CoolingDown)
    walk.send(Ticked(), -20.0)
    assert walk.visit.state.until_s - walk.now_s == pytest.approx(8.0)
    walk.empty(0.7)
    assert isinstance(walk.visit.state, Idle)
    walk.send(Ticked(), -5.0)
    assert isinstance(walk.visit.state, Idle)
    assert pulses(walk) == 1


# Results and cooling down


def test_a_result_is_shown_for_its_time_and_then_cools_down(walk: Walk) -> None:
    """A result is shown for its time and then cools down."""
    walk.to_granted().look(face_at(), times=29, after_s=0.1)
    assert isinstance(walk.visit.state, Granted)
    assert kinds(walk.look(face_at(), times=2, after_s=0.1)) == ["VISIT_ENDED"]
    assert isinstance(walk.visit.state, CoolingDown)


def test_after_a_grant_the_next_person_need_not_wait_for_an_empty_place(walk: Walk) -> None:
    """After a grant the next person need not wait for an empty place."""
    walk.to_granted(face_at(1)).tick(3.1)
    walk.look(face_at(2, distance_mm=700), times=6, after_s=0.1)
    assert isinstance(walk.visit.state, Idle)


def test_a_denied_face_that_stays_waits_eight_seconds_and_after_three_denials_thirty(walk: Walk) -> None:
    """A denied face that stays waits eight seconds and after three denials thirty."""
    waits = []
    for _ in range(3):
        walk.to_flashing().answer_liveness(liveness(Liveness.SPOOF))
        walk.until(CoolingDown, face_at(), 40, after_s=0.1)
        began_s = walk.now_s
        walk.until(Idle, face_at(), 400, after_s=0.1)
        waits.append(walk.now_s - began_s)
    assert waits == pytest.approx([8.0, 8.0, 30.0], abs=0.15)
    assert walk.visit.denials == 3


def test_denials_are_forgotten_when_the_face_goes(walk: Walk) -> None:
    """Denials are forgotten when the face goes."""
    walk.to_flashing().answer_liveness(liveness(Liveness.SPOOF))
    walk.empty(6.0)
    assert isinstance(walk.visit.state, Idle)
    assert walk.visit.denials == 0


def test_denials_are_forgotten_when_the_face_goes_from_idle(walk: Walk) -> None:
    """Denials are forgotten when the face goes from idle."""
    walk.to_flashing().answer_liveness(liveness(Liveness.SPOOF))
    walk.until(CoolingDown, face_at(), 40, after_s=0.1)
    walk.until(Idle, face_at(), 100, after_s=0.1)
    assert walk.visit.denials == 1
    walk.empty(1.0)
    assert walk.visit.denials == 1
    walk.empty(1.2)
    assert walk.visit.denials == 0


# Badges


@pytest.mark.parametrize(("wait_s", "kept"), [(9.0, "4711"), (11.0, None)])
def test_a_badge_without_a_visit_is_forgotten(walk: Walk, wait_s: float, kept: str | None) -> None:
    """A badge without a visit is forgotten."""
    walk.send(BadgeRead("4711"))
    walk.empty(wait_s)
    assert walk.visit.badge == kept


def test_a_badge_goes_with_its_visit(walk: Walk) -> None:
    """A badge goes with its visit."""
    walk.to_guiding().send(BadgeRead("4711"))
    walk.empty(2.2)
    assert isinstance(walk.visit.state, Idle)
    assert walk.visit.badge is None


@pytest.mark.parametrize("state", [Flashing, Deciding])
def test_a_badge_read_during_a_check_is_not_used(walk: Walk, state: type) -> None:
    """A badge read during a check is not used."""
    walk.to_flashing().until(state, face_at(), 150)
    walk.send(BadgeRead("4711"))
    assert walk.visit.badge is None


# Faults


@pytest.mark.parametrize("state", [Idle, Guiding, Holding, Flashing, Deciding, Granted])
def test_a_lost_part_stops_everything_and_recovery_cools_down(walk: Walk, state: type) -> None:
    """A lost part stops everything and recovery cools down."""
    if state is Granted:
        walk.to_granted()
    elif state is not Idle:
        walk.to_guiding().until(state, face_at(), 200)
    effects = walk.send(PartFailed(Reason.DOOR_LOST))
    assert isinstance(walk.visit.state, Faulted)
    assert kinds(effects)[-1] == "FAULTED"
    assert attempt_under_way(walk.visit) is None
    walk.answer_match(match_of())
    walk.look(face_at(), times=30)
    assert isinstance(walk.visit.state, Faulted)
    assert kinds(walk.send(PartRecovered(Reason.DOOR_LOST))) == ["RECOVERED"]
    assert isinstance(walk.visit.state, CoolingDown)


def test_each_fault_is_told_once_and_all_must_recover(walk: Walk) -> None:
    """Each fault is told once and all must recover."""
    walk.send(PartFailed(Reason.DOOR_LOST))
    assert walk.send(PartFailed(Reason.DOOR_LOST)) == ()
    assert kinds(walk.send(PartFailed(Reason.CAMERA_LOST))) == ["FAULTED"]
    assert walk.visit.faults == (Reason.CAMERA_LOST, Reason.DOOR_LOST)
    assert walk.send(PartRecovered(Reason.RECORDS_LOST)) == ()
    walk.send(PartRecovered(Reason.DOOR_LOST))
    assert isinstance(walk.visit.state, Faulted)
    walk.send(Ticked(), -3.0)
    walk.send(PartRecovered(Reason.CAMERA_LOST), -3.0)
    assert isinstance(walk.visit.state, CoolingDown)


def test_the_oval_follows_the_size_of_the_frames(walk: Walk) -> None:
    """The oval follows the size of the frames."""
    before = walk.visit.oval
    walk.send(Observed(Observation(1, 101.0, 1280, 720, (), None, True, None)))
    oval = walk.visit.oval
    assert (walk.visit.frame_width_px, walk.visit.frame_height_px) == (1280, 720)
    assert oval.width_ratio == pytest.approx(before.width_ratio), "the same field of view, the same share of it"
    assert oval.height_ratio * 720 == pytest.approx(2 * before.height_ratio * 480)
    walk.send(Observed(Observation(2, 101.1, 640, 480, (), None, True, None)))
    assert walk.visit.oval.height_ratio == pytest.approx(before.height_ratio)


def test_the_same_arguments_give_the_same_answer(walk: Walk) -> None:
    """The same arguments give the same answer."""
    walk.to_holding()
    now = Moment(walk.now_s + 0.01, walk.moment().utc, b"n" * 32)
    event = Observed(walk.observation(face_at()))
    assert step(walk.visit, event, now, walk.rules) == step(walk.visit, event, now, walk.rules)


def test_a_visit_with_other_settings_waits_for_them() -> None:
    """A visit with other settings waits for them."""
    walk = Walk(rules_with(visit=VisitSettings(arrive_frames=1, hold_s=0.3)), Ledger(step))
    walk.look(face_at())
    assert isinstance(walk.visit.state, Guiding)
