"""Sunglasses, masks and hands painted onto real faces by their landmarks: synthetic covers on real skin.

For fitting and testing ``kiosk.runtime.occlusion``. Seeded; pictures are ``(H, W, 3) uint8 RGB``.
"""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.values import Face, Pixels

EYE_LEFT = (33, 133)
EYE_RIGHT = (362, 263)
MASK_OUTLINE = (227, 116, 117, 118, 119, 120, 6, 349, 348, 347, 346, 345, 447, 366, 401, 435, 367, 364, 394, 395, 369)
MASK_CHIN = (396, 175, 171, 140, 170, 169, 135, 138, 215, 177, 137, 34)
MASK_COLOURS = (
    (150, 195, 225), (235, 238, 240), (28, 28, 32), (120, 165, 140), (205, 150, 165), (60, 80, 130), (200, 190, 170),
    (140, 40, 45), (90, 90, 95), (245, 245, 245),
)  # fmt: skip


def sunglasses(pixels: Pixels, face: Face, random: np.random.Generator) -> Pixels:
    """Two dark lenses, a bridge and arms: opaque or tinted, now and then with a reflection."""
    points = face.landmarks[:, :2]
    eyes = [points[list(pair)].mean(axis=0) for pair in (EYE_LEFT, EYE_RIGHT)]
    axis = eyes[1] - eyes[0]
    distance = float(np.hypot(*axis))
    angle = float(np.degrees(np.arctan2(axis[1], axis[0])))
    mask = np.zeros(pixels.shape[:2], np.float32)
    half = distance * random.uniform(0.33, 0.44), distance * random.uniform(0.24, 0.42)
    down = np.array([-axis[1], axis[0]]) / distance * half[1] * random.uniform(0.05, 0.3)
    round_lenses = random.random() < 0.5
    for eye in eyes:
        centre = tuple(float(x) for x in eye + down)
        if round_lenses:
            cv2.ellipse(mask, (centre, (2 * half[0], 2 * half[1]), angle), 1.0, -1)
        else:
            corners = cv2.boxPoints((centre, (2 * half[0], 1.7 * half[1]), angle))
            cv2.fillPoly(mask, [np.int32(corners)], 1.0)
    thick = max(1, round(distance * 0.05))
    bridge = [tuple(int(x) for x in eye) for eye in eyes]
    frame = mask.copy()
    cv2.line(frame, bridge[0], bridge[1], 1.0, thick)
    soft = max(0.6, distance * 0.01)
    lens = cv2.GaussianBlur(mask, (0, 0), soft)[:, :, None] * random.uniform(0.82, 1.0)
    rim = np.clip(cv2.GaussianBlur(frame, (0, 0), soft) - cv2.GaussianBlur(mask, (0, 0), soft), 0, 1)[:, :, None]
    tint = np.array([random.uniform(5, 45)] * 3) * random.uniform(0.8, 1.2, 3)
    height = np.linspace(0, 1, pixels.shape[0])[:, None, None]
    glow = random.uniform(0, 40) * (random.random() < 0.4) * np.sin(height * random.uniform(20, 60)) ** 2
    return _blend(_blend(pixels, tint + glow, lens), tint, rim)


def mask(pixels: Pixels, face: Face, random: np.random.Generator, colour: tuple[int, int, int] | None = None) -> Pixels:
    """A face mask from the nose bridge to below the chin, shaded as the face is, with folds."""
    points = face.landmarks[:, :2].copy()
    eye = face.eye_distance_px
    outline = points[list(MASK_OUTLINE + MASK_CHIN)]
    drop = random.uniform(0.0, 0.25) * eye
    outline[: len(MASK_OUTLINE) // 2 + 4, 1] += drop
    shape = np.zeros(pixels.shape[:2], np.float32)
    cv2.fillPoly(shape, [np.int32(cv2.convexHull(outline.astype(np.float32)))], 1.0)
    alpha = cv2.GaussianBlur(shape, (0, 0), max(0.6, eye * 0.012))[:, :, None] * random.uniform(0.95, 1.0)
    luma = cv2.GaussianBlur(pixels.astype(np.float32).mean(axis=2), (0, 0), max(2.0, eye * 0.35))
    inside = luma[shape > 0]
    level = float(np.median(inside)) if inside.size else 128.0
    shading = np.clip(luma / max(level, 1.0), 0.4, 1.6)[:, :, None]
    folds = np.sin(np.arange(pixels.shape[0]) / max(1.5, eye * 0.07) + random.uniform(0, 6))[:, None, None]
    exposure = np.clip(level / 130.0, 0.25, 1.3)
    base = np.array(colour or MASK_COLOURS[random.integers(len(MASK_COLOURS))], np.float64) + random.uniform(-15, 15, 3)
    cloth = base * exposure * shading * (1 + random.uniform(0, 0.08) * folds)
    return _blend(pixels, cloth + random.normal(0, 2, pixels.shape), alpha)


def hand(pixels: Pixels, face: Face, random: np.random.Generator) -> Pixels:
    """A flat skin-coloured patch with three finger gaps over the mouth: the hard case, its colour is the face's own."""
    points = face.landmarks
    skin = np.median(pixels[tuple(np.int32(np.clip(points[[50, 280, 151], :2], 0, None)).T[::-1])], axis=0)
    eye = face.eye_distance_px
    centre = points[[13, 14], :2].mean(axis=0)
    shape = np.zeros(pixels.shape[:2], np.float32)
    cv2.ellipse(shape, (tuple(map(float, centre)), (1.5 * eye, 0.9 * eye), float(random.uniform(-20, 20))), 1.0, -1)
    alpha = cv2.GaussianBlur(shape, (0, 0), max(0.6, eye * 0.02))[:, :, None]
    rows = (np.arange(pixels.shape[0]) - centre[1]) / (0.22 * eye)
    gaps = 1 - 0.35 * np.exp(-((rows - np.round(rows)) ** 2) / 0.01)[:, None, None]
    return _blend(pixels, skin * random.uniform(0.85, 1.1) * gaps, alpha)


def _blend(pixels: Pixels, colour: np.ndarray, alpha: np.ndarray) -> Pixels:
    mixed = pixels * (1 - alpha) + np.broadcast_to(colour, pixels.shape) * alpha
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
