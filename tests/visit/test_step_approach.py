"""The state table before a flash: Idle, Guiding, Holding. Every walk is checked by the ledger."""

from __future__ import annotations

import pytest

from kiosk.reasons import Reason
from kiosk.visit.events import (
    Ticked,
)
from kiosk.visit.states import (
    CoolingDown,
    Flashing,
    Guiding,
    Holding,
    Idle,
    keeps_frames,
    wants_exposure_lock,
)
from tests.support.visits import (
    Walk,
    denied_reason,
    face_at,
    kinds,
    quality_of,
)

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
    assert keeps_frames(walk.visit)
    assert not wants_exposure_lock(walk.visit), "a camera that still adapts is not frozen half-way"
    walk.look(face_at(), times=10)
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
