"""Signs drawn by code: arrows, tick, cross, heads.

Each is drawn on a grid of 1000 × 1000 as a coverage mask, four times oversampled, and blended in one colour; a sign
of several colours is several layers. Not used per frame: the renderer keeps what it has drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.values import Pixels, Rgb

Mask = NDArray[np.uint8]
_GRID: Final = 1000


def _polygon(mask: Mask, points: list[tuple[float, float]], level: int = 255) -> None:
    cv2.fillPoly(mask, [np.array(points, np.int32)], level)


def _line(mask: Mask, points: list[tuple[float, float]], width: int, level: int = 255) -> None:
    """A polyline with round ends."""
    cv2.polylines(mask, [np.array(points, np.int32)], False, level, width, cv2.LINE_8)
    for x, y in (points[0], points[-1]):
        cv2.circle(mask, (round(x), round(y)), width // 2, level, -1)


def _turn(points: list[tuple[float, float]], quarter_turns: int) -> list[tuple[float, float]]:
    """Rotate about the grid's centre, clockwise."""
    for _ in range(quarter_turns % 4):
        points = [(_GRID - y, x) for x, y in points]
    return points


_ARROW = [(30.0, 500.0), (480.0, 60.0), (480.0, 310.0), (970.0, 310.0), (970.0, 690.0), (480.0, 690.0), (480.0, 940.0)]
"""Points to the left."""


def _arrow(quarter_turns: int) -> Callable[[Mask], None]:
    return lambda mask: _polygon(mask, _turn(_ARROW, quarter_turns))


def _corner_arrows(mask: Mask, tip: float, tail: float) -> None:
    """Four diagonal arrows; ``tip`` and ``tail`` are distances from the corner along both axes."""
    for turns in range(4):
        away = 1 if tip < tail else -1
        _line(mask, _turn([(tip, tip), (tail, tail)], turns), 84)
        _line(mask, _turn([(tip + away * 190, tip), (tip, tip), (tip, tip + away * 190)], turns), 84)


def _closer(mask: Mask) -> None:
    cv2.ellipse(mask, (500, 500), (165, 215), 0, 0, 360, 255, -1)
    _corner_arrows(mask, 60, 270)


def _back(mask: Mask) -> None:
    cv2.ellipse(mask, (500, 500), (165, 215), 0, 0, 360, 255, -1)
    _corner_arrows(mask, 290, 60)


def _disc(mask: Mask) -> None:
    cv2.circle(mask, (500, 500), 490, 255, -1)


def _tick(mask: Mask) -> None:
    _line(mask, [(255, 520), (435, 700), (755, 330)], 120)


def _cross(mask: Mask) -> None:
    _line(mask, [(320, 320), (680, 680)], 120)
    _line(mask, [(680, 320), (320, 680)], 120)


def _again(mask: Mask) -> None:
    cv2.ellipse(mask, (500, 510), (250, 250), 0, -30, 255, 255, 90)
    _polygon(mask, [(395, 130), (395, 410), (610, 270)])


def _triangle(mask: Mask) -> None:
    points = [(500.0, 130.0), (930.0, 860.0), (70.0, 860.0)]
    _polygon(mask, points)
    _line(mask, [*points, points[0]], 100)


def _exclamation(mask: Mask) -> None:
    _polygon(mask, [(435, 340), (565, 340), (540, 650), (460, 650)])
    cv2.circle(mask, (500, 760), 62, 255, -1)


def _notice(mask: Mask) -> None:
    _polygon(mask, [(425, 215), (575, 215), (548, 590), (452, 590)])
    cv2.circle(mask, (500, 722), 72, 255, -1)


def _head(mask: Mask) -> None:
    """A friendly face in outline over shoulders."""
    cv2.ellipse(mask, (500, 420), (235, 305), 0, 0, 360, 255, 46)
    for x in (412, 588):
        cv2.ellipse(mask, (x, 385), (27, 36), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (500, 470), (118, 112), 0, 35, 145, 255, 40)
    cv2.ellipse(mask, (500, 1120), (400, 300), 0, 202, 338, 255, 46)


def _frame_corners(mask: Mask) -> None:
    """Four corners around the face: "this is where the picture is taken"."""
    for turns in range(4):
        _line(mask, _turn([(40, 220), (40, 40), (220, 40)], turns), 46)


def _two_heads(mask: Mask) -> None:
    cv2.ellipse(mask, (330, 400), (165, 215), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (330, 1000), (290, 330), 0, 180, 360, 255, -1)
    cv2.ellipse(mask, (740, 400), (150, 200), 0, 0, 360, 255, 46)
    cv2.ellipse(mask, (740, 1000), (230, 300), 0, 180, 360, 255, 46)
    _line(mask, [(560, 120), (930, 880)], 66)


def _aside(mask: Mask) -> None:
    cv2.ellipse(mask, (290, 390), (150, 195), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (290, 960), (250, 300), 0, 180, 360, 255, -1)
    arrow = [(x * 0.42 + 560, y * 0.42 + 250) for x, y in _turn(_ARROW, 2)]
    _polygon(mask, arrow)


def _dots(mask: Mask) -> None:
    for x in (180, 500, 820):
        cv2.circle(mask, (x, 500), 110, 255, -1)


_DRAWN: Final[dict[str, Callable[[Mask], None]]] = {
    "left": _arrow(0),
    "up": _arrow(1),
    "right": _arrow(2),
    "down": _arrow(3),
    "closer": _closer,
    "back": _back,
    "disc": _disc,
    "tick": _tick,
    "cross": _cross,
    "again": _again,
    "triangle": _triangle,
    "exclamation": _exclamation,
    "notice": _notice,
    "head": _head,
    "corners": _frame_corners,
    "two_heads": _two_heads,
    "aside": _aside,
    "dots": _dots,
}
NAMES: Final = tuple(_DRAWN)


def coverage(name: str, side_px: int) -> Mask:
    """``(side, side) uint8``: how much of each pixel the sign ``name`` covers. KeyError for an unknown name."""
    mask: Mask = np.zeros((_GRID, _GRID), np.uint8)
    _DRAWN[name](mask)
    return np.asarray(cv2.resize(mask, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def stamp(canvas: Pixels, name: str, colour: Rgb, centre_px: tuple[int, int], side_px: int) -> None:
    """Blend the sign into ``canvas`` ((H, W, 3) uint8 RGB) around ``centre_px``; what lies outside is cut off."""
    side = max(1, side_px)
    left, top = centre_px[0] - side // 2, centre_px[1] - side // 2
    height, width = canvas.shape[:2]
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    if x0 >= x1 or y0 >= y1:
        return
    alpha = coverage(name, side)[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.float32) / 255
    part = canvas[y0:y1, x0:x1]
    part[...] = np.rint(part * (1 - alpha) + np.array(colour, np.float32) * alpha)
