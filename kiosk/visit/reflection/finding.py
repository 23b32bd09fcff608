"""What one gate found, before it is reported: the verdict, how far from the limit, and the word for the visitor."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kiosk.reasons import Reason
from kiosk.values import Gate, Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One gate's outcome."""

    name: str
    verdict: Verdict
    value: float | None
    threshold: float
    margin: float
    """0..1, grows with the distance to the good side; 0.5 at the threshold."""
    reason: Reason | None = None
    """The word when it did not pass."""
    unit: str = ""

    @property
    def gate(self) -> Gate:
        """As it is reported."""
        value = None if self.value is None or not math.isfinite(self.value) else round(float(self.value), 5)
        return Gate(self.name, self.verdict, value, self.threshold, self.unit)


def margin(value: float, threshold: float, best: float) -> float:
    """0.5 at the threshold, 1 at ``best`` and beyond, falling below 0.5 at the same rate; linear, so monotone."""
    if not math.isfinite(value):
        return 0.0
    return min(1.0, max(0.0, 0.5 + 0.5 * (value - threshold) / (best - threshold)))


def passed(name: str, value: float | None, threshold: float, best: float, unit: str = "") -> Finding:
    """A gate that passed; without a value the margin is that of the threshold."""
    inside = 0.5 if value is None else max(0.5, margin(value, threshold, best))
    return Finding(name, Verdict.PASS, value, threshold, inside, None, unit)


def failed(name: str, value: float | None, threshold: float, reason: Reason, unit: str = "") -> Finding:
    """A gate that saw an attack."""
    return Finding(name, Verdict.FAIL, value, threshold, 0.0, reason, unit)


def insufficient(name: str, value: float | None, threshold: float, reason: Reason, unit: str = "") -> Finding:
    """A gate that could not measure well enough: another try, never a pass."""
    return Finding(name, Verdict.INSUFFICIENT, value, threshold, 0.25, reason, unit)
