"""The response map: how strongly each cell of the face answers the screen, albedo divided out.

Each cell's chromaticities over time are projected on those that the whole face's modulation predicts; the result is
the cell's modulation in shares of the face's. The projection is compressed where the screen outshines the room, so it
is undone with the curve that the same projection gives for known shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from kiosk.visit.evidence import GRID
from kiosk.visit.reflection.fitting import Answer
from kiosk.visit.reflection.mesh import LANDMARKS, mesh, triangles, vertex_normals
from kiosk.visit.reflection.signals import Array, Mask, Signals, chroma, drift_basis, without_drift
from kiosk.visit.reflection.timing import Timing

SHARES = np.concatenate([np.linspace(-1.0, 0.0, 9)[:-1], np.linspace(0.0, 5.0, 81)])
LEAST_SEEN = 0.6
"""A cell lost (clipped, covered, outside) in more than the rest of the frames is left out."""
LEAST_FRAMES = 10
RESTLESS = 3.0
"""Cells whose unexplained change over time is this many times the usual one are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The skin cells over the frames used. ``K`` frames, ``n`` cells."""

    values: Array
    """``(K, n, 2)`` chromaticities; a missing one is 0, the cell's mean, so that it says nothing either way."""
    seen: Array
    """``(n,)`` share of the frames in which the cell was seen."""
    brightness: Array
    """``(n, 3)`` mean linear light."""
    light: Array
    """``(K, 3)`` linear light of the screen."""
    start_s: Array
    """``(K,)``."""


def skin_cells(signals: Signals, timing: Timing, chosen: Mask) -> Cells:
    """The cells of ``mesh().skin`` over the chosen frames ``(K,)``."""
    seen = signals.seen[chosen]
    count = np.maximum(seen.sum(axis=0), 1)[:, None]
    return Cells(
        values=signals.cells[chosen],
        seen=seen.mean(axis=0) if len(seen) else np.zeros(seen.shape[1]),
        brightness=np.where(seen[..., None], signals.light[chosen], np.float32(0)).sum(axis=0, dtype=np.float64)
        / count,
        light=timing.light[chosen],
        start_s=signals.start_s[chosen],
    )


def response(cells: Cells, answer: Answer, rows: Mask) -> Array:
    """``(n,)`` modulation of each cell in shares of the face's, from the frames of ``rows`` ``(K,)``.

    NaN for cells seen too rarely or far more restless than most (they slip over an edge, or a hand passes), and
    everywhere with too few frames.
    """
    if rows.sum() < LEAST_FRAMES or answer.mean <= 0:
        return np.full(len(cells.seen), np.nan)
    light = cells.light[rows]
    basis = drift_basis(cells.start_s[rows])
    predicted = without_drift(chroma(np.log(np.maximum(1.0 + answer.modulation * light, 0.05))), basis)
    energy = max(float(np.sum(predicted**2)), 1e-18)
    # The prediction is free of drift already, so projecting on it removes the cells' drift too.
    values = cells.values[rows]
    flat = values.reshape(len(values), -1)
    mixed = (predicted.T @ flat).reshape(2, -1, 2)
    projected = (mixed[0, :, 0] + mixed[1, :, 1]) / energy
    inner = np.maximum(1.0 + SHARES[:, None, None] * answer.modulation * light, 0.05)
    curve = np.einsum("skd,kd->s", chroma(np.log(inner)), predicted, optimize=True) / energy
    share = np.interp(projected, curve, SHARES)
    # What is left of a cell's power after drift and projection (Pythagoras: they are orthogonal).
    power = np.einsum("kn,kn->n", flat, flat) - np.square(basis.T @ flat).sum(axis=0)
    rest = power.reshape(-1, 2).sum(axis=1) - projected**2 * energy
    restless = np.sqrt(np.maximum(rest, 0.0))
    share[(cells.seen < LEAST_SEEN) | (restless > RESTLESS * np.median(restless))] = np.nan
    return np.asarray(share, np.float64)


def measured_head(signals: Signals, chosen: Mask) -> tuple[Array, Array]:
    """Points in mm and unit normals ``(GRID, GRID, 3)`` of this face as it was turned, from its mean landmarks.

    Axes: x right, y down, z towards the camera; origin at the middle of the mesh.
    """
    frames = [frame.landmarks for frame, kept in zip(signals.frames, chosen, strict=True) if kept]
    marks = np.array(frames, np.float64).reshape(-1, 478, 3)
    eyes = marks[:, 473, :2] - marks[:, 468, :2]
    points = marks[:, :LANDMARKS] * [1.0, 1.0, -1.0]
    points = (points - points.mean(axis=1, keepdims=True)) * (
        63.0 / np.maximum(np.hypot(eyes[:, 0], eyes[:, 1]), 1.0)[:, None, None]
    )
    points = points.sum(axis=0) / max(len(frames), 1)
    both = _spread(np.concatenate([points, vertex_normals(points, triangles())], axis=1))
    return both[..., :3], both[..., 3:]


@cache
def _spreading() -> Array:
    """``(C, 468)``: what each vertex counts in each face cell."""
    grid = mesh()
    matrix = np.zeros((len(grid.cells), LANDMARKS))
    cell = np.repeat(np.arange(len(grid.cells)), grid.counts.astype(np.intp))
    for corner, weight in zip(grid.corners, grid.weights, strict=True):
        np.add.at(matrix, (cell, corner), weight)
    return np.asarray(matrix / grid.counts[:, None], np.float64)


def _spread(per_vertex: Array) -> Array:
    """Vertex attributes ``(468, A)`` as means over the cells, ``(GRID, GRID, A)``; NaN outside the face."""
    result = np.full((GRID * GRID, per_vertex.shape[1]), np.nan)
    result[mesh().cells] = _spreading() @ per_vertex
    return result.reshape(GRID, GRID, -1)


def smooth(field: Array, mask: Mask, times: int = 1) -> Array:
    """Mean over 3 x 3 cells of the mask, ``times`` over; ``(..., GRID, GRID)``, zero outside the mask."""
    weight = mask.astype(np.float64)
    share = weight / np.maximum(_box(weight), 1e-9)
    field = field * weight
    for _ in range(times):
        field = _box(field) * share
    return np.asarray(field, np.float64)


def _box(field: Array) -> Array:
    rows = field.copy()
    rows[..., 1:, :] += field[..., :-1, :]
    rows[..., :-1, :] += field[..., 1:, :]
    both = rows.copy()
    both[..., 1:] += rows[..., :-1]
    both[..., :-1] += rows[..., 1:]
    return both


def as_grid(values: Array, mask: Mask) -> Array:
    """``(..., n)`` values of the mask's cells back on ``(..., GRID, GRID)``."""
    result = np.zeros((*values.shape[:-1], GRID, GRID))
    result[..., mask] = values
    return result
