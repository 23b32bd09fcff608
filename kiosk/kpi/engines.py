"""Calls of engines, counted: hand ``engine_observer(kpis)`` to whatever makes the calls."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.ports import Kpis

EngineObserver = Callable[[str, str, str, float], None]
"""``observe(engine, operation, outcome, seconds)``; outcome is a word of ``kiosk.kpi.words.CALL_OUTCOMES``."""
THROTTLED = frozenset(
    {
        *("ThrottlingException", "Throttling", "ThrottledException", "ProvisionedThroughputExceededException"),
        *("RequestLimitExceeded", "TooManyRequestsException", "RequestThrottled", "RequestThrottledException"),
        *("SlowDown", "LimitExceededException", "BandwidthLimitExceeded"),
    }
)
"""Error codes by which a service says "too many"."""


def engine_observer(kpis: Kpis) -> EngineObserver:
    """An observer that counts calls, their times and throttles. Safe from any thread; never raises, never waits."""

    def observe(engine: str, operation: str, outcome: str, seconds: float) -> None:
        kpis.count("kiosk_engine_calls_total", engine=engine, operation=operation, outcome=outcome)
        kpis.observe("kiosk_engine_seconds", seconds, engine=engine, operation=operation)
        if outcome == "throttled":
            kpis.count("kiosk_engine_throttles_total", engine=engine, operation=operation)

    return observe
