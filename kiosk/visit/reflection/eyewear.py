"""Spectacles: lenses that mirror the screen, found so that they can be left out of the response map.

A lens mirrors the screen as a bright spot that has nothing to do with the slope of the skin behind it, and that is many
times stronger than skin answers. What skin around the eyes *can* answer is told by the rest of the face: the best of
the head's templates, with planes and parabolas, is fitted to the cells outside the lenses' reach and continued into it.
Cells within reach that answer more than that are no skin. Only more: a mirror adds light and never takes any.

What is left out is also left out of what must be explained: a print is no better off, since the rest of its map has
to show a head's relief all the same.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from kiosk.visit.evidence import GRID
from kiosk.visit.reflection.mesh import LEFT_EYE, RIGHT_EYE, mesh
from kiosk.visit.reflection.signals import Array, Mask

REACH_MM = 28.0
"""Lenses reach so far from the rims of the eyes."""
ABOVE = 0.4
"""A cell that answers this much more than it can, in shares of the face's answer, is no skin ..."""
LEAST_OTHERS = 100
"""Cells outside the lenses' reach that it takes to say what those within can answer."""
GLARE = 1.5
"""A lens mirrors beyond doubt where a cell within reach answers this many times what nearly all of the others do."""
ROUNDS = 3


@cache
def within_reach() -> Mask:
    """``(n,)`` skin cells that a lens may cover."""
    grid = mesh()
    rims = grid.vertices[[*LEFT_EYE, *RIGHT_EYE], :2]
    places = grid.points[grid.skin][:, :2].astype(np.float64)
    apart = np.linalg.norm(places[:, None, :] - rims[None], axis=2).min(axis=1)
    return np.asarray(apart <= REACH_MM, bool)


def mirrors(share: Array, family: Array, kept: Mask) -> Mask:
    """``(n,)`` skin cells that mirror the screen, their neighbours included.

    ``share`` ``(n,)`` responses of the skin cells, ``family`` ``(F, k)`` templates over the ``kept`` ones.
    """
    reach = within_reach() & kept
    none = np.zeros(len(share), bool)
    if not reach.any() or (kept & ~reach).sum() < LEAST_OTHERS:
        return none
    points = mesh().points[mesh().skin].astype(np.float64)[kept] / 70.0
    x, y = points[:, 0], points[:, 1]
    plain = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    inside, seen = reach[kept], share[kept]
    used = ~inside
    over = none
    for _ in range(ROUNDS):
        expected = _continued(seen, family, plain, used)
        over = none.copy()
        over[np.flatnonzero(kept)[inside & (seen > expected + ABOVE)]] = True
        # The better behaved cells within reach join the next fit.
        used = ~(inside & over[kept])
    return _wider(over)


def glares(share: Array, kept: Mask) -> bool:
    """Whether something near the eyes answers as no skin does: brow and nose of a print bent over the face do not."""
    reach = within_reach() & kept
    rest = kept & ~reach
    return bool(reach.any() and rest.any() and share[reach].max() >= GLARE * np.quantile(share[rest], 0.95))


def _continued(seen: Array, family: Array, plain: Array, used: Mask) -> Array:
    """``(k,)`` the best template with a parabola, fitted to the cells ``used`` and continued over all of them."""
    base, triangle = np.linalg.qr(plain[used])
    left = seen[used] - base @ (base.T @ seen[used])
    forms = family[:, used] - (family[:, used] @ base) @ base.T
    power = np.maximum((forms**2).sum(axis=1), 1e-12)
    gains = np.maximum(forms @ left / power, 0.0)
    best = int(np.argmax(gains**2 * power))
    parts = np.linalg.solve(triangle, base.T @ (seen[used] - gains[best] * family[best, used]))
    return np.asarray(gains[best] * family[best] + plain @ parts, np.float64)


def _wider(over: Mask) -> Mask:
    """The cells and those next to them, of which a part may lie on the lens."""
    grid = np.zeros((GRID, GRID), bool)
    grid[mesh().skin] = over
    for axis in (0, 1):
        grid = grid | np.roll(grid, 1, axis) | np.roll(grid, -1, axis)
    return np.asarray(grid[mesh().skin] & within_reach(), bool)
