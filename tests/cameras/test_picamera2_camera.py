"""The Raspberry Pi camera, on a fake picamera2 module that behaves like the real one."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from hardware.cameras.base import PROOF_FRAMES, GainProof
from hardware.cameras.picamera2_camera import Picamera2Camera, boottime_ahead_s
from kiosk.errors import CameraStalled, CameraUnavailable
from tests.support.cameras import FakeSensor, ManualClock, fake_picamera2

NEVER = -math.inf


@pytest.fixture
def sensor(monkeypatch: pytest.MonkeyPatch) -> FakeSensor:
    """The sensor behind the module."""
    sensor = FakeSensor(ManualClock())
    monkeypatch.setitem(sys.modules, "picamera2", fake_picamera2(sensor))
    return sensor


def camera_on(sensor: FakeSensor, **more: Any) -> Picamera2Camera:
    """A camera of 64 × 48 at 30 fps."""
    return Picamera2Camera(
        clock=sensor.clock, width_px=64, height_px=48, fps=30, ahead_s=lambda: sensor.ahead_s, **more
    )


@pytest.mark.parametrize("granted", ["BGR888", "RGB888"])
def test_red_is_red(sensor: FakeSensor, granted: str) -> None:
    """picamera2's format names are reversed in memory; whichever is granted, red comes first."""
    sensor.granted_format = granted
    with camera_on(sensor) as camera:
        frame = camera.read(newer_than_s=NEVER, timeout_s=1)
    assert sensor.configuration["main"]["format"] == "BGR888"
    assert frame.pixels[0, 0].tolist() == [200, 0, 50]
    assert frame.pixels.shape == (48, 64, 3)
    assert frame.pixels.flags.c_contiguous


def test_an_unknown_format_is_refused(sensor: FakeSensor) -> None:
    """Better no camera than wrong colours."""
    sensor.granted_format = "YUV420"
    with pytest.raises(CameraUnavailable, match="YUV420"):
        camera_on(sensor).__enter__()
    assert sensor.closed == 1


def test_exposure_start_is_on_the_monotonic_clock(sensor: FakeSensor) -> None:
    """The stamp counts suspended time and marks the end of the first row's exposure."""
    sensor.ahead_s = 1000.0
    with camera_on(sensor) as camera:
        frame = camera.read(newer_than_s=NEVER, timeout_s=1)
    assert frame.exposure_s == pytest.approx(0.010, abs=1e-4)
    assert frame.exposure_start_s == pytest.approx(sensor.clock.now_s - frame.exposure_s)
    assert frame.lux == 320.0


def test_clock_offset_is_never_negative() -> None:
    """BOOTTIME counts at least what MONOTONIC counts (up to the two reads)."""
    assert boottime_ahead_s() > -0.01


def test_newer_than_skips_older_exposures(sensor: FakeSensor) -> None:
    """Only exposures that began after the wished time are delivered, and every request is released."""
    with camera_on(sensor) as camera:
        wished_s = sensor.clock.now_s + 0.2
        assert camera.read(newer_than_s=wished_s, timeout_s=1).exposure_start_s > wished_s
        with pytest.raises(CameraStalled):
            camera.read(newer_than_s=sensor.clock.now_s + 9, timeout_s=0.1)
    assert [request.released for request in sensor.requests] == [1] * len(sensor.requests)


def _proofs(camera: Picamera2Camera, count: int) -> list[bool | None]:
    return [camera.read(newer_than_s=NEVER, timeout_s=1).gains_locked for _ in range(count)]


def test_lock_is_proven_only_once_the_metadata_stand_still(sensor: FakeSensor) -> None:
    """The controls arrive frames later and rounded; until then, and after unlocking, nothing is proven."""
    with camera_on(sensor) as camera:
        assert _proofs(camera, 4) == [False] * 4
        camera.lock_exposure()
        proofs = _proofs(camera, 12)
        first = proofs.index(True)
        assert first >= 3 + PROOF_FRAMES - 1
        assert all(proofs[first:])
        assert camera.exposure_locked is True
        assert sensor.fixed["AeEnable"] is False
        assert sensor.fixed["AwbEnable"] is False
        camera.unlock_exposure()
        assert _proofs(camera, 8)[-1] is False
        assert "ExposureTime" not in sensor.fixed


def test_a_camera_that_does_not_obey_proves_nothing(sensor: FakeSensor) -> None:
    """Asking is not enough."""
    sensor.obeys = False
    with camera_on(sensor) as camera:
        camera.lock_exposure()
        assert True not in _proofs(camera, 30)


def test_standing_still_elsewhere_is_no_lock() -> None:
    """Equal gains prove nothing unless they are those that were asked for, up to the driver's rounding."""
    proof = GainProof()
    proof.demand([10_000, 2.0])
    assert [proof.look([12_000, 2.0]) for _ in range(PROOF_FRAMES + 2)] == [False] * (PROOF_FRAMES + 2)
    assert [proof.look([9_990, 2.0]) for _ in range(PROOF_FRAMES)][-1] is True
    proof.drop()
    assert proof.look([9_990, 2.0]) is False


def test_a_camera_that_does_not_tell_is_none(sensor: FakeSensor) -> None:
    """A USB camera behind libcamera reports no colour gains."""
    sensor.hidden = {"ColourGains"}
    with camera_on(sensor) as camera:
        camera.lock_exposure()
        assert _proofs(camera, 12) == [None] * 12


def test_stall_cancels_the_job(sensor: FakeSensor) -> None:
    """The late picture of an expired wait must not go to the next caller."""
    with camera_on(sensor) as camera:
        sensor.streaming = False
        with pytest.raises(CameraStalled):
            camera.read(newer_than_s=NEVER, timeout_s=0.5)
        assert sensor.flushed == 1


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package says how to get it."""
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraUnavailable, match="apt install python3-picamera2"):
        Picamera2Camera(clock=ManualClock(), width_px=64, height_px=48, fps=30).__enter__()


def test_no_camera(sensor: FakeSensor) -> None:
    """An empty connector is one plain line."""
    sensor.plugged = False
    with pytest.raises(CameraUnavailable, match="sees 0 cameras"):
        camera_on(sensor).__enter__()


def test_close_twice_and_read_after(sensor: FakeSensor) -> None:
    """Closing is idempotent; reading after it is refused; opening again works."""
    camera = camera_on(sensor)
    with camera:
        assert "imx708" in camera.name
    camera.close()
    assert sensor.closed == 1
    with pytest.raises(CameraUnavailable, match="closed"):
        camera.read(newer_than_s=NEVER, timeout_s=1)
    with camera:
        assert camera.read(newer_than_s=NEVER, timeout_s=1).sequence == 1
