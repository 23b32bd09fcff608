"""What a head's own response to the screen looks like: a family of templates from its mesh.

The room's light is unknown, so a template is made for each of many: soft light from above, from a side or from the
front, or one lamp in a room that scatters its light. A skin's gloss is unknown too, and is left to whoever compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from kiosk.visit.reflection.signals import Array, Mask

SCREENS = (-1.0, 0.0, 1.0)
"""Where the middle of the screen is, in half heights below the lens."""
ROOMS = tuple(product((0.0, 0.25, 0.5), (-0.25, 0.0, 0.25), (0.0, 0.3)))
"""(more light from above, from the image's right, from the front)."""
LAMPS = tuple(product((-75.0, -40.0, 40.0, 75.0), (0.0, 25.0, 50.0)))
"""(lamp to the image's right and above, degrees from the lens's axis)."""
GLOSS = (0.0, 0.5, 1.5)
"""Peak of skin's gloss in shares of the light that it scatters: dark or oily skin mirrors more than it scatters."""
ROUGH = 0.3
"""Width of the gloss (GGX alpha): skin's 0.1 to 0.2 and the angle under which a screen is seen."""
GRAZING = 0.05
"""Least cosine by which the gloss is divided: what hardly faces the screen scatters next to nothing of it."""
SCATTERED = 0.6
"""Light that reaches every cell, in shares of the lamp's on a surface that faces it. Harder light is nobody's office,
and its templates have edges that a sheet's own shadow resembles."""


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Responses of ``k`` cells to ``F`` combinations of a screen and a room."""

    scattered: Array
    """``(F, k)`` by skin that scatters light alone, mean 1: every room for the first screen, then for the next."""
    gloss: Array
    """``(S, k)`` what the gloss mirrors of each screen, in shares of what skin scatters."""

    def glossy(self, member: int) -> Array:
        """``(G, k)`` one member's templates for each of ``GLOSS``, mean 1."""
        screen = member * len(self.gloss) // len(self.scattered)
        family = self.scattered[member] * (1.0 + np.array(GLOSS)[:, None] * self.gloss[screen])
        return np.asarray(family / family.mean(axis=1, keepdims=True), np.float64)

    def of(self, kept: Mask) -> Templates:
        """The cells ``(k,)`` that are kept."""
        scattered = self.scattered[:, kept]
        return Templates(scattered / scattered.mean(axis=1, keepdims=True), self.gloss[:, kept])


def templates(points: Array, normals: Array, away_mm: float, half_height_mm: float) -> Templates:
    """Expected responses of ``n`` cells: each of ``SCREENS`` with ``ROOMS``, then ``LAMPS``.

    ``points`` mm and ``normals`` ``(n, 3)``.
    """
    x, y, z = (np.ascontiguousarray(axis) for axis in normals.T)
    lit = [_screen(points, (x, y, z), away_mm, below * (half_height_mm + 10.0)) for below in SCREENS]
    rooms = [1.0 - above * y + aside * x + front * (z - 0.7) for above, aside, front in ROOMS]
    lamps = [SCATTERED + np.maximum(normals @ _towards(right, up), 0.0) for right, up in LAMPS]
    light = np.maximum(np.array([*rooms, *lamps]), 0.15)
    scattered = (np.array([one for one, _ in lit])[:, None] / light).reshape(-1, len(points))
    return Templates(scattered / scattered.mean(axis=1, keepdims=True), np.array([gloss for _, gloss in lit]))


def _screen(points: Array, normal: tuple[Array, Array, Array], away_mm: float, y_mm: float) -> tuple[Array, Array]:
    """``(n,)`` of a small screen ``y_mm`` below the lens: the light that skin scatters, and the share that it mirrors.

    The gloss is a GGX lobe of skin's roughness towards the lens (Walter et al. 2007), 1 where skin faces the bisector,
    over the cosine by which light is scattered.
    """
    nx, ny, nz = normal
    x, up, z = -points[:, 0], -points[:, 1], np.maximum(away_mm - points[:, 2], 50.0)
    down = up + y_mm
    level = x * x + z * z
    squared = level + down * down
    length, to_lens = np.sqrt(squared), np.sqrt(level + up * up)
    cosine = np.maximum((nx * x + ny * down + nz * z) / length, 0.0)
    hx, hy, hz = x / length + x / to_lens, down / length + up / to_lens, z / length + z / to_lens
    facing = np.clip((nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz), 0.0, 1.0)
    lobe = ROUGH**4 / (1.0 + facing**2 * (ROUGH**2 - 1.0)) ** 2
    return cosine * z / (length * squared), np.where(cosine > 0.0, lobe / np.maximum(cosine, GRAZING), 0.0)


def _towards(right_deg: float, up_deg: float) -> Array:
    """Unit vector to a lamp that many degrees to the image's right and above the lens's axis."""
    right, up = np.radians(right_deg), np.radians(up_deg)
    return np.array([np.sin(right) * np.cos(up), -np.sin(up), np.cos(right) * np.cos(up)])
