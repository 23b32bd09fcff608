"""What cameras share: turning, scaling, the proof of a locked exposure, and a quiet OpenCV.

Pictures leave every adapter as contiguous ``(H, W, 3) uint8 RGB``, upright, unmirrored.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, cast

import cv2
import numpy as np

from kiosk.closing import Closing
from kiosk.values import Pixels

SILENT = 0
"""OpenCV's log level that says nothing."""
PROOF_FRAMES = 3
"""So many frames in a row must show the same gains before they count as locked."""
CLOSE_RATIO = 0.03
"""A driver may round the value that was asked for by this share."""


def upright(pixels: Pixels, rotate_deg: int) -> Pixels:
    """Turn clockwise by 0, 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(pixels, k=-(rotate_deg // 90))) if rotate_deg else pixels


def fit_width(pixels: Pixels, width_px: int) -> Pixels:
    """Scale to ``width_px`` columns, keeping the aspect."""
    height, width = pixels.shape[:2]
    if width == width_px:
        return pixels
    size = (width_px, max(1, round(height * width_px / width)))
    how = cv2.INTER_AREA if width > width_px else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(pixels, size, interpolation=how))


def rgb_of_bgr(pixels: Any) -> Pixels:
    """OpenCV's BGR, BGRA or grey picture as RGB."""
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB))
    code = cv2.COLOR_BGRA2RGB if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cast(Pixels, cv2.cvtColor(pixels, code))


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV's and FFmpeg's chatter off standard error: the error is told once, in our words."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    set_level = _log_level_setter()
    before = set_level(SILENT)
    try:
        yield
    finally:
        set_level(before)


def _log_level_setter() -> Callable[[int], int]:
    """OpenCV 4 (a Jetson's own, with GStreamer) has it at the top, OpenCV 5 in ``utils.logging``."""
    where: Any = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
    return cast("Callable[[int], int]", where.setLogLevel)


class GainProof:
    """Whether the gains stand still, judged from what the frames themselves report."""

    def __init__(self, frames: int = PROOF_FRAMES) -> None:
        self._frames = frames
        self._wanted: Sequence[float] | None = None
        self._last: Hashable = None
        self._same = 0

    def demand(self, values: Sequence[float]) -> None:
        """A lock at these values was asked for: earlier frames prove nothing."""
        self._wanted = tuple(values)
        self._last, self._same = None, 0

    def drop(self) -> None:
        """The lock was given up."""
        self._wanted = None
        self._last, self._same = None, 0

    def look(self, values: Sequence[float]) -> bool:
        """One frame reports ``values``: True when it and the frames before it prove the lock."""
        reported = tuple(values)
        self._same = self._same + 1 if reported == self._last else 1
        self._last = reported
        return self._wanted is not None and self._same >= self._frames and self._as_wanted(reported)

    def _as_wanted(self, reported: Sequence[float]) -> bool:
        wanted = self._wanted or ()
        return len(wanted) == len(reported) and all(
            math.isclose(is_, want, rel_tol=CLOSE_RATIO, abs_tol=1e-3)
            for is_, want in zip(reported, wanted, strict=True)
        )


class FileCamera(Closing):
    """What clips and recordings share: nothing in a file can be locked, and a file proves nothing about *now*."""

    @property
    def exposure_locked(self) -> bool | None:
        """A file proves nothing."""
        return False

    def lock_exposure(self) -> None:
        """Cannot be done; the frames go on saying so."""

    def unlock_exposure(self) -> None:
        """Nothing to do."""
