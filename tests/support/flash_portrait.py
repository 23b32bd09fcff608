"""Portraits for the small flash world: a picture of a face with the shape that was laid over it.

``painted_portrait`` makes one without any file or weights; ``portrait`` takes a real picture and its landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.values import Pixels
from kiosk.visit.reflection.mesh import LANDMARKS, mesh, triangles, vertex_normals

EYES = {468: (33, 133, 159, 145), 473: (263, 362, 386, 374)}
"""Iris centres and the lid points around them."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Portrait:
    """A picture of a face with its landmarks, and the shape that was laid over it."""

    albedo: Array
    """``(h, w, 3)`` linear 0..1."""
    landmarks: Array
    """``(478, 3)`` pixels."""
    normals: Array
    """``(h, w, 3)``: x right, y down, z to the camera; (0, 0, 1) outside the face."""
    depth: Array
    """``(h, w)`` in eye distances, positive towards the camera."""
    head: Array
    """``(h, w)`` 0..1: head and shoulders."""

    @property
    def eye_px(self) -> float:
        """Distance of the irises."""
        return float(np.hypot(*(self.landmarks[473, :2] - self.landmarks[468, :2])))

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the mesh."""
        low, high = self.landmarks[:, :2].min(axis=0), self.landmarks[:, :2].max(axis=0)
        return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2


def decode(codes: Pixels) -> Array:
    """sRGB to linear."""
    value = codes.astype(np.float32) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encode(light: Array) -> Array:
    """Linear to sRGB codes, not rounded."""
    value = np.clip(light, 0.0, 1.0)
    return (np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055) * 255.0).astype(np.float32)


def _fill(shape: tuple[int, int], landmarks: Array, per_vertex: Array, outside: Sequence[float]) -> Array:
    """Interpolate a vertex attribute over the mesh as it lies in the picture, front triangles over those behind."""
    height, width = shape
    result = np.tile(np.array(outside, np.float32), (height, width, 1))
    buffer = np.full(shape, -np.inf, np.float32)
    for corners in triangles():
        p = landmarks[corners]
        left, top = np.maximum(np.floor(p[:, :2].min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(p[:, :2].max(axis=0)).astype(int) + 1, (width, height))
        area = (p[1, 0] - p[0, 0]) * (p[2, 1] - p[0, 1]) - (p[2, 0] - p[0, 0]) * (p[1, 1] - p[0, 1])
        if right <= left or bottom <= top or abs(area) < 1e-6:
            continue
        x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
        w1 = ((x - p[0, 0]) * (p[2, 1] - p[0, 1]) - (p[2, 0] - p[0, 0]) * (y - p[0, 1])) / area
        w2 = ((p[1, 0] - p[0, 0]) * (y - p[0, 1]) - (x - p[0, 0]) * (p[1, 1] - p[0, 1])) / area
        weights = np.stack([1 - w1 - w2, w1, w2], axis=-1).astype(np.float32)
        z = -(weights @ p[:, 2].astype(np.float32))
        window = buffer[top:bottom, left:right]
        hit = (weights >= -1e-4).all(axis=-1) & (z > window)
        window[hit] = z[hit]
        result[top:bottom, left:right][hit] = weights[hit] @ per_vertex[corners].astype(np.float32)
    return result


def portrait(pixels: Pixels, landmarks: Array) -> Portrait:
    """Lay the measured mesh over a picture."""
    points = landmarks.astype(np.float64) * [1, 1, -1]
    normals = vertex_normals(points[:LANDMARKS], triangles()).astype(np.float32)
    shape = pixels.shape[:2]
    eye = float(np.hypot(*(landmarks[473, :2] - landmarks[468, :2])))
    attributes = np.concatenate([normals, -landmarks[:LANDMARKS, 2:3] / eye], axis=1)
    filled = _fill(shape, landmarks, attributes, (0.0, 0.0, 1.0, -0.6))
    blur = max(1.0, eye / 25)
    filled = cv2.GaussianBlur(filled, (0, 0), blur)
    normal = filled[..., :3] / np.linalg.norm(filled[..., :3], axis=-1, keepdims=True)
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    head = np.zeros(shape, np.float32)
    centre = (int((low[0] + high[0]) / 2), int((low[1] + high[1]) / 2 - 0.3 * eye))
    cv2.ellipse(head, centre, (int(1.35 * eye), int(2.0 * eye)), 0, 0, 360, 1.0, -1)
    body = np.array([[centre[0] - 0.8 * eye, high[1] - 0.5 * eye], [centre[0] + 0.8 * eye, high[1] - 0.5 * eye],
                     [centre[0] + 2.8 * eye, high[1] + 1.5 * eye], [centre[0] + 3.0 * eye, shape[0]],
                     [centre[0] - 3.0 * eye, shape[0]], [centre[0] - 2.8 * eye, high[1] + 1.5 * eye]])  # fmt: skip
    cv2.fillPoly(head, [body.astype(np.int32)], 1.0)
    return Portrait(decode(pixels), landmarks, normal.astype(np.float32), filled[..., 3],
                    cv2.GaussianBlur(head, (0, 0), blur))  # fmt: skip


def painted_portrait(seed: int = 1, skin_l: float = 60.0) -> Portrait:
    """A painted head over the canonical mesh: no photograph, no weights. ``skin_l``: CIE L* of the skin."""
    rng = np.random.default_rng(seed)
    size, eye = 620, 110.0
    scale = eye / float(mesh().vertices[[263, 362], 0].mean() - mesh().vertices[[33, 133], 0].mean())
    shape = mesh().vertices * (1.0 + rng.normal(0, 0.03, 3))
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:LANDMARKS] = (shape * scale + [size / 2, 250, 0]) * [1, 1, -1]
    for iris, lids in EYES.items():
        landmarks[iris] = landmarks[list(lids)].mean(axis=0)
        landmarks[iris + 1 : iris + 5] = landmarks[iris] + np.array([[5, 0, 0], [0, -5, 0], [-5, 0, 0], [0, 5, 0]])
    tone = ((skin_l + 16) / 116) ** 3 * np.array([1.45, 0.93, 0.65])
    albedo = np.ones((size, size, 3), np.float32) * tone.astype(np.float32)
    for sigma, depth in ((2.0, 0.05), (9.0, 0.08), (40.0, 0.10)):
        spots = cv2.GaussianBlur(rng.normal(0, 1, (size, size, 1)).astype(np.float32), (0, 0), sigma)
        albedo *= np.exp(depth * spots / spots.std())[..., None]
    for x, y in landmarks[[468, 473], :2]:
        cv2.ellipse(albedo, (int(x), int(y)), (22, 9), 0, 0, 360, (0.5, 0.5, 0.5), -1)
        cv2.circle(albedo, (int(x), int(y)), 8, (0.03, 0.02, 0.02), -1)
    mouth = landmarks[[61, 0, 291, 17], :2].astype(np.int32)
    cv2.fillPoly(albedo, [mouth], (float(tone[0] * 0.8), float(tone[1] * 0.5), float(tone[2] * 0.5)))
    for brow in ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336)):
        cv2.polylines(albedo, [landmarks[list(brow), :2].astype(np.int32)], False, (0.03, 0.02, 0.02), 9)
    albedo[: int(landmarks[:, 1].min())] = (0.03, 0.02, 0.015)
    albedo[int(landmarks[:, 1].max()) + 40 :] = (0.05, 0.07, 0.15)
    return portrait(np.round(encode(albedo)).astype(np.uint8), landmarks)
