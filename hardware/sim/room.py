"""The room behind the visitor: a corridor with a back wall, a door, a picture and a plant, drawn from a seed.

It never moves, so albedo and the screen's faint light on it are computed once. Lengths are mm in the camera's axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hardware.sim.light import ScreenLamp, srgb_to_linear
from hardware.sim.relief import RowLight, View, mixed
from kiosk.values import Floats

_Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Room:
    """A corridor: the back wall's distance, half its width, the heights of floor and ceiling, the wall's colour."""

    back_mm: float = 2200.0
    half_width_mm: float = 1050.0
    floor_mm: float = 1500.0
    """Below the camera."""
    ceiling_mm: float = 850.0
    """Above the camera."""
    wall: _Colour = (196, 190, 180)
    blur_px: float = 1.6
    """Out of focus: the camera is focused on the visitor."""


class Backdrop:
    """The room as the camera sees it, ready to be lit."""

    def __init__(self, room: Room, view: View, lamp: ScreenLamp, seed: int) -> None:
        self._view = view
        distance, normals, depth_shade = _geometry(room, view)
        albedo = srgb_to_linear(_draw(room, view, seed, normals))
        a, b = _rays(view)
        points = np.stack([a * distance, b * distance, distance], axis=-1).astype(np.float32)
        soft = cv2.GaussianBlur(albedo * depth_shade[..., None], (0, 0), room.blur_px)
        self.albedo: Floats = np.ascontiguousarray(soft, np.float32)
        small = (view.width_px // 8, view.height_px // 8)
        self._small_normals = np.asarray(cv2.resize(normals, small, interpolation=cv2.INTER_AREA), np.float32)
        self._small_points = np.asarray(cv2.resize(points, small, interpolation=cv2.INTER_AREA), np.float32)
        self._halves = lamp.irradiances(self._small_points, self._small_normals)
        self._last: tuple[tuple[object, ...], Floats] | None = None

    def film(self, light: RowLight) -> Floats:
        """``(H, W, 3)`` cd/m2. Under the same light as last time the picture is copied."""
        key = (light.ambient, light.flicker.tobytes(), light.top.tobytes(), light.bottom.tobytes())
        if self._last is None or self._last[0] != key:
            self._last = key, self._lit(light)
        return self._last[1].copy()

    def _lit(self, light: RowLight) -> Floats:
        rows = self._small_normals.shape[0]
        # The shading grid has one row more above and below the picture and half this map's spacing.
        row = slice(1, 1 + 2 * rows, 2)
        ambient = light.ambient.illuminance(self._small_normals) * light.flicker[row, None]
        colour = np.array(light.ambient.colour, np.float32) * np.float32(light.ambient.backlight)
        lux = mixed((ambient, *self._halves), (colour, light.top[row], light.bottom[row]), 1.0)
        size = (self._view.width_px, self._view.height_px)
        small = cv2.cvtColor(np.asarray(lux / np.float32(np.pi), np.float32), cv2.COLOR_RGBA2RGB)
        full = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.multiply(self.albedo, full), np.float32)


def _rays(view: View) -> tuple[Floats, Floats]:
    x = (np.arange(view.width_px, dtype=np.float32) + 0.5 - view.width_px / 2) / np.float32(view.focal_px)
    y = (np.arange(view.height_px, dtype=np.float32) + 0.5 - view.height_px / 2) / np.float32(view.focal_px)
    a, b = np.meshgrid(x, y)
    return a.astype(np.float32), b.astype(np.float32)


def _geometry(room: Room, view: View) -> tuple[Floats, Floats, Floats]:
    """Distance (H, W), normals (H, W, 3) and a soft darkening (H, W) towards the corners of the corridor."""
    a, b = _rays(view)
    tiny = np.float32(1e-6)
    walls = {
        (0.0, 0.0, 1.0): np.full_like(a, room.back_mm),
        (1.0, 0.0, 0.0): np.where(a < -tiny, -room.half_width_mm / np.minimum(a, -tiny), np.inf),
        (-1.0, 0.0, 0.0): np.where(a > tiny, room.half_width_mm / np.maximum(a, tiny), np.inf),
        (0.0, 1.0, 0.0): np.where(b < -tiny, -room.ceiling_mm / np.minimum(b, -tiny), np.inf),
        (0.0, -1.0, 0.0): np.where(b > tiny, room.floor_mm / np.maximum(b, tiny), np.inf),
    }
    stack = np.stack(list(walls.values()))
    nearest = np.argmin(stack, axis=0)
    distance = np.min(stack, axis=0).astype(np.float32)
    normals = np.array(list(walls), np.float32)[nearest]
    x, y = a * distance, b * distance
    gaps = np.stack([room.half_width_mm - np.abs(x), room.ceiling_mm + y, room.floor_mm - y, room.back_mm - distance])
    second = np.partition(gaps, 1, axis=0)[1]
    shade = 1.0 - 0.30 * np.exp(-np.maximum(second, 0.0) / 130.0)
    return distance, np.ascontiguousarray(normals), shade.astype(np.float32)


def _draw(room: Room, view: View, seed: int, normals: Floats) -> Floats:
    """sRGB picture (H, W, 3) of the room's paint and things."""
    random = np.random.default_rng([seed, 0x2003])
    shape = normals.shape[:2]
    paint = np.empty((*shape, 3), np.float32)
    wall = np.array(room.wall, np.float32)
    paint[:] = wall
    paint[normals[..., 0] != 0.0] = wall * 0.94
    paint[normals[..., 1] == 1.0] = (232, 231, 226)
    paint[normals[..., 1] == -1.0] = (118, 104, 92)

    def spot(x_mm: float, y_mm: float) -> tuple[int, int]:
        scale = view.focal_px / room.back_mm
        return round(view.width_px / 2 + x_mm * scale), round(view.height_px / 2 + y_mm * scale)

    def block(x0: float, y0: float, x1: float, y1: float, colour: _Colour) -> None:
        cv2.rectangle(paint, spot(x0, y0), spot(x1, y1), colour, cv2.FILLED, cv2.LINE_AA)

    side = 1.0 if random.random() < 0.5 else -1.0
    door = sorted((side * 330.0, side * 960.0))
    block(door[0] - 45, -620, door[1] + 45, room.floor_mm, (222, 218, 210))
    block(door[0], -575, door[1], room.floor_mm, (124, 92, 66))
    block(door[0] + 130, -470, door[1] - 130, 120, (150, 166, 172))
    block(door[0] + 35, 210, door[0] + 75, 290, (205, 205, 205))
    picture = sorted((-side * 330.0, -side * 860.0))
    block(picture[0], -480, picture[1], -60, (58, 52, 48))
    block(picture[0] + 28, -452, picture[1] - 28, -88, (214, 206, 188))
    # A landscape of bands: round things in a frame are taken for a face by face detectors.
    horizon = float(random.uniform(-330, -230))
    block(picture[0] + 60, -420, picture[1] - 60, horizon, (150, 176, 196))
    block(picture[0] + 60, horizon, picture[1] - 60, horizon + 60, (106, 122, 92))
    block(picture[0] + 60, horizon + 60, picture[1] - 60, -120, (168, 150, 104))
    _plant(paint, spot, -side * 640.0, random)
    grain = cv2.GaussianBlur(random.standard_normal(shape, np.float32), (0, 0), 3.0)
    # Soft ones, drawn small: as strong as noise that is blurred with 40 px at full size.
    small = cv2.GaussianBlur(random.standard_normal((-(-shape[0] // 8), -(-shape[1] // 8)), np.float32), (0, 0), 5.0)
    stains = cv2.resize(np.asarray(small / 8.0, np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    paint *= (1.0 + 0.12 * grain + 1.6 * stains)[..., None]
    return np.asarray(np.clip(paint, 0.0, 255.0), np.float32)


def _plant(paint: Floats, spot: object, x_mm: float, random: np.random.Generator) -> None:
    """A potted plant below the picture."""
    assert callable(spot)  # noqa: S101 - narrows the type for mypy only
    for _ in range(26):
        angle = float(random.uniform(-1.25, 1.25))
        length = float(random.uniform(180, 380))
        tip = spot(x_mm + length * np.sin(angle), 620 - length * np.cos(angle))
        green = int(random.integers(70, 125))
        cv2.line(paint, spot(x_mm, 640), tip, (green * 0.55, green, green * 0.45), 5, cv2.LINE_AA)
