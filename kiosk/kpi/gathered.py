"""What was counted in one interval, small enough to be kept while the network is away. Pure but for its own contents.

Limits of PutMetricData (its own description, 2010-08-01): 1000 metrics and 1 MB a request, 150 different values a
metric, no NaN, no infinity; time stamps up to two weeks old.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from kiosk.kpi.catalogue import Series

MOST_SERIES = 1000
"""Different series of one interval; a further one is lost. A kiosk has some dozens."""
DATUM_VALUES = 150
MOST_VALUES = 1500
"""Different values of one series in one interval, sent as several data points: every similarity to 0.1 has a place."""
DIGITS = 3
"""Significant digits of an observed value: 98.5 stays 98.5, 0.01234 s becomes 0.0123 s."""
REQUEST_METRICS = 500
REQUEST_BYTES = 500_000
"""Of a request, as estimated: half of what is allowed, because the estimate is rough."""
DATUM_BYTES = 1_200
VALUE_BYTES = 90
"""Of the longest encoding of the three that botocore knows, per value with its count."""


class Gathered:
    """Counts and observed values by series. Not thread-safe: its owner has a lock."""

    def __init__(self) -> None:
        self._counts: dict[Series, float] = {}
        self._values: dict[Series, dict[float, float]] = {}

    def __len__(self) -> int:
        """How many series."""
        return len(self._counts) + len(self._values)

    @property
    def numbers(self) -> int:
        """How many counts and different values: what it takes in memory."""
        return len(self._counts) + sum(len(values) for values in self._values.values())

    def add(self, series: Series, amount: float) -> bool:
        """Whether there was room."""
        if amount == 0.0:
            return True
        if series not in self._counts and len(self) >= MOST_SERIES:
            return False
        self._counts[series] = self._counts.get(series, 0.0) + amount
        return True

    def observe(self, series: Series, value: float) -> bool:
        """Whether there was room. Beyond ``MOST_VALUES`` the nearest value is taken, so no count is lost."""
        if series not in self._values and len(self) >= MOST_SERIES:
            return False
        kept = self._values.setdefault(series, {})
        rounded = float(f"{value:.{DIGITS}g}")
        if rounded not in kept and len(kept) >= MOST_VALUES:
            rounded = min(kept, key=lambda one: abs(one - rounded))
        kept[rounded] = kept.get(rounded, 0.0) + 1.0
        return True

    def data(self, at: datetime, kiosk: str) -> list[dict[str, Any]]:
        """The members of ``MetricData``, in PutMetricData's own names; ``kiosk`` is a dimension unless empty."""
        found = []
        for series, amount in self._counts.items():
            found.append({**_named(series, at, kiosk), "Value": amount})
        for series, values in self._values.items():
            pairs = list(values.items())
            for start in range(0, len(pairs), DATUM_VALUES):
                some, counts = zip(*pairs[start : start + DATUM_VALUES], strict=True)
                found.append({**_named(series, at, kiosk), "Values": list(some), "Counts": list(counts)})
        return found


def requests(data: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The data in portions that one request may carry."""
    portion: list[dict[str, Any]] = []
    size = 0
    for datum in data:
        datum_bytes = DATUM_BYTES + VALUE_BYTES * len(datum.get("Values", ()))
        if portion and (len(portion) >= REQUEST_METRICS or size + datum_bytes > REQUEST_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(datum)
        size += datum_bytes
    if portion:
        yield portion


def _named(series: Series, at: datetime, kiosk: str) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in series.labels.items()]
    if kiosk:
        dimensions.append({"Name": "kiosk", "Value": kiosk})
    return {
        "MetricName": series.metric.name,
        "Dimensions": dimensions,
        "Timestamp": at,
        "Unit": series.metric.unit,
    }
