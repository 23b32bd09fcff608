"""The screen mirrored in glossy things: flat ones show its outline, the eye a small bright spot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.sim.light import ScreenLamp
from kiosk.values import Floats

CORNEA_RADIUS_MM = 7.8
CORNEA_F0 = 0.025


@dataclass(frozen=True, slots=True)
class Lens:
    """The front of a spectacle lens: a superellipse on a sphere, partly mirroring."""

    middle_mm: tuple[float, float, float]
    """(x, y, h)."""
    half_mm: tuple[float, float]
    """Half its width and height."""
    mirror: float
    """Mirrored share of the front: 0.04 bare, 0.005 with a coating. (The back's image is smaller and left out.)"""
    radius_mm: float = 130.0
    """Of the front's curve."""
    tilt_deg: float = 8.0
    """The lower rim is nearer to the cheek: the lens faces a little downwards."""
    wrap_deg: float = 4.0
    """Positive: turned to the image's right."""


def mirrored(points: Floats, normals: Floats, lamp: ScreenLamp, soft_mm: float = 6.0) -> Floats:
    """How much of the screen's top and bottom half the camera sees mirrored: ``(2, ...)`` 0..1, edges ``soft_mm`` wide.

    ``points`` and ``normals`` are (..., 3).
    """
    x, y, z = (np.ascontiguousarray(points[..., axis]) for axis in range(3))
    nx, ny, nz = (np.ascontiguousarray(normals[..., axis]) for axis in range(3))
    # The ray from the lens, (x, y, -z) with the third axis towards the camera, is reflected; its length cancels.
    twice = 2.0 * (x * nx + y * ny - z * nz)
    towards = np.maximum(-z - twice * nz, 1e-3 * z)
    reach = z / towards
    at_x = x + (x - twice * nx) * reach
    at_y = y + (y - twice * ny) * reach
    cx, cy = lamp.centre_mm
    height = lamp.panel.height_mm
    inside = np.clip((lamp.panel.width_mm / 2 - np.abs(at_x - cx)) / soft_mm + 0.5, 0.0, 1.0)
    halves = [
        inside * np.clip((height / 4 - np.abs(at_y - middle)) / soft_mm + 0.5, 0.0, 1.0)
        for middle in (cy - height / 4, cy + height / 4)
    ]
    return np.asarray(halves, np.float32)


def catch_light(
    picture: Floats, eye_mm: NDArray[np.float64], focal_px: float, lamp: ScreenLamp, colour: Floats
) -> None:
    """Add the screen's mirror image on one cornea to ``picture`` (H, W, 3) cd/m2, in place.

    ``eye_mm`` is (x, y, z) in camera axes, ``colour`` the screen's mean linear colour. A convex mirror of radius r
    shows a lamp of width w at distance d as w r / (2 d).
    """
    x, y, z = (float(value) for value in eye_mm)
    if z <= 50.0:
        return
    lift = CORNEA_RADIUS_MM * (lamp.centre_mm[1] - y) / (2.0 * z)
    px = picture.shape[1] / 2 + focal_px * x / z
    py = picture.shape[0] / 2 + focal_px * (y + lift) / z
    half = CORNEA_RADIUS_MM / (2.0 * z) * focal_px / z / 2.0
    sigma_x = max(lamp.panel.width_mm * half, 0.5)
    sigma_y = max(lamp.panel.height_mm * half, 0.5)
    left, top = int(px) - 5, int(py) - 5
    if left < 0 or top < 0 or left + 11 > picture.shape[1] or top + 11 > picture.shape[0]:
        return
    dx = (np.arange(left, left + 11) + 0.5 - px) / sigma_x
    dy = (np.arange(top, top + 11) + 0.5 - py) / sigma_y
    spot = np.exp(-0.5 * (dx[None, :] ** 2 + dy[:, None] ** 2)).astype(np.float32)
    # Less than a pixel wide, the image keeps its energy rather than its radiance.
    fill = min(1.0, lamp.panel.width_mm * half / 0.5) * min(1.0, lamp.panel.height_mm * half / 0.5)
    glow = spot[..., None] * (CORNEA_F0 * lamp.panel.luminance_cd_m2 * fill * colour)
    picture[top : top + 11, left : left + 11] += glow.astype(np.float32)
