"""The state table from the flash to the decision. Every walk is checked by the ledger."""

from __future__ import annotations

import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Gate, Liveness, Verdict
from kiosk.visit.challenge import FLOOR, LONG_FLOOR, shown_after_s
from kiosk.visit.events import (
    BadgeRead,
    DropAttempt,
    Effect,
    MatchFailed,
    PulseDoor,
    RecordEvent,
    StartAttempt,
    Ticked,
)
from kiosk.visit.light import Flash
from kiosk.visit.scene import scene
from kiosk.visit.states import (
    Deciding,
    Flashing,
    Granted,
    Guiding,
    Holding,
    wants_exposure_lock,
)
from kiosk.visit.step import step
from tests.support.ledger import Ledger
from tests.support.visits import (
    ALICE,
    BOB,
    Walk,
    denied_reason,
    face_at,
    kinds,
    liveness,
    match_of,
    pulses,
    rules_with,
)

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
    assert isinstance(effects[0], RecordEvent), "a grant is on record before the relay moves"
    assert isinstance(effects[1], PulseDoor)
    assert effects[1].grant.person_id == ALICE
    assert effects[2] == DropAttempt(1)
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
    assert told[0].flash is Flash.NORMAL


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


def test_in_weak_light_the_flash_goes_on_for_longer(walk: Walk) -> None:
    """A LIVE answer before the ninth colour is over waits for the last slot; an attempt in good light does not."""
    for _ in range(40):
        walk.look(face_at(), lux=3000.0)
    start = next(effect for effect in walk.effects if isinstance(effect, StartAttempt))
    assert start.least_colours == LONG_FLOOR
    walk.answer_match(match_of())
    walk.answer_liveness(liveness())
    assert isinstance(walk.visit.state, Flashing)
    walk.until(Deciding, face_at(), 150, lux=3000.0).look(face_at())
    assert isinstance(walk.visit.state, Granted)
    told = [effect for effect in walk.effects if isinstance(effect, RecordEvent)]
    assert [(one.kind, one.flash) for one in told][1:3] == [
        ("ATTEMPT_STARTED", Flash.LONG), ("GRANTED", Flash.LONG)
    ]  # fmt: skip
    assert next(one for one in _started(lux=300.0) if isinstance(one, StartAttempt)).least_colours == FLOOR


def test_in_weak_light_the_flash_may_end_after_the_ninth_colour(walk: Walk) -> None:
    """Not a moment earlier, and no later."""
    for _ in range(40):
        walk.look(face_at(), lux=3000.0)
    start = next(effect for effect in walk.effects if isinstance(effect, StartAttempt))
    walk.answer_match(match_of())
    began_s = walk.visit.state.check.began_s  # type: ignore[union-attr]
    ninth_s = began_s + shown_after_s(start.challenge, LONG_FLOOR)
    while walk.now_s < ninth_s:
        assert isinstance(walk.visit.state, Flashing)
        walk.look(face_at(), lux=3000.0)
    walk.answer_liveness(liveness())
    assert isinstance(walk.visit.state, Granted | Deciding)
    assert walk.now_s < began_s + start.challenge.duration_s


def _started(lux: float) -> list[Effect]:
    walk = Walk()
    walk.look(face_at(), times=40, lux=lux)
    return walk.effects


def test_an_unsure_visitor_is_told_why_before_the_next_try(walk: Walk) -> None:
    """For a moment the screen says so, and no flash begins meanwhile, however still the face is."""
    walk.to_deciding().answer_liveness(liveness(Liveness.UNSURE, Reason.LOW_LIGHTING))
    began_s = walk.now_s
    while isinstance(walk.visit.state, Guiding):
        shown = scene(walk.visit, walk.now_s)
        assert (shown.hint, shown.why) == (Reason.ONCE_MORE, Reason.LOW_LIGHTING)
        walk.look(face_at())
    assert walk.now_s - began_s == pytest.approx(1.5, abs=0.05)
    assert isinstance(walk.visit.state, Holding)
    assert scene(walk.visit, walk.now_s).why is None


def test_told_why_and_then_guided_on(walk: Walk) -> None:
    """A face that does not fit hears what to do once the reason was shown."""
    walk.to_deciding().answer_liveness(liveness(Liveness.UNSURE))
    walk.look(face_at(distance_mm=700.0), times=60)
    assert scene(walk.visit, walk.now_s).hint is Reason.MOVE_CLOSER


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
