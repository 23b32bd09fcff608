"""A recording played to the kiosk as if it were a camera, and the scripted memory camera."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.cameras import open_camera
from hardware.cameras.memory import MemoryCamera
from hardware.cameras.replay import ReplayCamera
from kiosk.config.tree import CameraSettings
from kiosk.errors import CameraEnded, CameraStalled, CameraUnavailable, InputError
from tests.support.cameras import ManualClock, plain_frame

NEVER = -math.inf
TIMES_S = (7.00, 7.03, 7.07, 7.10)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Four frames at uneven times, as bright as their index."""
    lines = ["file,exposure_start_s,exposure_s"]
    for index, start_s in enumerate(TIMES_S):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((48, 64, 3), index, np.uint8))
        lines.append(f"{index}.png,{start_s},0.01")
    (tmp_path / "frames.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "recording.json").write_text('{"format": 1}')
    return tmp_path


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


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ("", "must begin"),
        ("file,exposure_start_s,exposure_s\n", "no frames"),
        ("file,exposure_start_s,exposure_s\n0.png,1\n", "line 2"),
        ("file,exposure_start_s,exposure_s\n0.png,nan,0.01\n", "senseless"),
        ("file,exposure_start_s,exposure_s\n../0.png,1,0.01\n", "outside"),
        ("file,exposure_start_s,exposure_s\nabsent.png,1,0.01\n", "missing"),
        ("file,exposure_start_s,exposure_s\n0.png,1,0.01\n1.png,1,0.01\n", "advance"),
    ],
)
def test_broken_lists_are_one_plain_line(recording: Path, table: str, word: str) -> None:
    """Each fault of frames.csv has its words."""
    (recording / "frames.csv").write_text(table)
    with pytest.raises(InputError, match=word):
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
