"""The confidence 0..100: one calibrated number for what all gates measured together.

A logistic model on a handful of gate values. Each value becomes its *goodness* 0..1 on a scale that suits its physics
(``SCALES``): 1 is as good as a value can be, 0 as bad as matters or not measured at all. No weight is negative: a
better value never lowers the confidence, and a missing one never raises it. The ``weakest`` of the gates on light joins
them, since an attack is given away by its worst gate and not by the mean of all.

The model is trained, and calibrated on folds it was not trained on (Platt 1999), by ``kiosk liveness train``; its
weights and where they come from are ``kiosk.visit.reflection.weights``. At equal numbers of visitors and attacks, each
species counting the same, 100 minus the confidence is the percentage of attacks among attempts of that confidence: so a
threshold is an error rate.

It decides nothing alone: LIVE is all gates *and* at least ``LIVE_FROM``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kiosk.values import Gate, Verdict

LIVE_FROM = 50.0
"""Least confidence of a LIVE verdict; every other verdict is below."""
WEAKEST = "weakest"
WHOLE = frozenset({"stream", "continuity", "exposure"})
"""Gates whose value is not the whole story (a frame twice, another face): unless they passed, they count as missing."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a gate's value becomes a goodness."""

    curve: Callable[[float, float], float]
    """``(value, threshold)`` to a number that grows towards the good side."""
    worst: float
    """The number whose goodness is 0."""
    best: float
    """... and 1."""


def _plain(value: float, _: float) -> float:
    return value


def _times(value: float, threshold: float) -> float:
    """How many times the threshold, as a logarithm."""
    return math.log(max(value, 1e-9) / max(threshold, 1e-9))


def _within(value: float, threshold: float) -> float:
    """For values that must stay below their threshold: how far, in thresholds."""
    return -value / max(threshold, 1e-9)


def _inside(value: float, threshold: float) -> float:
    """For values that must stay below their threshold: how far, in their own unit."""
    return threshold - value


def _unlike(value: float, _: float) -> float:
    """A correlation as its variance unexplained, logarithmic: 0.9 to 0.99 is as far as 0.99 to 0.999."""
    return -math.log(max(1.0 - value, 1e-4))


SCALES: Mapping[str, Scale] = {
    "stream": Scale(_times, 0.0, math.log(10.0)),
    "continuity": Scale(_plain, 50.0, 100.0),
    "exposure": Scale(_within, -2.0, 0.0),
    "modulation": Scale(_times, 0.0, math.log(10.0)),
    "timing": Scale(_unlike, 0.0, -math.log(0.01)),
    "lag": Scale(_inside, -0.05, 0.05),
    "gain": Scale(_plain, 0.0, 0.9),
    "contrast": Scale(_within, -2.0, 0.0),
    "shape": Scale(_plain, 0.3, 0.95),
    "relief": Scale(_plain, 0.0, 0.25),
    "halves": Scale(_plain, -0.5, 1.0),
    "parallax": Scale(_plain, 0.0, 1.0),
    "passive": Scale(_plain, 0.0, 1.0),
}
LIGHT = ("timing", "lag", "gain", "contrast", "shape", "relief")
"""The gates on light, of which the weakest counts again."""
FEATURES = (*SCALES, WEAKEST)


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the goodnesses, and the offset: ``confidence = 100 / (1 + exp(-(weights . goodness + offset)))``."""

    weights: Mapping[str, float]
    offset: float

    def __post_init__(self) -> None:
        if set(self.weights) != set(FEATURES) or min(self.weights.values()) < 0:
            raise ValueError("a confidence model has one weight of at least 0 for each feature")


def goodness(gates: Sequence[Gate]) -> dict[str, float]:
    """Each of ``FEATURES`` as 0..1; gates that are missing, or have no finite value, are 0."""
    found = dict.fromkeys(SCALES, 0.0)
    for gate in gates:
        scale = SCALES.get(gate.name)
        if scale is None or gate.value is None or not math.isfinite(gate.value):
            continue
        if gate.name in WHOLE and gate.verdict is not Verdict.PASS:
            continue
        reached = (scale.curve(gate.value, gate.threshold) - scale.worst) / (scale.best - scale.worst)
        found[gate.name] = min(1.0, max(0.0, reached))
    return {**found, WEAKEST: min(found[name] for name in LIGHT)}


def confidence(gates: Sequence[Gate], model: Model) -> float:
    """0..100 for an attempt with these gates."""
    good = goodness(gates)
    total = model.offset + sum(model.weights[name] * good[name] for name in FEATURES)
    return 100.0 / (1.0 + math.exp(-max(-500.0, min(500.0, total))))
