"""Small drawings for the report, as SVG text: bars with bounds, curves, tables of shades. No package, no script.

All sizes are pixels. Colours: one blue for figures, orange for limits, greys for everything else. Text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

BLUE, ORANGE, RED, GREY, PALE = "#1f5fa8", "#c65d00", "#b3261e", "#5f6368", "#e6e8eb"
FONT = "font-family='sans-serif' font-size='12'"


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure with its bound, both in percent; None where nothing was tried."""

    name: str
    value: float | None
    high: float | None
    note: str = ""
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, y) of one line."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str = BLUE
    steps: bool = False
    dashes: str = ""
    """Of the stroke: lines are told apart without their colour."""


def bars(rows: Sequence[Bar], *, limit: float | None, axis: str, most: float | None = None) -> str:
    """Horizontal bars: the figure as a bar, its upper bound as a thin line, the limit as an orange line."""
    left, width, pitch, right = _room(row.name for row in rows), 400, 24, 150
    top = 14 if limit is None else 30
    known = [value for row in rows for value in (row.value, row.high) if value is not None]
    end = _nice(max([*known, limit or 0.0, 0.5])) if most is None else most
    scale = width / end
    parts = []
    for number, row in enumerate(rows):
        y = top + number * pitch
        parts.append(_text(left - 8, y + 9, row.name, "end"))
        if row.high is not None and row.value is not None:
            tip = left + min(row.high, end) * scale
            parts.append(f"<line x1='{left}' x2='{tip:.1f}' y1='{y + 5}' y2='{y + 5}' stroke='{GREY}'/>")
            if row.high <= end:
                parts.append(f"<line x1='{tip:.1f}' x2='{tip:.1f}' y1='{y}' y2='{y + 10}' stroke='{GREY}'/>")
            else:  # it leaves the picture
                parts.append(f"<path d='M{tip - 6:.1f} {y + 1}l6 4l-6 4' fill='none' stroke='{GREY}'/>")
            long = min(row.value, end) * scale
            colour = "#9aa0a6" if row.muted else BLUE
            parts.append(f"<rect x='{left}' y='{y - 2}' width='{long:.1f}' height='14' fill='{colour}'/>")
        parts.append(_text(left + width + 10, y + 9, row.note))
    bottom = top + len(rows) * pitch
    parts += _ticks_x(left, bottom, width, end)
    if limit is not None:
        x = left + limit * scale
        parts.append(_mark(x, top - 10, bottom))
        parts.append(_text(x, top - 14, f"limit {limit:g} %", "middle", colour=ORANGE))
    parts.append(_text(left + width / 2, bottom + 34, axis, "middle"))
    return _svg(left + width + right, bottom + 44, parts, axis)


def curves(
    lines: Sequence[Curve],
    *,
    x_axis: str,
    y_axis: str,
    x_end: float,
    y_end: float,
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """Lines over linear axes from 0; ``marks`` are the targets at values of x, with their words."""
    left, top, width, height = 64, 54 if marks else 34, 440, 240
    parts = _ticks_x(left, top + height, width, x_end) + _ticks_y(left, top, width, height, y_end)
    for mark, said in marks:
        x = left + width * mark / x_end
        parts += [_mark(x, top, top + height), _text(x, top - 6, said, "middle", colour=ORANGE)]
    for number, line in enumerate(lines):
        points: list[tuple[float, float]] = []
        for x, y in line.points:
            if math.isfinite(x) and math.isfinite(y):
                at = (left + width * min(x, x_end) / x_end, top + height * (1 - min(y, y_end) / y_end))
                if line.steps and points:
                    points.append((at[0], points[-1][1]))
                points.append(at)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashed = f" stroke-dasharray='{line.dashes}'" if line.dashes else ""
        parts.append(f"<polyline points='{path}' fill='none' stroke='{line.colour}' stroke-width='2'{dashed}/>")
        y = top + 14 + 18 * number
        parts.append(f"<line x1='{left + width + 14}' x2='{left + width + 34}' y1='{y}' y2='{y}' "
                     f"stroke='{line.colour}' stroke-width='3'{dashed}/>")  # fmt: skip
        parts.append(_text(left + width + 40, y + 4, line.name))
    parts.append(_text(left + width / 2, top + height + 36, x_axis, "middle"))
    parts.append(_text(left - 44, 16, y_axis))
    if marks:
        parts.append(_text(left + width + 14, top + 14 + 18 * len(lines) + 4, "thin dashes: targets", colour=ORANGE))
    return _svg(left + width + 260, top + height + 46, parts, f"{y_axis}; {x_axis}")


def shades(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    *,
    full: float,
    notes: Sequence[Sequence[str]] | None = None,
    caption: str = "",
) -> str:
    """A table whose cells darken with their value up to ``full`` (percent); None is an empty cell."""
    left, top, pitch_x, pitch_y = _room(rows), 40, 68, 22
    parts = [
        _text(left + (number + 0.5) * pitch_x - 1, top - 8 - 14 * (above - 1), line, "middle")
        for number, name in enumerate(columns)
        for above, line in zip(range(name.count("\n") + 1, 0, -1), name.split("\n"), strict=True)
    ]
    for row, name in enumerate(rows):
        y = top + row * pitch_y
        parts.append(_text(left - 8, y + 15, name, "end"))
        for column, value in enumerate(values[row]):
            x = left + column * pitch_x
            share = 0.0 if value is None else min(1.0, max(0.0, value / full))
            parts.append(f"<rect x='{x}' y='{y}' width='{pitch_x - 2}' height='{pitch_y - 2}' fill='{_shade(share)}'/>")
            shown = "" if value is None else f"{value:.0f}" if notes is None else notes[row][column]
            colour = "#ffffff" if share > 0.55 else "#202124"
            parts.append(_text(x + pitch_x / 2 - 1, y + 15, shown, "middle", colour=colour))
    bottom = top + len(rows) * pitch_y
    parts.append(_text(left, bottom + 18, caption))
    return _svg(left + max(len(columns) * pitch_x + 50, 7 * len(caption)), bottom + 28, parts, caption)


def _room(names: Iterable[str]) -> int:
    """Left of the figures, for the rows' names."""
    return max([120, *(30 + 7 * len(name) for name in names)])


def _shade(share: float) -> str:
    levels = [round(243 + (end - 243) * share) for end in (31, 95, 168)]
    return "#{:02x}{:02x}{:02x}".format(*levels)


def _nice(value: float) -> float:
    """The next of 1, 2, 5, 10, ... that is not smaller."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value - 1e-9)


def _ticks_x(left: float, y: float, width: float, end: float) -> list[str]:
    parts = [f"<line x1='{left}' x2='{left + width}' y1='{y}' y2='{y}' stroke='{GREY}'/>"]
    for number in range(6):
        x = left + width * number / 5
        parts.append(f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{y}' y2='{y + 4}' stroke='{GREY}'/>")
        parts.append(_text(x, y + 17, f"{end * number / 5:g}", "middle"))
    return parts


def _ticks_y(left: float, top: float, width: float, height: float, end: float) -> list[str]:
    parts = []
    for number in range(6):
        y = top + height * (1 - number / 5)
        parts.append(f"<line x1='{left}' x2='{left + width}' y1='{y:.1f}' y2='{y:.1f}' stroke='{PALE}'/>")
        parts.append(_text(left - 8, y + 4, f"{end * number / 5:g}", "end"))
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start", *, colour: str = "#202124") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' {FONT} fill='{colour}' text-anchor='{anchor}'>{escape(text)}</text>"


def _mark(x: float, top: float, bottom: float) -> str:
    return f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{top}' y2='{bottom}' stroke='{ORANGE}' stroke-dasharray='4 3'/>"


def _svg(width: float, height: float, parts: Sequence[str], said: str) -> str:
    """``said``: what it shows, for whoever hears the page."""
    size = f"viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}'"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img' aria-label='{escape(said)}'>"
    return f"{head}<rect width='100%' height='100%' fill='#ffffff'/>{''.join(parts)}</svg>"
