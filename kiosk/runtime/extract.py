"""From pixels to numbers: one frame and its face become one ``FrameEvidence``.

This is the only place where the liveness gates' input is measured. numpy only; about 2 ms for a 640 x 480 frame.
It remembers the previous frame (strided green, for the noise) and the surroundings as they were last chosen, until
``reset``; nothing else is kept and nothing is logged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.runtime.sampling import (
    LEAST_BACKGROUND,
    block_noise,
    blocks,
    face_cells,
    mean_light,
    stride_for,
    strided_pixels,
    surroundings,
    trimmed_mean,
)
from kiosk.values import Box, Face, Floats, Frame, Pixels
from kiosk.visit.evidence import GRID, FrameEvidence
from kiosk.visit.reflection.mesh import mesh

NOTHING = np.full(3, np.nan, np.float32)
SWAY = 0.12
"""Share of its width that a face may move before the surroundings are chosen anew (they keep 0.45 away from it)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Around:
    """The surroundings of one place of the face in frames of one size."""

    size_px: tuple[int, int]
    box: Box
    free: NDArray[np.bool_]
    """Strided pixels that show them."""
    free_blocks: NDArray[np.bool_]
    """Blocks that show nothing else."""


class Extractor:
    """Measures frames one after the other. Not thread-safe: the loop (or the scorer) owns it."""

    def __init__(self) -> None:
        self._before: Floats | None = None
        self._around: _Around | None = None

    @property
    def mesh_normals(self) -> Floats:
        """``(GRID, GRID, 3)`` unit normals of the canonical cells (x right, y down, z to the camera); NaN outside."""
        return mesh().normals

    def reset(self) -> None:
        """Forget the previous frame and the chosen surroundings."""
        self._before = None
        self._around = None

    def _surroundings(self, frame: Frame, face: Face | None) -> _Around:
        """What to call surroundings: the same as before as long as the face only sways.

        A mask that followed every movement would let bright and coloured things in and out at its edges: a colourful
        room would seem to change colour, more than a face does that answers a weak screen.
        """
        size_px = frame.width_px, frame.height_px
        box = None if face is None else face.box
        last = self._around
        if last is not None and box is not None and last.size_px == size_px and _moved(last.box, box) <= SWAY:
            return last
        free = surroundings((frame.height_px, frame.width_px), stride_for(frame.height_px), box)
        found = _Around(size_px, box or Box(0.0, 0.0, 0.0, 0.0), free, blocks(free).min(axis=1, initial=1.0) > 0.0)
        if box is not None:  # whoever is lost for a frame stands where they stood
            self._around = found
        return found

    def extract(self, frame: Frame, face: Face | None, *, track: int, faces: int) -> FrameEvidence:
        """Measure one frame; ``face`` None gives NaN arrays and track -1.

        ``track`` and ``faces`` are the perception's: the number of the uninterrupted face, and how many faces count.
        """
        strided = strided_pixels(frame.pixels, stride_for(frame.height_px))
        around = self._surroundings(frame, face)
        background = NOTHING
        if around.free.mean() >= LEAST_BACKGROUND:
            background = mean_light(strided, around.free)
        noise, green = float("nan"), blocks(strided[..., 1])
        if self._before is not None and self._before.shape == green.shape:
            noise = block_noise(green, self._before, around.free_blocks)
        self._before = green

        grid = mesh()
        if face is None:
            light, clipped = np.full((GRID * GRID, 3), np.nan, np.float32), np.zeros(GRID * GRID, bool)
            landmarks: Floats = np.full((478, 3), np.nan, np.float32)
        else:
            light, clipped = face_cells(frame.pixels, face.landmarks)
            landmarks = np.asarray(face.landmarks, np.float32)
        known = ~np.isnan(light[:, 0])

        def part(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
            return trimmed_mean(light[mask.ravel() & known])

        skin = grid.skin.ravel()
        return FrameEvidence(
            sequence=frame.sequence,
            exposure_start_s=frame.exposure_start_s,
            exposure_s=frame.exposure_s,
            gains_locked=frame.gains_locked,
            lux=frame.lux,
            faces=faces,
            track=-1 if face is None else track,
            forehead=part(grid.forehead),
            left_cheek=part(grid.left_cheek),
            right_cheek=part(grid.right_cheek),
            face=part(skin),
            background=background,
            clipped_ratio=float(clipped[skin].mean()) if face is not None else 0.0,
            map_rgb=light.reshape(GRID, GRID, 3),
            landmarks=landmarks,
            frame_size_px=(frame.width_px, frame.height_px),
            fingerprint=fingerprint(strided),
            noise=noise,
        )


def _moved(before: Box, now: Box) -> float:
    """How far the edge that moved most has moved, in widths of the face."""
    edges = (
        (before.left_px, now.left_px), (before.right_px, now.right_px),
        (before.top_px, now.top_px), (before.bottom_px, now.bottom_px),
    )  # fmt: skip
    return max(abs(a - b) for a, b in edges) / max(before.width_px, 1.0)


def fingerprint(strided: Pixels) -> int:
    """64-bit hash of the looked-at pixels: two equal ones are the same picture."""
    return int.from_bytes(hashlib.blake2b(strided.tobytes(), digest_size=8).digest(), "big")
