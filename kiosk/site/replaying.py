"""Judge recordings again with other thresholds: what would have been different.

Evidence is gathered once from each recording (no threshold plays a part in that) and judged twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.config.tree import LivenessSettings
from kiosk.values import Gate, Liveness, LivenessResult
from kiosk.visit.evidence import Evidence
from kiosk.visit.reflection import judge


@dataclass(frozen=True, slots=True)
class GateChange:
    """One gate that says something else now; None: it was not asked."""

    name: str
    then: Gate | None
    now: Gate | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One recording under two sets of thresholds."""

    name: str
    label: str | None
    then: LivenessResult
    now: LivenessResult

    @property
    def changes(self) -> tuple[GateChange, ...]:
        """The gates whose verdict differs, in the order of the gates."""
        then = {gate.name: gate for gate in self.then.gates}
        now = {gate.name: gate for gate in self.now.gates}
        pairs = [GateChange(name, then.get(name), now.get(name)) for name in dict.fromkeys((*then, *now))]
        return tuple(
            pair for pair in pairs if pair.then is None or pair.now is None or pair.then.verdict is not pair.now.verdict
        )


def replay(name: str, label: str | None, evidence: Evidence, then: LivenessSettings, now: LivenessSettings) -> Replayed:
    """Judge one recording's evidence by ``then`` and by ``now``."""
    first = judge(evidence, then)
    return Replayed(name, label, first, first if now == then else judge(evidence, now))


@dataclass(frozen=True, slots=True)
class Tally:
    """Recordings of one label: how many were live then and are now."""

    label: str | None
    total: int
    live_then: int
    live_now: int


def tally(rows: Iterable[Replayed]) -> list[Tally]:
    """By label, those without one last."""
    rows = list(rows)
    total = Counter(row.label for row in rows)
    then = Counter(row.label for row in rows if row.then.verdict is Liveness.LIVE)
    now = Counter(row.label for row in rows if row.now.verdict is Liveness.LIVE)
    labels = sorted(total, key=lambda label: (label is None, label or ""))
    return [Tally(label, total[label], then[label], now[label]) for label in labels]
