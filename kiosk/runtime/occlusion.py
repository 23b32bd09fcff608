"""Is something dark over the eyes, or something else over mouth, nose and cheeks? Two scores of 0..1.

Each score is a logistic function of a few named contrasts between parts of the same face (luma and log-chromaticity
relative to the face's own skin), so neither the skin's tone nor the light's colour decides. The weights were fitted
by ``tests/bench/occlusion.py`` on real faces with painted sunglasses and masks: synthetic occlusions, real skin. A
hand is skin: only its shadows and edges speak against it, so hands are found less often than masks.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kiosk.values import Face, Floats, Pixels

# Landmark numbers of MediaPipe's mesh, the visitor's right (image left) first.
FOREHEAD = (151, 108, 337, 69, 299, 9, 104, 333)
LOWER_CHEEKS = (205, 187, 207, 216, 425, 411, 427, 436)
NOSE = (4, 5, 195, 45, 275, 1)
UPPER_LIP = (164, 167, 393, 165, 391)
LIPS = (0, 13, 14, 17, 37, 267, 84, 314)
MOUTH_LINE = (78, 191, 80, 81, 82, 312, 311, 310, 415, 308)
NOSTRILS = (98, 97, 2, 326, 327, 60, 290)
CHIN = (200, 199, 201, 421, 18, 175)
UPPER_LIDS = (247, 30, 29, 27, 28, 467, 260, 259, 257, 258)
UNDER_EYES = (228, 229, 230, 231, 448, 449, 450, 451)
LOWER_LIDS = (110, 24, 23, 22, 339, 254, 253, 252)
EYES = (468, 159, 145, 33, 133, 473, 386, 374, 362, 263)
_SPREAD = np.array([(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)], np.float32)

SUNGLASSES_WEIGHTS = (-8.512, -1.017, -2.262, -1.958, 0.017, 0.197, -1.673, -2.067)
COVERED_WEIGHTS = (
    *(-9.513, 0.789, 0.889, 0.387, 0.874, 1.110, 0.963, -3.034, -0.925),
    *(1.779, -0.812, 0.970, 1.709, 1.559, -0.665, 0.796),
)
"""Intercept first. On people who were not fitted: painted sunglasses found 97 %, painted masks 98 %, painted hands only
13 %; called covered without being so: 1 in 122 each on LFW, none of 120 webcam frames and of 32 video frames."""


def sunglasses_score(pixels: Pixels, face: Face) -> float:
    """0..1; 1 is certainly sunglasses. ``pixels`` ``(H, W, 3) uint8 RGB`` is the picture that the face was found in."""
    return _logistic(sunglasses_contrasts(pixels, face), SUNGLASSES_WEIGHTS)


def covered_score(pixels: Pixels, face: Face) -> float:
    """0..1; 1 is certainly a mask or something like it over mouth, nose or cheeks."""
    return _logistic(covered_contrasts(pixels, face), COVERED_WEIGHTS)


def sunglasses_contrasts(pixels: Pixels, face: Face) -> NDArray[np.float64]:
    """The seven numbers behind ``sunglasses_score``: log luma of the eye's parts over the skin's, colour, structure."""
    part = _sampler(pixels, face)
    skin = np.concatenate([part(LOWER_CHEEKS), part(NOSE), part(FOREHEAD)])
    tone = _tone(skin)
    lids, under, lower, eyes = (_tone(part(which)) for which in (UPPER_LIDS, UNDER_EYES, LOWER_LIDS, EYES))
    around = np.concatenate([part(LOWER_LIDS), part(EYES), part(UPPER_LIDS)])
    luma = _luma(around)
    return np.array(
        [
            lids[0] - tone[0],
            under[0] - tone[0],
            lower[0] - tone[0],
            eyes[0] - tone[0],
            math.hypot(lower[1] - tone[1], lower[2] - tone[2]),
            math.log((float(np.percentile(luma, 90)) + 2.0) / (math.exp(tone[0]))),
            math.log((float(luma.std()) + 1.0) / (math.exp(tone[0]))),
        ]
    )


def covered_contrasts(pixels: Pixels, face: Face) -> NDArray[np.float64]:
    """The fifteen numbers behind ``covered_score``: the lower face against forehead and under-eye skin, part by part.

    Colour distances (and the least of them: a mask changes all parts at once, a beard or lipstick some), lips redder
    and darker than around, nostrils darker than the nose, structure of mouth and nose, light and colour of the cheeks.
    """
    part = _sampler(pixels, face)
    skin = _tone(np.concatenate([part(FOREHEAD), part(UNDER_EYES)]))
    parts = [_tone(part(which)) for which in (NOSE, UPPER_LIP, LIPS, CHIN, LOWER_CHEEKS)]
    colours = [math.hypot(one[1] - skin[1], one[2] - skin[2]) for one in parts]
    nose, upper_lip, lips, chin, cheeks = parts
    lip_red = lips[1] - (upper_lip[1] + chin[1] + cheeks[1]) / 3
    lip_dark = lips[0] - (upper_lip[0] + chin[0] + cheeks[0]) / 3
    level = math.exp(skin[0])
    mouth, nostrils = _luma(part(MOUTH_LINE + LIPS)), _tone(part(NOSTRILS))
    return np.array(
        [
            *colours,
            min(colours),
            math.log((float(mouth.std()) + 1.0) / level),
            math.log((float(_luma(part(NOSE + NOSTRILS)).std()) + 1.0) / level),
            nostrils[0] - nose[0],
            lip_red,
            lip_dark,
            abs(nose[0] - skin[0]),
            abs(cheeks[0] - skin[0]),
            (cheeks[1] + nose[1]) / 2 - skin[1],
            (cheeks[2] + nose[2]) / 2 - skin[2],
        ]
    )


def _sampler(pixels: Pixels, face: Face) -> Callable[[tuple[int, ...]], Floats]:
    """How to read the pixels around landmarks of this face."""
    height, width = pixels.shape[:2]
    points = face.landmarks[:, :2]
    step = max(1.0, float(np.ptp(points[:468, 0])) / 60)

    def part(which: tuple[int, ...]) -> Floats:
        """``(9 n, 3) float32``: nine pixels around each landmark."""
        places = (points[list(which), None, :] + _SPREAD * step).reshape(-1, 2)
        columns = np.clip(places[:, 0], 0, width - 1).astype(np.intp)
        rows = np.clip(places[:, 1], 0, height - 1).astype(np.intp)
        return pixels[rows, columns].astype(np.float32)

    return part


def _luma(samples: Floats) -> Floats:
    weighted: Floats = 0.299 * samples[:, 0] + 0.587 * samples[:, 1] + 0.114 * samples[:, 2]
    return weighted


def _tone(samples: Floats) -> tuple[float, float, float]:
    """(log luma, log red over green, log blue over green) of the trimmed middle of the samples."""
    middle = np.sort(samples, axis=0)
    cut = len(middle) // 5
    red, green, blue = (middle[cut : len(middle) - cut].mean(axis=0) + 4.0).tolist()
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return math.log(luma), math.log(red / green), math.log(blue / green)


def _logistic(contrasts: NDArray[np.float64], weights: tuple[float, ...]) -> float:
    """1 / (1 + e^-(w0 + w . contrasts))."""
    total = weights[0] + float(np.dot(weights[1:], contrasts))
    return 1.0 / (1.0 + math.exp(-min(60.0, max(-60.0, total))))
