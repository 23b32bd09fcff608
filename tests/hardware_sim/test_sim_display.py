"""The loop through the light: what the display shows is what the camera films."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.sim.actors import Shape, grey_card
from hardware.sim.camera import SimCamera
from hardware.sim.clock import EPOCH, SimClock
from hardware.sim.display import SimDisplay
from hardware.sim.injection import FrozenFrame, InjectedTint, RecordedSession
from hardware.sim.light import Ambient
from hardware.sim.path import Path
from hardware.sim.story import Injection, Story
from hardware.sim.world import World
from kiosk.errors import DisplayError
from kiosk.values import Oval, Pixels, Region, Rgb, Scene, SceneKind, Slot

OVAL = Oval(0.5, 0.5, 0.4, 0.6)
IDLE = Scene(SceneKind.IDLE, OVAL)


def flash(rgb: Rgb, region: Region = "full") -> Scene:
    """One slot of a challenge."""
    return Scene(SceneKind.FLASHING, OVAL, flash=Slot(rgb, region, 0.3))


def card_world(*injections: Injection, lux: float = 100.0) -> World:
    """A grey card at 400 mm."""
    still = Path(((0.0, (0.0, 0.0, 400.0)),), sway_mm=0.0, wobble_deg=0.0)
    lights = ((0.0, Ambient(lux=lux)),)
    return World(Story(actors=(Shape(grey_card(), still),), lights=lights, injections=injections))


def test_the_clock_moves_only_when_told() -> None:
    """Virtual time and its own UTC; nonces are fresh, yet the same for one seed."""
    clock, twin = SimClock(seed=5), SimClock(seed=5)
    first, second = clock.now(), clock.now()
    assert first.monotonic_s == second.monotonic_s == 1000.0
    assert first.utc == EPOCH
    assert first.nonce != second.nonce
    assert len(first.nonce) == 32
    assert first.nonce == twin.now().nonce
    clock.wait(2.5)
    clock.wait(-1.0)
    clock.advance_to(1001.0)
    assert clock.now().monotonic_s == 1002.5
    assert (clock.now().utc - EPOCH).total_seconds() == 2.5


def test_a_flash_colours_the_card_once_it_is_visible() -> None:
    """Frames before ``visible_at_s`` do not know of it, frames after it do."""
    world, clock = card_world(), SimClock()
    with SimDisplay(world, clock) as display, SimCamera(world, clock) as camera:
        display.show(flash((128, 128, 128)))
        camera.lock_exposure()
        for _ in range(10):
            before = camera.read(newer_than_s=0.0, timeout_s=1.0)
        visible_at_s = display.show(flash((255, 100, 100)))
        assert 0.02 <= visible_at_s - clock.now_s <= 0.04
        after = camera.read(newer_than_s=visible_at_s + 0.02, timeout_s=1.0)
    middle = slice(230, 250), slice(310, 330)
    change = after.pixels[middle].mean(axis=(0, 1)) - before.pixels[middle].mean(axis=(0, 1))
    assert change[0] > 10.0
    assert abs(change[1]) < 5.0
    assert change[0] > 4.0 * abs(change[2])


@pytest.mark.parametrize(("region", "lit"), [("top", 0), ("bottom", 1)])
def test_half_slots_light_one_half(region: Region, lit: int) -> None:
    """The other half is black."""
    world, clock = card_world(), SimClock()
    with SimDisplay(world, clock) as display:
        display.show(flash((255, 255, 255), region))
    halves = world.light.steps[0][1:]
    assert halves[lit] == (1.0, 1.0, 1.0)
    assert halves[1 - lit] == (0.0, 0.0, 0.0)


def test_with_a_renderer_the_real_picture_is_the_lamp() -> None:
    """Its mean linear light, half by half; the picture is kept."""

    def render(_scene: Scene, _preview: Pixels | None, size_px: tuple[int, int]) -> Pixels:
        picture = np.zeros((size_px[1], size_px[0], 3), np.uint8)
        picture[: size_px[1] // 2, :, 0] = 255
        return picture

    world, clock = card_world(), SimClock()
    with SimDisplay(world, clock, size_px=(120, 96), renderer=render) as display:
        display.show(IDLE)
        assert display.last_picture is not None
        assert display.last_picture.shape == (96, 120, 3)
        assert display.size_px == (120, 96)
        assert display.panel == world.lamp.panel
    _, top, bottom = world.light.steps[0]
    assert top == pytest.approx((1.0, 0.0, 0.0), abs=1e-6)
    assert bottom == (0.0, 0.0, 0.0)


def test_a_closed_display_is_dark_and_refuses() -> None:
    """Closing twice is harmless, showing afterwards is not possible."""
    world, clock = card_world(), SimClock()
    display = SimDisplay(world, clock)
    with display:
        display.show(IDLE)
        clock.wait(0.1)
    display.close()
    assert world.light.steps[-1][1:] == ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    with pytest.raises(DisplayError, match="closed"):
        display.show(IDLE)


def film(world: World, count: int) -> list[Pixels]:
    """The next pictures, without a screen."""
    with SimCamera(world, SimClock()) as camera:
        return [camera.read(newer_than_s=0.0, timeout_s=1.0).pixels for _ in range(count)]


def test_a_recorded_session_takes_the_cameras_place() -> None:
    """Its frames, at their times, whatever the screen shows now; before it begins the camera's own."""
    old = [(index / 30.0, np.full((480, 640, 3), 10 * index, np.uint8)) for index in range(5)]
    seen = film(card_world(RecordedSession(old, from_s=0.2)), 14)
    assert seen[0].std() > 5.0
    codes = [int(picture[0, 0, 0]) for picture in seen[7:]]
    assert codes == sorted(codes)
    assert set(codes) <= {0, 10, 20, 30, 40}
    assert codes[-1] == 40


def test_a_frozen_frame_repeats_bit_for_bit() -> None:
    """That is how it is found out."""
    seen = film(card_world(FrozenFrame(from_s=0.2)), 12)
    assert not np.array_equal(seen[0], seen[1])
    assert np.array_equal(seen[-1], seen[-2])


def test_an_injected_tint_follows_the_screen_late() -> None:
    """The adaptive attacker answers, but after its delay."""
    still = np.full((480, 640, 3), 128, np.uint8)
    world = card_world(InjectedTint([still], delay_s=0.2, noise=0.5))
    world.light.add(1000.5, (1.0, 0.1, 0.1), (1.0, 0.1, 0.1))
    clock = SimClock()
    with SimCamera(world, clock) as camera:
        early = camera.read(newer_than_s=1000.6, timeout_s=2.0).pixels.mean(axis=(0, 1))
        late = camera.read(newer_than_s=1000.8, timeout_s=2.0).pixels.mean(axis=(0, 1))
    assert early[0] == pytest.approx(early[1], abs=0.3)
    assert late[0] > late[1] + 3.0
