"""A badge reader of the simulated world: badges are shown when the story says so."""

from __future__ import annotations

from kiosk.closing import Closing
from kiosk.ports import Clock


class SimBadges(Closing):
    """A ``BadgeReader``; ``shown`` are (story time in s, badge number), in order of time."""

    def __init__(self, clock: Clock, shown: tuple[tuple[float, str], ...]) -> None:
        self._clock = clock
        self._start_s = clock.now().monotonic_s
        self._waiting = list(shown)

    def close(self) -> None:
        """No badge is shown any more."""
        self._waiting.clear()

    def read(self) -> str | None:
        """The badge that was shown since the last call, if any."""
        if self._waiting and self._clock.now().monotonic_s - self._start_s >= self._waiting[0][0]:
            return self._waiting.pop(0)[1]
        return None
