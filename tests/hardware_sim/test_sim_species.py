"""Every kind of visitor, built into a world: it is filmed, repeatable, and answers the screen as its physics says."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hardware.sim import seen
from hardware.sim.actors import FlatPrint, LiveHead
from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.conditions import Conditions
from hardware.sim.path import Path
from hardware.sim.replay import Glass, ScreenReplay, nearer
from hardware.sim.session import SessionFrame, record_session
from hardware.sim.species import FLASH_FOR_S, FLASH_S, SESSION_FLASH_S, SETTLED_S, SPECIES, Cast, build
from hardware.sim.story import Actor, Story
from hardware.sim.world import World
from hardware.sim.worn import EyeholePrint
from kiosk.errors import InputError
from kiosk.values import Floats, Frame, Slot
from tests.hardware_sim.people import painted

SMALL = Conditions(width_px=240, height_px=180, ambient_lux=150.0, blink_every_s=0.0)
STILL = Path(((0.0, (0.0, 0.0, 400.0)),), sway_mm=0.0, wobble_deg=0.0)
WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
COVERED = {
    "live", "print_flat", "print_glossy", "print_bent", "print_eyeholes", "replay_lcd", "replay_oled", "replay_phone",
    "replay_session", "frozen", "inject_tint", "inject_relit", "second_person", "face_swap",
}  # fmt: skip


@cache
def cast() -> Cast:
    """The painted person as everybody, and an old session in which a red and a green slot were shown."""
    slots = [Slot((255, 100, 100), "full", 0.28), Slot((100, 255, 100), "full", 0.28)]
    world = build("live", Cast(painted(), painted()), SMALL, 77)
    return Cast(painted(), painted(), tuple(record_session(world, slots, SESSION_FLASH_S)))


def filmed(species: str, seed: int = 5, at_s: float = SETTLED_S + 0.5, frames: int = 2) -> list[Frame]:
    """Some frames while the screen is white."""
    world = build(species, cast(), SMALL, seed)
    world.show(world.start_s, WHITE, WHITE)
    with SimCamera(world, SimClock()) as camera:
        first = camera.read(newer_than_s=world.start_s + at_s, timeout_s=10.0)
        return [first, *(camera.read(newer_than_s=0.0, timeout_s=1.0) for _ in range(frames - 1))]


@pytest.mark.parametrize("name", sorted(SPECIES))
def test_every_species_is_filmed_with_one_largest_face_of_the_right_size(name: str) -> None:
    """Nothing is given away by its size: the eyes of the largest face are as far apart as a visitor's."""
    world = build(name, cast(), SMALL, 5)
    found = seen.faces(world, world.start_s + SETTLED_S + 0.5, 0.01)
    assert len(found) == (2 if name == "second_person" else 1)
    assert found[0].eye_distance_px == pytest.approx(SMALL.optics.focal_px * 63.0 / 400.0, rel=0.06)
    assert all(later.box.area_px < found[0].box.area_px for later in found[1:])


@pytest.mark.parametrize("name", sorted(SPECIES))
def test_the_same_seed_gives_the_same_pixels_and_another_one_does_not(name: str) -> None:
    """Bit for bit, so that any try of a report can be looked at again."""
    first, again = filmed(name), filmed(name)
    assert [frame.exposure_start_s for frame in first] == [frame.exposure_start_s for frame in again]
    for one, twin in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.pixels, twin.pixels)
    if name != "replay_session":
        assert not np.array_equal(first[0].pixels, filmed(name, seed=6)[0].pixels)


def test_what_is_covered_is_said() -> None:
    """A good mask and a fast relit injection are not promised."""
    assert {name for name, species in SPECIES.items() if species.covered} == COVERED
    assert all(species.description for species in SPECIES.values())


def test_an_unknown_species_is_refused() -> None:
    """With the names there are."""
    with pytest.raises(InputError, match="hologram"):
        build("hologram", cast(), SMALL, 1)


def test_a_session_must_have_been_recorded() -> None:
    """One plain line."""
    with pytest.raises(InputError, match="recorded session"):
        build("replay_session", Cast(painted(), painted()), SMALL, 1)


def change(actor: Actor, rows: slice, columns: slice, lux: float = 150.0) -> Floats:
    """Radiance added by a white screen (h, w, 3), cd/m2, in a part of the picture."""
    world = World(Story((actor,), ((0.0, replace(SMALL, ambient_lux=lux).ambient),)))
    dark = world.film(1000.5, 0.01)
    world.light.add(1001.0, WHITE, WHITE)
    return np.asarray((world.film(1001.5, 0.01) - dark)[rows, columns], np.float32)


FACE = slice(180, 330), slice(260, 380)


def test_photographic_paper_shows_the_screen_in_four_hundredths_of_its_luminance() -> None:
    """The panel has 500 cd/m2: 20 cd/m2 in its image, nothing beside it."""
    extra = change(FlatPrint(painted(), STILL, gloss=0.04), *FACE) - change(FlatPrint(painted(), STILL), *FACE)
    assert float(extra.max()) == pytest.approx(20.0, rel=0.02)
    assert float(np.median(extra[:10])) == pytest.approx(0.0, abs=0.02)
    image = extra[..., 1] > 10.0
    # A mirror halves the size: 155 mm of panel, 530 px of focal length at 400 mm.
    assert image.any(axis=0).sum() == pytest.approx(155.0 / 2 / 400.0 * 530.4, abs=3.0)


def test_an_oled_scatters_less_than_an_lcd_and_has_black_blacks() -> None:
    """Its bezel-free black shows nothing but the mirror."""
    lcd = ScreenReplay(painted(), STILL, glass=Glass(diffuse=0.015, mirror=0.0, contrast=1000.0))
    oled = ScreenReplay(painted(), STILL, glass=Glass(diffuse=0.004, mirror=0.0, contrast=1e6))
    assert change(oled, *FACE).mean() == pytest.approx(change(lcd, *FACE).mean() * 0.004 / 0.015, rel=0.02)
    darkest = [float(actor.relief(0.0).levels[0][200:250, 150:200, :3].min()) for actor in (lcd, oled)]
    assert darkest[1] < darkest[0]


def test_a_phone_gets_more_of_the_screens_light_for_being_nearer() -> None:
    """Nearly six times as much at 0.42 of the distance (the panel is not small any more from there)."""
    glass = Glass(diffuse=0.01, mirror=0.0)
    tablet = change(ScreenReplay(painted(), STILL, glass=glass), *FACE)
    phone = ScreenReplay(painted(), nearer(STILL, 0.42), glass=glass, size_mm=(74.0, 158.0), shrunk=0.42)
    assert 2.5 < change(phone, *FACE).mean() / tablet.mean() < 5.7


def test_the_eyes_behind_the_holes_are_alive_and_the_face_is_paper() -> None:
    """They blink, and the sheet before the cheeks has no gloss."""
    relief = EyeholePrint(painted(), painted(), STILL).relief(0.0)
    eye, cheek = (
        tuple(int(v) for v in np.array(at) * relief.px_per_mm + np.array(relief.origin_px))
        for at in (relief.eyes_mm[0][:2], (40.0, 40.0))
    )
    blink = np.abs(relief.levels[0] - relief.closed[0])[..., :3].max(axis=-1)
    assert blink[eye[1] - 4 : eye[1] + 4, eye[0] - 10 : eye[0] + 10].max() > 0.2
    assert blink[cheek[1] - 10 : cheek[1] + 10, cheek[0] - 10 : cheek[0] + 10].max() < 1e-6
    assert relief.surface[cheek[1] // 4, cheek[0] // 4, 3] == pytest.approx(0.0, abs=1e-3)
    assert relief.surface[eye[1] // 4, eye[0] // 4, 0] < relief.surface[eye[1] // 4 - 12, eye[0] // 4, 0] - 6.0


def greenness(frame: Frame) -> float:
    """Green over red of the face."""
    part = frame.pixels[70:120, 95:145].astype(float).mean(axis=(0, 1))
    return float(part[1] / part[0])


@pytest.mark.parametrize("name", ["inject_tint", "inject_relit", "inject_relit_fast", "live"])
def test_injected_streams_follow_the_screen_late_and_the_living_do_not(name: str) -> None:
    """From white to green: how much of the change is there after 20 ms and after half a second."""
    world = build(name, cast(), replace(SMALL, lag_s=0.0, lag_jitter_s=0.0, ambient_lux=60.0), 5)
    at_s = world.start_s + SETTLED_S + 0.5
    world.show(world.start_s, WHITE, WHITE)
    world.show(at_s, (0.1, 1.0, 0.1), (0.1, 1.0, 0.1))
    with SimCamera(world, SimClock()) as camera:
        before = camera.read(newer_than_s=at_s - 0.3, timeout_s=10.0)
        camera.lock_exposure()
        soon = camera.read(newer_than_s=at_s + 0.005, timeout_s=10.0)
        late = camera.read(newer_than_s=at_s + 0.5, timeout_s=10.0)
    done = (greenness(soon) - greenness(before)) / (greenness(late) - greenness(before))
    assert greenness(late) > 1.05 * greenness(before)
    if name == "live":
        assert done > 0.9
    else:
        assert done < 0.3


def test_a_frozen_picture_keeps_its_faces_where_they_were() -> None:
    """Landmarks and pixels belong to the same moment."""
    world = build("frozen", cast(), SMALL, 3)
    late_s = world.start_s + FLASH_S
    with SimCamera(world, SimClock()) as camera:
        frames = [camera.read(newer_than_s=late_s, timeout_s=10.0) for _ in range(4)]
    np.testing.assert_array_equal(frames[0].pixels, frames[-1].pixels)
    points = [seen.faces(world, frame.exposure_start_s, frame.exposure_s)[0].landmarks for frame in frames]
    np.testing.assert_array_equal(points[0], points[-1])


def test_an_old_session_remembers_its_faces() -> None:
    """Each frame with the face that was in it, and the colours that were shown then."""
    session: list[SessionFrame] = list(cast().session)
    assert all(len(frame.faces) == 1 for frame in session[-20:])
    late = [frame for frame in session if frame.offset_s > SESSION_FLASH_S + 0.05]
    colours = np.array([frame.pixels[70:120, 95:145].astype(float).mean(axis=(0, 1)) for frame in late])
    assert np.ptp(colours[:, 1] / colours[:, 0]) > 0.05


def test_an_old_session_is_cued_with_the_flash() -> None:
    """Its flash begins when the kiosk's does: the best that who replays it can do."""
    world = build("replay_session", cast(), SMALL, 3)
    began_s = world.start_s + SETTLED_S + 0.6
    world.flash_begins(began_s)
    with SimCamera(world, SimClock()) as camera:
        first = camera.read(newer_than_s=began_s, timeout_s=10.0)
    old = [frame for frame in cast().session if frame.offset_s <= SESSION_FLASH_S + first.exposure_start_s - began_s]
    np.testing.assert_array_equal(first.pixels, old[-1].pixels)


def test_a_face_is_swapped_within_the_flash_only() -> None:
    """Before it the first, after it the second, whenever it began."""
    second = replace(painted(), relief=replace(painted().relief, mirror=0.01))
    moments = set()
    for seed in range(6):
        world = build("face_swap", Cast(painted(), second), SMALL, seed)
        actor, began_s = world.story.actors[0], SETTLED_S + 0.3 * seed
        world.flash_begins(world.start_s + began_s)
        times = began_s + np.arange(0.0, FLASH_FOR_S, 0.02)
        who = [actor.relief(float(t)).mirror > 0.0 for t in times]
        assert not who[0]
        assert who[-1]
        assert who == sorted(who)
        moments.add(who.index(True))
    assert len(moments) > 3
    assert isinstance(build("live", cast(), SMALL, 1).story.actors[0], LiveHead)


def test_the_panel_lights_up_later_than_the_display_says() -> None:
    """By the world's lag; its jitter is the same for the same moment."""
    world, twin = (World(Story(), lag_s=0.05, lag_jitter_s=0.004) for _ in range(2))
    for one in (world, twin):
        one.show(1001.0, WHITE, WHITE)
        one.show(1002.0, BLACK, BLACK)
    times = [at for at, _, _ in world.light.steps]
    assert times == [at for at, _, _ in twin.light.steps]
    assert times[0] == pytest.approx(1001.05, abs=0.0121)
    assert times[1] - 1002.0 != times[0] - 1001.0


@pytest.mark.parametrize("name", ["live", "print_eyeholes"])
def test_whoever_has_eyes_blinks_sways_and_turns_a_little(name: str) -> None:
    """Over ten seconds: blinks that close the eyes in the picture, movements of a few millimetres and degrees."""
    world = build(name, cast(), replace(SMALL, blink_every_s=3.0), 5)
    actor = world.story.actors[0]
    stands = [stand for t in np.arange(3.0, 13.0, 0.03) if (stand := actor.stand(float(t))) is not None]
    lids = np.array([stand.lids for stand in stands])
    assert 2 <= (np.diff((lids > 0.5).astype(int)) == 1).sum() <= 6
    assert 0.2 < np.std([stand.yaw_deg for stand in stands]) < 3.0
    assert 0.5 < np.std([stand.x_mm for stand in stands]) < 6.0
    assert actor.relief(5.0).closed
