"""Light in the simulated world: the kiosk's screen as an area lamp, its history, and the room's own light.

Rules: all light is linear. Axes are the camera's: x to the image's right, y down, and the third component of a
normal or direction points *towards the camera*; positions are (x, y, z) in mm with z the distance from the camera.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.values import Floats, Panel, Rgb

BLACK = (0.0, 0.0, 0.0)


def srgb_to_linear(codes: NDArray[np.float32] | NDArray[np.uint8]) -> Floats:
    """sRGB codes 0..255 to linear 0..1 (IEC 61966-2-1)."""
    encoded = np.asarray(codes, np.float32) / np.float32(255.0)
    low = encoded / np.float32(12.92)
    high = np.power((encoded + np.float32(0.055)) / np.float32(1.055), np.float32(2.4))
    return np.where(encoded <= 0.04045, low, high).astype(np.float32)


def linear_to_srgb(linear: Floats | NDArray[np.float64]) -> Floats:
    """Linear 0..1 to sRGB codes 0..255 (IEC 61966-2-1), not rounded."""
    value = np.clip(np.asarray(linear, np.float32), 0.0, 1.0)
    high = np.float32(1.055) * np.power(value, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.asarray(np.where(value <= 0.0031308, value * np.float32(12.92), high) * 255.0, np.float32)


def rgb_linear(rgb: Rgb) -> tuple[float, float, float]:
    """One sRGB colour as linear light 0..1."""
    red, green, blue = srgb_to_linear(np.array(rgb, np.float32)).tolist()
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Ambient:
    """The room's own light.

    ``lux`` is the illuminance on a vertical plane that faces the camera, so that the modulation of a face is simply
    (illuminance by the screen) / ``lux``. The shares say where the light comes from and are normalised.
    """

    lux: float = 300.0
    colour: tuple[float, float, float] = (1.0, 0.96, 0.88)
    dome: float = 0.45
    """Share from everywhere alike."""
    ceiling: float = 0.35
    """Share from a bright ceiling (a hemisphere above)."""
    frontal: float = 0.20
    """Share from a window or lamp behind the kiosk."""
    side: float = 0.0
    """Share from one side."""
    side_azimuth_deg: float = 60.0
    """Direction of the side light: 0 is the camera, positive the image's right."""
    backlight: float = 1.0
    """How many times more light the room behind gets than the visitor: a sunlit hall is 20 and more."""
    flicker: float = 0.0
    """Depth of the mains flicker, 0..1, at twice ``mains_hz``."""
    mains_hz: float = 50.0

    def illuminance(self, normals: Floats) -> Floats:
        """Illuminance in lux at points with ``normals`` (..., 3); (...) float32, white."""
        x, up, towards = normals[..., 0], -normals[..., 1], normals[..., 2]
        azimuth = np.deg2rad(self.side_azimuth_deg)
        frontal = np.array([0.0, 0.35, 0.937], np.float32)
        side = np.array([np.sin(azimuth) * 0.95, 0.31, np.cos(azimuth) * 0.95], np.float32)

        def lamp(direction: Floats) -> Floats:
            cosine = x * direction[0] + up * direction[1] + towards * direction[2]
            return np.asarray(np.maximum(cosine, 0.0), np.float32)

        def mix(dome: Floats | float, sky: Floats | float, front: Floats | float, flank: Floats | float) -> Floats:
            total = self.dome * dome + self.ceiling * sky + self.frontal * front + self.side * flank
            return np.asarray(total, np.float32)

        facing = mix(0.85, 0.5, float(frontal[2]), max(float(side[2]), 0.2))
        # The floor sends back about a third of what falls on it, so that nothing is lit by the ceiling alone.
        value = mix(0.85 + 0.15 * up, 0.5 + 0.4 * up, lamp(frontal), lamp(side))
        return np.asarray(value * (self.lux / facing), np.float32)

    def flicker_mean(self, start_s: NDArray[np.float64], exposure_s: float) -> NDArray[np.float64]:
        """Mean factor of the mains flicker over exposures that begin at ``start_s``."""
        if self.flicker == 0.0:
            return np.ones_like(start_s)
        omega = 4.0 * np.pi * self.mains_hz
        half = omega * exposure_s / 2.0
        mean = np.cos(omega * start_s + half) * np.sinc(half / np.pi)
        return np.asarray(1.0 + self.flicker * mean, np.float64)


@dataclass(frozen=True, slots=True)
class ScreenLamp:
    """The screen as a Lambertian rectangle in the camera's plane, each half cut into 3 x 2 patches.

    ``offset_mm`` is the centre of the lit area relative to the camera's lens: by default the camera sits in the
    bezel above the screen.
    """

    panel: Panel
    offset_mm: tuple[float, float] | None = None

    @property
    def centre_mm(self) -> tuple[float, float]:
        """(x, y) of the middle of the lit area."""
        return (0.0, self.panel.height_mm / 2 + 10.0) if self.offset_mm is None else self.offset_mm

    def patches(self, half: str) -> NDArray[np.float32]:
        """(6, 2) x, y in mm of the patches of the ``top`` or ``bottom`` half."""
        x0, y0 = self.centre_mm
        width, height = self.panel.width_mm, self.panel.height_mm
        rows = (-3 / 8, -1 / 8) if half == "top" else (1 / 8, 3 / 8)
        points = [(x0 + column * width, y0 + row * height) for row in rows for column in (-1 / 3, 0.0, 1 / 3)]
        return np.array(points, np.float32)

    def irradiance(self, points: Floats, normals: Floats, half: str) -> Floats:
        """Illuminance in lux at ``points`` (..., 3) mm by one half shown in full white; (...) float32."""
        return np.asarray(self.irradiances(points, normals)[0 if half == "top" else 1], np.float32)

    def irradiances(self, points: Floats, normals: Floats) -> Floats:
        """``(2, ...)`` illuminance in lux by the top and by the bottom half, each shown in full white.

        E = sum of L cos(at the screen) cos(at the point) A / d^2 over the patches, all patches at once.
        """
        places = np.concatenate([self.patches("top"), self.patches("bottom")])
        # One axis after the other in memory: numpy is slow over a last axis of three.
        flat, facing = (np.ascontiguousarray(field.reshape(-1, 3).T) for field in (points, normals))
        squared = (flat * flat).sum(axis=0) - 2.0 * (places @ flat[:2])
        squared += (places * places).sum(axis=1)[:, None]
        cosine = places @ facing[:2]
        cosine += facing[2] * flat[2] - facing[0] * flat[0] - facing[1] * flat[1]
        np.maximum(cosine, 0.0, out=cosine)
        squared *= squared
        cosine /= squared
        area = self.panel.width_mm * self.panel.height_mm / 12.0
        halves = cosine.reshape(2, 6, -1).sum(axis=1) * (flat[2] * np.float32(self.panel.luminance_cd_m2 * area))
        return np.asarray(halves.reshape(2, *points.shape[:-1]), np.float32)

    def gloss(self, points: Floats, normals: Floats, half: str, *, f0: float, roughness: float) -> Floats:
        """Radiance in cd/m2 that a smooth coat sends to the camera by one white half; (...) float32."""
        both = self.glosses(points, normals, f0=f0, roughness=roughness)
        return np.asarray(both[0 if half == "top" else 1], np.float32)

    def glosses(self, points: Floats, normals: Floats, *, f0: float, roughness: float) -> Floats:
        """``(2, ...)`` the same by the top and by the bottom half: GGX with Schlick's Fresnel.

        The coat keeps the colour of the light. Source: Walter et al. 2007, Schlick 1994.
        """
        x, y, z = (np.ascontiguousarray(points[..., axis]).reshape(-1) for axis in range(3))
        nx, ny, nz = (np.ascontiguousarray(normals[..., axis]).reshape(-1) for axis in range(3))
        distance = np.sqrt(x * x + y * y + z * z)
        vx, vy, vz = -x / distance, -y / distance, z / distance
        # An area lamp blurs the lobe: widen it by the half angle under which the screen is seen (Karis 2013).
        alpha = roughness * roughness + self.panel.height_mm / (4.0 * np.maximum(distance, 1.0))
        middles = np.array([self.patches(half).mean(axis=0) for half in ("top", "bottom")], np.float32)
        lx, ly = middles[:, :1] - x, middles[:, 1:] - y
        squared = lx * lx + ly * ly + z * z
        length = np.sqrt(squared)
        lx, ly, lz = lx / length, ly / length, z / length
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        middle = np.maximum(np.sqrt(hx * hx + hy * hy + hz * hz), 1e-6)
        n_h = np.clip((nx * hx + ny * hy + nz * hz) / middle, 0.0, 1.0)
        n_l = np.clip(nx * lx + ny * ly + nz * lz, 0.0, 1.0)
        n_v = np.clip(nx * vx + ny * vy + nz * vz, 0.1, 1.0)
        a2 = alpha * alpha
        spread = n_h * n_h * (a2 - 1.0) + 1.0
        lobe = a2 / (np.pi * spread * spread)
        grazing = 1.0 - (vx * hx + vy * hy + vz * hz) / middle
        twice = grazing * grazing
        fresnel = f0 + (1.0 - f0) * (twice * twice * grazing)
        area = self.panel.width_mm * self.panel.height_mm / 2.0
        illuminance = (self.panel.luminance_cd_m2 * area) * z / (squared * length) * n_l
        visible = n_l / (n_l * 0.9 + 0.1)
        result = illuminance * lobe * fresnel * visible / (4.0 * n_v * np.maximum(n_l, 0.05))
        return np.asarray(result.reshape(2, *points.shape[:-1]), np.float32)


@dataclass(slots=True)
class LightHistory:
    """What the screen showed when: linear RGB 0..1 of both halves, as steps smoothed by the panel's response."""

    response_s: float = 0.004
    """Time constant of the liquid crystal."""
    _times: list[float] = field(default_factory=list)
    _halves: list[NDArray[np.float64]] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, visible_at_s: float, top: tuple[float, float, float], bottom: tuple[float, float, float]) -> None:
        """From ``visible_at_s`` on the halves show these colours (linear 0..1). Times must not go back."""
        with self._guard:
            # About a minute is kept: nobody films the past.
            if len(self._times) > 2000:
                del self._times[:1000], self._halves[:1000]
            self._times.append(visible_at_s if not self._times else max(visible_at_s, self._times[-1]))
            self._halves.append(np.array([top, bottom], np.float64))

    @property
    def steps(self) -> list[tuple[float, tuple[float, ...], tuple[float, ...]]]:
        """(visible_at_s, top, bottom) as shown so far."""
        with self._guard:
            return [(at, tuple(h[0]), tuple(h[1])) for at, h in zip(self._times, self._halves, strict=True)]

    def mean(self, start_s: NDArray[np.float64], exposure_s: float) -> NDArray[np.float64]:
        """Mean linear light over exposures beginning at ``start_s`` (N,): (N, 2, 3), top then bottom."""
        first_s = float(start_s.min()) - 12.0 * self.response_s
        with self._guard:
            # All that settled before the exposure is one level; only what changed since is integrated.
            begin = max(0, bisect_right(self._times, first_s) - 1)
            times, levels = self._times[begin:], self._halves[begin:]
        result = np.zeros((len(start_s), 2, 3))
        previous = np.zeros((2, 3))
        for at, level in zip(times, levels, strict=True):
            if at <= first_s:
                result += level
            else:
                result += self._share(start_s - at, exposure_s)[:, None, None] * (level - previous)
            previous = level
        return result

    def _share(self, since_s: NDArray[np.float64], exposure_s: float) -> NDArray[np.float64]:
        """Mean of the step response 1 - exp(-t / tau) over an exposure that begins ``since_s`` after the step."""
        tau = self.response_s

        def integral(t: NDArray[np.float64]) -> NDArray[np.float64]:
            positive = np.maximum(t, 0.0)
            return np.asarray(positive + tau * (np.exp(-positive / tau) - 1.0), np.float64)

        return np.asarray((integral(since_s + exposure_s) - integral(since_s)) / exposure_s, np.float64)
