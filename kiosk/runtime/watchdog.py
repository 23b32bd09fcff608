"""The service manager's watchdog, fed only by proven progress of the loop.

Proof is: the loop made a turn (it calls ``progressed``), *and* since the last feeding either a new frame was
perceived or the handling of a lost camera showed a sign of life (a further try to open it, or two more seconds of the
wait for the next try). A loop that turns over a frozen feed, an opening that hangs, or a reader whose thread has died
is not progress: the watchdog bites, the service manager restarts, the door is driven to locked.

The service's ``WatchdogSec`` must be longer than ``camera.stall_s`` and than one opening of the camera takes.
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
        """``feed``: tell the service manager. ``tries``: signs of life of the reopening (``Feed.tries``)."""
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
