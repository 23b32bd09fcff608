"""What the liveness gates judge: everything measured from the frames of one attempt, without the frames.

Filled by ``kiosk.runtime.extract`` (live or from a recording), judged by ``kiosk.visit.reflection``.
It is derived from pixels of a face, so it stays in memory, is never logged and is dropped with the attempt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.values import Floats, Panel, ShownSlot

GRID = 32
"""Side of the response map: a square grid over the face in the canonical mesh's frontal view."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameEvidence:
    """One frame reduced to numbers. Light is linear (sRGB decoded), 0..1, RGB order."""

    sequence: int
    exposure_start_s: float
    exposure_s: float
    gains_locked: bool | None
    lux: float | None
    faces: int
    """How many faces count (background faces left out)."""
    track: int
    """Track of the face measured here; -1 when there was none (then the arrays are NaN)."""
    forehead: Floats
    """``(3,)`` trimmed mean."""
    left_cheek: Floats
    """``(3,)`` trimmed mean, the visitor's left."""
    right_cheek: Floats
    """``(3,)`` trimmed mean."""
    face: Floats
    """``(3,)`` trimmed mean of all skin cells of the map."""
    background: Floats
    """``(3,)`` outside the person, geometric mean over rows (NaN when too little of it is in the picture)."""
    clipped_ratio: float
    """Share of face cells with a channel at 250 or more."""
    map_rgb: Floats
    """``(GRID, GRID, 3)`` light at the mesh cells; NaN outside the face."""
    landmarks: Floats
    """``(478, 3)`` pixels of the frame."""
    frame_size_px: tuple[int, int]
    fingerprint: int
    """Hash of a strided sample of the raw pixels: two equal ones are the same frame."""
    noise: float
    """Standard deviation of the pixel difference to the previous frame in flat background cells, 8-bit codes."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All of one attempt."""

    camera_name: str
    camera_changed: bool
    """The camera was reopened or replaced between the first and the last frame."""
    panel: Panel
    focal_px: float
    """Focal length in pixels of the frames (from the configured field of view)."""
    lag_s: float | None
    """Calibrated delay from visible to exposed; None: unknown."""
    ambient_lux: float | None
    slots: tuple[ShownSlot, ...]
    frames: tuple[FrameEvidence, ...]
    """In order. Frames that began before the first slot are the approach and the hold."""
    passive_live: tuple[float, ...]
    """Passive scores 0..1 of frames of the approach."""
    same_face: tuple[float, ...]
    """Similarities 0..100 of embeddings during and after the flash to the probe taken before it."""
    mesh_normals: NDArray[np.float32]
    """``(GRID, GRID, 3)`` unit normals of the canonical mesh cells, camera axes (x right, y down, z to the camera)."""
