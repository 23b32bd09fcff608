"""V4L2 and GStreamer through OpenCV, on a fake driver."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hardware.cameras.base import PROOF_FRAMES, quiet_opencv
from hardware.cameras.opencv import OpenCvCamera
from hardware.cameras.v4l2 import device_name
from kiosk.errors import CameraStalled, CameraUnavailable
from tests.support.cameras import FRAME_S, FakeCapture, ManualClock

NEVER = -math.inf


@pytest.fixture
def clock() -> ManualClock:
    """The test's time."""
    return ManualClock()


@pytest.fixture
def capture(clock: ManualClock) -> FakeCapture:
    """The driver."""
    return FakeCapture(clock)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with /dev/video0."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/video0").touch()
    return tmp_path


@pytest.fixture
def make(clock: ManualClock, capture: FakeCapture, root: Path) -> Callable[..., OpenCvCamera]:
    """Makes a camera on the fake driver."""

    def maker(source: str = "0", **more: Any) -> OpenCvCamera:
        sizes = {"width_px": 640, "height_px": 480, "fps": 30.0, **more}
        return OpenCvCamera(source, clock=clock, opener=lambda *_: capture, root=root, **sizes)

    return maker


def test_frames_are_rgb_and_numbered(make: Any, capture: FakeCapture) -> None:
    """OpenCV's blue comes out as blue."""
    capture.picture[:] = (255, 10, 0)
    with make() as camera:
        first = camera.read(newer_than_s=NEVER, timeout_s=1)
        second = camera.read(newer_than_s=first.exposure_start_s, timeout_s=1)
    assert first.pixels[0, 0].tolist() == [0, 10, 255]
    assert first.pixels.flags.c_contiguous
    assert second.sequence > first.sequence
    assert second.exposure_start_s > first.exposure_start_s


def test_grant_is_read_back(make: Any, capture: FakeCapture) -> None:
    """A camera without MJPG gives YUYV, and says so."""
    capture.formats = {"YUYV"}
    with make(width_px=1280, height_px=720) as camera:
        assert camera.granted.fourcc == "YUYV"
        assert (camera.granted.width_px, camera.granted.height_px, camera.granted.fps) == (1280, 720, 30.0)


def test_driver_stamp_is_used_when_it_is_on_our_clock(make: Any, clock: ManualClock, capture: FakeCapture) -> None:
    """The exposure began one exposure before the buffer's stamp; without a stamp, before arrival and read-out."""
    with make() as camera:
        frame = camera.read(newer_than_s=NEVER, timeout_s=1)
        assert frame.exposure_start_s == pytest.approx(clock.now_s - 0.005 - FRAME_S)
        capture.stamps = False
        frame = camera.read(newer_than_s=NEVER, timeout_s=1)
        assert frame.exposure_start_s == pytest.approx(clock.now_s - 2 * FRAME_S)


def test_newer_than_skips_older_exposures(make: Any, clock: ManualClock) -> None:
    """Frames whose exposure began before the wished time are not delivered; the wait is bounded."""
    with make() as camera:
        wished_s = clock.now_s + 0.2
        assert camera.read(newer_than_s=wished_s, timeout_s=1).exposure_start_s > wished_s
        with pytest.raises(CameraStalled, match="new enough"):
            camera.read(newer_than_s=clock.now_s + 9, timeout_s=0.1)


def _proofs(camera: OpenCvCamera, count: int) -> list[bool | None]:
    return [camera.read(newer_than_s=NEVER, timeout_s=1).gains_locked for _ in range(count)]


def test_lock_is_proven_by_read_back(make: Any) -> None:
    """Automatic proves nothing; manual and unchanged for some frames is proof; unlocking ends it."""
    with make() as camera:
        assert _proofs(camera, 2) == [False, False]
        camera.lock_exposure()
        assert _proofs(camera, PROOF_FRAMES + 1) == [False] * (PROOF_FRAMES - 1) + [True, True]
        assert camera.exposure_locked is True
        camera.unlock_exposure()
        assert _proofs(camera, PROOF_FRAMES + 1) == [False] * (PROOF_FRAMES + 1)


def test_exposure_that_moves_is_no_lock(make: Any, capture: FakeCapture) -> None:
    """A driver that says manual while the value drifts is not believed."""
    with make() as camera:
        camera.lock_exposure()
        assert _proofs(camera, PROOF_FRAMES)[-1] is True
        capture.controls[cv2.CAP_PROP_EXPOSURE] += 1
        assert _proofs(camera, 1) == [False]


@pytest.mark.parametrize("key", [cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_AUTO_WB, cv2.CAP_PROP_EXPOSURE])
def test_a_refusal_is_no_lock(make: Any, capture: FakeCapture, key: int) -> None:
    """A control that the driver refuses leaves the lock unproven for good."""
    capture.refused = {key}
    with make() as camera:
        camera.lock_exposure()
        assert _proofs(camera, PROOF_FRAMES + 2) == [False] * (PROOF_FRAMES + 2)


@pytest.mark.parametrize("absent", [cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_AUTO_WB, cv2.CAP_PROP_EXPOSURE])
def test_a_driver_that_cannot_tell(make: Any, capture: FakeCapture, absent: int) -> None:
    """A missing control means: cannot tell. That is not a proof."""
    del capture.controls[absent]
    with make() as camera:
        camera.lock_exposure()
        assert _proofs(camera, PROOF_FRAMES + 1) == [None] * (PROOF_FRAMES + 1)


def test_manual_exposure_time_is_told(make: Any) -> None:
    """100 units of 100 microseconds are 10 ms."""
    with make() as camera:
        camera.lock_exposure()
        assert camera.read(newer_than_s=NEVER, timeout_s=1).exposure_s == pytest.approx(0.01)


def test_pipelines_cannot_tell(make: Any) -> None:
    """GStreamer hands out no metadata."""
    with make("videotestsrc ! appsink") as camera:
        camera.lock_exposure()
        assert _proofs(camera, PROOF_FRAMES + 1) == [None] * (PROOF_FRAMES + 1)
        assert camera.name


def test_unplugged_and_stalled_are_told_apart(make: Any, capture: FakeCapture, root: Path) -> None:
    """No frame while the node is there is a stall; without the node it is gone."""
    with make() as camera:
        capture.alive = False
        with pytest.raises(CameraStalled):
            camera.read(newer_than_s=NEVER, timeout_s=1)
        (root / "dev/video0").unlink()
        with pytest.raises(CameraUnavailable, match="unplugged"):
            camera.read(newer_than_s=NEVER, timeout_s=1)


def test_open_errors_are_plain(make: Any, capture: FakeCapture) -> None:
    """A missing node and a busy device each have their line; nothing stays open."""
    with pytest.raises(CameraUnavailable, match="no such device"):
        make("7").__enter__()
    capture.opened = False
    with pytest.raises(CameraUnavailable, match="cannot be opened"):
        make().__enter__()
    assert capture.released == 1


def test_without_gstreamer_it_is_said(clock: ManualClock) -> None:
    """The wheel's OpenCV has no GStreamer: the real back end is asked."""
    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has GStreamer")
    camera = OpenCvCamera("a ! b", clock=clock, width_px=640, height_px=480, fps=30)
    with pytest.raises(CameraUnavailable, match="without GStreamer"):
        camera.__enter__()


def test_close_gives_back_automatic_mode_and_can_be_repeated(make: Any, capture: FakeCapture) -> None:
    """The next program finds the camera as it was; reading after closing is refused."""
    camera = make()
    with camera:
        camera.lock_exposure()
    camera.close()
    assert capture.released == 1
    assert capture.controls[cv2.CAP_PROP_AUTO_EXPOSURE] == 3.0
    with pytest.raises(CameraUnavailable, match="closed"):
        camera.read(newer_than_s=NEVER, timeout_s=1)


def test_rotation(make: Any, capture: FakeCapture) -> None:
    """90 degrees clockwise: what was left is on top."""
    capture.picture = np.zeros((4, 6, 3), np.uint8)
    capture.picture[:, 0] = 255
    with make(rotate_deg=90) as camera:
        pixels = camera.read(newer_than_s=NEVER, timeout_s=1).pixels
    assert pixels.shape == (6, 4, 3)
    assert pixels[0].min() == 255
    assert pixels[1:].max() == 0


def test_device_names_are_stable(root: Path) -> None:
    """The by-id link if there is one, else the kernel's name, else the node."""
    assert device_name("/dev/video0", root) == "v4l2 /dev/video0"
    kernel = root / "sys/class/video4linux/video0"
    kernel.mkdir(parents=True)
    (kernel / "name").write_text("HD Webcam\n")
    assert device_name("/dev/video0", root) == "v4l2 /dev/video0 HD Webcam"
    (root / "dev/v4l/by-id").mkdir(parents=True)
    (root / "dev/v4l/by-id/usb-cam-123-video-index0").symlink_to(root / "dev/video0")
    assert device_name("/dev/video0", root) == "v4l2 usb-cam-123-video-index0"


def test_an_older_opencv_is_kept_quiet_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV 4, as a Jetson ships it, has no ``utils.logging``; the level is put back afterwards."""
    levels = [3]

    def set_level(level: int) -> int:
        levels.append(level)
        return levels[-2]

    monkeypatch.setattr(cv2, "utils", object())
    monkeypatch.setattr(cv2, "setLogLevel", set_level, raising=False)
    with quiet_opencv():
        assert levels[-1] == 0
    assert levels[-1] == 3
