"""Top and bottom: slots that light half the screen light a head from another side, whatever its skin and its room.

For each cell the answers to top and bottom slots are fitted apart from the full ones. Their
``(top - bottom) / (top + bottom)`` needs no model of skin or ambient light. A plane or a bent sheet shows a smooth
gradient, a head its relief on top of it.
"""

from __future__ import annotations

import numpy as np

from kiosk.reasons import Reason
from kiosk.visit.evidence import GRID, Evidence
from kiosk.visit.reflection.amplitude import Amplitudes
from kiosk.visit.reflection.finding import Finding
from kiosk.visit.reflection.mesh import mesh
from kiosk.visit.reflection.response import as_grid, skin_cells, smooth
from kiosk.visit.reflection.shape import Shape
from kiosk.visit.reflection.signals import Array, Signals, chroma, drift_basis, without_drift
from kiosk.visit.reflection.timing import Timing
from kiosk.visit.reflection.votes import vote

CLEAR = 3.0
"""The relief must stand out of its own noise by this many standard errors."""
LEAST_SHARE = 0.3
"""... and be at least this share of the predicted one."""
SMOOTH = 2


def halves_gate(
    evidence: Evidence, signals: Signals, timing: Timing | None, found: Amplitudes | None, shape: Shape | None
) -> Finding:
    """Share of the predicted top-minus-bottom relief that was seen; a vote (see ``votes``)."""
    share, error = (None, np.inf) if timing is None or found is None or shape is None else \
        relief_share(evidence, signals, timing, found, shape)  # fmt: skip
    good = None if share is None or not np.isfinite(error) else share >= LEAST_SHARE and share >= CLEAR * error
    return vote("halves", share, LEAST_SHARE, good, shape, Reason.HIGH_LIGHTING, "ratio")


def relief_share(
    evidence: Evidence, signals: Signals, timing: Timing, found: Amplitudes, shape: Shape
) -> tuple[float | None, float]:
    """(seen in shares of predicted, its standard error); None where top or bottom was not filmed."""
    regions = np.array([slot.region for slot in evidence.slots])
    seen = regions[timing.slot[timing.clean]]
    if "top" not in seen or "bottom" not in seen or found.face.mean <= 0:
        return None, np.inf
    cells = skin_cells(signals, timing, timing.clean)
    kept = shape.mask[mesh().skin]
    basis = drift_basis(cells.start_s)
    inner = np.maximum(1.0 + found.face.modulation * cells.light, 0.05)
    light = chroma(np.log(inner))
    parts = [without_drift(light * (seen == region)[:, None], basis).ravel() for region in ("full", "top", "bottom")]
    design = np.stack(parts, axis=1)
    values = cells.values[:, kept].transpose(0, 2, 1).reshape(len(design), -1)
    answer = np.linalg.solve(design.T @ design + 1e-12 * np.eye(3), design.T @ values)
    top, bottom = answer[1], answer[2]
    total = np.maximum(top + bottom, 0.2 * float(np.mean(top + bottom)))
    measured, predicted = (top - bottom) / total, expected_map(shape, evidence.panel.height_mm)
    return _projected(measured, predicted, shape)


def expected_map(shape: Shape, height_mm: float) -> Array:
    """``(n,)`` predicted ``(top - bottom) / (top + bottom)`` of the cells, the screen's middle level with the lens."""
    points, normals = shape.points[shape.mask], shape.normals[shape.mask]
    lit = []
    for y in (-height_mm / 4.0, height_mm / 4.0):
        dx, dy, dz = -points[:, 0], y - points[:, 1], np.maximum(shape.away_mm - points[:, 2], 50.0)
        squared = dx * dx + dy * dy + dz * dz
        cosine = (normals[:, 0] * dx + normals[:, 1] * dy + normals[:, 2] * dz) / np.sqrt(squared)
        lit.append(np.maximum(cosine, 0.02) * dz / squared**1.5)
    return np.asarray((lit[0] - lit[1]) / (lit[0] + lit[1]), np.float64)


def _projected(measured: Array, predicted: Array, shape: Shape) -> tuple[float, float]:
    """Least squares of one map on the other, smooth parts removed; the error from what is left between far cells."""
    x, y = (mesh().points[shape.mask][:, axis].astype(np.float64) / 70.0 for axis in (0, 1))
    basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1))

    def left(values: Array) -> Array:
        level = smooth(as_grid(values, shape.mask), shape.mask, SMOOTH)[shape.mask]
        return np.asarray(level - basis @ (basis.T @ level), np.float64)

    seen, wanted = left(measured), left(predicted)
    energy = max(float(wanted @ wanted), 1e-12)
    share = float(seen @ wanted) / energy
    rest = seen - share * wanted
    # Smoothing ties about 3 x 3 cells together: the cells are fewer than they look.
    independent = max(len(rest) / (GRID * GRID / 120.0), 4.0)
    error = float(np.sqrt(np.mean(rest**2) / (independent * energy / len(rest))))
    return share, error
