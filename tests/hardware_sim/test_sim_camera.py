"""The simulated camera as the application meets it: time, lock, faults, noise, and nothing that depends on chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware.sim.actors import Shape, grey_card
from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.light import Ambient
from hardware.sim.path import Path
from hardware.sim.sensor import CameraOptics, Sensor
from hardware.sim.story import Fault, Story
from hardware.sim.world import World
from kiosk.errors import CameraError, CameraStalled, CameraUnavailable
from kiosk.values import Frame

STILL = Path(((0.0, (0.0, 0.0, 400.0)),), sway_mm=0.0, wobble_deg=0.0)
GREY = (0.2, 0.2, 0.2)
RED = (1.0, 0.13, 0.13)
BLUE = (0.13, 0.13, 1.0)


def grey_world(
    lux: float = 300.0, optics: CameraOptics | None = None, seed: int = 1, albedo: float = 0.18, flicker: float = 0.0
) -> World:
    """A grey card before the camera."""
    card = Shape(grey_card(albedo, (240.0, 240.0)), STILL)
    story = Story(actors=(card,), lights=((0.0, Ambient(lux=lux, flicker=flicker)),))
    return World(story, seed=seed, optics=optics)


def take(camera: SimCamera, count: int) -> list[Frame]:
    """The next frames."""
    return [camera.read(newer_than_s=0.0, timeout_s=1.0) for _ in range(count)]


def colour(frame: Frame, rows: slice, columns: slice) -> np.ndarray:
    """Mean code of a part of the picture."""
    return np.asarray(frame.pixels[rows, columns].reshape(-1, 3).mean(axis=0))


MIDDLE = slice(220, 260), slice(300, 340)
CORNER = slice(60, 120), slice(60, 100)


def test_frames_come_at_thirty_a_second_with_a_sensors_jitter() -> None:
    """Numbers grow by one, times by a thirtieth on average, never exactly."""
    clock = SimClock()
    with SimCamera(grey_world(), clock) as camera:
        frames = take(camera, 30)
    steps = np.diff([frame.exposure_start_s for frame in frames])
    assert np.diff([frame.sequence for frame in frames]).tolist() == [1] * 29
    assert steps.mean() == pytest.approx(1 / 30, rel=0.01)
    assert 1e-5 < steps.std() < 2e-3
    assert clock.now_s == pytest.approx(frames[-1].exposure_start_s + frames[-1].exposure_s + 0.04, abs=1e-6)


def test_a_frame_begun_before_the_asked_time_is_never_returned() -> None:
    """``newer_than_s`` is what ties a frame to a flash."""
    clock = SimClock()
    with SimCamera(grey_world(), clock) as camera:
        wanted = clock.now_s + 0.5
        frame = camera.read(newer_than_s=wanted, timeout_s=2.0)
    assert wanted < frame.exposure_start_s < wanted + 0.05


def test_after_a_pause_the_newest_frame_comes_not_the_next() -> None:
    """A slow application skips frames and is never behind."""
    clock = SimClock()
    with SimCamera(grey_world(), clock) as camera:
        first = take(camera, 1)[0]
        clock.wait(1.0)
        now = clock.now_s
        second = take(camera, 1)[0]
    assert second.sequence - first.sequence > 25
    assert clock.now_s == now
    assert now - second.exposure_start_s < 0.1


def test_a_time_out_too_short_for_a_frame_stalls() -> None:
    """No wait is without end, and the waiting takes virtual time."""
    clock = SimClock()
    with SimCamera(grey_world(), clock) as camera:
        before = clock.now_s
        with pytest.raises(CameraStalled):
            camera.read(newer_than_s=before + 10.0, timeout_s=0.5)
    assert clock.now_s == pytest.approx(before + 0.5)


def test_a_stall_ends_by_itself() -> None:
    """After the fault the frames go on."""
    world = grey_world()
    world.story = replace(world.story, faults=(Fault(0.5, 3.0, "stall"),))
    clock = SimClock()
    with SimCamera(world, clock) as camera:
        with pytest.raises(CameraStalled):
            take(camera, 100)
        clock.wait(2.0)
        assert camera.read(newer_than_s=0.0, timeout_s=1.0).exposure_start_s > world.start_s + 3.0


def test_an_unplugged_camera_must_be_opened_again() -> None:
    """Unplugging closes it; opening fails until it is back."""
    world = grey_world()
    world.story = replace(world.story, faults=(Fault(0.5, 3.0, "unplug"),))
    clock = SimClock()
    camera = SimCamera(world, clock)
    with camera:
        clock.wait(1.0)
        with pytest.raises(CameraUnavailable):
            camera.read(newer_than_s=0.0, timeout_s=1.0)
    with pytest.raises(CameraUnavailable), camera:
        pass
    clock.wait(3.0)
    with camera:
        assert camera.read(newer_than_s=0.0, timeout_s=1.0).width_px == 640


def test_a_closed_camera_refuses() -> None:
    """Reading before opening is an error of ours, said plainly; closing twice is none."""
    camera = SimCamera(grey_world(), SimClock())
    camera.close()
    camera.close()
    with pytest.raises(CameraError, match="closed"):
        camera.read(newer_than_s=0.0, timeout_s=1.0)


def test_the_lock_is_reported_only_when_it_has_taken_effect() -> None:
    """Asked for, it takes some frames; then every frame proves it, until it is released."""
    with SimCamera(grey_world(), SimClock()) as camera:
        assert not any(frame.gains_locked for frame in take(camera, 3))
        camera.lock_exposure()
        told = [frame.gains_locked for frame in take(camera, 8)]
        # One more exposure was under way when the lock was asked for.
        assert told == [False] * 5 + [True] * 3
        assert camera.exposure_locked is True
        camera.unlock_exposure()
        assert take(camera, 1)[0].gains_locked is False


def test_colour_flashes_move_an_unlocked_background_and_not_a_locked_one() -> None:
    """The background is lit by the room: only the camera's own adaptation can change it."""
    drift = {}
    for locked in (True, False):
        world = grey_world(lux=60.0)
        world.light.add(0.0, GREY, GREY)
        clock = SimClock()
        with SimCamera(world, clock) as camera:
            take(camera, 5)
            if locked:
                camera.lock_exposure()
            before = take(camera, 10)[-1]
            card = colour(before, *MIDDLE)
            world.light.add(clock.now_s, BLUE, BLUE)
            after = take(camera, 20)[-1]
            assert np.abs(colour(after, *MIDDLE) - card).max() > 4.0
            drift[locked] = float(np.abs(colour(after, *CORNER) - colour(before, *CORNER)).max())
    assert drift[True] < 1.2
    assert drift[False] > 2.5 * drift[True]


@pytest.mark.parametrize(("locking", "told"), [("ignored", False), ("untold", None)])
def test_cameras_that_cannot_prove_a_lock_never_claim_one(locking: str, told: bool | None) -> None:
    """False when it keeps adapting, None when it cannot tell; never True."""
    optics = CameraOptics(locking=locking)  # type: ignore[arg-type]
    with SimCamera(grey_world(optics=optics), SimClock()) as camera:
        camera.lock_exposure()
        frames = take(camera, 8)
        assert {frame.gains_locked for frame in frames} == {told}
        assert camera.exposure_locked is told


@pytest.mark.parametrize("lux", [100.0, 300.0, 1000.0, 4000.0])
def test_an_eighteen_percent_card_is_well_exposed_in_any_room(lux: float) -> None:
    """The automatic exposure brings it near 0.18 of full scale and reports about the true illuminance."""
    with SimCamera(grey_world(lux=lux), SimClock()) as camera:
        frame = take(camera, 3)[-1]
    level = (colour(frame, *MIDDLE)[1] / 255.0) ** 2.2
    assert 0.08 < level < 0.30
    assert frame.lux == pytest.approx(lux, rel=0.35)


def test_three_lux_is_too_dark() -> None:
    """There the gain is at its end and noise is all over the picture."""
    with SimCamera(grey_world(lux=3.0), SimClock()) as dark, SimCamera(grey_world(), SimClock()) as bright:
        night, day = take(dark, 3)[-1], take(bright, 3)[-1]
    assert colour(night, *MIDDLE)[1] < 50.0
    part = slice(200, 280), slice(280, 360), slice(1, 2)
    signal_to_noise = [f.pixels[part].mean() / f.pixels[part].std() for f in (night, day)]
    assert signal_to_noise[0] < 0.5 * signal_to_noise[1]


def test_noise_is_fresh_in_every_frame() -> None:
    """No two frames are alike, however still the scene."""
    with SimCamera(grey_world(), SimClock()) as camera:
        camera.lock_exposure()
        first, second = take(camera, 8)[-2:]
    difference = first.pixels.astype(np.int16) - second.pixels
    assert 0.5 < difference.std() < 8.0


def test_flicker_makes_bands_that_move() -> None:
    """A rolling shutter under mains light shows it: rows differ, and differ otherwise in the next frame."""
    optics = CameraOptics(exposure_typical_s=(0.004, 0.004), readout_s=0.02)
    with SimCamera(grey_world(lux=800.0, optics=optics, flicker=0.4), SimClock()) as camera:
        camera.lock_exposure()
        rows = [frame.pixels[:, 60:100].mean(axis=(1, 2)) for frame in take(camera, 8)[-2:]]
    assert max(np.ptp(r[150:330]) for r in rows) > 8.0
    assert np.abs(rows[0] - rows[1]).max() > 5.0


def test_the_same_seed_films_the_same_frames() -> None:
    """Bit for bit, and another seed does not."""

    def last(seed: int) -> Frame:
        world = grey_world(seed=seed)
        world.light.add(1000.1, RED, RED)
        with SimCamera(world, SimClock()) as camera:
            return take(camera, 6)[-1]

    first, again, other = last(7), last(7), last(8)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.exposure_start_s == again.exposure_start_s
    assert not np.array_equal(first.pixels, other.pixels)


def test_light_behind_the_visitor_leaves_the_visitor_dark() -> None:
    """The automatic exposure follows the bright room, as every camera's does."""
    levels = []
    for backlight in (1.0, 60.0):
        world = grey_world()
        world.story = replace(world.story, lights=((0.0, Ambient(lux=40.0, backlight=backlight)),))
        with SimCamera(world, SimClock()) as camera:
            levels.append(float(colour(take(camera, 3)[-1], *MIDDLE)[1]))
    assert levels[1] < 0.4 * levels[0]


def test_jpeg_keeps_colours_in_their_channels_and_blurs_them() -> None:
    """Red stays red; chroma is coarser than luma, and 8 x 8 blocks show at low quality."""
    noisy = grey_world(60.0, optics=CameraOptics(width_px=320, height_px=240))
    noisy.show(noisy.start_s, RED, RED)
    with SimCamera(noisy, SimClock()) as camera:
        plain = take(camera, 1)[0].pixels
    squeezed = grey_world(60.0, optics=CameraOptics(width_px=320, height_px=240, jpeg_quality=60))
    squeezed.show(squeezed.start_s, RED, RED)
    with SimCamera(squeezed, SimClock()) as camera:
        coded = take(camera, 1)[0].pixels
    assert not np.array_equal(plain, coded)
    means = [one[100:140, 140:180].reshape(-1, 3).mean(axis=0) for one in (plain, coded)]
    np.testing.assert_allclose(means[0], means[1], atol=2.0)
    assert means[0][0] > means[0][2] + 5.0

    def chroma_noise(pixels: np.ndarray) -> float:
        part = pixels[100:140, 140:180].astype(float)
        return float((part[..., 0] - part[..., 2]).std())

    assert chroma_noise(coded) < 0.6 * chroma_noise(plain)


def test_each_channel_saturates_by_itself() -> None:
    """A lamp that is far too bright in one colour leaves the others as they are."""
    radiance = np.full((48, 64, 3), 5.0, np.float32)
    sensor = Sensor(CameraOptics(width_px=64, height_px=48, blur_px=0.0), seed=1)
    calm = sensor.develop(radiance).reshape(-1, 3).mean(axis=0)
    for channel in range(3):
        bright = radiance.copy()
        bright[..., channel] = 1e4
        seen = sensor.develop(bright).reshape(-1, 3).mean(axis=0)
        assert seen[channel] > 250.0
        others = [other for other in range(3) if other != channel]
        np.testing.assert_allclose(seen[others], calm[others], atol=1.0)
