"""A recording played to the kiosk as if it were a camera, and the scripted memory camera."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from hardware.cameras import open_camera
from hardware.cameras.memory import MemoryCamera
from hardware.cameras.replay import ReplayCamera
from hardware.recording.write import write_recording
from kiosk.config.tree import CameraSettings
from kiosk.errors import CameraEnded, CameraStalled, CameraUnavailable, InputError
from kiosk.values import Frame, Panel, ShownSlot
from tests.support.cameras import ManualClock, plain_frame

NEVER = -math.inf
TIMES_S = (7.00, 7.03, 7.07, 7.10)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Four frames at uneven times, as bright as their index."""
    folder = tmp_path / "session"
    write_recording(
        folder,
        slots=[ShownSlot((128, 128, 128), "full", 7.0, 0.3)],
        panel=Panel(155.0, 88.0, 500.0),
        camera_name="test",
        exposure_locked=True,
        lag_s=None,
        ambient_lux=None,
        frames=[
            Frame(np.full((48, 64, 3), index, np.uint8), index, at_s, 0.01, gains_locked=True)
            for index, at_s in enumerate(TIMES_S)
        ],
    )
    return folder


def test_distances_in_time_are_kept(recording: Path) -> None:
    """Counted from the first read, on this clock; nothing is locked."""
    clock = ManualClock()
    camera = open_camera(CameraSettings(source=str(recording)), clock=clock, paced=False)
    assert isinstance(camera, ReplayCamera)
    with camera:
        frames = [camera.read(newer_than_s=NEVER, timeout_s=1) for _ in TIMES_S]
        with pytest.raises(CameraEnded):
            camera.read(newer_than_s=NEVER, timeout_s=1)
    assert [frame.exposure_start_s for frame in frames] == pytest.approx([time_s + 43 for time_s in TIMES_S])
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [0, 1, 2, 3]
    assert {frame.gains_locked for frame in frames} == {False}


def test_paced(recording: Path) -> None:
    """Waits for the next and skips what is over."""
    clock = ManualClock()
    with ReplayCamera(recording, clock=clock) as camera:
        camera.read(newer_than_s=NEVER, timeout_s=1)
        camera.read(newer_than_s=NEVER, timeout_s=1)
        assert clock.now_s == pytest.approx(50.03)
        clock.now_s = 51.0
        assert camera.read(newer_than_s=NEVER, timeout_s=1).sequence == 3


def test_a_broken_recording_is_one_plain_line(recording: Path) -> None:
    """As for scoring: ``hardware.recording`` checks everything before the first frame."""
    (recording / "frames.csv").write_text("file,exposure_start_s,exposure_s\n../0.png,1,0.01\n")
    with pytest.raises(InputError):
        ReplayCamera(recording, clock=ManualClock()).__enter__()


def test_memory_camera_plays_its_script() -> None:
    """Frames, errors in their turn, then the end; older frames are passed over."""
    script = [plain_frame(0, 1.0), plain_frame(1, 2.0, locked=True), CameraStalled("x"), plain_frame(2, 3.0)]
    camera = MemoryCamera(script)
    with pytest.raises(CameraUnavailable):
        camera.read(newer_than_s=NEVER, timeout_s=1)
    with camera:
        assert camera.read(newer_than_s=1.0, timeout_s=1).sequence == 1
        assert camera.exposure_locked is True
        with pytest.raises(CameraStalled):
            camera.read(newer_than_s=NEVER, timeout_s=1)
        assert camera.read(newer_than_s=NEVER, timeout_s=1).sequence == 2
        with pytest.raises(CameraEnded):
            camera.read(newer_than_s=NEVER, timeout_s=1)
    camera.close()
    assert camera.calls == ["open", "close"]
