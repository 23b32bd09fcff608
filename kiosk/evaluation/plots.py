"""The report's drawings, from its dictionary: name to SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kiosk.evaluation import words
from kiosk.evaluation.svg import BLUE, GREY, ORANGE, Bar, Curve, bars, curves, shades


def plots(report: Mapping[str, Any]) -> dict[str, str]:
    """Every drawing that the report has figures for."""
    drawn = {}
    if report["apcer"]:
        drawn["apcer"] = _apcer(report["apcer"])
    if report["live"]["refused"]["total"]:
        drawn["bpcer"] = _bpcer(report["margins"])
        if len(report["cells"]) > 4:
            drawn["cells"] = _cells(report["cells"])
    if report["times"]["all"]["count"]:
        drawn["times"] = _times(report)
    if any(point["apcer_percent"] is not None or point["bpcer_percent"] is not None for point in report["det"]):
        drawn["det"] = _det(report["det"])
    if any(report["failed_percent"].values()):
        drawn["gates"] = _gates(report["failed_percent"])
    return drawn


def _apcer(rows: Sequence[Mapping[str, Any]]) -> str:
    found = [
        Bar(
            words.SPECIES.get(one["species"], one["species"]),
            one["accepted"]["percent"],
            one["accepted"]["high_percent"],
            f"{one['accepted']['count']} of {one['accepted']['total']}" + ("" if one["covered"] else ", not covered"),
            muted=not one["covered"],
        )
        for one in rows
    ]
    known = [bar.high for bar, one in zip(found, rows, strict=True) if one["covered"] and bar.high is not None]
    most = max([2.0, *known]) if known else 100.0
    axis = "attacks accepted, % (thin line: at most so many, 95 % bound)"
    return bars(found, limit=1.0, axis=axis, most=_scale(most))


def _scale(most: float) -> float:
    return next((end for end in (2.0, 5.0, 10.0, 20.0, 50.0) if most <= end), 100.0)


def _bpcer(margins: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    rows = [
        Bar(
            one["name"],
            one["refused"]["percent"],
            one["refused"]["high_percent"],
            f"{one['refused']['count']} of {one['refused']['total']}",
        )
        for axis in ("ambient_lux", "distance_mm", "skin_l", "glasses")
        for one in margins[axis]
    ]
    axis_name = "genuine visitors refused, % (thin line: at most so many, 95 % bound)"
    return bars(rows, limit=5.0, axis=axis_name)


def _cells(cells: Sequence[Mapping[str, Any]]) -> str:
    """Light and distance down, skin and glasses across; the number of those refused in each cell."""
    across = sorted({(one["skin_l"], one["glasses"]) for one in cells}, key=_light_first)
    down = list(dict.fromkeys((one["ambient_lux"], one["distance_mm"]) for one in cells))
    table = {
        ((one["ambient_lux"], one["distance_mm"]), (one["skin_l"], one["glasses"])): one["refused"] for one in cells
    }
    if len(down) > 60 or len(across) > 20:
        return shades(["too many cells"], [], [[]], full=1.0, caption="see bpcer.csv")
    values = [[table[row, column]["percent"] if (row, column) in table else None for column in across] for row in down]
    notes = [
        [f"{table[row, column]['count']}/{table[row, column]['total']}" if (row, column) in table else ""
         for column in across] for row in down
    ]  # fmt: skip
    return shades(
        [f"{_plain(lux)} lx, {_plain(mm)} mm" for lux, mm in down],
        [f"L* {_plain(skin)}" + ("\nglasses" if glasses else "") for skin, glasses in across],
        values,
        full=100.0,
        notes=notes,
        caption="refused / tried; the darker, the larger the share; empty: not tried; L*: lightness of the skin",
    )


def _light_first(column: tuple[float | None, bool | None]) -> tuple[float, bool]:
    """Light skin first, without glasses before with; unknown last."""
    skin_l, glasses = column
    return (0.0 if skin_l is None else -skin_l, bool(glasses))


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "?"


def _times(report: Mapping[str, Any]) -> str:
    quantiles = report["times"]["quantiles_s"]
    points = [(seconds, 2.0 * number) for number, seconds in enumerate(quantiles) if seconds is not None]
    fixed = report["times"]["all_fixed_length"]
    lines = [Curve("flash ended when sure", points)]
    if fixed["median_s"] is not None:
        median = fixed["median_s"]
        lines.append(Curve("played to the end (median)", [(median, 0.0), (median, 100.0)], GREY, dashes="6 4"))
    return curves(
        lines,
        x_axis="seconds from the face in the oval to the verdict, all tries (right edge: 10 s or more)",
        y_axis="% of genuine visitors answered",
        x_end=10.0,
        y_end=100.0,
        marks=((3.0, "3 s"), (4.5, "4.5 s")),
    )


def _det(points: Sequence[Mapping[str, Any]]) -> str:
    def line(key: str) -> list[tuple[float, float]]:
        return [(one["threshold"], one[key]) for one in points if one[key] is not None]

    return curves(
        [
            Curve("attacks accepted (worst species)", line("apcer_percent"), ORANGE, steps=True, dashes="6 4"),
            Curve("genuine visitors refused", line("bpcer_percent"), BLUE, steps=True),
        ],
        x_axis="confidence (0 to 100) that is asked for at least",
        y_axis="% of tries",
        x_end=100.0,
        y_end=100.0,
    )


def _gates(table: Mapping[str, Mapping[str, float]]) -> str:
    names = list(dict.fromkeys(name for row in table.values() for name in row))
    rows = sorted(table, key=lambda species: (species == "live", species))
    return shades(
        [words.SPECIES.get(name, name) for name in rows],
        names,
        [[table[species].get(name) for name in names] for species in rows],
        full=100.0,
        caption="% of trials in which this gate saw an attack in the last try (several gates may see it)",
    )
