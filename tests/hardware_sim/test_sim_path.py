"""Paths: where an actor is, and that it moves as a person does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.sim.light import Ambient
from hardware.sim.path import EYES_Y_MM, Path
from hardware.sim.story import Fault, Story


def test_walk_up_goes_from_far_to_near_and_stays() -> None:
    """Enters, comes closer all the way, stands."""
    path = Path.walk_up(start_s=0.5, walk_s=2.0, far_mm=900, near_mm=400)
    assert path.at(0.4) is None
    distances = [stand.z_mm for t in np.arange(1.2, 3.2, 0.1) if (stand := path.at(float(t))) is not None]
    assert distances[0] == pytest.approx(900, abs=15)
    assert distances[-1] == pytest.approx(400, abs=25)
    assert all(later < earlier + 5 for earlier, later in pairwise(distances))
    late = path.at(20.0)
    assert late is not None
    assert late.z_mm == pytest.approx(400, abs=10)


def test_leaving_ends_out_of_sight() -> None:
    """After the walk out there is nobody."""
    path = Path.walk_up().leaving(8.0, walk_s=1.0)
    last = path.at(8.99)
    assert last is not None
    assert last.x_mm > last.z_mm
    assert path.at(9.0) is None


@given(st.floats(0.0, 60.0))
def test_sway_stays_within_a_few_millimetres(t_s: float) -> None:
    """Living heads move all the time, but little."""
    stand = Path.standing(400.0).at(t_s)
    assert stand is not None
    assert abs(stand.x_mm) <= 4.0
    assert abs(stand.y_mm - EYES_Y_MM) <= 2.0
    assert abs(stand.z_mm - 400.0) <= 4.0
    assert max(abs(stand.yaw_deg), abs(stand.pitch_deg), abs(stand.roll_deg)) <= 1.0


def test_sway_really_moves() -> None:
    """A head that stands still to the pixel is a picture."""
    places = [stand.x_mm for t in range(30) if (stand := Path.standing().at(t / 10)) is not None]
    assert np.std(places) > 0.8


def test_blinks_close_the_eyes_now_and_then() -> None:
    """One blink in each interval, shorter than half a second."""
    path = Path.walk_up()
    closed = np.array([stand.lids > 0.5 for t in np.arange(5, 45, 0.01) if (stand := path.at(float(t))) is not None])
    starts = np.flatnonzero(np.diff(closed.astype(int)) == 1)
    assert 8 <= len(starts) <= 11
    assert closed.mean() < 0.06


def test_keyframes_out_of_order_are_refused() -> None:
    """A path that jumps back in time is a mistake in the story."""
    path = Path(((1.0, (0, 0, 500)), (0.5, (0, 0, 400))))
    with pytest.raises(ValueError, match="order"):
        path.at(0.7)


def test_light_fades_between_two_levels() -> None:
    """A change of the room's light takes fade_s, then holds."""
    story = Story(lights=((0.0, Ambient(lux=300)), (5.0, Ambient(lux=3))), fade_s=0.4)
    assert story.ambient(4.9).lux == 300
    assert story.ambient(5.2).lux == pytest.approx(151.5)
    assert story.ambient(6.0).lux == 3


def test_faults_hold_only_in_their_time() -> None:
    """From, inclusive, until, exclusive."""
    story = Story(faults=(Fault(2.0, 3.0, "unplug"),))
    assert story.fault(1.99) is None
    assert story.fault(2.0) is not None
    assert story.fault(3.0) is None


def test_a_turn_goes_there_and_back() -> None:
    """On the word, to the asked angle, and to nothing else."""
    calm = Path(((0.0, (0.0, 0.0, 400.0)),), wobble_deg=0.0).turning(2.0, yaw_deg=25.0, for_s=1.0)
    angles = {t: stand for t in (1.9, 2.5, 3.1) if (stand := calm.at(t)) is not None}
    assert [angles[t].yaw_deg for t in (1.9, 2.5, 3.1)] == pytest.approx([0.0, 25.0, 0.0])
    assert all(stand.pitch_deg == 0.0 for stand in angles.values())
