"""A drawn visitor in a drawn room, for pictures of the screen that show no real person."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from kiosk.reasons import Reason
from kiosk.values import Pixels, Rgb

SIZE_PX: Final = (640, 480)
_OVERSAMPLE: Final = 3
_SKIN: Final[Rgb] = (198, 146, 112)
_SHADE: Final[Rgb] = (170, 120, 90)
_HAIR: Final[Rgb] = (58, 42, 36)
_COAT: Final[Rgb] = (52, 84, 110)

Where = tuple[float, float, float]
"""Head centre x and y in ratios of the *unmirrored* frame, and size (1: fills the usual oval)."""
_WHERE: Final[dict[Reason, tuple[Where, ...]]] = {
    # The mirror shows a head at the frame's left on the right: its owner must go to the left.
    Reason.MOVE_LEFT: ((0.30, 0.5, 1.0),),
    Reason.MOVE_RIGHT: ((0.70, 0.5, 1.0),),
    Reason.MOVE_UP: ((0.5, 0.74, 1.0),),
    Reason.MOVE_DOWN: ((0.5, 0.26, 1.0),),
    Reason.MOVE_CLOSER: ((0.5, 0.5, 0.55),),
    Reason.FACE_TOO_SMALL: ((0.5, 0.5, 0.4),),
    Reason.MOVE_BACK: ((0.5, 0.5, 1.6),),
    Reason.FACE_CUT_OFF: ((0.5, 0.16, 1.1),),
    Reason.NO_FACE: (),
    Reason.ONE_PERSON: ((0.38, 0.5, 0.85), (0.70, 0.52, 0.8)),
}


def standin(where: tuple[Where, ...] = ((0.5, 0.5, 1.0),)) -> Pixels:
    """``(480, 640, 3) uint8 RGB`` with one drawn head for each entry of ``where``."""
    wide, high = SIZE_PX[0] * _OVERSAMPLE, SIZE_PX[1] * _OVERSAMPLE
    canvas: Pixels = np.empty((high, wide, 3), np.uint8)
    canvas[...] = np.linspace(214, 178, high).astype(np.uint8)[:, None, None]
    for left, right, light in ((0.04, 0.22, 232), (0.80, 0.95, 226)):  # two bright windows tell left from right
        cv2.rectangle(
            canvas,
            (round(left * wide), round(0.10 * high)),
            (round(right * wide), round(0.55 * high)),
            (light - 14, light, light + 12),
            -1,
        )
    cv2.rectangle(canvas, (0, round(0.86 * high)), (wide, high), (150, 132, 116), -1)
    for x, y, size in where:
        _head(canvas, x * wide, y * high, size * high)
    return np.asarray(cv2.resize(canvas, SIZE_PX, interpolation=cv2.INTER_AREA), np.uint8)


def standin_for(reason: Reason | None) -> Pixels:
    """The picture that a hint is about: the head where the hint finds it, the light as the hint complains."""
    picture = standin(_WHERE.get(reason, ((0.5, 0.5, 1.0),)) if reason is not None else ((0.5, 0.5, 1.0),))
    if reason is Reason.TOO_DARK:
        picture = np.asarray(picture * 0.22, np.uint8)
    elif reason is Reason.TOO_BRIGHT:
        picture = np.asarray(np.minimum(255, picture.astype(np.float32) * 1.6 + 40), np.uint8)
    elif reason is Reason.BLURRED:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)
    return picture


def _head(canvas: Pixels, x: float, y: float, unit: float) -> None:
    """``unit``: screen heights; the face is 0.46 units high."""

    def oval(dx: float, dy: float, rx: float, ry: float, colour: Rgb, start: float = 0, end: float = 360) -> None:
        centre = round(x + dx * unit), round(y + dy * unit)
        cv2.ellipse(canvas, centre, (round(rx * unit), round(ry * unit)), 0, start, end, colour, -1)

    oval(0, 0.62, 0.36, 0.32, _COAT)
    oval(0, 0.26, 0.085, 0.14, _SHADE)
    oval(0, -0.05, 0.195, 0.235, _HAIR)
    for side in (-1, 1):
        oval(side * 0.178, 0.02, 0.026, 0.045, _SHADE)
    oval(0, 0.01, 0.172, 0.222, _SKIN)
    oval(0, -0.095, 0.172, 0.135, _HAIR, 180, 360)
    for side in (-1, 1):
        oval(side * 0.07, -0.012, 0.030, 0.017, (245, 243, 240))
        oval(side * 0.07, -0.012, 0.015, 0.016, (44, 34, 30))
        oval(side * 0.07, -0.052, 0.038, 0.009, _HAIR)
    oval(0, 0.062, 0.020, 0.030, _SHADE)
    oval(0, 0.128, 0.058, 0.020, (150, 74, 70), 0, 180)
