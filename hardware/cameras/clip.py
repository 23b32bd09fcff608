"""A video file or a folder of pictures as a camera.

Rules: frame n began its exposure at (first read) + n / fps; paced, a read waits for the clock and skips what is over,
as a live camera would; not paced, every frame comes at once, in order. A file can prove nothing about the exposure,
so ``gains_locked`` is False. Pictures are scaled to the configured width, keeping the aspect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, Self

import cv2
import numpy as np

from hardware.cameras.base import FileCamera, fit_width, quiet_opencv, rgb_of_bgr, upright
from kiosk.errors import CameraEnded, CameraUnavailable, InputError
from kiosk.ports import Clock
from kiosk.values import Frame, Pixels

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
FPS_LIMIT = 240.0
PIXELS_LIMIT = 50_000_000
"""Larger pictures are refused: they are no camera's frames."""


class _Source(Protocol):
    fps: float

    def skip(self) -> bool:
        """Pass over one picture; False at the end."""

    def next(self) -> Pixels | None:
        """The next picture; None at the end."""

    def close(self) -> None:
        """Release the file."""


class ClipCamera(FileCamera):
    """``path`` as a camera; see the module's docstring. ``fps``: for folders, and for files that name none."""

    def __init__(
        self, path: Path, *, clock: Clock, width_px: int, fps: float = 30.0, rotate_deg: int = 0, paced: bool = True
    ) -> None:
        self._path = path
        self._clock = clock
        self._width_px = width_px
        self._fps = fps
        self._rotate_deg = rotate_deg
        self._paced = paced
        self._source: _Source | None = None
        self._first: Pixels | None = None
        self._start_s: float | None = None
        self._next = 0

    def __enter__(self) -> Self:
        """Open and decode the first picture. Raises InputError for what is no video and no folder of pictures."""
        self.close()
        self._source = (
            _FolderSource(self._path, self._fps) if self._path.is_dir() else _open_file(self._path, self._fps)
        )
        self._first = self._source.next()
        self._start_s, self._next = None, 0
        if self._first is None:
            self.close()
            raise InputError(
                "no frames in it", where=str(self._path), mend="use a video that plays, or a folder of pictures"
            )
        return self

    def close(self) -> None:
        """Release the file; calling it again does nothing."""
        source, self._source = self._source, None
        if source is not None:
            source.close()

    @property
    def name(self) -> str:
        """The file's name: paths hold no secret here, but a name is enough."""
        return f"clip {self._path.name}"

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The next frame (paced: the newest that is due) that began after ``newer_than_s``. Raises CameraEnded."""
        del timeout_s  # waiting is bounded by one frame's time
        source = self._source
        if source is None:
            raise CameraUnavailable("the clip is closed", where=self.name)
        now_s = self._clock.now().monotonic_s
        if self._start_s is None:
            self._start_s = now_s
        index = self._next
        if math.isfinite(newer_than_s):
            index = max(index, math.floor((newer_than_s - self._start_s) * source.fps + 1e-6) + 1)
        if self._paced:
            index = max(index, math.floor((now_s - self._start_s) * source.fps + 1e-6))
            self._clock.wait(self._start_s + index / source.fps - now_s)
        pixels = self._picture(source, index)
        return Frame(
            pixels=pixels,
            sequence=index,
            exposure_start_s=self._start_s + index / source.fps,
            exposure_s=0.5 / source.fps,
            gains_locked=False,
        )

    def _picture(self, source: _Source, index: int) -> Pixels:
        first, self._first = self._first, None
        pixels = first if index == 0 else None
        if first is not None:
            self._next = 1
        while pixels is None:
            if self._next < index:
                more = source.skip()
            else:
                pixels = source.next()
                more = pixels is not None
            if not more:
                raise CameraEnded("the clip is at its end", where=self.name)
            self._next += 1
        return fit_width(upright(pixels, self._rotate_deg), self._width_px)


class _VideoSource:
    def __init__(self, capture: Any, fps: float) -> None:
        self._capture = capture
        own = float(capture.get(cv2.CAP_PROP_FPS))
        self.fps = own if math.isfinite(own) and 0 < own <= FPS_LIMIT else fps

    def skip(self) -> bool:
        return bool(self._capture.grab())

    def next(self) -> Pixels | None:
        try:
            ok, picture = self._capture.read()
        except cv2.error as error:
            raise InputError("the video cannot be decoded", where="clip") from error
        return rgb_of_bgr(picture) if ok and picture is not None else None

    def close(self) -> None:
        self._capture.release()


class _FolderSource:
    def __init__(self, folder: Path, fps: float) -> None:
        self.fps = fps
        self._paths: Iterator[Path] = iter(
            sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.is_file())
        )

    def skip(self) -> bool:
        return next(self._paths, None) is not None

    def next(self) -> Pixels | None:
        path = next(self._paths, None)
        return None if path is None else read_picture(path)

    def close(self) -> None:
        self._paths = iter(())


class _PictureSource(_FolderSource):
    def __init__(self, path: Path, fps: float) -> None:
        self.fps = fps
        self._paths = iter((path,))


def _open_file(path: Path, fps: float) -> _Source:
    if not path.is_file():
        raise InputError("no such file", where=str(path))
    if path.suffix.lower() in PICTURES:
        return _PictureSource(path, fps)
    with quiet_opencv():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise InputError("cannot be opened as a video", where=str(path), mend="use MP4, MKV, AVI or WebM")
    return _VideoSource(capture, fps)


def read_picture(path: Path) -> Pixels:
    """One picture file as RGB, turned upright by its EXIF. Raises InputError."""
    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        with quiet_opencv():
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        raise InputError("is too large or broken", where=str(path)) from error
    if picture is None:
        raise InputError("is no picture", where=str(path))
    if picture.shape[0] * picture.shape[1] > PIXELS_LIMIT:
        raise InputError("is too large for a camera frame", where=str(path))
    return rgb_of_bgr(picture)
