"""Where counted things go: ``Board`` is the one door, and behind it any number of sinks.

Rules: counting never raises and never waits for a disk or a network; sinks see only what ``catalogue.tidied`` made of
the caller's words.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Protocol

from kiosk.kpi.catalogue import Series, countable, tidied


class Sink(Protocol):
    """A place for figures. Both methods are called from any thread, must not raise and must not wait."""

    def add(self, series: Series, amount: float) -> None:
        """A counter grew; ``amount`` is not negative."""

    def observe(self, series: Series, value: float) -> None:
        """One more value of a histogram; finite and not negative."""


class Board:
    """The Kpis port over ``sinks``; with none it forgets everything."""

    def __init__(self, sinks: Iterable[Sink] = ()) -> None:
        self._sinks = tuple(sinks)

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        """One counter grows by ``value``; what is no amount is left out."""
        amount = countable(value)
        if amount is None:
            return
        series = tidied(name, labels, "counter")
        for sink in self._sinks:
            sink.add(series, amount)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """One more value of a histogram; NaN, infinity and negative ones are left out."""
        number = countable(value)
        if number is None:
            return
        series = tidied(name, labels, "histogram")
        for sink in self._sinks:
            if series.metric.kind == "counter":  # the name of no histogram: that it happened is counted
                sink.add(series, 1.0)
            else:
                sink.observe(series, number)


NOTHING = Board()
"""Counts nowhere."""


class Memory:
    """A sink that remembers, for tests and reports: figures by name and labels in the catalogue's order."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.counts: Counter[tuple[str, ...]] = Counter()
        """(metric, value of each label) to amount."""
        self.values: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
        """(metric, value of each label) to what was observed."""

    def add(self, series: Series, amount: float) -> None:
        """Remembered."""
        with self._guard:
            self.counts[series.metric.name, *series.values] += int(amount)

    def observe(self, series: Series, value: float) -> None:
        """Remembered."""
        with self._guard:
            self.values[series.metric.name, *series.values].append(value)
