"""How fast one key may ask: a token bucket for each, in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from kiosk.rekognition.faults import throttled

MOST_KEYS = 10_000
"""Buckets that are remembered; the one unused for longest gives way, full again when it comes back."""


class Limiter:
    """``per_s`` requests a second for each key on average, ``burst`` at once. Safe from any number of threads."""

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._clock = clock
        self._guard = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Key to (tokens left, at which time)."""

    def take(self, key: str) -> None:
        """Use one token up. Raises RekognitionFault (ThrottlingException) when there is none."""
        now_s = self._clock()
        with self._guard:
            left, at_s = self._buckets.pop(key, (self._burst, now_s))
            left = min(self._burst, left + max(0.0, now_s - at_s) * self._per_s)
            enough = left >= 1.0
            self._buckets[key] = (left - 1.0 if enough else left), now_s
            while len(self._buckets) > MOST_KEYS:
                self._buckets.popitem(last=False)
        if not enough:
            raise throttled("rate exceeded")
