"""The state table, row by row, every walk checked by the ledger."""

from __future__ import annotations

import pytest

from kiosk.config.tree import LivenessSettings, VisitSettings
from kiosk.reasons import Reason
from kiosk.values import Gate, Liveness, Moment, Observation, Verdict
from kiosk.visit.events import (
    BadgeRead,
    DropAttempt,
    Effect,
    MatchFailed,
    Observed,
    PartFailed,
    PartRecovered,
    PulseDoor,
    RecordEvent,
    StartAttempt,
    Ticked,
)
from kiosk.visit.states import (
    CoolingDown,
    Deciding,
    Denied,
    Faulted,
    Flashing,
    Granted,
    Guiding,
    Holding,
    Idle,
    attempt_under_way,
    keeps_frames,
    wants_exposure_lock,
)
from kiosk.visit.step import step
from tests.support.ledger import Ledger
from tests.support.visits import ALICE, BOB, FRAME_S, Walk, face_at, liveness, match_of, quality_of, rules_with


@pytest.fixture
def walk() -> Walk:
    """A kiosk in front of which nobody stands, every step checked."""
    return Walk(stepper=Ledger(step))


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


# Idle and Guiding


def test_a_visit_starts_with_the_third_observation_running(walk: Walk) -> None:
    """A visit starts with the third observation running."""
    face = face_at(distance_mm=700)
    walk.look(face, times=2)
    walk.look()
    walk.look(face, times=2)
    assert isinstance(walk.visit.state, Idle)
    assert kinds(walk.look(face)) == ["VISIT_STARTED"]
    assert isinstance(walk.visit.state, Guiding)


def test_a_face_that_goes_ends_the_guiding_after_two_seconds(walk: Walk) -> None:
    """A face that goes ends the guiding after two seconds."""
    walk.to_guiding()
    walk.empty(1.9)
    assert isinstance(walk.visit.state, Guiding)
    assert kinds(walk.empty(0.2)) == ["VISIT_ENDED"]
    assert isinstance(walk.visit.state, Idle)


def test_guiding_ends_by_itself_when_the_frames_stop(walk: Walk) -> None:
    """Guiding ends by itself when the frames stop."""
    walk.to_guiding().tick(2.1)
    assert isinstance(walk.visit.state, Idle)


def test_a_face_that_never_fits_times_out_into_cooling_down(walk: Walk) -> None:
    """A face that never fits times out into cooling down."""
    far = face_at(distance_mm=700)
    walk.to_guiding().look(far, times=151, after_s=0.1)
    assert isinstance(walk.visit.state, CoolingDown)
    assert walk.visit.state.reason is Reason.FIT_TIMED_OUT


def test_a_face_in_the_oval_is_held_and_the_exposure_lock_asked_for(walk: Walk) -> None:
    """A face in the oval is held and the exposure lock asked for."""
    walk.to_guiding()
    assert not wants_exposure_lock(walk.visit)
    assert keeps_frames(walk.visit)
    walk.to_holding()
    assert isinstance(walk.visit.state, Holding)
    assert wants_exposure_lock(walk.visit)


@pytest.mark.parametrize("problem", [Reason.TOO_DARK, Reason.EYES_CLOSED, Reason.LOOK_AT_CAMERA])
def test_a_bad_picture_is_never_held(walk: Walk, problem: Reason) -> None:
    """A bad picture is never held."""
    walk.to_guiding().look(face_at(), times=60, quality=quality_of(problem))
    assert isinstance(walk.visit.state, Guiding)
    assert walk.visit.state.approach.hints.shown is problem


def test_unknown_quality_is_not_good_quality(walk: Walk) -> None:
    """Unknown quality is not good quality."""
    walk.to_guiding().look(face_at(), times=60, quality=None)
    assert isinstance(walk.visit.state, Guiding)


def test_a_quality_measured_a_moment_ago_still_counts_but_not_an_old_one(walk: Walk) -> None:
    """A quality measured a moment ago still counts but not an old one."""
    walk.to_holding()
    walk.look(face_at(), times=14, quality=None)
    assert isinstance(walk.visit.state, Holding)
    walk.look(face_at(), times=2, quality=None)
    assert isinstance(walk.visit.state, Guiding)


def test_the_quality_of_another_face_does_not_count(walk: Walk) -> None:
    """The quality of another face does not count."""
    walk.to_guiding().look(face_at(1), times=3)
    walk.look(face_at(2), times=10, quality=None)
    assert isinstance(walk.visit.state, Guiding)


def test_a_second_person_is_told_and_not_held(walk: Walk) -> None:
    """A second person is told and not held."""
    walk.to_holding().look(face_at(1), face_at(2, x=1.5), times=15)
    assert isinstance(walk.visit.state, Guiding)
    assert walk.visit.state.approach.hints.shown is Reason.ONE_PERSON


# Holding


def test_a_moving_face_starts_the_hold_again(walk: Walk) -> None:
    """A moving face starts the hold again."""
    walk.to_holding().look(face_at(), times=10)
    walk.look(face_at(x=0.1))
    assert isinstance(walk.visit.state, Guiding)
    started = walk.until(Flashing, face_at(x=0.1), 60).now_s
    assert isinstance(walk.visit.state, Flashing)
    assert started > 0


def test_another_face_starts_the_hold_again(walk: Walk) -> None:
    """Another face starts the hold again."""
    walk.to_holding().look(face_at(1), times=15)
    walk.look(face_at(2))
    assert isinstance(walk.visit.state, Guiding)


def test_a_tick_while_holding_changes_nothing(walk: Walk) -> None:
    """A tick while holding changes nothing."""
    state = walk.to_holding().visit.state
    assert walk.send(Ticked()) == ()
    assert walk.visit.state == state


def test_the_flash_waits_for_the_exposure_lock(walk: Walk) -> None:
    """The flash waits for the exposure lock."""
    walk.to_holding().look(face_at(), times=60, locked=False)
    assert isinstance(walk.visit.state, Holding)
    walk.look(face_at(), locked=True)
    assert isinstance(walk.visit.state, Flashing)


def test_a_camera_that_cannot_tell_may_flash(walk: Walk) -> None:
    """A camera that cannot tell may flash."""
    walk.until(Flashing, face_at(), 60, locked=None)
    assert isinstance(walk.visit.state, Flashing)


def test_an_exposure_that_never_locks_is_refused(walk: Walk) -> None:
    """An exposure that never locks is refused."""
    walk.to_holding().look(face_at(), times=95, locked=False)
    assert denied_reason(walk) is Reason.EXPOSURE_NOT_LOCKED
    assert walk.visit.attempt == 0


@pytest.mark.parametrize(("lux", "reason"), [(3000.0, None), (4000.0, Reason.HIGH_LIGHTING), (0.0, None)])
def test_a_flash_that_could_not_be_seen_is_not_shown(walk: Walk, lux: float, reason: Reason | None) -> None:
    """A flash that could not be seen is not shown."""
    walk.until(Flashing, face_at(), 40, lux=lux)
    if reason is None:
        assert isinstance(walk.visit.state, Flashing)
    else:
        assert denied_reason(walk) is reason


# Flashing


def test_the_flash_starts_an_attempt_with_the_match_in_parallel(walk: Walk) -> None:
    """The flash starts an attempt with the match in parallel."""
    walk.send(BadgeRead("4711"))
    walk.to_flashing(face_at(7))
    start = next(effect for effect in walk.effects if isinstance(effect, StartAttempt))
    assert (start.attempt, start.track, start.badge) == (1, 7, "4711")
    assert start.challenge == walk.rules.draw(walk.moment().nonce)
    assert kinds(walk.effects) == ["VISIT_STARTED", "ATTEMPT_STARTED"]


@pytest.mark.parametrize("state", [Flashing, Deciding])
@pytest.mark.parametrize(
    ("faces", "reason"),
    [
        ((face_at(2),), Reason.FACE_CHANGED),
        ((face_at(1), face_at(2, x=1.0)), Reason.SECOND_FACE),
    ],
)
def test_only_one_face_from_flash_to_match(walk: Walk, state: type, faces: tuple[object, ...], reason: Reason) -> None:
    """Only one face from flash to match."""
    walk.to_flashing().until(state, face_at(), 150)
    effects = walk.look(*faces)  # type: ignore[arg-type]
    assert denied_reason(walk) is reason
    assert effects[0] == DropAttempt(1)
    assert kinds(effects) == ["DENIED"]


@pytest.mark.parametrize("state", [Flashing, Deciding])
def test_a_face_may_be_lost_for_a_blink_of_the_detector_but_not_longer(walk: Walk, state: type) -> None:
    """A face may be lost for a blink of the detector but not longer."""
    walk.to_flashing().until(state, face_at(), 150)
    walk.look(times=11)
    walk.look(face_at())
    assert isinstance(walk.visit.state, state)
    walk.look(times=13)
    assert denied_reason(walk) is Reason.LEFT_DURING_CHECK


@pytest.mark.parametrize("away", [face_at(x=0.7), face_at(distance_mm=250), face_at(distance_mm=700)])
def test_a_face_far_out_of_the_oval_left_the_flash(walk: Walk, away: object) -> None:
    """A face far out of the oval left the flash."""
    walk.to_flashing().look(away)  # type: ignore[arg-type]
    assert denied_reason(walk) is Reason.LEFT_DURING_CHECK


def test_a_face_may_relax_once_the_flash_is_over(walk: Walk) -> None:
    """A face may relax once the flash is over."""
    walk.to_deciding().look(face_at(x=0.7))
    assert isinstance(walk.visit.state, Deciding)


def test_the_flash_ends_with_its_last_slot(walk: Walk) -> None:
    """The flash ends with its last slot."""
    walk.to_flashing().look(face_at(), times=35, after_s=0.1)
    assert isinstance(walk.visit.state, Flashing)
    walk.tick(0.2)
    assert isinstance(walk.visit.state, Deciding)
    assert wants_exposure_lock(walk.visit)


# Answers


def test_live_and_known_opens_once(walk: Walk) -> None:
    """Live and known opens once."""
    walk.to_deciding()
    assert walk.answer_match(match_of()) == ()
    effects = walk.answer_liveness(liveness())
    assert isinstance(effects[0], PulseDoor)
    assert effects[0].grant.person_id == ALICE
    assert effects[1] == DropAttempt(1)
    assert isinstance(walk.visit.state, Granted)
    walk.answer_match(match_of(BOB))
    walk.answer_liveness(liveness())
    walk.look(face_at(), times=300)
    assert pulses(walk) == 1


def test_answers_may_come_in_either_order_and_during_the_flash(walk: Walk) -> None:
    """Answers may come in either order and during the flash."""
    walk.to_flashing()
    walk.answer_match(match_of())
    assert isinstance(walk.visit.state, Flashing)
    walk.answer_liveness(liveness())
    assert isinstance(walk.visit.state, Deciding)
    assert not wants_exposure_lock(walk.visit)
    walk.send(Ticked())
    assert isinstance(walk.visit.state, Granted)


def test_the_match_may_come_last(walk: Walk) -> None:
    """The match may come last."""
    walk.to_deciding().answer_liveness(liveness())
    assert isinstance(walk.visit.state, Deciding)
    walk.answer_match(match_of())
    assert isinstance(walk.visit.state, Granted)


def test_the_first_match_counts(walk: Walk) -> None:
    """The first match counts."""
    walk.to_flashing().answer_match(match_of(None, 30.0, 20.0, Reason.UNKNOWN_PERSON))
    walk.answer_match(match_of())
    walk.to_deciding().answer_liveness(liveness())
    assert denied_reason(walk) is Reason.UNKNOWN_PERSON


@pytest.mark.parametrize("state", [Flashing, Deciding])
def test_a_spoof_is_refused_at_once_even_after_a_live_verdict(walk: Walk, state: type) -> None:
    """A spoof is refused at once even after a live verdict."""
    walk.to_flashing().until(state, face_at(), 150)
    walk.answer_liveness(liveness())
    effects = walk.answer_liveness(liveness(Liveness.SPOOF))
    assert denied_reason(walk) is Reason.NOT_LIVE
    told = [effect for effect in effects if isinstance(effect, RecordEvent)]
    assert told[0].gates == (("timing", "fail"),)


@pytest.mark.parametrize("reasons", [(), (Reason.LOW_LIGHTING,)])
def test_unsure_gets_new_challenges_and_then_a_refusal(walk: Walk, reasons: tuple[Reason, ...]) -> None:
    """Unsure gets new challenges and then a refusal."""
    for attempt in (1, 2):
        walk.to_deciding()
        assert kinds(walk.answer_liveness(liveness(Liveness.UNSURE, *reasons))) == ["ATTEMPT_UNSURE"]
        assert isinstance(walk.visit.state, Guiding)
        assert walk.visit.attempt == attempt
    walk.to_flashing().answer_liveness(liveness(Liveness.UNSURE, *reasons))
    assert denied_reason(walk) is (reasons[0] if reasons else Reason.LIVENESS_UNSURE)
    challenges = [effect.challenge for effect in walk.effects if isinstance(effect, StartAttempt)]
    assert len(set(challenges)) == 3


def test_without_tries_unsure_is_a_refusal() -> None:
    """Without tries unsure is a refusal."""
    walk = Walk(rules_with(liveness=LivenessSettings(tries=0)), Ledger(step))
    walk.to_deciding().answer_liveness(liveness(Liveness.UNSURE))
    assert denied_reason(walk) is Reason.LIVENESS_UNSURE


def test_a_live_word_without_passed_gates_does_not_open(walk: Walk) -> None:
    """A live word without passed gates does not open."""
    half = liveness(gates=(Gate("shape", Verdict.INSUFFICIENT, None, 0.6),))
    walk.to_deciding().answer_match(match_of())
    walk.answer_liveness(half)
    assert denied_reason(walk) is Reason.LIVENESS_UNSURE


@pytest.mark.parametrize(
    ("told", "reason"), [(Reason.MATCH_LATE, Reason.MATCH_LATE), (Reason.WELCOME, Reason.MATCH_FAILED)]
)
def test_a_matcher_that_cannot_answer_never_opens(walk: Walk, told: Reason, reason: Reason) -> None:
    """A matcher that cannot answer never opens."""
    walk.to_flashing().answer_match(match_of())
    walk.send(MatchFailed(1, told))
    assert isinstance(walk.visit.state, Flashing)
    walk.to_deciding().answer_liveness(liveness())
    assert denied_reason(walk) is reason


def test_the_deadline_refuses_what_is_missing(walk: Walk) -> None:
    """The deadline refuses what is missing."""
    walk.to_deciding().answer_liveness(liveness())
    walk.look(face_at(), times=63)
    assert denied_reason(walk) is Reason.MATCH_LATE


def test_a_verdict_that_never_comes_is_refused(walk: Walk) -> None:
    """A verdict that never comes is refused."""
    walk.to_deciding().answer_match(match_of())
    walk.look(face_at(), times=63)
    assert denied_reason(walk) is Reason.LIVENESS_UNSURE


def test_an_answer_just_after_the_deadline_is_no_answer(walk: Walk) -> None:
    """An answer just after the deadline is no answer."""
    walk.to_deciding().answer_liveness(liveness())
    walk.look(face_at(), times=59)
    assert isinstance(walk.visit.state, Deciding)
    walk.now_s = walk.visit.state.deadline_at_s
    walk.answer_match(match_of())
    assert denied_reason(walk) is Reason.MATCH_LATE


@pytest.mark.parametrize("state", [Flashing, Deciding])
def test_answers_of_another_attempt_change_nothing(walk: Walk, state: type) -> None:
    """Answers of another attempt change nothing."""
    walk.to_flashing().until(state, face_at(), 150)
    before = walk.visit.state
    for attempt in (0, 2):
        assert walk.answer_match(match_of(), attempt) == ()
        assert walk.answer_liveness(liveness(Liveness.SPOOF), attempt) == ()
        assert walk.send(MatchFailed(attempt, Reason.MATCH_FAILED)) == ()
    assert walk.visit.state == before


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
