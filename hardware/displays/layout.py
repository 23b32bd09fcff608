"""Where things are on the screen: pure geometry.

The screen has two parts: the *view* (the mirror with the oval, or the sign of a result) and the *panel* (the words).
Landscape: view left, panel right. Portrait: view above, panel below. The words therefore never cover the face.

How large words must be: a capital is read without effort when it fills 20 arc minutes (0.33°), so at 1.5 m the
headline's capitals are at least 1.5 m × tan(0.33°) = 8.7 mm. The second line is for someone who already stands at
the screen: 0.7 m, 4.0 mm; so are the words during the flash, which cost light: 1.0 m, 5.8 mm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from kiosk.values import Oval, Panel

HEADLINE_DISTANCE_MM: Final = 1500.0
FLASH_DISTANCE_MM: Final = 1000.0
DETAIL_DISTANCE_MM: Final = 700.0
READING_ANGLE_DEG: Final = 0.33
CAP_PER_EM: Final = 0.73
"""Height of a capital in ems, FreeSans Bold (a test measures it)."""
USUAL_SHORT_MM: Final = 88.0
"""Short side of the usual 7 inch panel, taken when no panel is given."""


@dataclass(frozen=True, slots=True)
class Rect:
    """Whole pixels; x to the right, y down."""

    x: int
    y: int
    w: int
    h: int

    def inset(self, by: int) -> Rect:
        """The same rectangle, smaller by ``by`` on each side."""
        return Rect(self.x + by, self.y + by, max(1, self.w - 2 * by), max(1, self.h - 2 * by))


def cap_height_mm(distance_mm: float) -> float:
    """Least height of capitals for reading at ``distance_mm``."""
    return distance_mm * math.tan(math.radians(READING_ANGLE_DEG))


def font_px(distance_mm: float, px_per_mm: float) -> int:
    """Least font size in pixels (em) for reading at ``distance_mm``."""
    return math.ceil(cap_height_mm(distance_mm) * px_per_mm / CAP_PER_EM)


@dataclass(frozen=True, slots=True)
class Layout:
    """The two parts of one screen and the sizes that belong to it."""

    size_px: tuple[int, int]
    view: Rect
    panel: Rect
    headline_px: int
    """Smallest font size of a headline."""
    detail_px: int
    """Smallest font size of a second line."""
    flash_px: int
    """Font size while flashing."""
    stroke_px: int
    """Width of the oval's line."""
    margin_px: int


def layout(size_px: tuple[int, int], panel: Panel | None = None) -> Layout:
    """The layout of a screen of ``size_px`` (width, height); without ``panel`` its short side is taken as 88 mm.

    A panel whose millimetres are given the other way round (a turned screen) is read short side to short side.
    """
    width, height = size_px
    short = min(size_px)
    short_mm = min(panel.width_mm, panel.height_mm) if panel else USUAL_SHORT_MM
    per_mm = short / short_mm
    if width >= height:
        cut = round(width * 0.5)
        view, words = Rect(0, 0, cut, height), Rect(cut, 0, width - cut, height)
    else:
        cut = round(height * 0.56)
        view, words = Rect(0, 0, width, cut), Rect(0, cut, width, height - cut)
    return Layout(
        size_px,
        view,
        words,
        # On a very large panel the angle alone would give tiny letters in a huge picture.
        max(font_px(HEADLINE_DISTANCE_MM, per_mm), round(short * 0.09)),
        max(font_px(DETAIL_DISTANCE_MM, per_mm), round(short * 0.05)),
        max(font_px(FLASH_DISTANCE_MM, per_mm), round(short * 0.06)),
        max(4, round(short * 0.021)),
        max(6, round(short * 0.033)),
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """How a camera frame lies, mirrored, on the screen: x = right - scale x_f, y = top + scale y_f."""

    scale: float
    right: float
    """Screen x of the frame's left edge: the mirror puts it at the right."""
    top: float
    source: Rect
    """Part of the unmirrored frame that is visible; empty where an odd oval leaves nothing of it."""
    target: Rect
    """Where it goes on the screen."""
    oval_centre: tuple[float, float]
    oval_axes: tuple[float, float]
    """Half width and half height, pixels of the screen."""

    def to_screen(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Screen position of a point of the unmirrored frame."""
        return self.right - self.scale * x_px, self.top + self.scale * y_px


def _slide(centre: float, drawn: float, low: float, high: float, reach: float) -> float:
    """Offset of the frame along one axis: oval centred, frame covering where it can, oval inside in any case.

    ``centre`` is the oval's centre within the drawn frame, ``drawn`` the frame's drawn length, ``reach`` half the oval.
    """
    offset = (low + high) / 2 - centre
    offset = min(max(offset, high - drawn), low) if drawn >= high - low else min(max(offset, low), high - drawn)
    return min(max(offset, low + reach - centre), high - reach - centre)


def _within(first: float, last: float, low: int, high: int) -> tuple[int, int]:
    """Both ends in whole pixels inside low..high."""
    return min(max(round(first), low), high), min(max(round(last), low), high)


def place(oval: Oval, frame_size_px: tuple[int, int], view: Rect, ring_px: float) -> Placement:
    """Lay the frame over ``view``: covering it, or smaller if the oval with its ring would not fit, mirrored.

    A small oval is enlarged until it is 60 % of the view's height, so that people far away see themselves.
    """
    frame_w, frame_h = frame_size_px
    oval_w, oval_h = max(oval.width_ratio, 0.02) * frame_w, max(oval.height_ratio, 0.02) * frame_h
    scale = max(view.w / frame_w, view.h / frame_h, 0.60 * view.h / oval_h)
    scale = min(scale, (view.w - 2 * ring_px) / oval_w, (view.h - 2 * ring_px) / oval_h)
    drawn_w, drawn_h = frame_w * scale, frame_h * scale
    half_w, half_h = oval_w * scale / 2, oval_h * scale / 2
    centre_x, centre_y = (1 - oval.centre_x_ratio) * drawn_w, oval.centre_y_ratio * drawn_h
    left = _slide(centre_x, drawn_w, view.x, view.x + view.w, half_w + ring_px)
    top = _slide(centre_y, drawn_h, view.y, view.y + view.h, half_h + ring_px)
    x0, x1 = _within(left, left + drawn_w, view.x, view.x + view.w)
    y0, y1 = _within(top, top + drawn_h, view.y, view.y + view.h)
    right = left + drawn_w
    sx0, sx1 = _within((right - x1) / scale, (right - x0) / scale, 0, frame_w)
    sy0, sy1 = _within((y0 - top) / scale, (y1 - top) / scale, 0, frame_h)
    return Placement(
        scale,
        right,
        top,
        Rect(sx0, sy0, max(0, sx1 - sx0), max(0, sy1 - sy0)),
        Rect(x0, y0, max(0, x1 - x0), max(0, y1 - y0)),
        (left + centre_x, top + centre_y),
        (half_w, half_h),
    )
