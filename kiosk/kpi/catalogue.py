"""The closed table of every metric: name, unit, help, labels, and what each label may say.

Rules:
- Counters end in ``_total`` (Prometheus' custom); histograms name their unit, similarity is 0..100.
- ``tidied`` is the only way from a caller's words to a series: an unknown metric is ``kiosk_other_total``, an unknown
  word ``other``, a missing label ``none``, a label that the metric does not have is dropped. Whatever a caller passes
  by mistake (a name, a badge, an id) therefore stays outside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kiosk.kpi.words import (
    CALL_OUTCOMES,
    ENGINES,
    NONE,
    OPERATIONS,
    OTHER,
    QUALITY_CHECKS,
    REGISTRATION_REASONS,
    SOURCES,
    STEPS,
)
from kiosk.reasons import Reason

Unit = Literal["Count", "Seconds", "Percent"]
"""CloudWatch's names."""
MOST = 2.0**53
"""Larger amounts are a mistake of the caller, and no float counts them exactly."""

REASONS = frozenset(str(reason) for reason in Reason)
SIMILARITIES = (10.0, 30.0, 50.0, 70.0, 80.0, 85.0, 90.0, 92.5, 95.0, 96.0, 97.0, 98.0, 98.5, 99.0, 99.5, 100.0)
"""Bounds of the buckets: fine where thresholds lie."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
"""Around the time that a visitor waits; two seconds are the usual deadline."""


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One line of the table; compared by identity, because there is one of each."""

    name: str
    kind: Literal["counter", "histogram"]
    unit: Unit
    help: str
    labels: Mapping[str, frozenset[str]]
    """Label to what it may say, beside ``none`` and ``other``."""
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets."""

    @property
    def words(self) -> tuple[frozenset[str], ...]:
        """All that each label can ever say, in the labels' order."""
        return tuple(frozenset({*allowed, NONE, OTHER}) for allowed in self.labels.values())


@dataclass(frozen=True, slots=True)
class Series:
    """A metric with a value for each of its labels, in the metric's order."""

    metric: Metric
    values: tuple[str, ...]

    @property
    def labels(self) -> dict[str, str]:
        """Label to value."""
        return dict(zip(self.metric.labels, self.values, strict=True))


def _counter(name: str, text: str, **labels: frozenset[str]) -> Metric:
    return Metric(name, "counter", "Count", text, labels)


UNKNOWN = _counter("kiosk_other_total", "Counted under a name that the catalogue does not hold: a mistake in the code.")

_ENDED = frozenset({"approved", "incomplete", "failed"})

METRICS = (
    _counter(
        "kiosk_registrations_total",
        "Registrations that ended, by outcome, the step at which they ended and why, and what they were made from.",
        outcome=_ENDED,
        step=STEPS,
        reason=REGISTRATION_REASONS,
        source=SOURCES,
    ),
    _counter(
        "kiosk_registration_duplicates_total",
        "Registrations refused because the face is already somebody's.",
        source=SOURCES,
    ),
    _counter(
        "kiosk_photo_updates_total",
        "New photographs of people who were registered before, by outcome, step and reason.",
        outcome=_ENDED,
        step=STEPS,
        reason=REGISTRATION_REASONS,
    ),
    _counter("kiosk_people_removed_total", "People who were removed."),
    _counter(
        "kiosk_authentications_total",
        "Visits at the door that ended, by outcome, reason and the engine that answered.",
        outcome=frozenset({*_ENDED, "abandoned"}),
        reason=REASONS,
        engine=ENGINES,
    ),
    Metric(
        "kiosk_similarity",
        "histogram",
        "Percent",
        "Similarity of the best candidate, 0..100, once a visit in which an engine answered.",
        {"outcome": _ENDED, "engine": ENGINES},
        SIMILARITIES,
    ),
    _counter(
        "kiosk_quality_failures_total",
        "Pictures of faces that failed the quality gate, by check: at the door once a visit and check.",
        check=frozenset(str(check) for check in QUALITY_CHECKS),
        at=frozenset({"door", "registration"}),
    ),
    _counter(
        "kiosk_engine_calls_total",
        "Calls of an engine that ended, by operation and outcome.",
        engine=ENGINES,
        operation=OPERATIONS,
        outcome=CALL_OUTCOMES,
    ),
    Metric(
        "kiosk_engine_seconds",
        "histogram",
        "Seconds",
        "Time of a call, whatever came of it.",
        {"engine": ENGINES, "operation": OPERATIONS},
        SECONDS,
    ),
    _counter(
        "kiosk_engine_throttles_total",
        "Calls that an engine refused because there were too many.",
        engine=ENGINES,
        operation=OPERATIONS,
    ),
    _counter(
        "kiosk_faces_total",
        "Faces indexed, deleted, and updated (indexed in the place of older ones), by engine.",
        what=frozenset({"indexed", "deleted", "updated"}),
        engine=ENGINES,
    ),
    _counter(
        "kiosk_kpi_lost_total",
        "Data points that never reached the place, because it did not answer for too long or refused them.",
        place=frozenset({"cloudwatch"}),
    ),
    UNKNOWN,
)
"""Every metric of a kiosk."""

BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


def tidied(name: str, labels: Mapping[str, str], kind: str) -> Series:
    """The series that these words mean; ``kind`` is counter or histogram, another one's name is unknown."""
    metric = BY_NAME.get(name) if isinstance(name, str) else None
    if metric is None or metric.kind != kind:
        return Series(UNKNOWN, ())
    return Series(metric, tuple(_word(labels.get(label, ""), allowed) for label, allowed in metric.labels.items()))


def countable(value: float) -> float | None:
    """``value`` as a float from 0 to MOST; None for what cannot be counted (negative, NaN, no number)."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0.0 <= number <= MOST else None


def _word(value: str, allowed: frozenset[str]) -> str:
    if not isinstance(value, str):
        return NONE if value is None else OTHER
    return value if value in allowed else NONE if value in ("", NONE) else OTHER
