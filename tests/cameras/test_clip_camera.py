"""Video files and picture folders as cameras, the choice by source, and the probe."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hardware.cameras import open_camera, probe_camera
from hardware.cameras.clip import ClipCamera
from hardware.cameras.opencv import OpenCvCamera
from hardware.cameras.picamera2_camera import Picamera2Camera
from hardware.cameras.probe import measure
from kiosk.config.tree import CameraSettings
from kiosk.errors import CameraEnded, CameraUnavailable, ConfigurationError, InputError
from tests.support.cameras import FakeCapture, ManualClock, plain_frame
from tests.support.scripted import ScriptedCamera

NEVER = -math.inf
COUNT = 12


@pytest.fixture
def clock() -> ManualClock:
    """The test's time."""
    return ManualClock()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Twelve frames of 128 × 96 at 20 fps, each brighter than the one before."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (128, 96))
    assert writer.isOpened()
    for index in range(COUNT):
        writer.write(np.full((96, 128, 3), 10 + 20 * index, np.uint8))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, red, green and blue, and a file that is none."""
    path = tmp_path / "pictures"
    path.mkdir()
    for index, bgr in enumerate([(0, 0, 255), (0, 255, 0), (255, 0, 0)]):
        cv2.imwrite(str(path / f"{index}.png"), np.full((48, 64, 3), bgr, np.uint8))
    (path / "notes.txt").write_text("no picture")
    return path


def _number(frame: Any) -> int:
    return round((float(frame.pixels.mean()) - 10) / 20)


def test_as_fast_as_possible_gives_every_frame_at_the_files_times(clock: ManualClock, video: Path) -> None:
    """Nothing is dropped, nothing waits, and the times are the file's."""
    with ClipCamera(video, clock=clock, width_px=128, paced=False) as camera:
        frames = []
        while len(frames) < COUNT:
            frames.append(camera.read(newer_than_s=NEVER, timeout_s=1))
        with pytest.raises(CameraEnded):
            camera.read(newer_than_s=NEVER, timeout_s=1)
        with pytest.raises(CameraEnded):
            camera.read(newer_than_s=NEVER, timeout_s=1)
    assert [_number(frame) for frame in frames] == list(range(COUNT))
    assert [frame.exposure_start_s for frame in frames] == pytest.approx([50 + index / 20 for index in range(COUNT)])
    assert clock.waits == []
    assert {frame.gains_locked for frame in frames} == {False}


def test_paced_waits_for_the_next_and_skips_what_is_over(clock: ManualClock, video: Path) -> None:
    """As a live camera: early readers wait, late readers get the newest."""
    with ClipCamera(video, clock=clock, width_px=128) as camera:
        assert _number(camera.read(newer_than_s=NEVER, timeout_s=1)) == 0
        assert _number(camera.read(newer_than_s=NEVER, timeout_s=1)) == 1
        assert clock.now_s == pytest.approx(50.05)
        clock.now_s = 50.0 + 7.5 / 20
        frame = camera.read(newer_than_s=NEVER, timeout_s=1)
        assert _number(frame) == frame.sequence == 7
        assert frame.exposure_start_s == pytest.approx(50.35)
        clock.now_s = 60.0
        with pytest.raises(CameraEnded):
            camera.read(newer_than_s=NEVER, timeout_s=1)


def test_newer_than(clock: ManualClock, video: Path) -> None:
    """Frames that began no later than the wished time are passed over."""
    with ClipCamera(video, clock=clock, width_px=128, paced=False) as camera:
        first = camera.read(newer_than_s=NEVER, timeout_s=1)
        assert _number(camera.read(newer_than_s=first.exposure_start_s + 0.15, timeout_s=1)) == 4


def test_scaled_to_the_width_keeping_the_aspect(clock: ManualClock, video: Path) -> None:
    """128 × 96 asked as 64 wide is 64 × 48; turned by 90 degrees it is 64 × 85."""
    with ClipCamera(video, clock=clock, width_px=64) as camera:
        assert camera.read(newer_than_s=NEVER, timeout_s=1).pixels.shape == (48, 64, 3)
    with ClipCamera(video, clock=clock, width_px=64, rotate_deg=90) as camera:
        assert camera.read(newer_than_s=NEVER, timeout_s=1).pixels.shape == (85, 64, 3)


def test_folder_of_pictures(clock: ManualClock, folder: Path) -> None:
    """In the order of their names, as RGB, at the configured rate; other files are passed over."""
    with ClipCamera(folder, clock=clock, width_px=64, fps=10, paced=False) as camera:
        frames = [camera.read(newer_than_s=NEVER, timeout_s=1) for _ in range(3)]
        with pytest.raises(CameraEnded):
            camera.read(newer_than_s=NEVER, timeout_s=1)
    assert [frame.pixels[0, 0].tolist() for frame in frames] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert frames[2].exposure_start_s - frames[0].exposure_start_s == pytest.approx(0.2)


def test_opening_again_starts_anew(clock: ManualClock, video: Path) -> None:
    """A reopened clip begins at its first frame; closing twice does nothing."""
    camera = ClipCamera(video, clock=clock, width_px=128, paced=False)
    for _ in range(2):
        with camera:
            assert _number(camera.read(newer_than_s=NEVER, timeout_s=1)) == 0
        camera.close()
    with pytest.raises(CameraUnavailable):
        camera.read(newer_than_s=NEVER, timeout_s=1)


@pytest.mark.parametrize("content", [b"", b"this is no video" * 50])
def test_what_is_no_video_is_one_plain_line(clock: ManualClock, tmp_path: Path, content: bytes, capfd: Any) -> None:
    """Empty and foreign files: one InputError, and no chatter of the decoder."""
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        ClipCamera(path, clock=clock, width_px=128).__enter__()
    assert "\n" not in str(caught.value)
    assert "broken.mp4" in str(caught.value)
    assert "WARN" not in capfd.readouterr().err


def test_a_video_without_frames(clock: ManualClock, tmp_path: Path) -> None:
    """A container that opens but holds no picture."""
    path = tmp_path / "empty.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (128, 96))
    writer.release()
    with pytest.raises(InputError):
        ClipCamera(path, clock=clock, width_px=128).__enter__()


def test_broken_and_missing_pictures(clock: ManualClock, folder: Path, tmp_path: Path) -> None:
    """A folder without pictures, a picture that is none, and no file at all."""
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no frames"):
        ClipCamera(empty, clock=clock, width_px=64).__enter__()
    (folder / "0.png").write_bytes(b"not a png")
    with pytest.raises(InputError, match="no picture"):
        ClipCamera(folder, clock=clock, width_px=64).__enter__()
    with pytest.raises(InputError, match="no such file"):
        ClipCamera(tmp_path / "absent.mp4", clock=clock, width_px=64).__enter__()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("picamera2", Picamera2Camera),
        ("picamera2:1", Picamera2Camera),
        ("0", OpenCvCamera),
        ("/dev/video2", OpenCvCamera),
        ("nvarguscamerasrc ! appsink", OpenCvCamera),
    ],
)
def test_the_source_chooses(source: str, kind: type, clock: ManualClock) -> None:
    """Each spelling of the setting leads to its adapter, not yet opened."""
    assert isinstance(open_camera(CameraSettings(source=source), clock=clock), kind)


def test_files_are_chosen_too(video: Path, folder: Path, clock: ManualClock) -> None:
    """Videos and folders are clips."""
    for path in (video, folder):
        assert isinstance(open_camera(CameraSettings(source=str(path)), clock=clock), ClipCamera)


def test_a_senseless_source_is_one_line() -> None:
    """Neither camera nor file: never a silent fall-back."""
    with pytest.raises(ConfigurationError, match=r"camera\.source"):
        open_camera(CameraSettings(source="webcam"))


def test_probe_measures_rate_and_lock(clock: ManualClock, tmp_path: Path) -> None:
    """On the fake driver: 30 fps and a proven lock; on one that cannot tell: None."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/video0").touch()

    def probe(capture: FakeCapture) -> dict[str, Any]:
        camera = OpenCvCamera(
            "0", clock=clock, width_px=640, height_px=480, fps=30, opener=lambda *_: capture, root=tmp_path
        )
        return dict(measure(camera, clock))

    facts = probe(FakeCapture(clock))
    assert facts["fps"] == pytest.approx(30, abs=0.2)
    assert (facts["width_px"], facts["height_px"]) == (640, 480)
    assert facts["lock"] is True
    assert probe(FakeCapture(clock, controls={}))["lock"] is None


def test_probe_opens_what_is_configured(clock: ManualClock, video: Path) -> None:
    """A clip is measured like any camera, and locks nothing."""
    facts = probe_camera(CameraSettings(source=str(video), width_px=320), clock=clock)
    assert facts["name"] == "clip clip.avi"
    assert facts["fps"] == pytest.approx(20, abs=0.2)
    assert facts["lock"] is False


def test_probe_of_a_camera_that_never_locks(clock: ManualClock) -> None:
    """The wait for the proof is bounded."""
    camera = ScriptedCamera([plain_frame(index, 50 + index / 30, locked=False) for index in range(400)], clock=clock)
    facts = measure(camera, clock)
    assert facts["lock"] is False
    assert facts["lock_s"] is None
    assert camera.calls[-2:] == ["unlock", "close"]
