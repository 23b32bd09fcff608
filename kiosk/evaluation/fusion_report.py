"""How well the confidence is calibrated, on trials that did not train it; and the weights as a module."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kiosk.evaluation.fusion_train import rows_of
from kiosk.evaluation.trial import LIVE, Trial
from kiosk.values import Verdict
from kiosk.visit.reflection.fusion import LIVE_FROM, Model, confidence

THRESHOLDS = (LIVE_FROM, 80.0, 90.0)
EDGES = (0.0, 10.0, 50.0, 80.0, 90.0, 95.0, 99.0, 100.0)
"""Bins of the reliability table; narrow where decisions are made."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Attempts of similar confidence."""

    low: float
    high: float
    attempts: int
    mean_confidence: float | None
    live_percent: float | None
    """Visitors among them, at equal numbers of visitors and attacks; where calibrated, the mean confidence."""


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """Errors of the confidence at one threshold."""

    threshold: float
    apcer_max: float
    """Share of the worst species' attacks at or above it, by confidence alone."""
    worst: str
    bpcer: float
    """Share of the visitors below it, by confidence alone."""
    apcer_max_gates: float
    """... of attacks that also pass every gate."""
    bpcer_gates: float
    """... of visitors below it or stopped by a gate."""


@dataclass(frozen=True, slots=True)
class Report:
    """Calibration on one split."""

    visitors: int
    attacks: int
    brier: float
    """Mean squared error of the confidence as a probability, visitors and species weighing the same; 0.25 is a coin."""
    bins: tuple[Bin, ...]
    at: tuple[AtThreshold, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain."""
        return asdict(self)


def report(trials: Sequence[Trial], model: Model) -> Report:
    """Reliability, Brier score and errors. Raises InputError with too few trials."""
    rows = rows_of(trials)
    judged = [trial for trial in trials if trial.gates and (trial.covered or trial.species == LIVE)]
    score = np.array([confidence(trial.gates, model) for trial in judged])
    passed = np.array([all(gate.verdict is Verdict.PASS for gate in trial.gates) for trial in judged])
    species = np.array([trial.species for trial in judged])

    def bin_of(low: float, high: float) -> Bin:
        inside = (score >= low) & ((score < high) | (high == EDGES[-1]))
        weight = rows.weight[inside]
        if weight.sum() <= 0:
            return Bin(low, high, 0, None, None)
        mean = float(weight @ score[inside] / weight.sum())
        return Bin(low, high, int(inside.sum()), mean, 100.0 * float(weight @ rows.live[inside] / weight.sum()))

    def at(threshold: float) -> AtThreshold:
        over = score >= threshold
        rates = {str(name): float(over[species == name].mean()) for name in np.unique(species[~rows.live])}
        gated = {name: float((over & passed)[species == name].mean()) for name in rates}
        worst = max(sorted(rates), key=lambda name: rates[name])
        return AtThreshold(
            threshold,
            rates[worst],
            worst,
            float((~over)[rows.live].mean()),
            max(gated.values()),
            float((~(over & passed))[rows.live].mean()),
        )

    return Report(
        visitors=int(rows.live.sum()),
        attacks=int((~rows.live).sum()),
        brier=float(rows.weight @ (score / 100.0 - rows.live) ** 2),
        bins=tuple(bin_of(low, high) for low, high in itertools.pairwise(EDGES)),
        at=tuple(at(threshold) for threshold in THRESHOLDS),
    )


def digest(content: bytes) -> str:
    """SHA-256 of a trials file, as the weights name it."""
    return hashlib.sha256(content).hexdigest()


def module_text(model: Model, trained: Mapping[str, str | int]) -> str:
    """The source of ``kiosk.visit.reflection.weights``: the same model and provenance, the same bytes."""
    lines = [
        '"""The weights of the confidence and where they come from: written by ``kiosk liveness train``."""',
        "",
        "from __future__ import annotations",
        "",
        "from kiosk.visit.reflection.fusion import Model",
        "",
        "TRAINED: dict[str, str | int] = {",
        *(f"    {_quoted(key)}: {_quoted(value)}," for key, value in trained.items()),
        "}",
        "",
        "MODEL = Model(",
        "    weights={",
        *(f"        {_quoted(key)}: {value!r}," for key, value in model.weights.items()),
        "    },",
        f"    offset={model.offset!r},",
        ")",
    ]
    return "\n".join(lines) + "\n"


def _quoted(value: str | int) -> str:
    return str(value) if isinstance(value, int) else json.dumps(value)
