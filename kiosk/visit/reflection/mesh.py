"""The canonical head cut into a square grid of cells: where each cell lies, which way it faces, what is skin.

Axes: mm, x to the image's right, y down, z towards the camera, seen from the front. A *sample* is a point of a
``FINE`` times finer grid with the triangle it lies in and its barycentric weights there: the same weights over
measured landmarks say where in a frame the sample is. Everything here is computed once from ``canonical`` and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kiosk.values import Floats
from kiosk.visit.evidence import GRID
from kiosk.visit.reflection import canonical

FINE = 4
"""Samples per side of a cell."""
LEAST_SAMPLES = 8
"""A cell with fewer samples on the mesh than this is outside the face."""
LANDMARKS = 468
"""Landmarks with a place on the canonical head (the ten of the irises have none)."""
FACING = 0.35
"""Cells that face the front less than this cosine are too steep to measure."""

LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
FOREHEAD = (109, 10, 338, 337, 151, 108)
LEFT_CHEEK = (347, 346, 352, 411, 425, 266)
RIGHT_CHEEK = (118, 117, 123, 187, 205, 36)
"""Landmarks around the parts; left and right are the visitor's own (left is the image's right)."""

Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """The grid over the canonical head. ``C`` cells of the face in row order, ``N`` samples sorted by cell."""

    vertices: NDArray[np.float64]
    """``(468, 3)`` mm."""
    corners: Ints
    """``(3, N)`` landmarks around each sample."""
    weights: Floats
    """``(3, N)`` barycentric, sums 1."""
    starts: Ints
    """``(C,)`` first sample of each face cell."""
    counts: Floats
    """``(C,)`` samples of each face cell."""
    cells: Ints
    """``(C,)`` flat index of each face cell in the ``GRID x GRID`` map."""
    points: Floats
    """``(GRID, GRID, 3)`` mm, NaN outside the face."""
    normals: Floats
    """``(GRID, GRID, 3)`` unit, NaN outside the face."""
    skin: Bools
    """``(GRID, GRID)`` face cells without eyes and lips that face the front."""
    forehead: Bools
    """``(GRID, GRID)``."""
    left_cheek: Bools
    """``(GRID, GRID)``."""
    right_cheek: Bools
    """``(GRID, GRID)``."""


def _numbers(text: str) -> NDArray[np.int64]:
    return np.array(text.split(), dtype=np.int64)


def _inside(polygon: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> Bools:
    """Even-odd rule."""
    result = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        slope = (x1 - x0) / (y1 - y0) if y1 != y0 else 0.0
        result ^= crosses & (x < x0 + slope * (y - y0))
    return result


def _wider(polygon: NDArray[np.float64], by_mm: float) -> NDArray[np.float64]:
    """The polygon with each corner moved away from its centre by ``by_mm``."""
    centre = polygon.mean(axis=0)
    away = polygon - centre
    return np.asarray(polygon + away / np.linalg.norm(away, axis=1, keepdims=True) * by_mm, np.float64)


def vertex_normals(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Unit normals, each the area-weighted mean over its triangles, turned towards the camera (z > 0)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    # The canonical triangles run the other way round once y points down.
    flat = np.cross(c - a, b - a)
    corners = faces.T.ravel()
    total = np.stack(
        [np.bincount(corners, weights=np.tile(flat[:, axis], 3), minlength=len(vertices)) for axis in range(3)], axis=1
    )
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True), np.float64)


def _hits(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[Ints, NDArray[np.float64]]:
    """The frontmost triangle at each of ``(S,)`` points (-1 where there is none) and the weights ``(S, 3)`` in it."""
    best = np.full(x.shape, -1, np.intp)
    depth = np.full(x.shape, -np.inf)
    weights = np.zeros((*x.shape, 3))
    for number, corners in enumerate(triangles):
        (x0, y0, z0), (x1, y1, z1), (x2, y2, z2) = vertices[corners]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        near = np.flatnonzero(
            (x >= min(x0, x1, x2)) & (x <= max(x0, x1, x2)) & (y >= min(y0, y1, y2)) & (y <= max(y0, y1, y2))
        )
        px, py = x[near], y[near]
        w1 = ((px - x0) * (y2 - y0) - (x2 - x0) * (py - y0)) / area
        w2 = ((x1 - x0) * (py - y0) - (px - x0) * (y1 - y0)) / area
        w0 = 1.0 - w1 - w2
        z = w0 * z0 + w1 * z1 + w2 * z2
        hit = (w0 >= 0) & (w1 >= 0) & (w2 >= 0) & (z > depth[near])
        chosen = near[hit]
        best[chosen], depth[chosen] = number, z[hit]
        weights[chosen] = np.stack([w0[hit], w1[hit], w2[hit]], axis=-1)
    return best, weights


@cache
def triangles() -> NDArray[np.int64]:
    """``(898, 3)`` corners of the canonical triangles."""
    return _numbers(canonical.TRIANGLES).reshape(-1, 3)


@cache
def mesh() -> Mesh:
    """The grid; the first call takes some tens of milliseconds, the others nothing."""
    vertices = _numbers(canonical.VERTICES).reshape(-1, 3) / 100.0
    faces = triangles()
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    fine = GRID * FINE
    steps = (np.arange(fine) + 0.5) / fine
    x, y = np.meshgrid(low[0] + steps * (high[0] - low[0]), low[1] + steps * (high[1] - low[1]))
    hit, weights = _hits(vertices, faces, x.ravel(), y.ravel())

    row, column = np.divmod(np.arange(fine * fine), fine)
    cell = row // FINE * GRID + column // FINE
    hits_per_cell = np.bincount(cell[hit >= 0], minlength=GRID * GRID)
    kept = np.flatnonzero((hit >= 0) & (hits_per_cell[cell] >= LEAST_SAMPLES))
    kept = kept[np.argsort(cell[kept], kind="stable")]
    cells, starts, counts = np.unique(cell[kept], return_index=True, return_counts=True)
    corners = faces[hit[kept]].astype(np.intp)

    def spread(per_vertex: NDArray[np.float64]) -> Floats:
        at_samples = np.einsum("nk,nkd->nd", weights[kept], per_vertex[corners])
        grid = np.full((GRID * GRID, 3), np.nan)
        grid[cells] = np.add.reduceat(at_samples, starts, axis=0) / counts[:, None]
        return np.asarray(grid.reshape(GRID, GRID, 3), np.float32)

    points = spread(vertices)
    normals = spread(vertex_normals(vertices, faces))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    grid_x, grid_y = points[..., 0].astype(np.float64), points[..., 1].astype(np.float64)

    def part(landmarks: tuple[int, ...], wider_mm: float = 0.0) -> Bools:
        return _inside(_wider(vertices[list(landmarks), :2], wider_mm), grid_x, grid_y)

    holes = part(LEFT_EYE, 4.0) | part(RIGHT_EYE, 4.0) | part(LIPS, 3.0)
    with np.errstate(invalid="ignore"):
        skin = (normals[..., 2] > FACING) & ~holes
    return Mesh(
        vertices=vertices,
        corners=np.ascontiguousarray(corners.T),
        weights=np.ascontiguousarray(weights[kept].T, np.float32),
        starts=starts.astype(np.intp),
        counts=counts.astype(np.float32),
        cells=cells.astype(np.intp),
        points=points,
        normals=normals,
        skin=skin,
        forehead=part(FOREHEAD, 4.0) & skin,
        left_cheek=part(LEFT_CHEEK, 2.0) & skin,
        right_cheek=part(RIGHT_CHEEK, 2.0) & skin,
    )
