"""The picture of every state, and words for every reason."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kiosk.reasons import Reason
from kiosk.values import Challenge, Liveness, Scene, SceneKind, Slot
from kiosk.visit.events import PartFailed, PartRecovered
from kiosk.visit.messages import message_for, message_of
from kiosk.visit.scene import scene, slot_at
from kiosk.visit.states import CoolingDown, Deciding, Denied, Flashing, Holding
from tests.support.visits import GOOD, RULES, Walk, face_at, liveness, quality_of

RED, GREEN = Slot((255, 100, 100), "full", 0.3), Slot((100, 255, 100), "top", 0.25)


def test_idle_shows_no_hint() -> None:
    """Nobody is there to read it."""
    picture = scene(Walk().visit, 0.0)
    assert (picture.kind, picture.hint, picture.fits) == (SceneKind.IDLE, None, False)


def test_guiding_is_red_with_a_hint_and_green_once_it_fits() -> None:
    """The same oval, two colours."""
    walk = Walk().to_guiding()
    walk.look(face_at(distance_mm=700), times=12)
    picture = scene(walk.visit, walk.now_s)
    assert (picture.kind, picture.hint, picture.fits) == (SceneKind.GUIDING, Reason.MOVE_CLOSER, False)
    walk.look(face_at())
    assert scene(walk.visit, walk.now_s).fits


def test_a_dark_face_in_the_oval_is_red() -> None:
    """Green means that nothing is left to do."""
    walk = Walk().to_guiding().to_guiding()
    walk.look(face_at(), times=20, quality=quality_of(Reason.TOO_DARK))
    picture = scene(walk.visit, walk.now_s)
    assert (picture.hint, picture.fits) == (Reason.TOO_DARK, False)


def test_the_ring_fills_while_holding() -> None:
    """From nothing at the start to full at the hold time."""
    walk = Walk().to_holding()
    assert isinstance(walk.visit.state, Holding)
    start_s = walk.visit.state.since_s
    shares = [scene(walk.visit, start_s + share * RULES.visit.hold_s).progress for share in (-1, 0, 0.5, 1, 2)]
    assert shares == pytest.approx([0, 0, 0.5, 1, 1])
    walk.look(face_at(), times=12)
    picture = scene(walk.visit, walk.now_s)
    assert (picture.kind, picture.hint, picture.fits) == (SceneKind.HOLDING, Reason.HOLD_STILL, True)


def test_a_hold_without_length_is_full_at_once() -> None:
    """No division by zero on the screen."""
    visit = Walk().to_holding().visit
    assert isinstance(visit.state, Holding)
    short = replace(visit, state=replace(visit.state, ready_at_s=visit.state.since_s))
    assert scene(short, visit.state.since_s).progress == 1.0


def test_the_flash_shows_each_slot_for_its_time_and_then_the_deciding_picture() -> None:
    """By the time since the flash began, whatever the frame rate of the display."""
    walk = Walk().to_flashing()
    assert isinstance(walk.visit.state, Flashing)
    check = walk.visit.state.check
    for number, slot in enumerate(check.challenge.slots):
        picture = scene(walk.visit, check.began_s + 0.3 * number + 0.15)
        assert (picture.kind, picture.flash) == (SceneKind.FLASHING, slot)
    after = scene(walk.visit, check.flash_ends_s + 0.01)
    assert (after.kind, after.flash, after.progress) == (SceneKind.DECIDING, None, 1.0)


@pytest.mark.parametrize(
    ("elapsed_s", "slot"),
    [(-0.01, None), (0.0, RED), (0.29, RED), (0.3, GREEN), (0.54, GREEN), (0.56, None)],
)
def test_which_slot_is_lit(elapsed_s: float, slot: Slot | None) -> None:
    """A slot begins with its first moment and ends before the next one's."""
    assert slot_at(Challenge((RED, GREEN)), elapsed_s) == slot


def test_results_and_faults_say_why() -> None:
    """The reason in the state is the reason on the screen."""
    walk = Walk().to_deciding()
    assert isinstance(walk.visit.state, Deciding)
    assert scene(walk.visit, walk.now_s).hint is Reason.CHECKING
    walk.answer_liveness(liveness(Liveness.SPOOF))
    assert isinstance(walk.visit.state, Denied)
    assert (scene(walk.visit, 0).kind, scene(walk.visit, 0).hint) == (SceneKind.DENIED, Reason.NOT_LIVE)
    walk.until(CoolingDown, face_at(), 40, after_s=0.1)
    assert (scene(walk.visit, 0).kind, scene(walk.visit, 0).hint) == (SceneKind.COOLING_DOWN, Reason.NOT_LIVE)
    walk.send(PartFailed(Reason.DOOR_LOST))
    assert scene(walk.visit, 0) == Scene(SceneKind.FAULTED, walk.visit.oval, faults=(Reason.DOOR_LOST,))
    walk.send(PartRecovered(Reason.DOOR_LOST))
    assert scene(walk.visit, 0).hint is None


def test_a_grant_says_welcome() -> None:
    """And is green."""
    picture = scene(Walk().to_granted().visit, 0)
    assert (picture.kind, picture.hint, picture.fits) == (SceneKind.GRANTED, Reason.WELCOME, True)


# Words


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_short_words(reason: Reason) -> None:
    """Large type at 1.5 m has room for about 28 characters; no score, no placeholder, no code word."""
    message = message_for(reason)
    assert 0 < len(message.headline) <= 30
    assert len(message.detail) <= 60
    assert not re.search(r"[0-9%_{}]", message.headline + message.detail)
    assert message.headline[0].isupper()


@pytest.mark.parametrize("reason", [r for r in Reason if r.name.endswith("_LOST") or r.name.startswith("MATCH")])
def test_results_and_faults_have_a_second_line(reason: Reason) -> None:
    """What to do now."""
    assert message_for(reason).detail.endswith(".")


def test_a_deceiver_learns_nothing_from_the_words() -> None:
    """Refused as a spoof or just not proven: the same words."""
    assert message_for(Reason.NOT_LIVE) == message_for(Reason.LIVENESS_UNSURE)


def test_too_close_and_too_small_never_say_closer_wrongly() -> None:
    """Only MOVE_CLOSER may say it."""
    says = [reason for reason in Reason if "closer" in message_for(reason).headline.lower()]
    assert says == [Reason.MOVE_CLOSER]


def test_no_two_hints_read_the_same() -> None:
    """Each direction has its own words."""
    moves = [message_for(reason).headline for reason in Reason if reason.name.startswith("MOVE_")]
    assert len(set(moves)) == 6


def test_the_words_of_a_scene() -> None:
    """Faults before hints, and something friendly where there is neither."""
    oval = Walk().visit.oval
    faulted = Scene(SceneKind.FAULTED, oval, faults=(Reason.CAMERA_LOST, Reason.DOOR_LOST))
    assert message_of(faulted) == message_for(Reason.CAMERA_LOST)
    assert message_of(Scene(SceneKind.GUIDING, oval, hint=Reason.MOVE_UP)) == message_for(Reason.MOVE_UP)
    assert message_of(Scene(SceneKind.GUIDING, oval)) is None
    for kind in (SceneKind.IDLE, SceneKind.COOLING_DOWN):
        message = message_of(Scene(kind, oval))
        assert message is not None
        assert message.headline


def test_another_try_says_why() -> None:
    """Two lines: that it goes on, and what was wrong."""
    again = Scene(SceneKind.GUIDING, Walk().visit.oval, hint=Reason.ONCE_MORE, why=Reason.FACE_NOT_ALIGNED)
    message = message_of(again)
    assert message is not None
    assert (message.headline, message.detail) == ("Once more, please", "Stay inside the oval.")


def test_good_is_good() -> None:
    """The helper of these tests says what it means."""
    assert GOOD.ok
