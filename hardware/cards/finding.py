"""Where a machine-readable zone may lie in a picture: two or three long, parallel, equally long lines of print.

Rules:
- Only geometry is judged here: whether it is a zone, its check digits say. Places come likeliest first, a few at most.
- Each place is handed on straight: turned, and drawn out to a rectangle by the ends of its lines (a homography), so
  that a tilted card has columns of one width. Which side is up is not known: a place is read both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from kiosk.values import Pixels

WORKING_PX = 1280
"""Longer side of the picture that lines are sought in."""
STROKE_PX = 17
"""Wider than a stroke of the print at that size: what is darker than its surroundings within this."""
GAPS_PX = (23, 35)
"""Gaps between letters that are closed, one try each."""
LEAST_LENGTH = 0.25
"""Of a line, in shares of the picture's longer side."""
WIDTH_PX = 1600
"""Of a place as it is handed on, without its margin."""
MARGIN_PX = 40
MOST_PLACES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Lines that may be a zone, drawn straight: the first at the top, or the last if it is upside down."""

    pixels: Pixels
    rows_px: tuple[float, ...]
    """Height of the middle of each line."""
    spacing_px: float


@dataclass(frozen=True, slots=True)
class _Line:
    """A long thin blot: its middle line from left to right, and how thick it is."""

    start: tuple[float, float]
    end: tuple[float, float]
    thick_px: float

    @property
    def length_px(self) -> float:
        return float(np.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]))

    @property
    def slope(self) -> float:
        return (self.end[1] - self.start[1]) / (self.end[0] - self.start[0])

    @property
    def middle(self) -> tuple[float, float]:
        return (self.start[0] + self.end[0]) / 2, (self.start[1] + self.end[1]) / 2


def find_places(pixels: Pixels) -> Iterator[Place]:
    """Places that may be a zone, in a picture that lies any way up, each upright or upside down."""
    import cv2

    height, width = pixels.shape[:2]
    scale = WORKING_PX / max(height, width)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    found = 0
    for turned in (pixels, np.ascontiguousarray(np.rot90(pixels))):
        grey = cv2.cvtColor(turned, cv2.COLOR_RGB2GRAY)
        small = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=kind), dtype=np.uint8)
        seen: list[tuple[float, float]] = []
        for gap in GAPS_PX:
            for group in _groups(_lines(small, gap)):
                if found == MOST_PLACES or _known(group, seen):
                    continue
                found += 1
                yield _straight(turned, group, scale)


def ink(pixels: Pixels, stroke_px: int) -> NDArray[np.uint8]:
    """How much darker each pixel is than its surroundings, 0..255: print without paper, shade and pattern."""
    import cv2

    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (stroke_px, stroke_px))
    dark: NDArray[np.uint8] = np.asarray(cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel), dtype=np.uint8)
    return dark


def _lines(grey: NDArray[np.uint8], gap_px: int) -> list[_Line]:
    """Blots of print whose gaps are closed that are long and thin."""
    import cv2

    dark = cv2.GaussianBlur(ink(grey, STROKE_PX), (3, 3), 0)
    level, _ = cv2.threshold(dark, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    black = (dark > max(12.0, level)).astype(np.uint8)
    closed = cv2.morphologyEx(black, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (gap_px, 3)))
    closed = cv2.morphologyEx(closed, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, (9, 3)))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(closed)
    found = []
    for number in range(1, count):
        left, top, wide, high, area = (int(value) for value in facts[number])
        if wide < LEAST_LENGTH * max(grey.shape) or area < 4 * wide:
            continue
        part = labels[top : top + high, left : left + wide] == number
        columns = np.flatnonzero(part.any(axis=0))
        upper = part[:, columns].argmax(axis=0)
        lower = high - 1 - part[::-1, columns].argmax(axis=0)
        slope, offset = _fitted(columns, (upper + lower) / 2)
        thick = float(np.median(lower - upper + 1))
        if thick * 6 > wide:
            continue
        ends = [(float(left + x), float(top + offset + slope * x)) for x in (columns[0], columns[-1])]
        found.append(_Line(ends[0], ends[1], thick))
    return found


def _fitted(x: NDArray[np.int64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and offset of a straight line through points of which some lie far off (two rounds of least squares)."""
    keep = np.ones(len(x), dtype=bool)
    slope, offset = 0.0, float(np.median(y))
    for _ in range(2):
        slope, offset = np.polyfit(x[keep], y[keep], 1)
        far = np.abs(y - (offset + slope * x))
        keep = far <= max(1.0, 2.0 * float(np.median(far)))
    return float(slope), float(offset)


def _groups(lines: Sequence[_Line]) -> list[tuple[_Line, ...]]:
    """Threes and twos that could be a zone, the longest and fullest first."""
    ordered = sorted(lines, key=lambda line: line.middle[1])
    pairs = [pair for pair in combinations(ordered, 2) if _neighbours(*pair)]
    threes = [(*pair, third) for pair in pairs for second, third in pairs if second is pair[1] and _even(*pair, third)]
    ranked = sorted(threes, key=_length, reverse=True)
    return ranked + sorted(pairs, key=_length, reverse=True)


def _length(group: tuple[_Line, ...]) -> float:
    return sum(line.length_px for line in group) / len(group)


def _neighbours(upper: _Line, lower: _Line) -> bool:
    """Equally long, above each other, and as far apart as the lines of a zone (2.6 times the capitals' height)."""
    length = (upper.length_px + lower.length_px) / 2
    thick = (upper.thick_px + lower.thick_px) / 2
    apart = _apart(upper, lower)
    return (
        min(upper.length_px, lower.length_px) > 0.85 * length
        and abs(upper.start[0] - lower.start[0] + upper.slope * apart) < 0.1 * length
        and abs(upper.slope - lower.slope) < 0.06
        and 1.3 * thick < apart < 5.0 * thick
    )


def _apart(upper: _Line, lower: _Line) -> float:
    """Distance across the lines, in pixels."""
    slope = (upper.slope + lower.slope) / 2
    (x, y), (other_x, other_y) = upper.middle, lower.middle
    return float((other_y - y - slope * (other_x - x)) / np.hypot(1.0, slope))


def _even(first: _Line, second: _Line, third: _Line) -> bool:
    one, other = _apart(first, second), _apart(second, third)
    return 0.75 < one / other < 1.33


def _known(group: tuple[_Line, ...], seen: list[tuple[float, float]]) -> bool:
    """Whether a place is one that was handed on already; remembers it otherwise."""
    spots = [line.middle for line in group]
    if all(any(np.hypot(x - a, y - b) < 12 for a, b in seen) for x, y in spots):
        return True
    seen.extend(spots)
    return False


def _straight(pixels: Pixels, group: tuple[_Line, ...], scale: float) -> Place:
    """The group drawn out to a rectangle whose lines are level."""
    import cv2

    spacing = sum(_apart(one, other) for one, other in pairwise(group)) / (len(group) - 1)
    spacing_px = WIDTH_PX * spacing / _length(group)
    high = spacing_px * (len(group) - 1)
    first, last = group[0], group[-1]
    seen = np.array([first.start, first.end, last.end, last.start], dtype=np.float32) / np.float32(scale)
    top, left, right = spacing_px, float(MARGIN_PX), float(MARGIN_PX + WIDTH_PX)
    wanted = np.array([[left, top], [right, top], [right, top + high], [left, top + high]], dtype=np.float32)
    size = (WIDTH_PX + 2 * MARGIN_PX, round(high + 2 * spacing_px))
    straight = cv2.warpPerspective(
        pixels, cv2.getPerspectiveTransform(seen, wanted), size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    rows = tuple(top + number * spacing_px for number in range(len(group)))
    return Place(np.asarray(straight, dtype=np.uint8), rows, spacing_px)
