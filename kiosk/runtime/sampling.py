"""Reading light out of pixels: decoding sRGB, and where the face and the surroundings lie. numpy only, no state.

Light is linear, 0..1, RGB. The decoding table is IEC 61966-2-1.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from kiosk.values import Box, Floats, Pixels
from kiosk.visit.evidence import GRID
from kiosk.visit.reflection.mesh import mesh

CLIPPED = 250
"""A channel at this code or above has lost its value."""
TRIM = 0.1
"""Share cut off at either end of a trimmed mean: hair, highlights."""
LEAST_BACKGROUND = 0.02
"""Below this share of the picture the surroundings are not measured."""
DARK = 4e-3
"""Linear light at which a row counts half as much as a bright one."""
DARKEST = 1e-6
"""Keeps the logarithm of nothing finite."""
BLOCK = 8
"""Side of the blocks in which noise is measured, in strided pixels."""


@cache
def decoding() -> Floats:
    """``(256,)`` linear light of every sRGB code."""
    encoded = np.arange(256) / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear, np.float32)


def stride_for(height_px: int) -> int:
    """Step between looked-at pixels: about 120 rows whatever the frame's size."""
    return max(1, height_px // 120)


def trimmed_mean(light: Floats) -> Floats:
    """Mean of ``(n, 3)`` without the lowest and highest tenth of each channel; NaN when there is nothing."""
    if len(light) == 0:
        return np.full(3, np.nan, np.float32)
    cut = int(len(light) * TRIM)
    ordered = np.sort(light, axis=0)[cut : len(light) - cut]
    return np.asarray(ordered.mean(axis=0, dtype=np.float64), np.float32)


def face_cells(pixels: Pixels, landmarks: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Light of each face cell and whether any of its samples is clipped.

    Returns ``(GRID * GRID, 3) float32`` (NaN outside the face and the frame) and ``(GRID * GRID,) bool``.
    """
    grid = mesh()
    height, width = pixels.shape[:2]
    x, y = (_interpolated(landmarks[:, axis].astype(np.float32)) for axis in (0, 1))
    outside = (x < 0) | (y < 0) | (x >= width) | (y >= height)
    column, row = np.clip(x, 0, width - 1).astype(np.intp), np.clip(y, 0, height - 1).astype(np.intp)
    codes = np.take(pixels.reshape(-1, 3), row * width + column, axis=0)
    total = np.add.reduceat(np.take(decoding(), codes), grid.starts, axis=0) / grid.counts[:, None]
    total[np.logical_or.reduceat(outside, grid.starts)] = np.nan
    light = np.full((GRID * GRID, 3), np.nan, np.float32)
    light[grid.cells] = total
    clipped = np.zeros(GRID * GRID, bool)
    brightest = np.maximum(np.maximum(codes[:, 0], codes[:, 1]), codes[:, 2])
    clipped[grid.cells] = np.logical_or.reduceat(brightest >= CLIPPED, grid.starts)
    return light, clipped


def _interpolated(per_landmark: Floats) -> Floats:
    """``(N,)`` values at the samples of the mesh."""
    grid = mesh()
    a, b, c = (np.take(per_landmark, grid.corners[i]) * grid.weights[i] for i in range(3))
    return np.asarray(a + b + c, np.float32)


def mean_light(pixels: Pixels, chosen: NDArray[np.bool_]) -> Floats:
    """``(3,)`` linear light of the chosen pixels, the geometric mean over the rows; NaN when none is chosen.

    Mains light and a rolling shutter lay moving bands over a picture: each row grows brighter and darker as a whole. In
    the mean of the rows' logarithms that moves all channels alike, whatever the rows' colours; in a plain mean a
    bright band on a red wall would make the whole room redder.
    """
    counts = np.count_nonzero(chosen, axis=1)
    if not counts.any():
        return np.full(3, np.nan, np.float32)
    sums = np.matmul(chosen[:, None].astype(np.float32), np.take(decoding(), pixels))[:, 0]
    rows = sums[counts > 0] / counts[counts > 0, None]
    level = rows.mean(axis=1)
    # Rows without light say nothing of how it changes: counted in full, black cloth would hide any answer.
    weight = counts[counts > 0] * level**2 / (level**2 + DARK**2)
    if not weight.any():
        return np.zeros(3, np.float32)
    return np.asarray(np.exp(weight @ np.log(np.maximum(rows, DARKEST)) / weight.sum()), np.float32)


def surroundings(shape: tuple[int, int], stride: int, box: Box | None) -> NDArray[np.bool_]:
    """Which strided pixels show neither the head with its hair nor the body below: ``(h, w) bool``.

    The head is the face box, wider by 0.45 of its width on either side and higher by 0.6 of its height; the body
    is everything below the middle of the face within two face widths of it, and all below the chin.
    """
    height, width = shape
    rows, columns = np.arange(0, height, stride), np.arange(0, width, stride)
    free = np.ones((len(rows), len(columns)), bool)
    if box is None:
        return free
    middle = box.centre_px[0]

    def between(values: NDArray[np.intp], low: float, high: float) -> NDArray[np.bool_]:
        return np.asarray((values >= low) & (values <= high), bool)

    head = (
        between(rows, box.top_px - 0.6 * box.height_px, height),
        between(columns, box.left_px - 0.45 * box.width_px, box.right_px + 0.45 * box.width_px),
    )
    body = (
        between(rows, box.top_px + 0.7 * box.height_px, height),
        between(columns, middle - 1.6 * box.width_px, middle + 1.6 * box.width_px),
    )
    free &= ~(head[0][:, None] & head[1][None, :])
    free &= ~(body[0][:, None] & body[1][None, :])
    return free


def strided_pixels(pixels: Pixels, stride: int) -> Pixels:
    """Every ``stride``-th pixel of every ``stride``-th row, copied: whole pixels at once, not channel by channel."""
    whole = np.ascontiguousarray(pixels).view("V3")[..., 0]
    chosen = np.ascontiguousarray(whole[::stride, ::stride])
    return np.asarray(chosen[..., None].view(np.uint8), np.uint8)


def blocks(field: NDArray[np.generic]) -> Floats:
    """``(n, BLOCK * BLOCK)`` values of the whole blocks of a ``(h, w)`` field."""
    rows, columns = field.shape[0] // BLOCK, field.shape[1] // BLOCK
    cut = field[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.asarray(cut.transpose(0, 2, 1, 3).reshape(rows * columns, BLOCK * BLOCK), np.float32)


def block_noise(now: Floats, before: Floats, free: NDArray[np.bool_]) -> float:
    """Standard deviation of the change between two frames in quiet blocks, 8-bit codes; NaN if there are none.

    ``now`` and ``before`` are ``blocks`` of one channel of the strided pixels; ``free`` ``(n,)`` tells the blocks that
    lie outside the person. Quiet are the calmer half of those that are neither black nor clipped.
    """
    mean = now.mean(axis=1)
    usable = free & (mean > 8) & (mean < 245)
    if not usable.any():
        return float("nan")
    spread = np.sort((now[usable] - before[usable]).std(axis=1))
    return float(spread[: max(1, len(spread) // 2)].mean())
