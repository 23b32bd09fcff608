"""The weaker witnesses: parallax, the passive models, and the half-lit slots.

None of them decides alone. Each is a *vote*: where the shape gate is strong (``Shape.strong``) a missing or weak vote
does not block; where shape only just passed, it asks for another try. The reasons:

- parallax: a visitor who steps straight into the oval gives nothing to measure, and landmarks come from a model that
  has only seen heads, so on a print they wander towards a head's. It separates worse than light does.
- passive: a vote on the picture's surround; it errs on good prints and on odd light (``docs``), in both directions.
- halves: top minus bottom is 2 % of the *screen's* light; above about 300 lx noise hides it on small panels.
"""

from __future__ import annotations

import numpy as np

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.plane import off_plane
from kiosk.visit.reflection.capture import eye_distance
from kiosk.visit.reflection.finding import Finding, insufficient, passed
from kiosk.visit.reflection.mesh import LANDMARKS
from kiosk.visit.reflection.shape import Shape
from kiosk.visit.reflection.signals import Array

ZOOM = 1.2
"""The face must have grown by this between the approach and the flash for parallax to be looked for."""
AVERAGED = 5
"""Frames averaged at either end of the approach."""
PARALLAX = 0.3
"""Least share of the predicted parallax."""
LEAST_SCORES = 5


def vote(name: str, value: float | None, threshold: float, good: bool | None, shape: Shape | None,
         reason: Reason, unit: str) -> Finding:  # fmt: skip
    """Good passes; weak (False) or missing (None) passes only beside a strong shape."""
    if good or (shape is not None and shape.strong):
        return passed(name, value, threshold, unit)
    return insufficient(name, value, threshold, reason, unit)


def passive_gate(evidence: Evidence, shape: Shape | None, settings: LivenessSettings) -> Finding:
    """Mean passive score of at least five frames of the approach."""
    scores = [score for score in evidence.passive_live if np.isfinite(score)]
    value = float(np.mean(scores)) if scores else None
    good = None if value is None or len(scores) < LEAST_SCORES else value >= settings.passive
    return vote("passive", value, settings.passive, good, shape, Reason.LOW_VIDEO_QUALITY, "score")


def parallax_gate(evidence: Evidence, shape: Shape | None) -> Finding:
    """Share of the predicted departure from a plane that the landmarks showed during the approach."""
    value = parallax(evidence)
    good = None if value is None else value >= PARALLAX
    return vote("parallax", value, PARALLAX, good, shape, Reason.FACE_NOT_ALIGNED, "ratio")


def parallax(evidence: Evidence) -> float | None:
    """How much of a head's parallax the approach showed: about 1 for a head, 0 for a plane; None: too little movement.

    The landmarks near and far are related by the best plane-to-plane map (homography); what it leaves is projected
    on what it would leave of this face's own depth, seen from the two distances.
    """
    begin_s = evidence.slots[0].visible_at_s
    approach = [f for f in evidence.frames if f.track >= 0 and f.exposure_start_s < begin_s]
    if len(approach) < 2 * AVERAGED:
        return None
    far, near = approach[:AVERAGED], approach[-AVERAGED:]
    far_px, near_px = (float(np.mean([eye_distance(f) for f in part])) for part in (far, near))
    if near_px / far_px < ZOOM:
        return None
    a, b = _mean_points(far), _mean_points(near)
    measured = off_plane(a[:, :2], b[:, :2]) / near_px
    shape_mm = b * (63.0 / near_px)
    centre = np.array(near[-1].frame_size_px) / 2.0
    views = []
    for points, eye_px in ((a, far_px), (b, near_px)):
        away_mm = evidence.focal_px * 63.0 / eye_px
        middle = (points[:, :2].mean(axis=0) - centre) * away_mm / evidence.focal_px
        depth = away_mm + (shape_mm[:, 2] - shape_mm[:, 2].mean())
        flat = shape_mm[:, :2] - shape_mm[:, :2].mean(axis=0) + middle
        views.append(evidence.focal_px * flat / depth[:, None])
    predicted = off_plane(views[0], views[1]) / near_px
    return float(np.sum(measured * predicted) / max(float(np.sum(predicted**2)), 1e-12))


def _mean_points(frames: list[FrameEvidence]) -> Array:
    """Mean landmarks ``(468, 3)``, pixels."""
    return np.asarray(np.mean([f.landmarks[:LANDMARKS].astype(np.float64) for f in frames], axis=0), np.float64)
