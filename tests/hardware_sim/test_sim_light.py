"""The physics of the lamps: every figure here follows from a formula, not from the code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.sim.light import Ambient, LightHistory, ScreenLamp, linear_to_srgb, rgb_linear, srgb_to_linear
from hardware.sim.mirror import mirrored
from kiosk.values import Panel

SEVEN_INCH = Panel(width_mm=155.0, height_mm=88.0, luminance_cd_m2=500.0)
ON_AXIS = ScreenLamp(SEVEN_INCH, offset_mm=(0.0, 0.0))
TOWARDS = np.array([0.0, 0.0, 1.0], np.float32)
WHITE = (1.0, 1.0, 1.0)
BLACK = (0.0, 0.0, 0.0)


def lux_at(lamp: ScreenLamp, x: float, y: float, z: float, normal: np.ndarray = TOWARDS) -> float:
    """Illuminance by the whole white screen."""
    point = np.array([x, y, z], np.float32)
    return float(sum(lamp.irradiance(point, normal, half) for half in ("top", "bottom")))


@pytest.mark.parametrize(("distance_mm", "lux"), [(250, 101), (300, 72), (400, 41), (500, 27), (800, 11)])
def test_seven_inch_panel_gives_the_published_illuminance(distance_mm: float, lux: float) -> None:
    """The table of the design: 41 lx at 40 cm and so on, within 5 %."""
    assert lux_at(ON_AXIS, 0, 0, distance_mm) == pytest.approx(lux, rel=0.05)


def test_far_away_the_panel_obeys_the_inverse_square() -> None:
    """Doubling a large distance quarters the light."""
    assert lux_at(ON_AXIS, 0, 0, 2000) / lux_at(ON_AXIS, 0, 0, 4000) == pytest.approx(4.0, rel=0.01)


@given(tilt=st.floats(0.0, 80.0))
def test_a_turned_surface_gets_the_cosine(tilt: float) -> None:
    """Lambert: E(tilt) = E(0) cos(tilt) for a lamp that is small and far."""
    normal = np.array([np.sin(np.deg2rad(tilt)), 0.0, np.cos(np.deg2rad(tilt))], np.float32)
    expected = lux_at(ON_AXIS, 0, 0, 3000) * np.cos(np.deg2rad(tilt))
    assert lux_at(ON_AXIS, 0, 0, 3000, normal) == pytest.approx(expected, rel=0.03, abs=1e-3)


def test_a_surface_that_faces_away_gets_nothing() -> None:
    """No light from behind."""
    assert lux_at(ON_AXIS, 0, 0, 400, -TOWARDS) == 0.0


def test_the_upper_half_lights_what_faces_up() -> None:
    """The halves differ in direction: that is what the half slots measure."""
    up = np.array([0.0, -0.6, 0.8], np.float32)
    point = np.array([0.0, 0.0, 400.0], np.float32)
    assert ON_AXIS.irradiance(point, up, "top") > 1.05 * ON_AXIS.irradiance(point, up, "bottom")


@pytest.mark.parametrize("ambient", [Ambient(lux=500), Ambient(lux=500, side=2.0), Ambient(lux=500, ceiling=3.0)])
def test_ambient_lux_is_what_a_card_facing_the_camera_gets(ambient: Ambient) -> None:
    """The setting means the illuminance at the face, wherever the light comes from."""
    assert float(ambient.illuminance(TOWARDS)) == pytest.approx(500.0, rel=0.01)


def test_side_light_lights_one_cheek_more() -> None:
    """Positive azimuth is the image's right."""
    ambient = Ambient(lux=500, side=2.0)
    right = ambient.illuminance(np.array([0.7, 0.0, 0.714], np.float32))
    left = ambient.illuminance(np.array([-0.7, 0.0, 0.714], np.float32))
    assert right > 1.5 * left


@given(st.integers(0, 255))
def test_srgb_round_trip(code: int) -> None:
    """Encoding undoes decoding."""
    assert round(float(linear_to_srgb(srgb_to_linear(np.array([code], np.uint8)))[0])) == code


def test_softened_red_is_not_saturated_red() -> None:
    """(255, 100, 100) has linear R / (R + G + B) just under 0.8."""
    red, green, blue = rgb_linear((255, 100, 100))
    assert red / (red + green + blue) == pytest.approx(0.797, abs=0.002)


def test_an_exposure_before_the_switch_sees_the_old_colour() -> None:
    """A switch is seen from the moment on at which it became visible, not before."""
    history = LightHistory()
    history.add(10.0, WHITE, WHITE)
    history.add(11.0, BLACK, WHITE)
    before, during, after = history.mean(np.array([10.9, 10.995, 11.1]), 0.010)
    np.testing.assert_allclose(before, 1.0, atol=1e-6)
    assert 0.4 < during[0, 0] < 0.9
    assert during[1, 0] == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(after[0], 0.0, atol=1e-6)


@given(st.lists(st.tuples(st.floats(0.0, 0.5), st.floats(0.0, 1.0)), min_size=1, max_size=12), st.floats(0.001, 0.03))
def test_mean_light_stays_within_what_was_shown(steps: list[tuple[float, float]], exposure_s: float) -> None:
    """The panel neither overshoots nor remembers light that was never there."""
    history = LightHistory()
    at = 5.0
    for wait, level in steps:
        at += wait
        history.add(at, (level,) * 3, (level,) * 3)
    seen = history.mean(np.linspace(4.9, at + 0.2, 40), exposure_s)
    assert seen.min() >= -1e-9
    assert seen.max() <= max(level for _, level in steps) + 1e-9


def test_nothing_shown_is_dark() -> None:
    """Before the first picture the screen gives no light."""
    assert not LightHistory().mean(np.array([1.0]), 0.01).any()


def test_flicker_vanishes_over_a_whole_period() -> None:
    """An exposure of exactly 10 ms averages 100 Hz away, one of 5 ms does not."""
    lamp = Ambient(flicker=0.3)
    starts = np.linspace(0.0, 0.05, 60)
    np.testing.assert_allclose(lamp.flicker_mean(starts, 0.010), 1.0, atol=1e-9)
    assert np.ptp(lamp.flicker_mean(starts, 0.005)) > 0.2


def test_a_flat_mirror_shows_the_screen_and_a_tilted_one_does_not() -> None:
    """The screen stands below the lens, so its image in a mirror is below the middle."""
    lamp = ScreenLamp(SEVEN_INCH)
    below = np.array([[[0.0, lamp.centre_mm[1] / 2, 400.0]]], np.float32)
    flat = np.broadcast_to(TOWARDS, below.shape)
    tilted = np.broadcast_to(np.array([0.5, 0.0, 0.866], np.float32), below.shape)
    assert float(mirrored(below, flat, lamp).sum()) == pytest.approx(1.0)
    assert float(mirrored(below, tilted, lamp).sum()) == 0.0


def test_all_patches_at_once_are_the_sum_of_single_ones() -> None:
    """L cos cos A / d^2, patch by patch, at drawn points and normals."""
    random = np.random.default_rng(3)
    points = random.uniform((-200, -200, 250), (200, 200, 900), (40, 3)).astype(np.float32)
    normals = random.standard_normal((40, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    lamp = ScreenLamp(SEVEN_INCH)
    area = SEVEN_INCH.width_mm * SEVEN_INCH.height_mm / 12
    for half in ("top", "bottom"):
        wanted = np.zeros(40)
        for x, y in lamp.patches(half):
            # Towards the camera is the third axis: a point at distance z has the screen z nearer.
            way = np.column_stack([x - points[:, 0], y - points[:, 1], points[:, 2]]).astype(float)
            length = np.linalg.norm(way, axis=1)
            facing = np.maximum((way * normals).sum(axis=1) / length, 0.0)
            wanted += SEVEN_INCH.luminance_cd_m2 * facing * (points[:, 2] / length) * area / length**2
        np.testing.assert_allclose(lamp.irradiance(points, normals, half), wanted, rtol=2e-3, atol=1e-4)


def test_gloss_shines_towards_the_camera_where_the_mirror_would() -> None:
    """The brightest facet of the coat is the one that mirrors the screen's middle, and both halves have one."""
    lamp = ScreenLamp(SEVEN_INCH)
    point = np.array([0.0, 0.0, 400.0], np.float32)
    tilts = np.deg2rad(np.arange(-30.0, 30.5, 0.5))
    normals = np.stack([np.zeros_like(tilts), np.sin(tilts), np.cos(tilts)], axis=-1).astype(np.float32)
    points = np.broadcast_to(point, normals.shape)
    shine = lamp.glosses(points, normals, f0=0.028, roughness=0.2)
    for half, name in enumerate(("top", "bottom")):
        middle = float(lamp.patches(name)[:, 1].mean())
        wanted = np.rad2deg(np.arctan2(middle, 400.0)) / 2
        assert np.rad2deg(tilts[int(np.argmax(shine[half]))]) == pytest.approx(wanted, abs=1.5)
