"""Other skin, other shapes, glasses: what is asked for is what is filmed, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from hardware.sim import seen
from hardware.sim.actors import LiveHead
from hardware.sim.conditions import Conditions
from hardware.sim.glasses import Spectacles
from hardware.sim.light import Ambient
from hardware.sim.path import Path, Stand
from hardware.sim.portrait import Portrait
from hardware.sim.relief import View
from hardware.sim.species import Cast, build, dressed
from hardware.sim.story import Story
from hardware.sim.variants import (
    LUMA,
    luminance_factor,
    skin_colour,
    trimmed,
    with_glasses,
    with_shape,
    with_skin,
)
from hardware.sim.world import World
from kiosk.values import Floats
from tests.hardware_sim.people import painted

VIEW = View(640, 480, 530.4)
FRONTAL = Stand(0.0, -32.0, 400.0)
STILL = Path(((0.0, (0.0, -32.0, 400.0)),), sway_mm=0.0, wobble_deg=0.0)


def skin_albedo(portrait: Portrait) -> Floats:
    """Reflectance (N, 3) of sure skin."""
    texture = portrait.relief.levels[0]
    mask = cv2.resize(portrait.skin, (texture.shape[1], texture.shape[0]))
    return np.asarray(texture[(mask > 0.95) & (texture[..., 3] > 0.99)][:, :3], np.float32)


@pytest.mark.parametrize("lightness", [72.0, 60.0, 45.0, 30.0])
@pytest.mark.parametrize("redder", [-1.0, 0.0, 1.0])
def test_skin_has_the_asked_lightness_and_a_measured_colour(lightness: float, redder: float) -> None:
    """Median Y of the skin is that of L*; r/g and b/g stay where measured skin is."""
    albedo = skin_albedo(with_skin(painted(), lightness, redder))
    assert float(np.median(albedo @ LUMA)) == pytest.approx(luminance_factor(lightness), rel=0.03)
    red, green, blue = np.median(albedo, axis=0)
    assert 1.2 <= red / green <= 2.2
    assert 0.45 <= blue / green <= 0.82


def test_l_star_is_the_cie_formula() -> None:
    """L* 50 is 18.4 % reflectance, 72 is 43.6 %, 30 is 6.2 %."""
    assert [round(luminance_factor(one), 3) for one in (72.0, 50.0, 30.0)] == [0.437, 0.184, 0.062]
    assert float(skin_colour(50.0) @ LUMA) == pytest.approx(luminance_factor(50.0), rel=1e-4)


def test_eyes_hair_and_clothes_keep_their_colour_and_skin_its_texture() -> None:
    """Only skin is painted, by one factor."""
    before, after = painted().relief, with_skin(painted(), 35.0).relief
    shirt = slice(900, 1000), slice(500, 600)
    np.testing.assert_allclose(after.levels[0][shirt], before.levels[0][shirt], rtol=1e-5)
    x, y = (int(v) for v in np.array(before.eyes_mm[0][:2]) * before.px_per_mm + np.array(before.origin_px))
    eye = slice(y - 2, y + 3), slice(x - 3, x + 4)
    np.testing.assert_allclose(after.levels[0][eye], before.levels[0][eye], rtol=0.1, atol=0.02)
    old, new = (skin_albedo(one)[:, 1] for one in (painted(), with_skin(painted(), 35.0)))
    assert np.std(new) / np.mean(new) == pytest.approx(np.std(old) / np.mean(old), rel=0.05)


def gloss_share(portrait: Portrait) -> float:
    """Spread of the screen's answer over the cheeks, relative: what is not proportional to albedo is gloss."""
    world = World(Story((LiveHead(portrait, STILL),), ((0.0, Ambient(lux=1.0)),)))
    dark = world.film(1000.5, 0.01)
    world.light.add(1001.0, (0.0, 0.0, 1.0), (0.0, 0.0, 1.0))
    answer = (world.film(1001.5, 0.01) - dark)[180:260, 270:370, 2]
    return float(np.percentile(answer, 98) / np.median(answer))


def test_gloss_weighs_more_on_dark_skin() -> None:
    """The coat is the same, what is under it is darker."""
    assert gloss_share(with_skin(painted(), 30.0)) > 1.1 * gloss_share(with_skin(painted(), 72.0))


@pytest.mark.parametrize("shape", [(0.9, 1.0, 1.0), (1.0, 1.12, 1.0), (1.0, 1.0, 0.88), (1.1, 0.9, 1.1)])
def test_a_head_takes_the_asked_shape(shape: tuple[float, float, float]) -> None:
    """Its landmarks, its picture and its depth alike."""
    wide, tall, deep = shape
    old, new = painted(), with_shape(painted(), wide, tall, deep)
    ratios = np.ptp(new.landmarks_mm, axis=0) / np.ptp(old.landmarks_mm, axis=0)
    assert ratios == pytest.approx(shape, rel=0.01)
    solid = [one.relief.levels[0][..., 3] > 0.5 for one in (old, new)]
    height = [np.flatnonzero(one.any(axis=1)).size for one in solid]
    assert height[1] / height[0] == pytest.approx(tall, rel=0.01)
    assert np.ptp(new.relief.surface[..., 0]) / np.ptp(old.relief.surface[..., 0]) == pytest.approx(deep, rel=0.02)


def test_normals_belong_to_the_new_depth() -> None:
    """A flatter head faces the camera more: slopes shrink with its depth."""

    def slope(portrait: Portrait) -> Floats:
        x, y = portrait.relief.surface[..., 1], portrait.relief.surface[..., 2]
        return np.asarray(x / np.sqrt(1.0 - x * x - y * y), np.float32)

    old, flat = slope(painted()), slope(with_shape(painted(), 1.0, 1.0, 0.8))
    part = np.abs(old) < 1.0
    np.testing.assert_allclose(flat[part], 0.8 * old[part], atol=0.01)


def test_the_trimmed_portrait_is_filmed_alike() -> None:
    """At the resolution of the trials nobody can tell."""
    conditions = Conditions(distance_mm=400.0)
    full = World(Story((LiveHead(painted(), STILL),)), optics=conditions.optics)
    less = World(Story((LiveHead(trimmed(painted()), STILL),)), optics=conditions.optics)
    assert np.abs(full.film(1000.5, 0.01) - less.film(1000.5, 0.01)).mean() < 0.1
    old, new = (seen.landmarks_px(one.relief, FRONTAL, VIEW) for one in (painted(), trimmed(painted())))
    np.testing.assert_allclose(old, new, atol=1e-3)


def test_lenses_mirror_the_screen() -> None:
    """Two patches in the screen's colour, as bright as their share of its luminance; none when it is dark."""
    pair = Spectacles(mirror=0.08, tilt_deg=8.0, wrap_deg=4.0)
    plain, worn = painted(), with_glasses(painted(), pair)
    bright = []
    for level in (0.0, 1.0):
        pictures = []
        for portrait in (plain, worn):
            world = World(Story((LiveHead(portrait, STILL),), ((0.0, Ambient(lux=50.0)),)))
            world.light.add(999.0, (0.0, level, 0.0), (0.0, level, 0.0))
            pictures.append(world.film(1000.5, 0.01))
        bright.append((pictures[1] - pictures[0])[..., 1])
    # What is behind the lens loses the mirrored share itself.
    assert bright[1].max() == pytest.approx(0.08 * 500.0, rel=0.08)
    assert bright[0].max() < 2.0
    spots, _, stats, _ = cv2.connectedComponentsWithStats((bright[1] > 20.0).astype(np.uint8))
    assert spots - 1 == 2
    assert (stats[1:, cv2.CC_STAT_AREA] > 50).all()


def test_glasses_are_seen_on_prints_as_a_picture_only() -> None:
    """The frame is in the photograph, the lenses are not."""
    worn = with_glasses(painted(), Spectacles())
    assert len(worn.relief.lenses) == 2
    assert not np.array_equal(worn.linear, painted().linear)
    world = build("print_flat", Cast(painted(), painted()), Conditions(glasses=True), 1)
    assert world.story.actors[0].relief(0.0).lenses == ()


def test_conditions_dress_the_visitor() -> None:
    """Skin, shape and glasses of the conditions, the same for every try of one visitor; the other stays."""
    conditions = Conditions(skin_l=40.0, glasses=True, shape=(1.05, 0.95, 1.0), distance_mm=400.0, room_seed=9)
    cast = Cast(painted(), painted())
    first, again = dressed(cast, conditions), dressed(cast, conditions)
    np.testing.assert_array_equal(first.visitor.relief.levels[0], again.visitor.relief.levels[0])
    assert float(np.median(skin_albedo(first.visitor) @ LUMA)) == pytest.approx(luminance_factor(40.0), rel=0.05)
    assert len(first.visitor.relief.lenses) == 2
    assert first.other.relief.lenses == ()
    near = dressed(cast, replace(conditions, distance_mm=280.0, glasses=False, skin_l=None, shape=(1.0, 1.0, 1.0)))
    assert near.visitor is cast.visitor
