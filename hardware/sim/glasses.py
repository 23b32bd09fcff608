"""Spectacles on a head: a dark frame in the picture, and two curved lenses that mirror the screen and the room."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.sim.light import ScreenLamp
from hardware.sim.mirror import Lens, mirrored
from hardware.sim.relief import ROOM_ALBEDO, Placed, Relief, RowLight, View, mixed, pyramid
from kiosk.values import Floats

CORNERS = 3.0
"""Exponent of the lenses' outline: 2 is an ellipse, more is squarer."""
BEFORE_EYES_MM = 14.0
COLOURS = ((0.02, 0.02, 0.02), (0.09, 0.045, 0.02), (0.18, 0.18, 0.19))
"""Reflectance of black, tortoiseshell and metal frames."""

Eyes = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Spectacles:
    """One pair."""

    half_mm: tuple[float, float] = (25.0, 19.0)
    """Half the width and height of a lens."""
    rim_mm: float = 2.5
    colour: tuple[float, float, float] = COLOURS[0]
    mirror: float = 0.02
    tilt_deg: float = 8.0
    wrap_deg: float = 4.0
    radius_mm: float = 130.0

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Spectacles:
        """Any pair of an optician's: coated (0.5 %) to bare (4 %) lenses, flat to curved."""
        return cls(
            (float(random.uniform(23.0, 28.0)), float(random.uniform(16.0, 22.0))),
            float(random.uniform(1.2, 4.0)),
            COLOURS[int(random.integers(len(COLOURS)))],
            float(np.exp(random.uniform(np.log(0.005), np.log(0.04)))),
            float(random.uniform(4.0, 12.0)),
            float(random.uniform(2.0, 7.0)),
            float(random.uniform(90.0, 250.0)),
        )

    def middles(self, eyes: Eyes) -> list[tuple[float, float]]:
        """(x, y) mm of the lenses: a little outside and below the irises."""
        return [(x + np.sign(x) * 1.5, y + 2.0) for x, y, _ in eyes]

    def painted(self, picture: Floats, px_per_mm: float, origin: tuple[float, float], eyes: Eyes) -> Floats:
        """``picture`` (h, w, 3 or 4) with the frame on it; its fourth channel (alpha) stays."""
        part = _around(eyes, px_per_mm, origin, picture.shape)
        frame = np.zeros(picture[part].shape[:2], np.uint8)
        wide = max(1, round(self.rim_mm * px_per_mm))
        fixed = np.array(origin) - (part[1].start, part[0].start)

        def spot(x: float, y: float) -> NDArray[np.int32]:
            return np.asarray(np.round((np.array([x, y]) * px_per_mm + fixed - 0.5) * 16.0), np.int32)

        turns = np.linspace(0.0, 2.0 * np.pi, 60, endpoint=False)
        outline = np.column_stack([_power(np.cos(turns)), _power(np.sin(turns))]) * np.array(self.half_mm)
        places = self.middles(eyes)
        for x, y in places:
            line = np.array([spot(x + dx, y + dy) for dx, dy in outline])
            cv2.polylines(frame, [line], True, 255, wide, cv2.LINE_AA, 4)
            side = float(np.sign(x))
            hinge, temple = x + side * self.half_mm[0], y - 0.45 * self.half_mm[1]
            cv2.polylines(
                frame, [np.array([spot(hinge, temple), spot(hinge + side * 14.0, temple + 1.0)])], False, 255,
                wide, cv2.LINE_AA, 4,
            )  # fmt: skip
        inner = sorted((x - np.sign(x) * self.half_mm[0], y - 0.3 * self.half_mm[1]) for x, y in places)
        bridge = np.array([spot(*inner[0]), spot(0.0, inner[0][1] - 1.5), spot(*inner[1])])
        cv2.polylines(frame, [bridge], False, 255, wide, cv2.LINE_AA, 4)
        cover = cv2.GaussianBlur(frame.astype(np.float32) / 255.0, (0, 0), 0.6)[..., None]
        result = picture.copy()
        alpha = picture[part][..., 3:] if picture.shape[2] == 4 else np.float32(1.0)
        result[part][..., :3] *= 1.0 - cover
        result[part][..., :3] += np.array(self.colour, np.float32) * cover * alpha
        return result


def _around(
    eyes: Eyes, px_per_mm: float, origin: tuple[float, float], shape: tuple[int, ...], reach_mm: float = 110.0
) -> tuple[slice, slice]:
    """The part of a picture in which glasses are."""
    x, y = (np.mean([eye[axis] for eye in eyes]) * px_per_mm + origin[axis] for axis in (0, 1))
    reach = reach_mm * px_per_mm
    return (
        slice(max(int(y - reach / 2), 0), min(int(y + reach / 2), shape[0])),
        slice(max(int(x - reach), 0), min(int(x + reach), shape[1])),
    )


def wear(head: Relief, spectacles: Spectacles) -> Relief:
    """The head with these glasses on."""
    pictures = [
        pyramid(spectacles.painted(one[0], head.px_per_mm, head.origin_px, head.eyes_mm), len(one))
        for one in (head.levels, head.closed)
    ]
    depth = max(eye[2] for eye in head.eyes_mm) + BEFORE_EYES_MM
    lenses = tuple(
        Lens(
            (float(x), float(y), depth),
            spectacles.half_mm,
            spectacles.mirror,
            spectacles.radius_mm,
            spectacles.tilt_deg,
            float(np.sign(x)) * spectacles.wrap_deg,
        )
        for x, y in spectacles.middles(head.eyes_mm)
    )
    return replace(head, levels=pictures[0], closed=pictures[1], lenses=lenses)


def lens_glare(picture: Floats, placed: Placed, lens: Lens, view: View, lamp: ScreenLamp, light: RowLight) -> None:
    """Add what one lens mirrors to ``picture`` (H, W, 3) cd/m2, in place, and take what it keeps from the eye."""
    middle = placed.point(lens.middle_mm)
    reach = view.focal_px * max(lens.half_mm) * 1.1 / max(middle[2], 50.0)
    px = view.width_px / 2 + view.focal_px * middle[0] / middle[2]
    py = view.height_px / 2 + view.focal_px * middle[1] / middle[2]
    left, right = max(int(px - reach), 0), min(int(px + reach) + 1, view.width_px)
    top, bottom = max(int(py - reach), 0), min(int(py + reach) + 1, view.height_px)
    if right - left < 2 or bottom - top < 2:
        return
    a = ((np.arange(left, right) + 0.5 - view.width_px / 2) / view.focal_px).astype(np.float32)
    b = ((np.arange(top, bottom) + 0.5 - view.height_px / 2) / view.focal_px).astype(np.float32)
    z = np.float32(middle[2])
    x, y = np.meshgrid(a * z, b * z)
    # Where each ray meets the lens, in the lens's own axes (nearly parallel to the picture).
    back = np.linalg.inv(placed.turn[:2, :2]).astype(np.float32)
    dx, dy = x - np.float32(middle[0]), y - np.float32(middle[1])
    u, v = back[0, 0] * dx + back[0, 1] * dy, back[1, 0] * dx + back[1, 1] * dy
    across, down = np.abs(u) / np.float32(lens.half_mm[0]), np.abs(v) / np.float32(lens.half_mm[1])
    inside = across * across * across + down * down * down
    share = np.asarray(np.clip((1.0 - inside) * reach / CORNERS + 0.5, 0.0, 1.0) * lens.mirror, np.float32)
    normals = _bowl(u, v, lens) @ placed.turn.T.astype(np.float32)
    points = np.stack([x, y, np.full_like(x, z)], axis=-1)
    row = len(light.top) // 2
    room = np.array(light.ambient.colour, np.float32) * np.float32(light.ambient.lux * ROOM_ALBEDO / np.pi)
    shown = np.float32(lamp.panel.luminance_cd_m2)
    seen = [share, *(half * share * shown for half in mirrored(points, normals, lamp))]
    glare = mixed(seen, (room, light.top[row], light.bottom[row]), 0.0)
    part = picture[top:bottom, left:right]
    part[:] = cv2.add(cv2.multiply(part, cv2.merge([1.0 - share] * 3)), cv2.cvtColor(glare, cv2.COLOR_RGBA2RGB))


def _bowl(u: Floats, v: Floats, lens: Lens) -> Floats:
    """Unit normals (..., 3) in relief axes of the lens's sphere at (u, v) mm from its middle, tilted and wrapped."""
    x = u / np.float32(lens.radius_mm) + np.float32(np.tan(np.deg2rad(lens.wrap_deg)))
    y = v / np.float32(lens.radius_mm) + np.float32(np.tan(np.deg2rad(lens.tilt_deg)))
    length = np.sqrt(1.0 + x * x + y * y)
    return np.asarray(np.stack([x / length, y / length, 1.0 / length], axis=-1), np.float32)


def _power(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sign(value) * np.abs(value) ** (2.0 / CORNERS), np.float64)
