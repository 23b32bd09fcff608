"""What one gate found, before it is reported: the verdict, the value, and the word for the visitor."""

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
    reason: Reason | None = None
    """The word when it did not pass."""
    unit: str = ""

    @property
    def gate(self) -> Gate:
        """As it is reported."""
        value = None if self.value is None or not math.isfinite(self.value) else round(float(self.value), 5)
        return Gate(self.name, self.verdict, value, self.threshold, self.unit)


def passed(name: str, value: float | None, threshold: float, unit: str = "") -> Finding:
    """A gate that passed."""
    return Finding(name, Verdict.PASS, value, threshold, None, unit)


def failed(name: str, value: float | None, threshold: float, reason: Reason, unit: str = "") -> Finding:
    """A gate that saw an attack."""
    return Finding(name, Verdict.FAIL, value, threshold, reason, unit)


def insufficient(name: str, value: float | None, threshold: float, reason: Reason, unit: str = "") -> Finding:
    """A gate that could not measure well enough: another try, never a pass."""
    return Finding(name, Verdict.INSUFFICIENT, value, threshold, reason, unit)
