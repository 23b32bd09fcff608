"""What a plane can explain: two views of a flat thing are related by a homography, two views of a head are not. Pure.

Source: Hartley and Zisserman, "Multiple View Geometry", 4.1 (direct linear transform) and 4.4 (normalised points).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def off_plane(before: Points, after: Points) -> Points:
    """``(n, 2)`` what the best homography from ``before`` to ``after`` (``(n, 2)`` pixels each) leaves, in pixels."""
    (p, _), (q, scale) = _normal(before), _normal(after)
    home, zero = np.column_stack([p, np.ones(len(p))]), np.zeros((len(p), 3))
    rows = np.concatenate([
        np.column_stack([home, zero, -q[:, :1] * home]),
        np.column_stack([zero, home, -q[:, 1:] * home]),
    ])  # fmt: skip
    _, vectors = np.linalg.eigh(rows.T @ rows)
    there = home @ vectors[:, 0].reshape(3, 3).T
    return np.asarray((q - there[:, :2] / there[:, 2:]) / scale, np.float64)


def _normal(points: Points) -> tuple[Points, float]:
    """Points around their middle at a mean distance of root two, and the scale that made them so."""
    middle = points.mean(axis=0)
    scale = float(np.sqrt(2.0 / max(np.mean(np.sum((points - middle) ** 2, axis=1)), 1e-12)))
    return (points - middle) * scale, scale
