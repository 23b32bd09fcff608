"""The actors' physics, on a painted face: who answers the screen's light, how strongly and in which shape."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hardware.sim.actors import BentPrint, FlatPrint, LiveHead, Mask, Nobody, Shape, grey_card
from hardware.sim.light import Ambient
from hardware.sim.path import Path, Stand
from hardware.sim.portrait import Portrait
from hardware.sim.relief import SURFACE_STEP, Placed
from hardware.sim.replay import Glass, ScreenReplay
from hardware.sim.story import Actor, Story
from hardware.sim.world import World
from kiosk.errors import InputError
from kiosk.values import Floats
from tests.hardware_sim.people import painted
from tests.support import simfaces

STILL = Path(((0.0, (0.0, 0.0, 400.0)),), sway_mm=0.0, wobble_deg=0.0)
WHITE = (1.0, 1.0, 1.0)
BLACK = (0.0, 0.0, 0.0)


def world_of(*actors: Actor, lux: float = 300.0) -> World:
    """A world with these actors."""
    return World(Story(actors=actors, lights=((0.0, Ambient(lux=lux)),)))


def response(actor: Actor, half: str = "full", lux: float = 300.0) -> Floats:
    """Relative change (H, W, 3) of the radiance when the screen goes from black to white."""
    world = world_of(actor, lux=lux)
    dark = world.film(1000.1, 0.01)
    world.light.add(1001.0, BLACK if half == "bottom" else WHITE, BLACK if half == "top" else WHITE)
    return np.asarray(world.film(1001.5, 0.01) / dark - 1.0, np.float32)


# Skin between and beside the eyes, cheeks and forehead of a face at 400 mm, away from eyes and mouth.
FACE = slice(180, 330, 6), slice(260, 381, 6)


def face_cells(actor: Actor, half: str = "full") -> tuple[Floats, Floats, Floats]:
    """(x, y, response) of skin cells: those whose response is not that of an eye or a mouth."""
    map_ = response(actor, half)[..., 1]
    y, x = np.mgrid[FACE]
    values = map_[FACE]
    middle = np.median(values)
    plain = np.abs(values / middle - 1.0) < 0.6
    return x[plain].astype(np.float32), y[plain].astype(np.float32), values[plain]


def residual(actor: Actor, half: str = "full") -> float:
    """Standard deviation after removing the best plane, in shares of the mean."""
    x, y, values = face_cells(actor, half)
    design = np.column_stack([x, y, np.ones_like(x)])
    plane = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return float(np.std(values - plane) / np.mean(values))


@pytest.mark.parametrize("lux", [100.0, 1000.0])
def test_modulation_is_screen_light_over_room_light(lux: float) -> None:
    """A grey card at 400 mm changes by about 40 lx over the room's lux, white balance and sensor left out."""
    map_ = response(Shape(grey_card(), STILL), lux=lux)
    assert map_[235:245, 315:325].mean() == pytest.approx(40.0 / lux, rel=0.08)


def test_modulation_does_not_depend_on_the_albedo() -> None:
    """Dark and light cards respond alike: that is why the liveness does not depend on skin tone."""
    cards = (Shape(grey_card(albedo), STILL) for albedo in (0.05, 0.18, 0.8))
    dark, middle, light = (response(card)[200:280, 280:360].mean() for card in cards)
    assert dark == pytest.approx(middle, rel=1e-3)
    assert light == pytest.approx(middle, rel=1e-3)


def test_the_background_hardly_responds() -> None:
    """The wall is five times as far away."""
    head = LiveHead(painted(), STILL)
    background = response(head)[40:100, 40:80].mean()
    assert 0.0 < background < 0.1 * face_cells(head)[2].mean()


def test_a_flat_print_answers_as_a_plane_and_a_head_does_not() -> None:
    """The shape gate has something to measure."""
    flat, head = residual(FlatPrint(painted(), STILL)), residual(LiveHead(painted(), STILL))
    assert flat < 0.025
    assert head > 0.10
    assert head > 5 * flat


def test_a_bent_print_lies_between() -> None:
    """About as the design's study found: more than a plane, less than a head."""
    bent = residual(BentPrint(painted(), STILL))
    assert residual(FlatPrint(painted(), STILL)) * 2 < bent < residual(LiveHead(painted(), STILL))


def test_only_a_head_tells_top_from_bottom() -> None:
    """(T - B) / (T + B) over a print is nearly a plane, over a head it follows the nose."""

    def contrast(actor: Actor) -> float:
        x, y, top = face_cells(actor, "top")
        bottom_map = response(actor, "bottom")[..., 1]
        bottom = bottom_map[y.astype(int), x.astype(int)]
        ratio = (top - bottom) / (top + bottom)
        design = np.column_stack([x, y, np.ones_like(x)])
        return float(np.std(ratio - design @ np.linalg.lstsq(design, ratio, rcond=None)[0]))

    assert contrast(LiveHead(painted(), STILL)) > 5 * contrast(BentPrint(painted(), STILL))


def test_a_replay_hardly_answers() -> None:
    """It shines by itself: its response is less than a tenth of a live face's."""
    live = np.median(face_cells(LiveHead(painted(), STILL))[2])
    shown = np.median(response(ScreenReplay(painted(), STILL))[FACE][..., 1])
    assert 0.0 < shown < 0.1 * live


def test_a_glossy_replay_mirrors_the_screen() -> None:
    """With a bare front glass part of the tablet shows the kiosk's screen."""
    map_ = response(ScreenReplay(painted(), STILL, glass=Glass(mirror=0.04)))[FACE][..., 1]
    assert map_.max() > 4 * np.median(map_[:6])


def test_a_mask_answers_as_a_head() -> None:
    """Not covered by the flash, and the simulation must not pretend otherwise."""
    assert residual(Mask(painted(), STILL)) == pytest.approx(residual(LiveHead(painted(), STILL)), rel=0.25)


def test_gloss_keeps_the_colour_of_the_light() -> None:
    """Under blue light a head's brightest gloss is bluer than its skin."""
    head = LiveHead(painted(), STILL)
    world = world_of(head, lux=1.0)
    world.light.add(999.0, (0.0, 0.0, 1.0), (0.0, 0.0, 1.0))
    picture = world.film(1000.5, 0.01)[FACE]
    assert (picture[..., 2] > picture[..., 0]).all()
    assert picture[..., 2].max() > 1.2 * np.median(picture[..., 2])


def plane_residual(actor: Actor) -> float:
    """What no homography explains when the face comes from 850 to 400 mm, in shares of the eye distance."""
    relief, view = actor.relief(0.0), world_of().view
    marks = (simfaces.landmarks()[:468, :2] - np.array(simfaces.EYES_PX, np.float32)) / simfaces.PX_PER_MM
    cells = (marks * relief.px_per_mm + np.array(relief.origin_px)) / SURFACE_STEP
    heights = relief.surface[..., 0][cells[:, 1].astype(int), cells[:, 0].astype(int)]
    seen = []
    for z_mm in (850.0, 400.0):
        placed = Placed.of(relief, stand(z_mm), view)
        points = [placed.point((float(x), float(y), float(h))) for (x, y), h in zip(marks, heights, strict=True)]
        seen.append(np.array([view.focal_px * point[:2] / point[2] for point in points]))
    plane, _ = cv2.findHomography(seen[0], seen[1], 0)
    moved = cv2.perspectiveTransform(seen[0][None], plane)[0]
    return float(np.sqrt(np.mean(np.sum((moved - seen[1]) ** 2, axis=1)))) / 83.5


def test_a_head_that_approaches_does_not_move_as_a_plane() -> None:
    """True parallax: the nose grows faster than the cheeks, which no print can do."""
    assert plane_residual(LiveHead(painted(), STILL)) > 0.01
    assert plane_residual(FlatPrint(painted(), STILL)) < 0.0005


def stand(z_mm: float) -> Stand:
    """Standing still at a distance."""
    place = Path(((0.0, (0.0, 0.0, z_mm)),), sway_mm=0.0, wobble_deg=0.0).at(1.0)
    assert place is not None
    return place


@pytest.mark.parametrize("z_mm", [300.0, 400.0, 900.0])
def test_the_eyes_are_63_mm_apart_at_any_distance(z_mm: float) -> None:
    """Of the projected relief: focal length times 63 over the distance, 83 px at 400 mm."""
    world = world_of()
    placed = Placed.of(painted().relief, stand(z_mm), world.view)
    right, left = (placed.point(eye) for eye in painted().relief.eyes_mm)
    pixels = world.view.focal_px * (left[0] / left[2] - right[0] / right[2])
    assert pixels == pytest.approx(530.4 * 63.0 / z_mm, rel=0.03)


def test_the_nearer_actor_hides_the_farther_one() -> None:
    """Whatever the order in the story."""
    near = Shape(grey_card(0.1), STILL)
    far = Shape(grey_card(0.9, (600.0, 600.0)), Path.standing(900.0))
    there = world_of(near, far).film(1000.5, 0.01)
    back = world_of(far, near).film(1000.5, 0.01)
    np.testing.assert_array_equal(there, back)
    assert there[240, 320, 1] < 0.3 * there[240, 160, 1]


def test_nobody_is_the_empty_room() -> None:
    """And has no surface to ask for."""
    np.testing.assert_array_equal(world_of(Nobody()).film(1000.5, 0.01), world_of().film(1000.5, 0.01))
    with pytest.raises(LookupError):
        Nobody().relief(0.0)


def test_the_cut_out_person_carries_no_old_background() -> None:
    """Nothing green of the photograph is left around the head."""
    head = world_of(LiveHead(painted(), STILL)).film(1000.5, 0.01)
    empty = world_of().film(1000.5, 0.01)
    changed = np.abs(head - empty).max(axis=-1) > 0.3
    colours = head[changed]
    assert changed.sum() > 40_000
    assert (colours[:, 1] > 1.25 * np.maximum(colours[:, 0], colours[:, 2])).mean() < 0.01


def test_without_a_matte_the_person_is_cut_by_colour() -> None:
    """The named fall-back finds nearly the same person."""
    cut = Portrait.of(simfaces.photograph(), simfaces.find_still)
    alpha, wanted = cut.relief.levels[2][..., 3], painted().relief.levels[2][..., 3]
    overlap = np.minimum(alpha, wanted).sum() / np.maximum(alpha, wanted).sum()
    assert overlap > 0.85


def test_a_photograph_without_a_face_is_refused() -> None:
    """One plain line."""
    with pytest.raises(InputError, match="no face"):
        Portrait.of(simfaces.photograph(), lambda _pixels: [])


def test_a_clip_plays() -> None:
    """The tablet shows its pictures in turn."""
    clip = [simfaces.photograph(), np.ascontiguousarray(255 - simfaces.photograph())]
    replay = ScreenReplay(painted(), STILL, clip=clip, clip_fps=10.0)
    first, second, third = (replay.relief(t) for t in (0.05, 0.15, 0.25))
    assert first is third
    assert not np.array_equal(first.levels[0], second.levels[0])


def test_closed_lids_cover_the_eyes() -> None:
    """The whites are gone, the rest of the face is untouched."""
    relief = painted().relief
    eye = tuple(int(v) for v in np.array(relief.eyes_mm[0][:2]) * relief.px_per_mm + np.array(relief.origin_px))
    part = slice(eye[1] - 6, eye[1] + 6), slice(eye[0] - 20, eye[0] + 20)
    assert np.ptp(relief.levels[0][part][..., 1]) > 0.3
    assert relief.closed[0][part][..., 1].max() < 0.6 * relief.levels[0][part][..., 1].max()
    forehead = slice(eye[1] - 120, eye[1] - 90), slice(eye[0], eye[0] + 60)
    np.testing.assert_allclose(relief.closed[0][forehead], relief.levels[0][forehead], atol=1e-6)
