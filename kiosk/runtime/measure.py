"""Pixels and a face in, the numbers of ``kiosk.visit.quality.FaceMeasures`` out. Measures only, judges nothing.

Rules:
- Everything is measured on the face, never on the whole picture, and at a fixed size (the mesh 96 points wide), so
  that the distance to the camera does not change a number.
- Means and shares are taken inside the mesh's ellipse without the forehead, where hair would count as darkness.
- Sunglasses and covers are logistic scores of a few named contrasts (``kiosk.runtime.occlusion``).
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kiosk.runtime.occlusion import covered_score, sunglasses_score
from kiosk.values import Face, Floats, Pixels
from kiosk.visit.quality import FaceMeasures

SIDE = (120, 96)
"""(rows, columns) of the patch that everything is measured on."""
CLIPPED = 250
DARK = 20
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of R, G, B in the luma of ITU-R BT.601."""
_SHARP_AT_15, _SHARP_AT_60 = 0.006, 0.030
"""Detail (see ``sharpness``) that is called 15 and 60; the scale between and around is logarithmic."""


def measure_face(pixels: Pixels, face: Face, *, faces: int) -> FaceMeasures:
    """Every number of one face. ``faces``: how many count in the picture."""
    height, width = pixels.shape[:2]
    return measure_pixels(pixels, face, measure_geometry(face, width, height, faces=faces))


def measure_geometry(face: Face, width_px: int, height_px: int, *, faces: int) -> FaceMeasures:
    """The numbers that need no pixels, for a picture of this size."""
    points = face.landmarks[:, :2]
    inside = np.all((points >= 0) & (points <= (width_px, height_px)), axis=1)
    blinks = [face.blendshapes[name] for name in ("eyeBlinkLeft", "eyeBlinkRight") if name in face.blendshapes]
    return FaceMeasures(
        faces=faces,
        inside_ratio=float(inside.mean()),
        face_px=min(face.box.width_px, face.box.height_px),
        eye_distance_px=face.eye_distance_px,
        pose=face.pose,
        blink=max(blinks) if len(blinks) == 2 else None,
    )


def measure_pixels(pixels: Pixels, face: Face, known: FaceMeasures) -> FaceMeasures:
    """``known`` with the light, the sharpness and the occlusion scores added.

    A face that lies outside the picture keeps None: not measured.
    """
    bounds = _bounds(face, pixels.shape[1], pixels.shape[0])
    if bounds is None:
        return known
    left, top, right, bottom = bounds
    crop = pixels[top:bottom, left:right]
    inside = _ellipse()
    patch = _sample(crop)[inside]
    luma = _luma(patch)
    return replace(
        known,
        brightness=float(luma.mean()) / 2.55,
        dark_ratio=float((luma <= DARK).mean()),
        clipped_ratio=float((patch >= CLIPPED).any(axis=1).mean()),
        sharpness=sharpness(crop),
        sunglasses=sunglasses_score(pixels, face),
        covered=covered_score(pixels, face),
    )


def sharpness(crop: Pixels) -> float:
    """0..100: the fine detail of a face picture ``(h, w, 3)`` brought to the fixed size.

    Detail is the spread of a band-pass (3-point minus 7-point binomial) over the mean luma plus a floor: relative to
    the light, so that a dim face is not called blurred, with a floor so that the noise of a dark one is not called
    sharp. The spread is a robust one (median absolute value), so that the rim of glasses alone does not help.
    """
    small = _shrink(_luma(crop))
    fine = _blur(small)
    band = np.abs(fine - _blur(_blur(fine)))[_ellipse()]
    detail = float(np.sqrt(np.mean(np.minimum(band, 40.0) ** 2))) / (float(fine[_ellipse()].mean()) + 20.0)
    span = math.log(_SHARP_AT_60 / _SHARP_AT_15)
    return min(100.0, max(0.0, 15.0 + 45.0 * math.log(max(detail, 1e-6) / _SHARP_AT_15) / span))


def _luma(pixels: Pixels) -> Floats:
    """``(...) float32`` luma of ``(..., 3)``."""
    red, green, blue = (pixels[..., channel].astype(np.float32) for channel in range(3))
    weighted: Floats = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return weighted


def _bounds(face: Face, width_px: int, height_px: int) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) of the mesh inside the picture; None where too little of it is there."""
    low = face.landmarks[:, :2].min(axis=0)
    high = face.landmarks[:, :2].max(axis=0)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return None
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(width_px, int(high[0]) + 1), min(height_px, int(high[1]) + 1)
    return (left, top, right, bottom) if right - left >= 8 and bottom - top >= 8 else None


@cache
def _ellipse() -> NDArray[np.bool_]:
    """``SIDE`` mask of the face: the ellipse in the patch, its upper 15 % left out."""
    rows, columns = SIDE
    y, x = np.mgrid[0:rows, 0:columns]
    inside = ((x + 0.5) / columns - 0.5) ** 2 + ((y + 0.5) / rows - 0.5) ** 2 <= 0.47**2
    mask: NDArray[np.bool_] = inside & (y >= 0.15 * rows)
    return mask


def _sample(crop: Pixels) -> Pixels:
    """``(*SIDE, 3)`` nearest pixels: no averaging, so that clipped ones stay clipped."""
    rows = ((np.arange(SIDE[0]) + 0.5) * crop.shape[0] / SIDE[0]).astype(np.intp)
    columns = ((np.arange(SIDE[1]) + 0.5) * crop.shape[1] / SIDE[1]).astype(np.intp)
    patch: Pixels = crop[rows[:, None], columns[None, :]]
    return patch


def _shrink(luma: Floats) -> Floats:
    """``SIDE`` picture: area averages, or bilinear where it must grow.

    Without matrix products: BLAS would spread so small a product over threads that the models need.
    """
    return _resample(_resample(luma, SIDE[0]).T, SIDE[1]).T


def _resample(values: Floats, target: int) -> Floats:
    """``(target, ...)``: the first axis brought to another length."""
    length = len(values)
    step = length / target
    if step < 1.0:
        places = np.clip((np.arange(target) + 0.5) * step - 0.5, 0, length - 1)
        return _between(values, places)
    sums = np.zeros((length + 1, *values.shape[1:]), np.float32)
    np.cumsum(values, axis=0, dtype=np.float32, out=sums[1:])
    edges = _between(sums, np.arange(target + 1, dtype=np.float64) * np.float64(step))
    averages: Floats = (edges[1:] - edges[:-1]) / np.float32(step)
    return averages


def _between(values: Floats, places: NDArray[np.float64]) -> Floats:
    """Rows of ``values`` at fractional places, linearly interpolated."""
    low = np.minimum(places.astype(np.intp), max(len(values) - 2, 0))
    share = (places - low).astype(np.float32)[:, None]
    between: Floats = values[low] * (1 - share) + values[np.minimum(low + 1, len(values) - 1)] * share
    return between


def _blur(values: Floats) -> Floats:
    """1-2-1 in both directions, edges repeated."""
    padded = np.pad(values, 1, mode="edge")
    across = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    blurred: Floats = (across[:-2] + 2 * across[1:-1] + across[2:]) / np.float32(16)
    return blurred
