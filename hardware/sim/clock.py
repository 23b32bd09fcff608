"""Virtual time for the simulated world: it moves only when somebody waits or films.

Nonces come from a seeded generator, so that a story can be replayed bit for bit. That makes this clock unfit for
anything but simulation: challenges drawn from it can be predicted.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np

from kiosk.values import Moment

START_S = 1000.0
"""Monotonic time at which every story begins."""
EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""UTC at ``START_S``: a Monday morning."""


class SimClock:
    """A ``Clock`` whose time is advanced by ``wait`` and by the simulated camera; safe to share between threads."""

    def __init__(self, seed: int = 1, start_s: float = START_S) -> None:
        self._now_s = start_s
        self._start_s = start_s
        self._random = np.random.default_rng([seed, 0xC10C])
        self._guard = threading.Lock()

    @property
    def now_s(self) -> float:
        """Monotonic time in seconds, without drawing a nonce."""
        return self._now_s

    def now(self) -> Moment:
        """Virtual monotonic time, the UTC that belongs to it, and 32 seeded bytes."""
        with self._guard:
            utc = EPOCH + timedelta(seconds=self._now_s - self._start_s)
            return Moment(monotonic_s=self._now_s, utc=utc, nonce=self._random.bytes(32))

    def wait(self, seconds: float) -> None:
        """Advance by ``seconds``; a negative wait does nothing."""
        with self._guard:
            self._now_s += max(0.0, seconds)

    def advance_to(self, at_s: float) -> None:
        """Advance to ``at_s``; time never goes back, so an earlier ``at_s`` does nothing."""
        with self._guard:
            self._now_s = max(self._now_s, at_s)
