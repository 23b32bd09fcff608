"""From light to 8-bit pixels: a small rolling-shutter sensor with automatic exposure and white balance.

Scale: at full well the signal is 1. With 300 lx on an 18 % grey the automatic exposure settles where that grey is
about 0.18. Noise is shot noise plus read noise, drawn from a seeded bank (a fresh offset for each frame).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

import cv2
import numpy as np

from hardware.sim.light import linear_to_srgb
from kiosk.values import Floats, Pixels

ELECTRONS = 4200.0
"""Electrons per (cd/m2 s) of one pixel."""
FULL_WELL = 8000.0
READ_NOISE = 3.0
_CODES = 1 << 16


@dataclass(frozen=True, slots=True)
class CameraOptics:
    """The simulated camera."""

    width_px: int = 640
    height_px: int = 480
    hfov_deg: float = 62.2
    fps: float = 30.0
    jitter_s: float = 0.0004
    """Standard deviation of the time between frames."""
    exposure_low_s: float = 0.001
    exposure_typical_s: tuple[float, float] = (0.008, 0.020)
    """Between these the exposure is preferred to gain (in the dark) and to a shorter one (in bright light)."""
    gain_max: float = 4.0
    target: float = 0.26
    """Mean level that the automatic exposure aims at."""
    adapt_s: float = 0.3
    """Time constant of automatic exposure and white balance."""
    readout_s: float = 0.015
    """From the first row's exposure to the last row's."""
    delivery_s: float = 0.025
    """From the end of the readout to the application: ISP and bus."""
    lock_frames: int = 4
    """Frames until a lock has taken effect."""
    locking: Literal["proven", "ignored", "untold"] = "proven"
    """proven: locks and says so. ignored: keeps adapting and says so. untold: locks, but its frames do not tell."""
    reports_lux: bool = True
    blur_px: float = 0.55
    """Standard deviation of the lens's blur."""
    jpeg_quality: int | None = None
    """Frames are squeezed as JPEG on their way, 1..100; None: not."""

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return float(self.width_px / 2 / np.tan(np.deg2rad(self.hfov_deg) / 2))


@dataclass(frozen=True, slots=True)
class Gains:
    """What the camera has chosen."""

    exposure_s: float = 0.010
    gain: float = 2.0
    red: float = 1.05
    blue: float = 1.15


class Sensor:
    """Develops radiance into pixels and adapts its gains; not thread-safe (one camera owns it)."""

    def __init__(self, optics: CameraOptics, seed: int) -> None:
        self.optics = optics
        self.gains = Gains()
        self._random = np.random.default_rng([seed, 0x5E45])
        self._bank = _noise_bank(optics.height_px + 97, optics.width_px + 131)
        self._gamma = _gamma_codes()

    def develop(self, radiance: Floats) -> Pixels:
        """``(H, W, 3)`` cd/m2 to sRGB 8 bit with the present gains."""
        gains = self.gains
        height, width = radiance.shape[:2]
        signal = np.asarray(radiance, np.float32)
        if self.optics.blur_px > 0.0:
            signal = np.asarray(cv2.GaussianBlur(signal, (3, 3), self.optics.blur_px), np.float32)
        # In place and in few passes: this is the dearest part of a simulated frame.
        signal = signal * np.float32(ELECTRONS * gains.exposure_s * gains.gain / FULL_WELL)
        cv2.threshold(signal, 1.0, 0.0, cv2.THRESH_TRUNC, dst=signal)
        top, left = int(self._random.integers(0, 98)), int(self._random.integers(0, 132))
        noise = self._bank[top : top + height, left : left + width]
        # Shot noise sqrt(signal * shot) and read noise together: sqrt(shot) * sqrt(signal + read^2 / shot).
        shot = gains.gain / FULL_WELL
        spread = signal + np.float32(READ_NOISE**2 * shot)
        cv2.sqrt(spread, dst=spread)
        cv2.multiply(spread, noise, dst=spread, scale=math.sqrt(shot))
        cv2.add(signal, spread, dst=signal)
        # White balance multiplies what was read, noise included. Full scale is shared by the channels. Whole rows at
        # once: numpy is slow over a last axis of three.
        balance = np.array([gains.red, 1.0, gains.blue], np.float32) * np.float32(_CODES - 1)
        lines = signal.reshape(height, -1)
        lines *= np.tile(balance, width)
        np.clip(lines, 0.0, _CODES - 1.0, out=lines)
        codes = cv2.LUT(lines.astype(np.uint16), self._gamma)
        return self._squeezed(np.asarray(codes.reshape(height, width, 3), np.uint8))

    def _squeezed(self, pixels: Pixels) -> Pixels:
        """After JPEG with chroma at half resolution, as USB cameras send it."""
        if self.optics.jpeg_quality is None:
            return pixels
        options = [cv2.IMWRITE_JPEG_QUALITY, self.optics.jpeg_quality]
        _, coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
        decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)

    def lux(self, radiance: Floats) -> float:
        """What the camera reports: the picture's mean luminance times pi over the reflectance of a usual scene."""
        mean = radiance[::8, ::8].mean(axis=(0, 1))
        return float(np.pi / 0.30 * (0.2126 * mean[0] + 0.7152 * mean[1] + 0.0722 * mean[2]))

    def adapt(self, radiance: Floats, passed_s: float) -> None:
        """One step of automatic exposure and white balance, ``passed_s`` after the last one."""
        optics = self.optics
        share = 1.0 - float(np.exp(-max(passed_s, 0.0) / optics.adapt_s))
        coarse = radiance[::8, ::8]
        weight = _metering(coarse.shape[0], coarse.shape[1])
        mean = np.asarray((coarse * weight[..., None]).sum(axis=(0, 1)) / weight.sum(), np.float64)
        luma = 0.2126 * mean[0] + 0.7152 * mean[1] + 0.0722 * mean[2]
        wanted = optics.target * FULL_WELL / (ELECTRONS * max(float(luma), 1e-4))
        present = self.gains.exposure_s * self.gains.gain
        total = float(np.exp(np.log(present) + share * (np.log(wanted) - np.log(present))))
        low, high = optics.exposure_typical_s
        exposure = min(max(total / 2.0, low), high)
        gain = min(max(total / exposure, 1.0), optics.gain_max)
        if total / exposure < 1.0:
            exposure = max(total, optics.exposure_low_s)
        # Grey world, only half of the way, as real ones do.
        red = float(np.clip((mean[1] / max(mean[0], 1e-6)) ** 0.5, 0.5, 2.5))
        blue = float(np.clip((mean[1] / max(mean[2], 1e-6)) ** 0.5, 0.5, 2.5))
        self.gains = replace(
            self.gains,
            exposure_s=exposure,
            gain=gain,
            red=self.gains.red + share * (red - self.gains.red),
            blue=self.gains.blue + share * (blue - self.gains.blue),
        )


@cache
def _metering(rows: int, columns: int) -> Floats:
    """Centre-weighted metering."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    return np.asarray(0.35 + np.exp(-2.0 * (x * x + y * y)), np.float32)


@lru_cache(maxsize=2)
def _noise_bank(height: int, width: int) -> Floats:
    """``(height, width, 3)`` standard normal, the same for every sensor of this size: each frame cuts its own part."""
    bank = np.random.default_rng([height, width, 0x5E45]).standard_normal((height, width, 3), np.float32)
    bank.setflags(write=False)
    return bank


@cache
def _gamma_codes() -> Pixels:
    """8-bit sRGB code of each of the ``_CODES`` linear levels."""
    return np.round(linear_to_srgb(np.linspace(0.0, 1.0, _CODES))).astype(np.uint8)
