"""A painted face with known landmarks: a portrait for tests that must not need weights or photographs."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from hardware.sim.portrait import Portrait
from kiosk.values import Box, Face, Floats, Pixels, Pose
from kiosk.visit.reflection.mesh import mesh

PX_PER_MM = 2.0
SIZE_PX = (900, 1100)
EYES_PX = (450.0, 380.0)


def landmarks() -> Floats:
    """``(478, 3)`` landmarks of the canonical head, frontal, at ``PX_PER_MM``, between the eyes at ``EYES_PX``."""
    points = np.zeros((478, 3), np.float32)
    points[:468] = mesh().vertices
    for iris, corners in ((468, (33, 133)), (473, (263, 362))):
        points[iris : iris + 5] = points[list(corners)].mean(axis=0)
    scale = 63.0 / float(np.linalg.norm(points[473] - points[468]))
    middle = (points[468] + points[473]) / 2
    points = (points - middle) * np.float32(scale * PX_PER_MM)
    points[:, 2] *= -1.0
    points[:, :2] += np.array(EYES_PX, np.float32)
    return np.asarray(points, np.float32)


def photograph(seed: int = 3) -> Pixels:
    """``(H, W, 3) uint8 RGB``: a skin-coloured head with hair, eyes and mouth over a blue shirt, green behind."""
    width, height = SIZE_PX
    picture = np.full((height, width, 3), (70, 120, 90), np.uint8)
    points = landmarks()[:, :2]
    chin = points[152]
    middle = int(EYES_PX[0])
    cv2.ellipse(picture, (middle, height), (400, height - int(chin[1]) - 60), 0, 0, 360, (50, 60, 140), cv2.FILLED)
    cv2.rectangle(picture, (middle - 90, int(chin[1]) - 60), (middle + 90, int(chin[1]) + 110), (190, 140, 115), -1)
    cv2.ellipse(picture, (middle, int(EYES_PX[1]) - 10), (165, 225), 0, 0, 360, (60, 45, 40), cv2.FILLED)
    hull = cv2.convexHull(points[:468].astype(np.int32))
    cv2.fillConvexPoly(picture, hull, (200, 150, 125))
    for iris in (468, 473):
        at = (int(points[iris, 0]), int(points[iris, 1]))
        cv2.ellipse(picture, at, (22, 8), 0, 0, 360, (235, 230, 225), cv2.FILLED)
        cv2.circle(picture, at, 7, (60, 40, 30), cv2.FILLED)
    mouth = tuple(int(v) for v in points[[61, 291]].mean(axis=0))
    cv2.ellipse(picture, mouth, (48, 14), 0, 0, 360, (150, 80, 80), cv2.FILLED)
    grain = np.random.default_rng(seed).normal(0.0, 3.0, picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


def find_still(pixels: Pixels) -> list[Face]:
    """The painted face, found without looking."""
    points = landmarks()
    left, top = points[:, :2].min(axis=0).tolist()
    right, bottom = points[:, :2].max(axis=0).tolist()
    assert pixels.shape[:2] == (SIZE_PX[1], SIZE_PX[0])
    return [Face(Box(left, top, right - left, bottom - top), points, {}, Pose(0.0, 0.0, 0.0))]


def matte(pixels: Pixels) -> Floats:
    """Everything that is not the green behind the person."""
    away = np.abs(pixels.astype(np.float32) - np.array([70, 120, 90], np.float32)).max(axis=-1)
    return np.asarray(cv2.GaussianBlur(away, (0, 0), 2.0) > 25.0, np.float32)


@cache
def portrait(seed: int = 3) -> Portrait:
    """The painted person, who costs seconds: made once a process. Its arrays cannot be written to."""
    made = Portrait.of(photograph(seed), find_still, matte)
    relief = made.relief
    for array in (made.linear, made.skin, made.upright, relief.surface, *relief.levels, *relief.closed):
        array.setflags(write=False)
    for points in (relief.landmarks_mm, relief.imagined_mm):
        if points is not None:
            points.setflags(write=False)
    return made
