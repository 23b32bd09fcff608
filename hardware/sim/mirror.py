"""The screen mirrored in glossy things: flat ones show its outline, the eye a small bright spot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardware.sim.light import ScreenLamp
from kiosk.values import Floats

CORNEA_RADIUS_MM = 7.8
CORNEA_F0 = 0.025


def mirrored(points: Floats, normals: Floats, lamp: ScreenLamp, half: str, soft_mm: float = 6.0) -> Floats:
    """How much of one half of the screen the camera sees mirrored at each point, 0..1 with edges ``soft_mm`` wide."""
    view = points * np.array([1.0, 1.0, -1.0], np.float32)
    view = view / np.linalg.norm(view, axis=-1, keepdims=True)
    out = view - 2.0 * np.sum(view * normals, axis=-1, keepdims=True) * normals
    towards = np.maximum(out[..., 2], 1e-3)
    x = points[..., 0] + out[..., 0] * points[..., 2] / towards
    y = points[..., 1] + out[..., 1] * points[..., 2] / towards
    cx, cy = lamp.centre_mm
    height = lamp.panel.height_mm
    cy += (-height if half == "top" else height) / 4
    inside_x = np.clip((lamp.panel.width_mm / 2 - np.abs(x - cx)) / soft_mm + 0.5, 0.0, 1.0)
    inside_y = np.clip((height / 4 - np.abs(y - cy)) / soft_mm + 0.5, 0.0, 1.0)
    return np.asarray(inside_x * inside_y, np.float32)


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
