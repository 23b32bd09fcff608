"""The Raspberry Pi's camera through picamera2 (a Debian package; imported when opened).

Rules and traps: picamera2's ``BGR888`` is RGB in memory (and its ``RGB888`` is BGR); every wait has a time-out, and
one that expires is followed by ``cancel_all_and_flush``, else the late picture goes to the next caller; requests are
always released. ``SensorTimestamp`` is on CLOCK_BOOTTIME, and the exposure began ``ExposureTime`` before it
(picamera2's own ``flush`` reckons so). A lock is asked for with the values of the newest frame and is proven when
some frames in a row report equal gains close to these: controls take effect some frames later and may be rounded.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from hardware.cameras.base import GainProof, upright
from kiosk.closing import Closing
from kiosk.errors import CameraStalled, CameraUnavailable
from kiosk.ports import Clock
from kiosk.values import Frame, Pixels

BUFFERS = 4
AE_SEARCHING = 1
"""``AeState`` while the exposure still hunts (libcamera ``AeStateSearching``)."""
AF_MANUAL = 0
AF_CONTINUOUS = 2
_FOREIGN = (RuntimeError, OSError, IndexError, KeyError, ValueError)


def boottime_ahead_s() -> float:
    """CLOCK_BOOTTIME minus CLOCK_MONOTONIC: the time spent suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class Picamera2Camera(Closing):
    """Camera ``number`` of libcamera's list."""

    def __init__(
        self,
        number: int = 0,
        *,
        clock: Clock,
        width_px: int,
        height_px: int,
        fps: float,
        rotate_deg: int = 0,
        ahead_s: Callable[[], float] = boottime_ahead_s,
    ) -> None:
        """``ahead_s``: how far the sensor's clock is ahead of the monotonic one."""
        self._number = number
        self._clock = clock
        self._size = (width_px, height_px)
        self._fps = fps
        self._rotate_deg = rotate_deg
        self._ahead_s = ahead_s
        self._device: Any = None
        self._swap = False
        self._name = ""
        self._sequence = 0
        self._proof = GainProof()
        self._lock_wanted = False
        self._lock_asked = False
        self._locked: bool | None = None

    def __enter__(self) -> Self:
        """Open, configure and start. Raises CameraUnavailable."""
        if self._device is not None:
            return self
        try:
            module = importlib.import_module("picamera2")
        except ImportError as error:
            raise CameraUnavailable(
                "picamera2 is not installed",
                mend="apt install python3-picamera2 and use a venv with --system-site-packages",
            ) from error
        try:
            known = module.Picamera2.global_camera_info()
            if self._number >= len(known):
                raise CameraUnavailable(
                    f"libcamera sees {len(known)} cameras, not number {self._number}", mend="check the ribbon cable"
                )
            self._name = f"picamera2 {known[self._number]['Id']}"
            self._device = module.Picamera2(self._number)
            self._start(self._device)
        except _FOREIGN as error:
            self.close()
            raise CameraUnavailable(f"cannot be started: {error}", where=self._name or "picamera2") from error
        return self

    def close(self) -> None:
        """Stop and give the camera back; calling it again does nothing."""
        device, self._device = self._device, None
        if device is None:
            return
        for release in (device.cancel_all_and_flush, device.stop, device.close):
            with contextlib.suppress(*_FOREIGN):
                release()

    @property
    def name(self) -> str:
        """libcamera's identity of the sensor and its connector; empty before opening."""
        return self._name

    @property
    def exposure_locked(self) -> bool | None:
        """What the newest frame proved."""
        return self._locked

    def lock_exposure(self) -> None:
        """Freeze exposure, gains and focus at the values of the next frame."""
        self._lock_wanted, self._lock_asked = True, False

    def unlock_exposure(self) -> None:
        """Back to automatic."""
        self._lock_wanted = self._lock_asked = False
        self._proof.drop()
        if self._device is not None:
            self._set(
                {"AeEnable": True, "AwbEnable": True, "ExposureTime": 0, "AnalogueGain": 0.0, "AfMode": AF_CONTINUOUS}
            )

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The newest frame whose exposure began after ``newer_than_s``. Raises CameraStalled or CameraUnavailable."""
        if self._device is None:
            raise CameraUnavailable("the camera is closed", where="picamera2")
        deadline_s = self._clock.now().monotonic_s + timeout_s
        while True:
            left_s = max(deadline_s - self._clock.now().monotonic_s, 0.001)
            pixels, metadata = self._capture(left_s)
            self._sequence += 1
            start_s, exposure_s = self._times(metadata)
            locked = self._judge(metadata)
            if start_s > newer_than_s:
                self._locked = locked
                return Frame(pixels, self._sequence, start_s, exposure_s, locked, _number(metadata, "Lux"))
            if self._clock.now().monotonic_s >= deadline_s:
                raise CameraStalled("no frame that is new enough", where=self._name)

    def _start(self, device: Any) -> None:
        frame_us = round(1e6 / self._fps)
        wanted = device.create_video_configuration(
            main={"size": self._size, "format": "BGR888"},
            controls={"FrameDurationLimits": (frame_us, frame_us)},
            buffer_count=BUFFERS,
            queue=False,
        )
        device.configure(wanted)
        granted = device.camera_configuration()["main"]["format"]
        if granted not in ("BGR888", "RGB888"):
            raise ValueError(f"the pixel format {granted} was granted instead of BGR888")
        self._swap = granted == "RGB888"
        self._sequence, self._locked = 0, None
        device.start()

    def _capture(self, timeout_s: float) -> tuple[Pixels, Mapping[str, Any]]:
        device = self._device
        try:
            request = device.capture_request(wait=timeout_s)
        except TimeoutError as error:
            with contextlib.suppress(*_FOREIGN):
                device.cancel_all_and_flush()
            raise CameraStalled("no frame within the time-out", where=self._name) from error
        except _FOREIGN as error:
            raise CameraUnavailable(f"capturing failed: {error}", where=self._name) from error
        try:
            pixels: Pixels = request.make_array("main")
            metadata: Mapping[str, Any] = request.get_metadata()
        except _FOREIGN as error:
            raise CameraUnavailable(f"the picture cannot be read: {error}", where=self._name) from error
        finally:
            request.release()
        if self._swap:
            pixels = pixels[:, :, ::-1]
        return np.ascontiguousarray(upright(pixels, self._rotate_deg)), metadata

    def _times(self, metadata: Mapping[str, Any]) -> tuple[float, float]:
        frame_s = 1.0 / self._fps
        exposure_us = _number(metadata, "ExposureTime")
        exposure_s = frame_s if exposure_us is None else exposure_us / 1e6
        stamp_ns = _number(metadata, "SensorTimestamp")
        if stamp_ns is None:
            return self._clock.now().monotonic_s - exposure_s - frame_s, exposure_s
        return stamp_ns / 1e9 - self._ahead_s() - exposure_s, exposure_s

    def _judge(self, metadata: Mapping[str, Any]) -> bool | None:
        gains = _gains(metadata)
        if gains is None:
            return None
        if self._lock_wanted and not self._lock_asked:
            self._ask(gains, metadata)
        steady = self._proof.look(gains)
        return self._lock_asked and steady and metadata.get("AeState") != AE_SEARCHING

    def _ask(self, gains: list[float], metadata: Mapping[str, Any]) -> None:
        exposure_us, analogue, _, red, blue = gains
        wanted: dict[str, Any] = {
            "AeEnable": False,
            "ExposureTime": round(exposure_us),
            "AnalogueGain": analogue,
            "AwbEnable": False,
            "ColourGains": (red, blue),
            "AfMode": AF_MANUAL,
        }
        if (position := _number(metadata, "LensPosition")) is not None:
            wanted["LensPosition"] = position
        self._set(wanted)
        self._lock_asked = True
        self._proof.demand(gains)

    def _set(self, values: Mapping[str, Any]) -> None:
        """Set those that this camera has: an unknown name would be an error of picamera2's."""
        try:
            known = self._device.camera_controls
            self._device.set_controls({key: value for key, value in values.items() if key in known})
        except _FOREIGN as error:
            raise CameraUnavailable(f"the controls cannot be set: {error}", where=self._name) from error


def _gains(metadata: Mapping[str, Any]) -> list[float] | None:
    """[ExposureTime us, AnalogueGain, DigitalGain, red, blue]; None when the camera does not tell all that matters."""
    exposure, analogue = _number(metadata, "ExposureTime"), _number(metadata, "AnalogueGain")
    colour = metadata.get("ColourGains")
    if exposure is None or analogue is None or colour is None or len(colour) != 2:
        return None
    digital = _number(metadata, "DigitalGain") or 1.0
    return [exposure, round(analogue, 4), round(digital, 4), round(float(colour[0]), 4), round(float(colour[1]), 4)]


def _number(metadata: Mapping[str, Any], key: str) -> float | None:
    value = metadata.get(key)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
