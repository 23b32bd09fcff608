"""The rival explanations of a response map, and what they leave of it (``shape`` says why these)."""

from __future__ import annotations

import numpy as np

from kiosk.visit.reflection.mesh import mesh
from kiosk.visit.reflection.response import as_grid, smooth
from kiosk.visit.reflection.signals import Array, Mask

LINES, KNOTS = 12, 7
"""Directions of a sheet's straight lines that are tried, and the points across them between which its answer is linear.

Seven points over 140 mm follow the shadow edge of any sheet that still shows a face."""


class Rivals:
    """Removes from maps what planes, bent sheets and veils explain; smooths first."""

    def __init__(self, brightness: Array, mask: Mask, times: int) -> None:
        self._mask = mask
        self._times = times
        # Places on the canonical head: a picture of a turned head is warped the same way as the head's own map.
        x, y = (mesh().points[mask][:, axis].astype(np.float64) / 70.0 for axis in (0, 1))
        veils = 1.0 / np.maximum(brightness.T, 1e-4)
        smooth_veils = self._smooth(veils / veils.mean(axis=1, keepdims=True))
        columns = [np.ones_like(x), x, y, x * x, x * y, y * y, *smooth_veils]
        self._basis, _ = np.linalg.qr(np.stack(columns, axis=1))

    def _smooth(self, values: Array) -> Array:
        return smooth(as_grid(values, self._mask), self._mask, self._times)[..., self._mask]

    def left(self, values: Array) -> Array:
        """``(..., n)`` values in shares of their mean, smoothed, without the rivals' part."""
        level = self._smooth(values)
        level = level / np.maximum(level.mean(axis=-1, keepdims=True), 1e-6)
        return np.asarray(level - (level @ self._basis) @ self._basis.T, np.float64)

    def sheet(self, left: Array, points: Array) -> Array:
        """``(n, k)`` orthonormal: all answers of a sheet bent in the direction that explains most of ``left`` ``(n,)``.

        Orthogonal to the rivals that are removed already; a sum of hats over the place across the lines. ``points``
        ``(n, 3)`` mm as seen in the frame, where a sheet's straight lines are straight.
        """
        angles = np.arange(LINES) * (np.pi / LINES)
        across = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ points[:, :2].T
        low, wide = across.min(axis=1), np.ptp(across, axis=1)
        step = wide / (KNOTS - 1)
        knots = low[:, None] + step[:, None] * np.arange(KNOTS)
        hats = np.maximum(1.0 - np.abs(across[:, None, :] - knots[..., None]) / step[:, None, None], 0.0)
        hats = self._smooth(hats)
        hats = hats - (hats @ self._basis) @ self._basis.T
        sizes, turn = np.linalg.eigh(hats @ np.swapaxes(hats, 1, 2))
        kept = sizes > 1e-4 * sizes[:, -1:]  # the constant and the slope among them are gone already
        along = np.matmul(np.swapaxes(turn, 1, 2), (hats @ left)[..., None])[..., 0]
        best = int(np.argmax(np.where(kept, along**2 / np.maximum(sizes, 1e-300), 0.0).sum(axis=1)))
        chosen = turn[best][:, kept[best]] / np.sqrt(sizes[best][kept[best]])
        return np.asarray(hats[best].T @ chosen, np.float64)

    def relief_of(self, template: Array) -> float:
        """Standard deviation of one template without its plane."""
        level = self._smooth(template)
        plane = self._basis[:, :3]  # constant, x and y span the first three orthonormal columns
        return float((level - plane @ (plane.T @ level)).std() / level.mean())
