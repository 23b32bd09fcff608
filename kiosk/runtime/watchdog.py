"""The service manager's watchdog, fed only by proven progress of the loop.

Proof is: the loop made a turn (it calls ``progressed``), *and* since the last feeding either a new frame was
perceived or the camera's announced fault handling tried to open it once more. A loop that turns over a frozen feed,
or a feed whose thread has died, is not progress: the watchdog bites, the service manager restarts, the door is
driven to locked.

The service's ``WatchdogSec`` must be longer than the longest time between two tries to open the camera
(``reopen_max_s`` × 1.25) plus the time that one try may take.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.ports import Clock


def _no_tries() -> int:
    return 0


class Watchdog:
    """Counts proof and feeds at most every ``interval_s``."""

    def __init__(
        self,
        clock: Clock,
        feed: Callable[[], None],
        *,
        interval_s: float = 1.0,
        tries: Callable[[], int] = _no_tries,
    ) -> None:
        """``feed``: tell the service manager. ``tries``: how often opening a lost camera was tried so far."""
        self._clock = clock
        self._feed = feed
        self._interval_s = interval_s
        self._tries = tries
        self._tries_seen = 0
        self._proven = False
        self._fed_at_s: float | None = None
        self.feedings = 0
        """How often it was fed."""

    def progressed(self, perceived: bool) -> None:
        """One turn of the loop ended; ``perceived``: with a new frame."""
        tries = self._tries()
        if perceived or tries > self._tries_seen:
            self._proven = True
        self._tries_seen = tries
        if not self._proven:
            return
        now_s = self._clock.now().monotonic_s
        if self._fed_at_s is not None and now_s - self._fed_at_s < self._interval_s:
            return
        self._proven = False
        self._fed_at_s = now_s
        self.feedings += 1
        self._feed()
