"""Geometry of the oval, light of the screen, steadiness of a face."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import GuidanceSettings, LivenessSettings
from kiosk.values import Panel
from kiosk.visit.geometry import LARGEST_RATIO, focal_px, oval_for
from kiosk.visit.light import Flash, modulation, plan, screen_lux
from kiosk.visit.steadiness import MOST, Samples, drift_ratio, follow
from tests.support.visits import face_at

SEVEN_INCH = Panel(155.0, 88.0, 500.0)


def test_a_head_in_the_middle_of_the_distances_fills_the_oval() -> None:
    """62.2 degrees on 640 px are 530 px focal length; 63 mm at 425 mm are 78.6 px."""
    focal = focal_px(62.2, 640)
    assert focal == pytest.approx(530.4, abs=0.2)
    oval = oval_for(GuidanceSettings(), 640, 480, focal)
    assert oval.width_ratio * 640 == pytest.approx(2.2 * 78.6, abs=0.2)
    assert oval.height_ratio * 480 == pytest.approx(2.9 * 78.6, abs=0.2)
    assert (oval.centre_x_ratio, oval.centre_y_ratio) == (0.5, 0.5)


@given(st.integers(240, 4096), st.integers(240, 4096), st.floats(20, 120))
def test_the_oval_keeps_its_shape_and_stays_in_the_frame(width: int, height: int, hfov_deg: float) -> None:
    """Even through a telephoto lens."""
    oval = oval_for(GuidanceSettings(), width, height, focal_px(hfov_deg, width))
    assert 0.0 < oval.width_ratio <= LARGEST_RATIO + 1e-9
    assert 0.0 < oval.height_ratio <= LARGEST_RATIO + 1e-9
    assert oval.height_ratio * height / (oval.width_ratio * width) == pytest.approx(2.9 / 2.2)


def test_a_seven_inch_panel_gives_41_lux_at_40_cm() -> None:
    """The worked figure of the design."""
    assert screen_lux(SEVEN_INCH, 400.0) == pytest.approx(41.3, abs=0.1)
    assert modulation(SEVEN_INCH, 400.0, 500.0) == pytest.approx(0.083, abs=0.001)
    assert modulation(SEVEN_INCH, 400.0, 0.0) == math.inf


def test_near_the_panel_the_light_is_that_of_an_endless_wall_and_far_away_that_of_a_point() -> None:
    """Two limits that can be worked out by hand: pi L, and L A / d^2."""
    assert screen_lux(SEVEN_INCH, 0.01) == pytest.approx(math.pi * 500.0, rel=1e-3)
    assert screen_lux(SEVEN_INCH, 50_000.0) == pytest.approx(500.0 * 155.0 * 88.0 / 50_000.0**2, rel=1e-4)


@given(st.floats(100, 2000), st.floats(1.01, 3))
def test_farther_is_darker(distance_mm: float, factor: float) -> None:
    """Monotone in the distance."""
    assert screen_lux(SEVEN_INCH, distance_mm * factor) < screen_lux(SEVEN_INCH, distance_mm)


def moved(per_frame: float, frames: int = 10, fps: float = 30.0) -> Samples:
    """Samples of a face that moves by this many oval widths a frame."""
    samples: Samples = ()
    for number in range(frames):
        samples = follow(samples, face_at(1, per_frame * number), number / fps)
    return samples


def test_one_sample_proves_no_steadiness() -> None:
    """Nor do none."""
    assert drift_ratio(()) == math.inf
    assert drift_ratio(moved(0.0, frames=1)) == math.inf


def test_a_still_face_does_not_drift() -> None:
    """Ten equal samples."""
    assert drift_ratio(moved(0.0)) == 0.0


@pytest.mark.parametrize("fps", [10.0, 30.0, 120.0])
def test_drift_does_not_depend_on_the_frame_rate(fps: float) -> None:
    """One oval width is 2.2 eye distances; a tenth of it in 0.1 s is 0.22."""
    assert drift_ratio(moved(1.0 / fps, frames=40, fps=fps)) == pytest.approx(0.22, rel=0.01)


def test_coming_closer_is_moving() -> None:
    """The eyes may stay where they are while the head grows."""
    samples = follow((), face_at(1, distance_mm=425.0), 0.0)
    nearer = replace(face_at(1, distance_mm=400.0), eye_centre_px=face_at(1).eye_centre_px)
    assert drift_ratio(follow(samples, nearer, 0.1)) == pytest.approx(1 - 400 / 425, rel=0.01)


def test_eyes_without_distance_are_never_still() -> None:
    """A face whose eyes were not found cannot be steady."""
    blind = replace(face_at(1), eye_distance_px=0.0)
    assert drift_ratio(follow(follow((), blind, 0.0), blind, 0.1)) == math.inf


@given(st.lists(st.floats(0.0, 0.3), max_size=60))
def test_the_window_stays_small(gaps_s: list[float]) -> None:
    """Whatever the frame rate."""
    samples: Samples = ()
    now_s = 0.0
    for gap_s in gaps_s:
        now_s += gap_s
        samples = follow(samples, face_at(1), now_s)
        assert 1 <= len(samples) <= MOST
        assert samples[-1].at_s == now_s


@pytest.mark.parametrize(
    ("lux", "expected"),
    [
        (None, Flash.NORMAL),
        (0.0, Flash.NORMAL),
        (500.0, Flash.NORMAL),
        (2000.0, Flash.NORMAL),
        (2100.0, Flash.LONG),
        (4000.0, Flash.LONG),
        (4200.0, Flash.NONE),
        (20_000.0, Flash.NONE),
        (math.nan, Flash.NONE),
    ],
)
def test_the_predicted_modulation_decides_how_to_flash(lux: float | None, expected: Flash) -> None:
    """41 lx of screen light at 40 cm: 2 % at 2 050 lx, 1 % at 4 100 lx. Unknown light is left to the gates."""
    assert plan(SEVEN_INCH, 400.0, lux, LivenessSettings()) is expected


def test_a_distance_that_is_not_a_number_gets_no_flash() -> None:
    """Nothing can be predicted for it."""
    assert plan(SEVEN_INCH, math.nan, 300.0, LivenessSettings()) is Flash.NONE
    assert plan(SEVEN_INCH, math.inf, 300.0, LivenessSettings()) is Flash.NONE


@given(st.floats(0.0, 1e5), st.floats(0.0, 1e5))
def test_more_light_never_makes_a_bolder_flash(one_lux: float, other_lux: float) -> None:
    """Normal, long, none: in this order."""
    order = list(Flash)
    low, high = sorted((one_lux, other_lux))
    settings = LivenessSettings()
    assert order.index(plan(SEVEN_INCH, 400.0, low, settings)) <= order.index(plan(SEVEN_INCH, 400.0, high, settings))
