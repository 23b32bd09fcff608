"""A circuit breaker: an engine that failed several times in a row is left alone for a while, then tried once.

Pure but for its own state; the clock is given. Safe from several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """``failures`` in a row open it; after ``rest_s`` one call is let through, whose end decides."""

    failures: int = 2
    rest_s: float = 15.0


NEVER = BreakerRules(failures=1_000_000_000)
"""For the engine behind which there is no other."""


class Breaker:
    """Of one engine. ``clock`` is monotonic, seconds."""

    def __init__(self, rules: BreakerRules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._guard = threading.Lock()
        self._failed = 0
        self._closed_until_s = -1.0
        self._trying_until_s = -1.0
        """Until then one call that was let through may say how it ended; who never does blocks nobody for ever."""

    @property
    def open(self) -> bool:
        """Whether the engine is left alone at present."""
        with self._guard:
            return self._failed >= self._rules.failures

    def allows(self) -> bool:
        """Whether to call the engine now. Who is let through says how it ended: ``succeeded`` or ``failed``."""
        with self._guard:
            if self._failed < self._rules.failures:
                return True
            now_s = self._clock()
            if now_s < max(self._closed_until_s, self._trying_until_s):
                return False
            self._trying_until_s = now_s + self._rules.rest_s
            return True

    def succeeded(self) -> None:
        """The engine answered, whatever the answer."""
        with self._guard:
            self._failed = 0
            self._trying_until_s = -1.0

    def released(self) -> None:
        """It was not asked in the end, or what it said is no sign of its health."""
        with self._guard:
            self._trying_until_s = -1.0

    def failed(self) -> None:
        """It did not, or not in time."""
        with self._guard:
            self._failed += 1
            self._trying_until_s = -1.0
            self._closed_until_s = self._clock() + self._rules.rest_s
