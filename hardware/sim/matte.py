"""Cutting the person out of a photograph, and cleaning the cut.

A segmentation model gives the better cut (``Portrait.of(..., matte=...)``); ``grab_cut`` is the way without one.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.values import Floats

_CHIN, _FOREHEAD, _LEFT, _RIGHT = 152, 10, 234, 454


def grab_cut(picture: NDArray[np.uint8], points: Floats, px_per_mm: float) -> Floats:
    """Person's matte (H, W) 0..1 from colours alone: GrabCut started from the face's geometry.

    Rother et al. 2004. ``points`` are landmarks (N, 2) in pixels of ``picture``.
    """
    height, width = picture.shape[:2]
    shrink = 4
    small = cv2.resize(picture, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA)
    mask = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    scale = px_per_mm / shrink
    spots = points / shrink
    centre = (spots[_LEFT] + spots[_RIGHT]) / 2
    chin, forehead = spots[_CHIN], spots[_FOREHEAD]
    half = float(np.hypot(*(spots[_RIGHT] - spots[_LEFT]))) / 2
    tall = float(np.hypot(*(chin - forehead))) / 2

    def ellipse(x: float, y: float, rx: float, ry: float, value: int) -> None:
        cv2.ellipse(mask, ((float(x), float(y)), (2 * float(rx), 2 * float(ry)), 0.0), value, cv2.FILLED)

    neck_y = float(chin[1]) + 25 * scale
    body = np.array(
        [
            (centre[0] - 75 * scale, neck_y),
            (centre[0] + 75 * scale, neck_y),
            (centre[0] + 270 * scale, neck_y + 110 * scale),
            (centre[0] + 300 * scale, mask.shape[0]),
            (centre[0] - 300 * scale, mask.shape[0]),
            (centre[0] - 270 * scale, neck_y + 110 * scale),
        ]
    )
    cv2.fillPoly(mask, [np.round(body).astype(np.int32)], cv2.GC_PR_FGD)
    # Hair and ears are part of the head whatever their colour: the mesh ends at the hairline.
    middle = float(chin[1] + forehead[1]) / 2
    ellipse(centre[0], middle - 0.24 * tall, 1.45 * half, 1.5 * tall, cv2.GC_PR_BGD)
    ellipse(centre[0], middle - 0.22 * tall, 1.22 * half, 1.34 * tall, cv2.GC_PR_FGD)
    ellipse(centre[0], middle - 0.20 * tall, 1.02 * half, 1.20 * tall, cv2.GC_FGD)
    ellipse(centre[0], middle, 0.9 * half, 0.98 * tall, cv2.GC_FGD)
    cv2.rectangle(
        mask,
        (round(float(centre[0]) - 0.6 * half), round(float(chin[1]) - 0.1 * tall)),
        (round(float(centre[0]) + 0.6 * half), round(neck_y + 30 * scale)),
        cv2.GC_FGD,
        cv2.FILLED,
    )
    core = body.copy()
    core[:, 0] = centre[0] + (core[:, 0] - centre[0]) * 0.55
    core[2:, 1] += 40 * scale
    cv2.fillPoly(mask, [np.round(core).astype(np.int32)], cv2.GC_FGD)
    cv2.setRNGSeed(1)
    whole = (0, 0, 1, 1)  # ignored in this mode
    cv2.grabCut(small, mask, whole, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_MASK)
    person = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    person = cv2.morphologyEx(cv2.morphologyEx(person, cv2.MORPH_CLOSE, disc), cv2.MORPH_OPEN, disc)
    soft = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 1.2)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def tidy(alpha: Floats, inside: Floats, points: Floats, px_per_mm: float) -> Floats:
    """A usable matte: the face's own piece only, its holes closed, a firm narrow edge, nothing outside the photograph.

    ``inside`` is 1 where the photograph really has pixels. Where it ends at a side or below, the body may go on
    (the colours are repeated), above it may not.
    """
    firm = np.clip((alpha - 0.5) * 2.2 + 0.42, 0.0, 1.0).astype(np.float32)
    firm *= _shoulders(alpha.shape, points, px_per_mm)
    rows = np.flatnonzero(inside[:, inside.shape[1] // 2] > 0.5)
    if len(rows):
        firm[: rows[0]] = 0.0
    _, labels, stats, _ = cv2.connectedComponentsWithStats((firm > 0.5).astype(np.uint8), connectivity=4)
    x, y = points[:468].mean(axis=0)
    label = int(labels[int(np.clip(y, 0, alpha.shape[0] - 1)), int(np.clip(x, 0, alpha.shape[1] - 1))])
    if label == 0:
        label = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if len(stats) > 1 else 0
    own = (labels == label).astype(np.uint8)
    outside = 1 - own
    count, pieces, sizes, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    for piece in range(1, count):
        left, top, wide, _, area = sizes[piece]
        touches = left == 0 or top == 0 or left + wide == own.shape[1]
        if not touches and area < (60 * px_per_mm) ** 2:
            own[pieces == piece] = 1
    reach = cv2.dilate(own, np.ones((9, 9), np.uint8)).astype(np.float32)
    filled = np.maximum(firm, cv2.erode(own, np.ones((5, 5), np.uint8)).astype(np.float32))
    return np.asarray(cv2.GaussianBlur(filled * reach, (0, 0), 0.8), np.float32)


def _shoulders(shape: tuple[int, ...], points: Floats, px_per_mm: float) -> Floats:
    """1 where a body can be, 0 beside it: neighbours in the photograph and repeated borders are no shoulders."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    middle = float((points[_LEFT, 0] + points[_RIGHT, 0]) / 2)
    across = np.abs(x - middle) / px_per_mm
    top = float(points[_CHIN, 1]) / px_per_mm + 5.0 + 120.0 * np.maximum((across - 60.0) / 190.0, 0.0) ** 1.5
    below = np.clip((y / px_per_mm - top) / 4.0 + 0.5, 0.0, 1.0)
    beside = np.clip((275.0 - across) / 4.0 + 0.5, 0.0, 1.0)
    # Above the shoulders there is only the head, with its hair, and the neck.
    chin = float(points[_CHIN, 1])
    wide = 150.0 - 65.0 * np.clip((y - chin) / px_per_mm / 50.0 + 1.2, 0.0, 1.0)
    head = np.clip((wide - across) / 4.0, 0.0, 1.0) * (y < chin + 30.0 * px_per_mm)
    return np.asarray(np.maximum(below * beside, head), np.float32)


def spread_colours(colours: Floats, alpha: Floats) -> Floats:
    """``colours`` (H, W, 3) with those of the solid part spread over the edge, so that no
    old background shines through.
    """
    solid = cv2.erode((alpha > 0.97).astype(np.float32), np.ones((5, 5), np.uint8))
    filled = colours * solid[..., None]
    weight = solid
    missing = solid < 0.5
    result = np.where(missing[..., None], 0.0, colours).astype(np.float32)
    known = solid.copy()
    for sigma in (1.5, 3.0, 6.0, 12.0, 24.0, 60.0):
        spread = cv2.GaussianBlur(filled, (0, 0), sigma)
        mass = cv2.GaussianBlur(weight, (0, 0), sigma)
        usable = (known < 0.5) & (mass > 0.02)
        result[usable] = (spread / np.maximum(mass, 1e-6)[..., None])[usable]
        known[usable] = 1.0
    result[known < 0.5] = colours[known < 0.5]
    return result
