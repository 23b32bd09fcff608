"""From trials to the report's figures: one plain dictionary, and the checks of it against the targets.

The dictionary is what ``report.json`` holds; the pages are made from it alone. Rates are percent with one-sided 95 %
bounds. Figures of simulated worlds are called synthetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kiosk.evaluation import metrics
from kiosk.evaluation.bounds import Share
from kiosk.evaluation.metrics import LiveFigures, Times
from kiosk.evaluation.trial import LIVE, Trial
from kiosk.values import Verdict

FORMAT = 1
DIM_LUX = 500.0
TARGETS = {
    "apcer_percent": 1.0,
    "bpcer_percent": 5.0,
    "skin_times_mean": 2.0,
    "silent_percent": 3.0,
    "median_s": 3.0,
    "p95_s": 4.5,
    "tries": 300,
}
_THRESHOLDS = tuple(range(0, 101))


def figures(trials: Sequence[Trial], about: Mapping[str, Any]) -> dict[str, Any]:
    """All figures. ``about`` says what was measured and is copied into the report."""
    attacks = metrics.attack_figures(trials)
    inside = [trial for trial in trials if metrics.in_target(trial)]
    live = metrics.live_figures(inside, "all")
    outside = [trial for trial in trials if not metrics.in_target(trial)]
    report: dict[str, Any] = {
        "format": FORMAT,
        "about": dict(about),
        "trials": len(trials),
        "apcer": [
            {
                "species": one.species,
                "covered": one.covered,
                "accepted": one.accepted.to_json(),
                "silent": one.silent.to_json(),
                "other_path": one.other_path,
            }
            for one in attacks
        ],
        "apcer_max": _worst(attacks),
        "live": _live(live),
        "margins": {axis: [_live(one) for one in metrics.margin(inside, axis)] for axis in metrics.AXES},
        "cells": [{**dict(zip(metrics.AXES, key, strict=True)), **_live(one)} for key, one in metrics.cells(inside)],
        "information": [_live(one) for _key, one in metrics.cells(outside, ("ambient_lux", "exposure_locked"))],
        "times": _all_times(inside),
        "det": [
            {"threshold": one.threshold, "apcer_percent": _percent(one.apcer), "bpcer_percent": _percent(one.bpcer)}
            for one in metrics.det([t for t in trials if t.species != LIVE or metrics.in_target(t)], _THRESHOLDS)
        ],
        "failed_percent": _table(metrics.stopped(trials)),
        "insufficient_percent": _table(metrics.stopped(trials, Verdict.INSUFFICIENT)),
        "stopped_alone": metrics.alone(trials),
        "colour_slots": _slots(trials),
    }
    report["targets"] = targets(report)
    return report


def targets(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each target with what was measured and whether it is met; None where it was not measured."""
    checks: list[dict[str, Any]] = []

    def check(name: str, value: float | None, limit: float, unit: str) -> None:
        met = None if value is None else value <= limit
        checks.append({"name": name, "value": value, "limit": limit, "unit": unit, "met": met})

    top, live = report["apcer_max"], report["live"]
    check("largest APCER of a covered species", None if top is None else top["accepted"]["percent"],
          TARGETS["apcer_percent"], "%")  # fmt: skip
    covered = [one["accepted"]["total"] for one in report["apcer"] if one["covered"]]
    if covered:
        enough = min(covered) >= TARGETS["tries"]
        checks.append({"name": "fewest tries of a covered species (at least)", "value": min(covered),
                       "limit": TARGETS["tries"], "unit": "tries", "met": enough})  # fmt: skip
    check("genuine visitors refused, up to 1 000 lx and 300 to 500 mm", live["refused"]["percent"],
          TARGETS["bpcer_percent"], "%")  # fmt: skip
    rates = {one["name"]: one["refused"]["percent"] for one in report["margins"]["skin_l"]}
    known = [rate for rate in rates.values() if rate is not None]
    check("refused of the most refused skin tone", max(known, default=None), TARGETS["bpcer_percent"], "%")
    mean = live["refused"]["percent"]
    if len(known) > 1 and mean:
        times_mean = round(max(known) / mean, 2)
        check("most refused skin tone over the mean of all", times_mean, TARGETS["skin_times_mean"], "x")
    check("genuine visitors without an answer", live["silent"]["percent"], TARGETS["silent_percent"], "%")
    times = report["times"]
    check("median time in the oval to the verdict, up to 500 lx", times["dim"]["median_s"], TARGETS["median_s"], "s")
    slow_s = times["all"]["p95_s"]
    check("95th percentile of the time in the oval to the verdict, all light", slow_s, TARGETS["p95_s"], "s")
    return checks


def _worst(attacks: Sequence[metrics.AttackFigures]) -> dict[str, Any] | None:
    top = metrics.worst(attacks)
    return None if top is None else {"species": top.species, "accepted": top.accepted.to_json()}


def _live(one: LiveFigures) -> dict[str, Any]:
    return {
        "name": one.name,
        "as_attack": one.as_attack.to_json(),
        "silent": one.silent.to_json(),
        "refused": one.refused.to_json(),
        "again": one.again.to_json(),
        "other_path": one.other_path,
    }


def _all_times(inside: Sequence[Trial]) -> dict[str, Any]:
    """Of accepted and refused genuine visitors alike; per try as well."""
    live = [trial for trial in metrics.flashed(inside) if trial.species == LIVE]
    dim = [trial for trial in live if _lux(trial) <= DIM_LUX]

    def used(trial: Trial) -> float | None:
        return trial.in_oval_to_verdict_s

    def fixed(trial: Trial) -> float | None:
        return trial.fixed_length_s

    def one_try(trial: Trial) -> float | None:
        return None if trial.in_oval_to_verdict_s is None else trial.in_oval_to_verdict_s / trial.attempts

    found: dict[str, Any] = {
        "all": _times(metrics.times(live, used)),
        "dim": _times(metrics.times(dim, used)),
        "per_try": _times(metrics.times(live, one_try)),
        "all_fixed_length": _times(metrics.times(live, fixed)),
        "dim_fixed_length": _times(metrics.times(dim, fixed)),
    }
    seconds = sorted(value for trial in live if (value := used(trial)) is not None)
    shares = [number / 50 for number in range(51)]
    found["quantiles_s"] = [_rounded(metrics.percentile(seconds, share)) for share in shares]
    return found


def _lux(trial: Trial) -> float:
    lux = trial.conditions.get("ambient_lux")
    return float(lux) if isinstance(lux, int | float) else 0.0


def _times(one: Times) -> dict[str, Any]:
    return {"count": one.count, "median_s": _rounded(one.median_s), "p95_s": _rounded(one.p95_s)}


def _slots(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    """Live or attack to colour slots shown in the last try to trials."""
    table: dict[str, dict[str, int]] = {"live": {}, "attacks": {}}
    for trial in metrics.flashed(trials):
        row = table["live" if trial.species == LIVE else "attacks"]
        key = str(trial.colour_slots)
        row[key] = row.get(key, 0) + 1
    return {name: dict(sorted(row.items(), key=lambda pair: int(pair[0]))) for name, row in table.items()}


def _table(shares: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {row: {name: round(100.0 * share, 2) for name, share in cells.items()} for row, cells in shares.items()}


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


def _percent(share: float) -> float | None:
    return None if math.isnan(share) else round(100.0 * share, 3)


def shown(share: Mapping[str, Any]) -> str:
    """A share for people: ``0 of 300 = 0.0 % (at most 1.0 %)``."""
    if not share["total"]:
        return "not tried"
    return f"{share['count']} of {share['total']} = {share['percent']:.1f} % (at most {share['high_percent']:.1f} %)"


def agreement_of(trials: Sequence[Trial], others: Sequence[Trial]) -> dict[str, Any]:
    """How often the same trials, played in two ways, were answered alike; and which way the others went."""
    pairs = list(zip(trials, others, strict=True))
    return {
        "alike": Share(sum(one.accepted == other.accepted for one, other in pairs), len(pairs)).to_json(),
        "accepted_only_here": sorted(one.id for one, other in pairs if one.accepted and not other.accepted),
        "accepted_only_there": sorted(one.id for one, other in pairs if other.accepted and not one.accepted),
    }
