"""What a head's own response to the screen looks like: a family of templates from its mesh.

The room's light is unknown, so a template is made for each of many: soft light from above, from a side or from the
front, or one lamp in a room that scatters its light. A skin's gloss is unknown too, and is left to whoever compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from kiosk.visit.reflection.signals import Array, Mask

ROOMS = tuple(product((-1.0, 0.0, 1.0), (0.0, 0.25, 0.5), (-0.25, 0.0, 0.25), (0.0, 0.3)))
"""(screen below the lens in half heights, more light from above, from the image's right, from the front)."""
LAMPS = tuple(product((-1.0, 0.0, 1.0), (-75.0, -40.0, 40.0, 75.0), (0.0, 25.0, 50.0)))
"""(screen below the lens as above, lamp to the image's right and above, degrees from the lens's axis)."""
GLOSS = (0.0, 0.5, 1.5)
"""Peak of skin's gloss in shares of the light that it scatters: dark or oily skin mirrors more than it scatters."""
ROUGH = 0.3
"""Width of the gloss (GGX alpha): skin's 0.1 to 0.2 and the angle under which a screen is seen."""
SCATTERED = 0.6
"""Light that reaches every cell, in shares of the lamp's on a surface that faces it. Harder light is nobody's office,
and its templates have edges that a sheet's own shadow resembles."""


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Responses of ``k`` cells in ``F`` rooms."""

    scattered: Array
    """``(F, k)`` by skin that scatters light alone, mean 1."""
    gloss: Array
    """``(F, k)`` by the gloss alone, where its peak is as strong as the scattered light."""

    def glossy(self, room: int) -> Array:
        """``(G, k)`` templates of one room for each of ``GLOSS``, mean 1."""
        family = self.scattered[room] + np.array(GLOSS)[:, None] * self.gloss[room]
        return np.asarray(family / family.mean(axis=1, keepdims=True), np.float64)

    def of(self, kept: Mask) -> Templates:
        """The cells ``(k,)`` that are kept."""
        mean = self.scattered[:, kept].mean(axis=1, keepdims=True)
        return Templates(self.scattered[:, kept] / mean, self.gloss[:, kept] / mean)


def templates(points: Array, normals: Array, away_mm: float, half_height_mm: float) -> Templates:
    """Expected responses of ``n`` cells: ``ROOMS``, then ``LAMPS``. ``points`` mm and ``normals`` ``(n, 3)``."""
    screens = {below: _screen(points, normals, away_mm, below * (half_height_mm + 10.0)) for below in (-1.0, 0.0, 1.0)}
    x, y, z = normals.T
    rooms = [1.0 - above * y + aside * x + front * (z - 0.7) for _, above, aside, front in ROOMS]
    lamps = [SCATTERED + np.maximum(normals @ _towards(right, up), 0.0) for _, right, up in LAMPS]
    room = np.maximum(np.array([*rooms, *lamps]), 0.15)
    scattered, gloss = (np.array([screens[member[0]][part] for member in (*ROOMS, *LAMPS)]) / room for part in (0, 1))
    mean = scattered.mean(axis=1, keepdims=True)
    return Templates(scattered / mean, gloss / mean)


def _screen(points: Array, normals: Array, away_mm: float, y_mm: float) -> tuple[Array, Array]:
    """``(n,)`` light of a small screen ``y_mm`` below the lens: scattered by the skin, and mirrored by its gloss.

    The gloss is a GGX lobe of skin's roughness towards the lens (Walter et al. 2007), 1 where skin faces the bisector.
    """
    towards = np.stack([-points[:, 0], y_mm - points[:, 1], np.maximum(away_mm - points[:, 2], 50.0)], axis=1)
    lens = towards - [0.0, y_mm, 0.0]
    squared = (towards**2).sum(axis=1)
    light, view = towards / np.sqrt(squared)[:, None], lens / np.linalg.norm(lens, axis=1, keepdims=True)
    cosine = np.maximum((normals * light).sum(axis=1), 0.0)
    middle = light + view
    facing = np.clip((normals * middle).sum(axis=1) / np.linalg.norm(middle, axis=1), 0.0, 1.0)
    lobe = 1.0 / (1.0 + facing**2 * (ROUGH**2 - 1.0)) ** 2 * ROUGH**4
    falloff = light[:, 2] / squared
    return cosine * falloff, lobe * falloff * (cosine > 0.0)


def _towards(right_deg: float, up_deg: float) -> Array:
    """Unit vector to a lamp that many degrees to the image's right and above the lens's axis."""
    right, up = np.radians(right_deg), np.radians(up_deg)
    return np.array([np.sin(right) * np.cos(up), -np.sin(up), np.cos(right) * np.cos(up)])
