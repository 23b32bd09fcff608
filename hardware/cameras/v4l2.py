"""The V4L2 side of an OpenCV camera: which device it is, its clock, and the proof of a locked exposure.

OpenCV hands V4L2 controls through unchanged and answers -1 for one that the driver does not have. V4L2's own values:
``AUTO_EXPOSURE`` 1 is manual (0, 2 and 3 leave something automatic), ``EXPOSURE`` counts 100 microseconds,
``POS_MSEC`` is the buffer's time stamp on CLOCK_MONOTONIC.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2

from hardware.cameras.base import GainProof

MANUAL, APERTURE_PRIORITY = 1.0, 3.0
ABSENT = -1.0
EXPOSURE_UNIT_S = 1e-4
STAMP_AGE_S = 1.0
"""A buffer's stamp older than this, or from the future, is not on our clock."""


def device_name(node: str, root: Path = Path("/")) -> str:
    """A name that stays with the device: its /dev/v4l/by-id link, else the kernel's name for ``node``."""
    path = root / node.lstrip("/")
    by_id = root / "dev/v4l/by-id"
    for link in sorted(by_id.iterdir()) if by_id.is_dir() else ():
        if link.resolve() == path.resolve():
            return f"v4l2 {link.name}"
    kernel = root / "sys/class/video4linux" / path.name / "name"
    label = kernel.read_text(encoding="utf-8").strip() if kernel.is_file() else ""
    return f"v4l2 {node} {label}".strip()


def exposure_start_s(capture: Any, arrived_s: float, exposure_s: float) -> float:
    """When the grabbed frame's exposure began, monotonic seconds, rather too early than too late.

    The driver stamps the buffer when its data begin to arrive, so the exposure began ``exposure_s`` before. Without
    a stamp on our clock: one exposure and one read-out (as long as the frame) before the arrival.
    """
    stamp_s = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
    if 0.0 <= arrived_s - stamp_s <= STAMP_AGE_S:
        return stamp_s - exposure_s
    return arrived_s - 2.0 * exposure_s


class V4l2Exposure:
    """Locks exposure, gain and white balance by the driver's controls and reads them back with every frame."""

    def __init__(self, capture: Any) -> None:
        self._capture = capture
        self._proof = GainProof()
        self._wanted = False
        self._refused = False

    def exposure_s(self, frame_s: float) -> float:
        """The exposure that the driver reports in manual mode, else at most the frame's time."""
        if self._capture.get(cv2.CAP_PROP_AUTO_EXPOSURE) == MANUAL:
            told_s = float(self._capture.get(cv2.CAP_PROP_EXPOSURE)) * EXPOSURE_UNIT_S
            if 0.0 < told_s <= frame_s:
                return told_s
        return frame_s

    def lock(self) -> None:
        """Freeze what is now: manual modes first, then the values, since drivers ignore values in automatic mode."""
        capture = self._capture
        values = {key: float(capture.get(key)) for key in _VALUES}
        modes = [(cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL), (cv2.CAP_PROP_AUTO_WB, 0.0)]
        done = [capture.set(key, value) for key, value in modes if capture.get(key) != ABSENT]
        done += [capture.set(key, value) for key, value in values.items() if value != ABSENT]
        self._wanted = True
        self._refused = not all(done)
        self._proof.demand([MANUAL, 0.0, *values.values()])

    def unlock(self) -> None:
        """Back to automatic, where the driver has it."""
        capture = self._capture
        for key, value in ((cv2.CAP_PROP_AUTO_EXPOSURE, APERTURE_PRIORITY), (cv2.CAP_PROP_AUTO_WB, 1.0)):
            if capture.get(key) != ABSENT:
                capture.set(key, value)
        self._wanted = False
        self._proof.drop()

    def proven(self) -> bool | None:
        """For the frame just grabbed: True when read back manual and unchanged for some frames, None: cannot tell."""
        capture = self._capture
        modes = [float(capture.get(cv2.CAP_PROP_AUTO_EXPOSURE)), float(capture.get(cv2.CAP_PROP_AUTO_WB))]
        if ABSENT in modes or capture.get(cv2.CAP_PROP_EXPOSURE) == ABSENT:
            return None
        steady = self._proof.look([*modes, *(float(capture.get(key)) for key in _VALUES)])
        return self._wanted and not self._refused and modes == [MANUAL, 0.0] and steady


_VALUES = (cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_GAIN, cv2.CAP_PROP_WB_TEMPERATURE)
