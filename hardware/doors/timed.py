"""A door that locks itself: the timer that owns every unlocking.

Rules:
- Unlocking needs a ``Grant`` and arms the timer *before* the relay moves.
- The timer is a thread of its own: it re-locks although the loop hangs, sleeps or has crashed with an exception.
- A second unlocking extends to its own end, never shortens the running one and never adds up.
- Driving the relay that failed leaves the position UNKNOWN; the timer tries to lock again until it succeeds.
- ``close`` and the interpreter's exit lock first. (A dead process is the business of ``hardware.doors.relock``.)
- Each opening has a generation: the timer of an earlier one drives nothing.
"""

from __future__ import annotations

import atexit
import math
import threading
import time
from typing import Protocol, Self

from hardware.doors.line import RelayLine
from kiosk.closing import Closing
from kiosk.errors import DoorError
from kiosk.values import DoorPosition, Grant

LONGEST_S = 60.0
"""No unlocking may last longer, whoever asks."""
RETRY_S = 0.2
"""Wait before trying again to lock after a failure."""
IDLE_S = 60.0
JOIN_S = 2.0


class TimerClock(Protocol):
    """The timer's time; replaced in tests."""

    def monotonic(self) -> float:
        """Seconds."""

    def wait(self, changed: threading.Condition, timeout_s: float) -> None:
        """Wait for a notification, at most ``timeout_s``; the caller holds the condition."""


class SystemTimer:
    """CLOCK_MONOTONIC."""

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()

    def wait(self, changed: threading.Condition, timeout_s: float) -> None:
        """Wait for a notification or the time-out."""
        changed.wait(timeout_s)


class TimedDoor(Closing):
    """The ``Door`` over any relay line. Thread-safe; ``position``, ``pulses`` and ``fault`` never wait."""

    def __init__(self, line: RelayLine, clock: TimerClock | None = None) -> None:
        self._line = line
        self._clock = clock or SystemTimer()
        self._changed = threading.Condition()
        self._generation = 0
        self._due_s: float | None = None
        self._thread: threading.Thread | None = None
        self._position = DoorPosition.UNKNOWN
        self._fault: DoorError | None = None
        self._pulses = 0

    def __enter__(self) -> Self:
        """Take the line at the locked level and start the timer. Raises DoorError."""
        with self._changed:
            if self._thread is not None:
                return self
            self._line.open()
            self._generation += 1
            self._due_s = None
            self._settle(DoorPosition.LOCKED, None)
            self._start_timer()
        atexit.register(self.close)
        return self

    @property
    def position(self) -> DoorPosition:
        """LOCKED or UNLOCKED as last written; UNKNOWN before opening, and after a write that failed."""
        return self._position

    @property
    def fault(self) -> DoorError | None:
        """Why the position is unknown; None while the relay obeys."""
        return self._fault

    @property
    def pulses(self) -> int:
        """How often it was unlocked since it was made."""
        return self._pulses

    def unlock(self, grant: Grant, *, duration_s: float) -> None:
        """Unlock now; lock again after ``duration_s`` (0 < s <= 60). Raises DoorError, and then it is locked."""
        if not isinstance(grant, Grant):
            raise DoorError("a door opens only with a grant", where=self._line.name)
        if not (math.isfinite(duration_s) and 0 < duration_s <= LONGEST_S):
            raise DoorError(f"a pulse of {duration_s} s is out of range (0..{LONGEST_S:g})", where=self._line.name)
        with self._changed:
            if self._thread is None:
                raise DoorError("the door is closed", where=self._line.name)
            due_s = self._clock.monotonic() + duration_s
            self._due_s = due_s if self._due_s is None else max(self._due_s, due_s)
            self._changed.notify_all()
            try:
                self._line.drive(True)
            except DoorError as error:
                self._relock(error)
                raise
            self._pulses += 1
            self._settle(DoorPosition.UNLOCKED, None)

    def lock(self) -> None:
        """Lock at once. Raises DoorError; the timer then goes on trying."""
        with self._changed:
            if self._thread is None:
                raise DoorError("the door is closed", where=self._line.name)
            self._relock()
            self._changed.notify_all()
            if self._fault is not None:
                raise self._fault

    def close(self) -> None:
        """Lock, stop the timer, release the line; calling it again does nothing. Raises DoorError if locking failed."""
        with self._changed:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._generation += 1
            self._relock()
            self._due_s = None
            self._line.release()
            fault = self._fault
            self._changed.notify_all()
        atexit.unregister(self.close)
        if thread is not threading.current_thread():
            thread.join(JOIN_S)
        if fault is not None:
            raise fault

    def _start_timer(self) -> None:
        # A daemon: at exit, atexit locks; a thread that waits must not keep the process alive.
        self._thread = threading.Thread(target=self._run, args=(self._generation,), name="door-timer", daemon=True)
        self._thread.start()

    def _run(self, generation: int) -> None:
        with self._changed:
            try:
                while self._generation == generation:
                    now_s = self._clock.monotonic()
                    if self._due_s is not None and now_s >= self._due_s:
                        self._relock()
                    wait_s = IDLE_S if self._due_s is None else max(0.0, self._due_s - now_s)
                    self._clock.wait(self._changed, wait_s)
            finally:
                if self._generation == generation:
                    # A line broke its promise and raised something foreign: a door without a timer must not be.
                    self._due_s = self._clock.monotonic() + RETRY_S
                    self._settle(DoorPosition.UNKNOWN, DoorError("the timer crashed", where=self._line.name))
                    self._start_timer()

    def _relock(self, cause: DoorError | None = None) -> None:
        """Write the locked level; on failure the position is unknown and the timer is armed for another try."""
        try:
            self._line.drive(False)
        except DoorError as error:
            self._due_s = self._clock.monotonic() + RETRY_S
            self._settle(DoorPosition.UNKNOWN, error)
        else:
            self._due_s = None
            self._settle(DoorPosition.LOCKED, None)
        if cause is not None and self._fault is None:
            # It obeys when locking and not when unlocking: locked, and out of order.
            self._fault = cause

    def _settle(self, position: DoorPosition, fault: DoorError | None) -> None:
        self._position = position
        self._fault = fault
