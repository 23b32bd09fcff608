"""From landmarks to a surface: depth, normals, skin, albedo and closed lids of a portrait.

All maps but the picture itself are on a grid of ``SURFACE_STEP`` picture pixels. Depth h is in mm towards the camera,
0 at the plane of the irises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.sim import matte as mattes
from hardware.sim.relief import SURFACE_STEP
from kiosk.values import Floats

# Contours of MediaPipe's canonical mesh (478 points).
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
CHIN = 152


def depth_mm(points: Floats, alpha: Floats, px_per_mm: float, origin: tuple[float, float]) -> Floats:
    """Height of the whole person on the surface grid.

    ``points`` are the landmarks (478, 3) in picture pixels, z included; ``alpha`` is the person's matte.
    Face: thin-plate spline through the mesh. Around it hair, ears and neck fall away; below is a rounded chest.
    """
    shape = alpha.shape[0] // SURFACE_STEP, alpha.shape[1] // SURFACE_STEP
    cell_mm = SURFACE_STEP / px_per_mm
    knots = points[:468] / px_per_mm
    y_px, x_px = (np.mgrid[: shape[0], : shape[1]] + 0.5) * SURFACE_STEP
    x_mm = np.asarray(x_px / px_per_mm, np.float32)
    y_mm = np.asarray(y_px / px_per_mm, np.float32)
    face = np.zeros(shape, np.uint8)
    _fill(face, points, OVAL)
    near = cv2.dilate(face, np.ones((13, 13), np.uint8)) > 0
    spline = np.full(shape, np.nan, np.float32)
    spline[near] = _thin_plate(knots[:, :2], -knots[:, 2], np.column_stack([x_mm[near], y_mm[near]]))

    # Beyond the mesh the surface goes on from the nearest point of the face and falls away ever farther behind.
    gap, labels = cv2.distanceTransformWithLabels(1 - face, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(labels.max()) + 1, np.float32)
    table[labels[face > 0]] = spline[face > 0]
    gap_mm = np.asarray(gap * cell_mm, np.float32)
    beyond = (1 - face).astype(np.float32)
    blur = 12.0 / cell_mm
    rim = cv2.GaussianBlur(table[labels] * beyond, (0, 0), blur)
    rim /= np.maximum(cv2.GaussianBlur(beyond, (0, 0), blur), 1e-3)
    around = rim - 75.0 * (1.0 - np.exp(-gap_mm / 42.0)) - 0.25 * gap_mm
    around = np.maximum(around, -190.0)

    chin_mm = float(points[CHIN, 1]) / px_per_mm
    across = (x_mm - origin[0] / px_per_mm) / 230.0
    chest = -60.0 - 75.0 * across * across
    below = _smoothstep((y_mm - chin_mm - 15.0) / 75.0)
    rest = (1.0 - below) * around + below * chest
    rest = cv2.GaussianBlur(rest.astype(np.float32), (0, 0), 7.0 / cell_mm)
    join = _smoothstep(gap_mm / 12.0)
    inner = np.where(np.isnan(spline), rest, spline)
    return np.asarray(cv2.GaussianBlur(((1.0 - join) * inner + join * rest).astype(np.float32), (0, 0), 1.0))


def normals(depth: Floats, px_per_mm: float) -> Floats:
    """``(rows, columns, 3)`` unit normals of a depth map on the surface grid: (-dh/dx, -dh/dy, 1), slopes up to 2.5."""
    cell_mm = SURFACE_STEP / px_per_mm
    down, across = np.gradient(depth, cell_mm)
    slope = np.hypot(across, down)
    calm = np.minimum(1.0, 2.5 / np.maximum(slope, 1e-6))
    result = np.dstack([-across * calm, -down * calm, np.ones_like(depth)])
    return np.asarray(result / np.linalg.norm(result, axis=-1, keepdims=True), np.float32)


def skin_mask(points: Floats, shape: tuple[int, ...]) -> Floats:
    """1 on the face's skin, 0 on eyes, brows, lips and everywhere else; on the surface grid."""
    mask = np.zeros(shape, np.uint8)
    _fill(mask, points, OVAL)
    for hole in (*EYES, LIPS, *BROWS):
        _fill(mask, points, hole, 0)
    return np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)), np.float32)


def all_skin(texture: Floats, points: Floats) -> Floats:
    """0..1 on all skin of a person ``(h, w, 4)`` on the surface grid: the face without eyes and teeth, ears, neck.

    Beyond the face it is told by colour: log-chromaticities near those of the face, not much darker or lighter.
    """
    colours = texture[..., :3] / np.maximum(texture[..., 3:], 1e-3) + np.float32(1e-3)
    face = np.zeros(texture.shape[:2], np.uint8)
    _fill(face, points, OVAL)
    sure = skin_mask(points, face.shape) > 0.5
    chroma = np.log(colours[..., [0, 2]] / colours[..., 1:2])
    light = np.log(colours[..., 1])
    away = chroma - np.median(chroma[sure], axis=0)
    spread = np.maximum(np.std(chroma[sure], axis=0), 0.10)
    off = np.sum((away / spread) ** 2, axis=-1) / 14.0 + ((light - np.median(light[sure])) / 1.5) ** 2
    reach = np.ones((61, 61), np.uint8)
    around = cv2.dilate(face, reach).astype(np.float32) * (texture[..., 3] > 0.5)
    skin = np.maximum(np.clip(2.0 - off, 0.0, 1.0) * around, face)
    mask = cv2.morphologyEx(skin.astype(np.float32), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    holes = np.zeros(face.shape, np.uint8)
    for hole in (*EYES, INNER_LIPS):
        _fill(holes, points, hole)
    return np.asarray(cv2.GaussianBlur(mask * (1 - holes), (0, 0), 1.0), np.float32)


def albedo(linear: Floats, normal: Floats, skin: Floats, points: Floats) -> Floats:
    """Reflectance ``(h, w, 3)``: the linear photograph over a spherical-harmonics estimate of its shading.

    Nine harmonics of the normals are fitted to the skin's luminance (Basri & Jacobs 2003); away from the face the
    correction fades out. The face's median is brought between 0.14 and 0.38, where skin is.
    """
    rows, columns = skin.shape
    small = cv2.resize(linear, (columns, rows), interpolation=cv2.INTER_AREA)
    luminance = small @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    on = skin > 0.5
    basis, target = _harmonics(normal[on]), luminance[on]
    keep = np.ones(len(target), bool)
    weights: NDArray[np.floating[Any]] = np.zeros(basis.shape[1])
    ridge = np.diag([0.0] + [0.02 * len(target)] * (basis.shape[1] - 1))
    for _ in range(4):
        chosen = basis[keep]
        weights = np.linalg.solve(chosen.T @ chosen + ridge, chosen.T @ target[keep])
        off = np.abs(basis @ weights - target)
        keep = off <= np.quantile(off, 0.85)
    shading = (_harmonics(normal.reshape(-1, 3)) @ weights).reshape(rows, columns) / float(np.mean(basis @ weights))
    head = np.zeros(skin.shape, np.uint8)
    _fill(head, points, OVAL)
    fade = cv2.GaussianBlur(cv2.dilate(head, np.ones((9, 9), np.uint8)).astype(np.float32), (0, 0), 5.0)
    shading = 1.0 + (np.clip(shading, 0.5, 1.7) - 1.0) * fade
    smooth = cv2.GaussianBlur(shading.astype(np.float32), (0, 0), 1.5)
    full = cv2.resize(smooth, (linear.shape[1], linear.shape[0]), interpolation=cv2.INTER_LINEAR)
    result = linear / full[..., None]
    median = float(np.median((luminance / smooth)[on]))
    return np.asarray(np.clip(result * (np.clip(median, 0.14, 0.38) / max(median, 1e-3)), 0.004, 0.92), np.float32)


def closed_eyes(colours: Floats, points: Floats) -> Floats:
    """The picture with the lids down: eyes filled from the skin around them, a dark line of lashes on the lower lid."""
    result = colours.copy()
    hole: NDArray[np.uint8] = np.zeros(colours.shape[:2], np.uint8)
    for eye in EYES:
        _fill(hole, points, eye, step=1)
    width = 3 + int(np.hypot(*(points[133, :2] - points[33, :2])) * 0.08)
    hole = np.asarray(cv2.dilate(hole, np.ones((width, width), np.uint8)), np.uint8)
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    if not len(rows):
        return result
    part = slice(max(rows[0] - 12, 0), rows[-1] + 13), slice(max(columns[0] - 12, 0), columns[-1] + 13)
    skin = mattes.spread_colours(colours[part], 1.0 - hole[part].astype(np.float32))
    soft = cv2.GaussianBlur(hole[part].astype(np.float32), (0, 0), 1.5)[..., None]
    result[part] = result[part] * (1.0 - soft) + skin * soft
    lashes = np.zeros(colours.shape[:2], np.float32)
    for lid in LOWER_LIDS:
        cv2.polylines(lashes, [_polygon(points, lid, 1)], False, 1.0, max(2, width // 3), cv2.LINE_AA, 4)
    result *= 1.0 - 0.8 * cv2.GaussianBlur(lashes, (0, 0), 0.8)[..., None]
    return np.asarray(result, np.float32)


def _harmonics(normal: Floats) -> NDArray[np.float64]:
    x, y, z = (normal[:, axis].astype(np.float64) for axis in range(3))
    return np.column_stack([np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3.0 * z * z - 1.0])


def _polygon(points: Floats, indices: Sequence[int], step: int) -> NDArray[np.int32]:
    """Fixed-point polygon (4 fractional bits) in cells of ``step`` picture pixels."""
    return np.asarray(np.round((points[list(indices), :2] / step - 0.5) * 16.0), np.int32)


def _fill(
    mask: NDArray[np.uint8], points: Floats, contour: Sequence[int], value: int = 1, step: int = SURFACE_STEP
) -> None:
    cv2.fillPoly(mask, [_polygon(points, contour, step)], value, cv2.LINE_8, 4)


def _smoothstep(value: NDArray[np.float64] | Floats) -> Floats:
    share = np.clip(np.asarray(value, np.float32), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def _thin_plate(knots: Floats, heights: Floats, at: NDArray[np.float64], smooth: float = 40.0) -> Floats:
    """Smoothing thin-plate spline (Bookstein 1989) through ``knots`` (N, 2) evaluated ``at`` (M, 2)."""

    def kernel(squared: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(0.5 * squared * np.log(np.maximum(squared, 1e-9)), np.float64)

    centre = knots.mean(axis=0)
    sites = (knots - centre).astype(np.float64)
    where = at - centre
    count = len(sites)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = kernel(np.sum((sites[:, None] - sites[None]) ** 2, axis=-1)) + smooth * np.eye(count)
    system[:count, count] = 1.0
    system[:count, count + 1 :] = sites
    system[count:, :count] = system[:count, count:].T
    solution = np.linalg.solve(system, np.concatenate([heights.astype(np.float64), np.zeros(3)]))
    squared = np.sum(where**2, axis=1)[:, None] + np.sum(sites**2, axis=1)[None] - 2.0 * (where @ sites.T)
    value = kernel(np.maximum(squared, 0.0)) @ solution[:count]
    return np.asarray(value + solution[count] + where @ solution[count + 1 :], np.float32)
