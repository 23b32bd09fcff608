"""The check without a flash in the state machine. Every walk is checked by the ledger."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Liveness, SceneKind
from kiosk.visit.approach import way
from kiosk.visit.events import (
    BadgeRead,
    DropAttempt,
    JudgeMovement,
    MatchArrived,
    MatchFailed,
    RecordEvent,
    StartAttempt,
    Ticked,
)
from kiosk.visit.light import Flash
from kiosk.visit.scene import scene
from kiosk.visit.states import (
    Deciding,
    Denied,
    Flashing,
    Granted,
    Guiding,
    Moving,
    keeps_frames,
    wants_exposure_lock,
)
from kiosk.visit.step import step
from tests.support.ledger import Ledger
from tests.support.visits import (
    ALICE,
    BADGE,
    POSES,
    RULES,
    Walk,
    denied_reason,
    face_at,
    kinds,
    liveness,
    match_of,
    moved,
    pulses,
    rules_with,
)

READER = replace(RULES, badges=True)


def test_in_bright_sun_with_a_badge_the_head_moves_and_the_door_opens(walk: Walk) -> None:
    """Three instructions, a 1:1 match, every gate: the whole way."""
    walk.to_moving()
    start = next(effect for effect in walk.effects if isinstance(effect, StartAttempt))
    assert (start.movement, start.badge, start.challenge.slots) == (True, BADGE, ())
    walk.answer_match(match_of(), badge=BADGE)
    walk.obey()
    (judge,) = [effect for effect in walk.effects if isinstance(effect, JudgeMovement)]
    assert [one.instruction for one in judge.turned] == list(dict.fromkeys(one.instruction for one in judge.turned))
    assert len(judge.turned) == 3
    assert isinstance(walk.visit.state, Deciding)
    walk.answer_liveness(moved())
    assert isinstance(walk.visit.state, Granted)
    assert (walk.visit.state.person_id, pulses(walk)) == (ALICE, 1)
    assert [one.flash for one in walk.effects if isinstance(one, RecordEvent)] == [None, Flash.NONE, Flash.NONE]


def test_the_screen_says_what_to_do_and_keeps_the_frames_but_not_the_exposure(walk: Walk) -> None:
    """An instruction, then straight again, with a ring that fills."""
    walk.to_moving()
    asked = scene(walk.visit, walk.now_s)
    assert (asked.kind, asked.fits, asked.flash) == (SceneKind.MOVING, True, None)
    assert keeps_frames(walk.visit)
    assert not wants_exposure_lock(walk.visit)
    walk.obey(1)
    back = scene(walk.visit, walk.now_s)
    assert (back.hint, back.progress) == (Reason.LOOK_STRAIGHT, pytest.approx(1 / 6))
    walk.obey()
    assert keeps_frames(walk.visit), "the judging needs them"
    assert not wants_exposure_lock(walk.visit)


def test_every_attempt_has_instructions_of_its_own(walk: Walk) -> None:
    """Drawn from the moment's nonce."""
    orders = set()
    for _ in range(12):
        walk.look(times=9, after_s=0.9)
        walk.to_moving()
        assert isinstance(walk.visit.state, Moving)
        orders.add(walk.visit.state.course.instructions)
        walk.look(face_at(2), face_at(3))
    assert len(orders) > 4


def test_another_way_than_asked_is_another_try_with_new_instructions(walk: Walk) -> None:
    """And a refusal when the tries are used up."""
    for attempt in (1, 2, 3):
        walk.to_moving()
        while isinstance(walk.visit.state, Moving) and walk.visit.attempt == attempt:
            asked = scene(walk.visit, walk.now_s).hint
            other = POSES[Reason.LOOK_UP if asked in (Reason.TURN_LEFT, Reason.TURN_RIGHT) else Reason.TURN_LEFT]
            walk.look(face_at(pose=other), times=2, after_s=0.1)
        if attempt < 3:
            assert isinstance(walk.visit.state, Guiding)
            assert walk.visit.state.again is Reason.INSTRUCTION_MISSED
    assert denied_reason(walk) is Reason.INSTRUCTION_MISSED


@pytest.mark.parametrize("frames", [True, False])
def test_each_instruction_has_its_time(walk: Walk, frames: bool) -> None:
    """Also when nothing is seen meanwhile (then the loop's own clock ends it)."""
    walk.to_moving().obey(2)
    if frames:
        walk.look(face_at(), times=37, after_s=0.1)
        assert isinstance(walk.visit.state, Moving)
        walk.look(face_at(), times=2, after_s=0.1)
    else:
        walk.look(face_at(), times=37, after_s=0.1)
        walk.tick(0.3)
    assert isinstance(walk.visit.state, Guiding)
    assert kinds(walk.effects)[-1] == "ATTEMPT_UNSURE"


@pytest.mark.parametrize(
    ("faces", "times", "reason"),
    [
        ((face_at(2),), 1, Reason.FACE_CHANGED),
        ((face_at(1), face_at(2, x=1.0)), 1, Reason.SECOND_FACE),
        ((face_at(1, x=0.9),), 1, Reason.LEFT_DURING_CHECK),
        ((), 6, Reason.LEFT_DURING_CHECK),
    ],
)
def test_one_face_near_the_oval_all_the_time(walk: Walk, faces: object, times: int, reason: Reason) -> None:
    """As during a flash."""
    walk.to_moving().obey(1)
    effects = walk.look(*faces, times=times, after_s=0.1)  # type: ignore[misc]
    assert denied_reason(walk) is reason
    assert DropAttempt(1) in effects


def test_a_live_verdict_before_the_last_instruction_is_none(walk: Walk) -> None:
    """Nor does an unsure one end it; a spoof does."""
    walk.to_moving().obey(2)
    walk.answer_match(match_of(), badge=BADGE)
    walk.answer_liveness(moved())
    walk.answer_liveness(moved(Liveness.UNSURE))
    assert isinstance(walk.visit.state, Moving)
    walk.obey()
    assert isinstance(walk.visit.state, Deciding)
    assert walk.visit.state.check.liveness is None
    walk.answer_liveness(moved(Liveness.SPOOF))
    assert denied_reason(walk) is Reason.NOT_LIVE


def test_a_spoof_ends_the_movement_at_once(walk: Walk) -> None:
    """Answers of other attempts do not."""
    walk.to_moving().answer_liveness(moved(Liveness.SPOOF), attempt=7)
    assert isinstance(walk.visit.state, Moving)
    walk.answer_liveness(moved(Liveness.SPOOF))
    assert denied_reason(walk) is Reason.NOT_LIVE


@pytest.mark.parametrize("badge", [None, "1234"])
def test_a_match_that_was_not_made_with_this_badge_does_not_open(walk: Walk, badge: str | None) -> None:
    """1:1 with its holder, or nothing."""
    walk.to_moving().obey()
    walk.answer_match(match_of(), badge=badge)
    walk.answer_liveness(moved())
    assert denied_reason(walk) is Reason.BADGE_NEEDED


@pytest.mark.parametrize("leaves_out", ["instruction", "parallax", "passive", "second_factor", "continuity"])
def test_every_gate_of_the_movement_is_needed(walk: Walk, leaves_out: str) -> None:
    """A verdict without one of them proves nothing."""
    walk.to_moving().obey()
    walk.answer_match(match_of(), badge=BADGE)
    walk.answer_liveness(moved(leaves_out=leaves_out))
    assert denied_reason(walk) is Reason.LIVENESS_UNSURE


def test_the_gates_of_one_check_do_not_serve_the_other(walk: Walk) -> None:
    """Movement gates after a flash, flash gates after a movement."""
    walk.to_deciding().answer_match(match_of())
    walk.answer_liveness(moved())
    assert denied_reason(walk) is Reason.LIVENESS_UNSURE
    other = Walk(stepper=Ledger(step)).to_moving().obey()
    other.answer_match(match_of(), badge=BADGE)
    other.answer_liveness(liveness())
    assert denied_reason(other) is Reason.LIVENESS_UNSURE


def test_a_matcher_that_fails_meanwhile_refuses(walk: Walk) -> None:
    """After the movement, as after a flash."""
    walk.to_moving().send(MatchFailed(1, Reason.MATCH_FAILED))
    walk.obey().send(Ticked())
    assert denied_reason(walk) is Reason.MATCH_FAILED


def test_a_badge_shown_during_the_movement_is_not_this_visitors(walk: Walk) -> None:
    """The one that began the check counts."""
    walk.to_moving().send(BadgeRead("1234"))
    walk.obey()
    walk.send(MatchArrived(1, match_of(), "1234"))
    walk.answer_liveness(moved())
    assert denied_reason(walk) is Reason.BADGE_NEEDED


def test_without_a_badge_bright_sun_stays_a_refusal(walk: Walk) -> None:
    """As ever, where nobody can be asked for a badge."""
    walk.until(Denied, face_at(), 120, lux=20_000.0)
    assert denied_reason(walk) is Reason.HIGH_LIGHTING


def test_where_there_is_a_reader_bright_sun_asks_for_the_badge() -> None:
    """And with the badge the next visit goes on."""
    walk = Walk(READER, Ledger(step)).until(Denied, face_at(), 120, lux=20_000.0)
    assert denied_reason(walk) is Reason.BADGE_NEEDED
    walk.look(times=60, after_s=0.1)
    assert isinstance(walk.to_moving().visit.state, Moving)


def test_a_record_that_forbids_the_flash_is_obeyed(walk: Walk) -> None:
    """In the best of lights."""
    walk.to_moving(no_flash=True)
    assert isinstance(walk.visit.state, Moving)
    assert not any(isinstance(effect, StartAttempt) and not effect.movement for effect in walk.effects)


def test_the_next_badge_is_another_persons(walk: Walk) -> None:
    """One that may see a flash."""
    walk.send(BadgeRead("1234", no_flash=True))
    walk.send(BadgeRead(BADGE))
    walk.to_flashing()
    assert isinstance(walk.visit.state, Flashing)


@pytest.mark.parametrize("badges", [True, False])
@pytest.mark.parametrize(
    ("path", "badge", "no_flash", "flash", "expected"),
    [
        ("auto", None, False, Flash.NORMAL, (False, None)),
        ("auto", BADGE, False, Flash.LONG, (False, None)),
        ("auto", BADGE, True, Flash.NORMAL, (True, None)),
        ("auto", BADGE, False, Flash.NONE, (True, None)),
        ("auto", None, True, Flash.NORMAL, (False, None)),
        ("record", BADGE, True, Flash.NORMAL, (True, None)),
        ("record", BADGE, True, Flash.NONE, (True, None)),
        ("record", BADGE, False, Flash.NORMAL, (False, None)),
        ("record", BADGE, False, Flash.NONE, (False, Reason.HIGH_LIGHTING)),
        ("record", None, True, Flash.NONE, (False, Reason.HIGH_LIGHTING)),
        ("flash", BADGE, False, Flash.NONE, (False, Reason.HIGH_LIGHTING)),
        ("flash", None, False, Flash.NONE, (False, Reason.HIGH_LIGHTING)),
        ("flash", BADGE, True, Flash.NORMAL, (False, Reason.NO_FLASH_ALLOWED)),
        ("flash", BADGE, True, Flash.NONE, (False, Reason.NO_FLASH_ALLOWED)),
        ("movement", BADGE, False, Flash.NORMAL, (True, None)),
        ("movement", BADGE, True, Flash.NONE, (True, None)),
        ("movement", None, False, Flash.NORMAL, (False, Reason.BADGE_NEEDED)),
        ("movement", "", False, Flash.NORMAL, (False, Reason.BADGE_NEEDED)),
    ],
)
def test_which_way_for_whom(
    badges: bool, path: str, badge: str | None, no_flash: bool, flash: Flash, expected: tuple[bool, Reason | None]
) -> None:
    """Configuration, badge, record, light."""
    rules = replace(rules_with(liveness=LivenessSettings(path=path)), badges=badges)  # type: ignore[arg-type]
    visit = replace(Walk().visit, badge=badge, badge_no_flash=no_flash)
    assert way(visit, flash, rules) == expected


def test_light_alone_does_not_choose_the_weaker_check() -> None:
    """By default: a lamp held at the camera would let an attacker choose."""
    rules = rules_with(liveness=LivenessSettings())
    visit = replace(Walk().visit, badge=BADGE, badge_no_flash=False)
    assert way(visit, Flash.NONE, rules) == (False, Reason.HIGH_LIGHTING)


def test_a_pose_that_is_no_number_is_not_followed(walk: Walk) -> None:
    """The time runs out."""
    lost = replace(POSES[Reason.TURN_LEFT], yaw_deg=math.nan)
    walk.to_moving().look(face_at(pose=lost), times=45, after_s=0.1)
    assert isinstance(walk.visit.state, Guiding)
