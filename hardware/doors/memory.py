"""A door that exists in memory only: chosen by name, never a fall-back. It keeps the history of its wire."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hardware.doors.line import CONSUMER
from hardware.doors.timed import TimedDoor, TimerClock
from kiosk.errors import DoorError
from kiosk.values import DoorPosition

POLL_S = 0.02


class MemoryLine:
    """A relay line that is a list: behaves like wire and remembers every level that it had."""

    def __init__(self, *, active_low: bool = True, consumer: str = CONSUMER) -> None:
        self._active_low = active_low
        self._consumer = consumer
        self._open = False
        self._changed = threading.Condition()
        self.levels: list[bool] = []
        """Electrical levels while it was an output, oldest first; True is high."""
        self.broken: str | None = None
        """Set by tests: why driving fails from now on."""

    @property
    def name(self) -> str:
        """Says plainly that this opens nothing."""
        return "memory door"

    @property
    def unlocked(self) -> list[bool]:
        """The history as the lock sees it: True is unlocked."""
        return [level is not self._active_low for level in self.levels]

    def open(self) -> None:
        """Become an output at the locked level."""
        if not self._open:
            self._open = True
            self._write(False)

    def drive(self, unlocked: bool) -> None:
        """Write the level. Raises DoorError when not open or broken."""
        if not self._open:
            raise DoorError("the relay line is not open", where=self.name)
        self._write(unlocked)

    def release(self) -> None:
        """Give it back."""
        self._open = False

    def wait_for(self, seen: Callable[[list[bool]], bool], timeout_s: float) -> bool:
        """Wait until ``seen(unlocked history)``; False on time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: seen(self.unlocked), timeout_s)

    def _write(self, unlocked: bool) -> None:
        if self.broken is not None:
            raise DoorError(self.broken, where=self.name)
        with self._changed:
            self.levels.append(unlocked is not self._active_low)
            self._changed.notify_all()


class VirtualTimer:
    """A timer on time that somebody else moves (simulation): looks every POLL_S of real time."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """``now_s``: virtual monotonic seconds."""
        self._now_s = now_s

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self._now_s()

    def wait(self, changed: threading.Condition, timeout_s: float) -> None:
        """Wait for a notification, or look again soon."""
        changed.wait(min(timeout_s, POLL_S))


class MemoryDoor(TimedDoor):
    """A door for simulation and tests; with ``now_s`` it runs on virtual time, exactly when it is looked at."""

    def __init__(self, now_s: Callable[[], float] | None = None, *, active_low: bool = True) -> None:
        self.line = MemoryLine(active_low=active_low)
        self._virtual: TimerClock | None = None if now_s is None else VirtualTimer(now_s)
        super().__init__(self.line, self._virtual)

    @property
    def position(self) -> DoorPosition:
        """LOCKED, UNLOCKED or UNKNOWN; on virtual time a pulse that is over is ended here and now."""
        if self._virtual is not None:
            with self._changed:
                if self._thread is not None and self._due_s is not None and self._virtual.monotonic() >= self._due_s:
                    self._relock()
        return super().position
