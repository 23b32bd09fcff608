"""Cameras that OpenCV opens: V4L2 devices, and GStreamer pipelines (Jetson).

Rules: the back end is forced, never guessed; what was granted is read back; a read that fails means unplugged when
the device node is gone, else stalled. A pipeline gives no metadata, so its lock can be neither set nor told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import cv2

from hardware.cameras.base import quiet_opencv, rgb_of_bgr, upright
from hardware.cameras.v4l2 import V4l2Exposure, device_name, exposure_start_s
from kiosk.closing import Closing
from kiosk.errors import CameraStalled, CameraUnavailable
from kiosk.ports import Clock
from kiosk.values import Frame

SELECT_S = "2"
"""OpenCV waits this many whole seconds for a V4L2 frame; its own default is 10."""
Opener = Callable[[str, int], Any]
"""(device path or pipeline, OpenCV back end) -> something like cv2.VideoCapture."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What the driver gave, which may differ from what was asked for."""

    width_px: int
    height_px: int
    fps: float
    fourcc: str


class OpenCvCamera(Closing):
    """``source``: a V4L2 index (``0``), a path (``/dev/video2``), or a GStreamer pipeline (holds a ``!``)."""

    def __init__(
        self,
        source: str,
        *,
        clock: Clock,
        width_px: int,
        height_px: int,
        fps: float,
        rotate_deg: int = 0,
        opener: Opener | None = None,
        root: Path = Path("/"),
    ) -> None:
        self._is_pipeline = "!" in source
        self._source = f"/dev/video{source}" if source.isdigit() else source
        self._clock = clock
        self._size = (width_px, height_px)
        self._fps = fps
        self._rotate_deg = rotate_deg
        self._opener = opener or _open
        self._root = root
        self._capture: Any = None
        self._exposure: V4l2Exposure | None = None
        self._name = ""
        self._sequence = 0
        self._locked: bool | None = None
        self.granted = Granted(0, 0, 0.0, "")
        """Valid while open."""

    def __enter__(self) -> Self:
        """Open and configure. Raises CameraUnavailable."""
        if self._capture is not None:
            return self
        if not self._is_pipeline and not self._node.exists():
            raise CameraUnavailable(
                "no such device", where=self._source, mend="plug the camera in, or set camera.source"
            )
        back_end = cv2.CAP_GSTREAMER if self._is_pipeline else cv2.CAP_V4L2
        if self._opener is _open and not cv2.videoio_registry.hasBackend(back_end):
            raise CameraUnavailable(
                "this OpenCV was built without GStreamer",
                where=self._source,
                mend="use the OpenCV of the Jetson's system",
            )
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", SELECT_S)
        with quiet_opencv():
            capture = self._opener(self._source, back_end)
        if not capture.isOpened():
            capture.release()
            raise CameraUnavailable(
                "cannot be opened", where=self._source, mend="check that no other program has it, and the group 'video'"
            )
        self._capture = capture
        self._configure(capture)
        self._exposure = None if self._is_pipeline else V4l2Exposure(capture)
        self._name = "gstreamer pipeline" if self._is_pipeline else device_name(self._source, self._root)
        self._sequence, self._locked = 0, None
        return self

    def close(self) -> None:
        """Give the device back, in automatic mode; calling it again does nothing."""
        capture, self._capture = self._capture, None
        exposure, self._exposure = self._exposure, None
        if capture is None:
            return
        if exposure is not None and self._node.exists():
            exposure.unlock()
        capture.release()

    @property
    def name(self) -> str:
        """Stable identity of the device; empty before opening."""
        return self._name

    @property
    def exposure_locked(self) -> bool | None:
        """What the newest frame proved."""
        return self._locked

    def lock_exposure(self) -> None:
        """Ask the driver for manual modes at the present values."""
        if self._exposure is not None:
            self._exposure.lock()

    def unlock_exposure(self) -> None:
        """Back to automatic."""
        if self._exposure is not None:
            self._exposure.unlock()

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The next frame whose exposure began after ``newer_than_s``.

        Raises CameraStalled, or CameraUnavailable when the device went away. One wait inside the driver may outlast
        ``timeout_s`` by up to two seconds.
        """
        capture = self._capture
        if capture is None:
            raise CameraUnavailable("the camera is closed", where=self._source)
        frame_s = 1.0 / max(self.granted.fps, 1.0)
        deadline_s = self._clock.now().monotonic_s + timeout_s
        while True:
            if not _grab(capture):
                raise self._failure()
            arrived_s = self._clock.now().monotonic_s
            exposure_s = frame_s if self._exposure is None else self._exposure.exposure_s(frame_s)
            start_s = exposure_start_s(capture, arrived_s, exposure_s)
            self._sequence += 1
            if start_s > newer_than_s:
                return self._frame(capture, start_s, exposure_s)
            if arrived_s >= deadline_s:
                raise CameraStalled("no frame that is new enough", where=self._name)

    def _frame(self, capture: Any, start_s: float, exposure_s: float) -> Frame:
        ok, picture = _retrieve(capture)
        if not ok or picture is None:
            raise self._failure()
        self._locked = None if self._exposure is None else self._exposure.proven()
        return Frame(
            pixels=upright(rgb_of_bgr(picture), self._rotate_deg),
            sequence=self._sequence,
            exposure_start_s=start_s,
            exposure_s=exposure_s,
            gains_locked=self._locked,
        )

    def _configure(self, capture: Any) -> None:
        if not self._is_pipeline:
            # Compressed first: at 30 fps only small pictures fit through USB 2 uncompressed.
            if not capture.set(cv2.CAP_PROP_FOURCC, float(_fourcc("MJPG"))):
                capture.set(cv2.CAP_PROP_FOURCC, float(_fourcc("YUYV")))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, float(self._size[0]))
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, float(self._size[1]))
            capture.set(cv2.CAP_PROP_FPS, self._fps)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 2.0)
        told_fps = float(capture.get(cv2.CAP_PROP_FPS))
        code = int(capture.get(cv2.CAP_PROP_FOURCC))
        self.granted = Granted(
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            told_fps if 0 < told_fps < 1000 else self._fps,
            "" if code <= 0 else code.to_bytes(4, "little").decode("ascii", "replace"),
        )

    @property
    def _node(self) -> Path:
        return self._root / self._source.lstrip("/")

    def _failure(self) -> CameraUnavailable | CameraStalled:
        if not self._is_pipeline and not self._node.exists():
            return CameraUnavailable("the camera was unplugged", where=self._name)
        return CameraStalled("the camera delivers nothing", where=self._name)


def _fourcc(code: str) -> int:
    return int.from_bytes(code.encode("ascii"), "little")


def _grab(capture: Any) -> bool:
    try:
        return bool(capture.grab())
    except cv2.error:
        return False


def _retrieve(capture: Any) -> tuple[bool, Any]:
    try:
        return cast(tuple[bool, Any], capture.retrieve())
    except cv2.error:
        return False, None


def _open(source: str, back_end: int) -> Any:
    return cv2.VideoCapture(source, back_end)
