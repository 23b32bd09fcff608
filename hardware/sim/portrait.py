"""A person for the simulated world, made from one real photograph.

The landmarks of the photograph give scale (63 mm between the irises) and the shape of the face; hair, ears, neck and
shoulders continue it smoothly. Dividing the linear photograph by an estimate of its own shading gives the albedo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.sim import matte as mattes
from hardware.sim import shape as shapes
from hardware.sim.light import srgb_to_linear
from hardware.sim.relief import Relief, pyramid
from kiosk.errors import InputError
from kiosk.values import Face, Floats, Pixels

FindStill = Callable[[Pixels], Sequence[Face]]
Matte = Callable[[Pixels], Floats]
"""``matte(pixels) -> (H, W) float 0..1``: how much of each pixel is person."""

EYE_DISTANCE_MM = 63.0
PX_PER_MM = 1.8
"""Of the working picture: the eye distance is 113 px, enough for 30 cm before the default camera."""
LEFT_MM, RIGHT_MM, ABOVE_MM, BELOW_MM = 330.0, 330.0, 230.0, 520.0
"""What is kept around the point between the eyes."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photograph ready to be acted by a head, a print or a replay."""

    relief: Relief
    """The head."""
    linear: Floats
    """``(h, w, 3)`` the photograph, linear, upright, at ``px_per_mm``."""
    px_per_mm: float
    origin_px: tuple[float, float]
    """The point between the eyes in ``linear``."""
    upright: NDArray[np.float64]
    """(2, 3) affine map from the photograph's pixels to those of ``linear``."""
    skin: Floats
    """``(h/4, w/4)`` 0..1: where there is skin, lips and brows included, eyes and teeth not."""

    @property
    def landmarks_mm(self) -> Floats:
        """``(478, 3)`` x, y, h of the head's landmarks, mm about the point between the eyes."""
        if self.relief.landmarks_mm is None:
            raise LookupError("a portrait without landmarks")
        return self.relief.landmarks_mm

    @classmethod
    def of(cls, pixels: Pixels, find_still: FindStill, matte: Matte | None = None) -> Portrait:
        """From a photograph ``(H, W, 3) uint8 RGB`` of one mainly frontal person (the largest face).

        Without ``matte`` the person is cut out by ``hardware.sim.matte.grab_cut``. Raises InputError without a face.
        """
        faces = find_still(pixels)
        if not faces:
            raise InputError("no face in the photograph", where="simulated portrait")
        face = faces[0]
        upright, points = _upright(face)
        size = (round((LEFT_MM + RIGHT_MM) * PX_PER_MM), round((ABOVE_MM + BELOW_MM) * PX_PER_MM))
        origin = (LEFT_MM * PX_PER_MM, ABOVE_MM * PX_PER_MM)
        shrunk, local = _prefiltered(pixels, upright)
        warped = cv2.warpAffine(shrunk, local, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        picture = np.asarray(warped, np.uint8)
        inside = np.asarray(cv2.warpAffine(np.ones(shrunk.shape[:2], np.float32), local, size), np.float32)
        if matte is None:
            alpha = mattes.grab_cut(picture, points[:, :2], PX_PER_MM)
        else:
            whole = np.ascontiguousarray(matte(pixels), np.float32)
            cut = cv2.warpAffine(whole, upright, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            alpha = np.asarray(cut, np.float32)
        alpha = mattes.tidy(alpha, inside, points[:, :2], PX_PER_MM)
        linear = srgb_to_linear(picture)
        head = _head(linear, alpha, points, origin)
        return cls(head, linear, PX_PER_MM, origin, upright, shapes.all_skin(head.levels[2], points))

    def crop(self, size_mm: tuple[float, float]) -> tuple[Floats, tuple[float, float]]:
        """The middle of the photograph, ``size_mm`` wide and high, and where the eyes are in it (pixels)."""
        return _crop(self.linear, size_mm, self.origin_px, self.px_per_mm)

    def crop_of(self, pixels: Pixels, size_mm: tuple[float, float]) -> Floats:
        """The same part of another picture of equal size and framing (a frame of a clip)."""
        size = (self.linear.shape[1], self.linear.shape[0])
        moved = cv2.warpAffine(pixels, self.upright, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        return _crop(srgb_to_linear(np.asarray(moved, np.uint8)), size_mm, self.origin_px, self.px_per_mm)[0]


def _crop(
    linear: Floats, size_mm: tuple[float, float], origin: tuple[float, float], px_per_mm: float
) -> tuple[Floats, tuple[float, float]]:
    width, height = (round(side * px_per_mm) for side in size_mm)
    # The eyes of a portrait stand above the middle.
    left, top = round(origin[0] - width / 2), round(origin[1] - 0.42 * height)
    part = linear[max(top, 0) : top + height, max(left, 0) : left + width]
    return part.copy(), (origin[0] - max(left, 0), origin[1] - max(top, 0))


def _upright(face: Face) -> tuple[NDArray[np.float64], Floats]:
    """(affine map that levels and scales the eyes, landmarks ``(478, 3)`` after it, z still in the map's pixels)."""
    right, left = face.landmarks[468].astype(np.float64), face.landmarks[473].astype(np.float64)
    across = left - right
    # The distance in space: a turned head's eyes are nearer in the picture than they are.
    scale = EYE_DISTANCE_MM * PX_PER_MM / float(np.linalg.norm(across))
    angle = float(np.arctan2(across[1], across[0]))
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    middle = (right + left)[:2] / 2
    linear = np.array([[cosine, sine], [-sine, cosine]])
    offset = np.array([LEFT_MM, ABOVE_MM]) * PX_PER_MM - linear @ middle
    points = np.empty((478, 3), np.float32)
    points[:, :2] = face.landmarks[:, :2] @ linear.T + offset
    points[:, 2] = (face.landmarks[:, 2] - (right[2] + left[2]) / 2) * scale
    return np.column_stack([linear, offset]), points


def _prefiltered(pixels: Pixels, upright: NDArray[np.float64]) -> tuple[Pixels, NDArray[np.float64]]:
    """The photograph halved until the map does not shrink it by more than two, and the map from there."""
    local = upright.copy()
    while np.hypot(local[0, 0], local[0, 1]) < 0.6:
        height, width = pixels.shape[:2]
        smaller = (width // 2, height // 2)
        pixels = np.asarray(cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        local[:, 0] *= width / smaller[0]
        local[:, 1] *= height / smaller[1]
    return pixels, local


def _head(linear: Floats, alpha: Floats, points: Floats, origin: tuple[float, float]) -> Relief:
    """The relief of a living head."""
    depth = shapes.depth_mm(points, alpha, PX_PER_MM, origin)
    normals = shapes.normals(depth, PX_PER_MM)
    skin = shapes.skin_mask(points, depth.shape)
    albedo = shapes.albedo(linear, normals, skin, points)
    solid = mattes.spread_colours(albedo, alpha)
    texture = np.dstack([solid * alpha[..., None], alpha]).astype(np.float32)
    gloss = cv2.GaussianBlur(skin, (0, 0), 3.0)
    surface = np.dstack([depth, normals[..., 0], normals[..., 1], 0.15 + 0.85 * gloss]).astype(np.float32)
    shut = shapes.closed_eyes(solid, points)
    closed = np.dstack([shut * alpha[..., None], alpha]).astype(np.float32)
    eyes = tuple(
        (
            float(points[index, 0] - origin[0]) / PX_PER_MM,
            float(points[index, 1] - origin[1]) / PX_PER_MM,
            -float(points[index, 2]) / PX_PER_MM,
        )
        for index in (468, 473)
    )
    return Relief(
        levels=pyramid(texture),
        surface=np.ascontiguousarray(surface),
        px_per_mm=PX_PER_MM,
        origin_px=origin,
        pivot_mm=(0.0, 60.0, -90.0),
        eyes_mm=eyes,
        closed=pyramid(closed),
        landmarks_mm=_in_mm(points, origin),
    )


def _in_mm(points: Floats, origin: tuple[float, float]) -> Floats:
    """Landmarks of the upright picture (z away from the camera) as x, y, h in mm about the eyes."""
    away = np.array([1.0, 1.0, -1.0], np.float32) / np.float32(PX_PER_MM)
    return np.asarray((points - np.array([*origin, 0.0], np.float32)) * away, np.float32)
