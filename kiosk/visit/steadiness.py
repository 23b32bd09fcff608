"""Is the face still? Drift of the eyes over a short window, in shares of the eye distance per 0.1 s.

Rules:
- Compared with the oldest sample of the window, not with the last frame: landmark noise of a pixel would look
  like speed at 30 frames a second.
- Coming closer or going away counts as moving, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kiosk.values import SeenFace

WINDOW_S = 0.2
"""Samples older than this are forgotten."""
UNIT_S = 0.1
"""Drift is given per this time; within a shorter time the whole way counts."""
MOST = 16
"""Never more samples than this, however fast the camera is."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the eyes were at one time."""

    at_s: float
    x_px: float
    y_px: float
    eye_distance_px: float


Samples = tuple[Sample, ...]
"""Oldest first."""


def follow(samples: Samples, face: SeenFace, at_s: float) -> Samples:
    """The samples with this face added and the old ones forgotten; one older than the window stays as its start."""
    x_px, y_px = face.eye_centre_px
    first = 0
    while first + 1 < len(samples) and at_s - samples[first + 1].at_s >= WINDOW_S:
        first += 1
    return (*samples[first:][1 - MOST :], Sample(at_s, x_px, y_px, face.eye_distance_px))


def drift_ratio(samples: Samples) -> float:
    """Movement over the window in eye distances per 0.1 s; infinite with fewer than two samples or no eyes."""
    if len(samples) < 2:
        return math.inf
    old, new = samples[0], samples[-1]
    if new.eye_distance_px <= 0.0:
        return math.inf
    way_px = max(
        math.hypot(new.x_px - old.x_px, new.y_px - old.y_px),
        abs(new.eye_distance_px - old.eye_distance_px),
    )
    return way_px / new.eye_distance_px / max((new.at_s - old.at_s) / UNIT_S, 1.0)
