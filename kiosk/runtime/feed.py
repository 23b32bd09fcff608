"""The camera feed: the newest frame only, and a lost camera that comes back by itself.

``CameraFeed`` reads on a thread of its own; ``InlineFeed`` reads inside ``latest`` (simulation, files as fast as
possible). Both run ``kiosk.runtime.reopen.FeedEngine``, whose rules on loss and recovery hold for both.
"""

from __future__ import annotations

import math
import random
import threading
from typing import Protocol, Self

from kiosk.closing import Closing
from kiosk.errors import CameraError, CameraUnavailable
from kiosk.ports import Clock, Closeable
from kiosk.runtime.reopen import BEAT_S, Backoff, CameraFactory, FeedEngine
from kiosk.values import Frame

CLOSE_S = 3.0


class Feed(Closeable, Protocol):
    """Frames as the loop wants them."""

    @property
    def name(self) -> str:
        """Identity of the camera; empty before the first frame."""

    @property
    def generation(self) -> int:
        """Which opened camera the frame returned last came from: 1 for the first, one more for each reopening."""

    @property
    def ended(self) -> bool:
        """A clip is at its end: no frame will come any more."""

    @property
    def tries(self) -> int:
        """Signs of life of the reopening: grows with every try, and every two seconds of the wait for the next."""

    @property
    def fault(self) -> CameraError | None:
        """What is wrong with the camera now; None when it works. Never waits."""

    @property
    def exposure_locked(self) -> bool | None:
        """What the newest frame proves."""

    def latest(self, newer_than_sequence: int, timeout_s: float) -> Frame | None:
        """The newest frame with a larger sequence; None when none came in time.

        Raises the InputError or ConfigurationError that opening it again could not mend.
        """

    def lock_exposure(self) -> None:
        """Ask for constant exposure, gain and white balance; also asked of every reopened camera."""

    def unlock_exposure(self) -> None:
        """Back to automatic."""


class _FeedBase(Closing):
    """What both feeds share: the engine's view for the loop."""

    def __init__(self, engine: FeedEngine) -> None:
        self._engine = engine
        self._generation = 0
        self._proof: bool | None = None

    def close(self) -> None:
        """Close the camera."""
        self._engine.close()

    @property
    def name(self) -> str:
        """Identity of the camera; empty before it was opened."""
        return self._engine.name

    @property
    def generation(self) -> int:
        """Which opened camera the frame returned last came from."""
        return self._generation

    @property
    def ended(self) -> bool:
        """A clip is at its end."""
        return self._engine.ended

    @property
    def tries(self) -> int:
        """Signs of life of the reopening."""
        return self._engine.signs

    @property
    def fault(self) -> CameraError | None:
        """What is wrong with the camera now."""
        return self._engine.fault

    @property
    def exposure_locked(self) -> bool | None:
        """What the newest frame proves."""
        return self._proof

    def lock_exposure(self) -> None:
        """Ask for constant exposure, gain and white balance before the next read."""
        self._engine.lock_wanted = True

    def unlock_exposure(self) -> None:
        """Back to automatic before the next read."""
        self._engine.lock_wanted = False

    def _deliver(self, frame: Frame, generation: int) -> Frame:
        self._generation = generation
        self._proof = frame.gains_locked
        return frame


class InlineFeed(_FeedBase):
    """Reads when asked, on the caller's thread and clock: every frame is seen, none is dropped."""

    def __init__(
        self, factory: CameraFactory, clock: Clock, backoff: Backoff | None = None, rng: random.Random | None = None
    ) -> None:
        """``clock``: the one that the camera advances or is paced by."""
        super().__init__(FeedEngine(factory, backoff or Backoff(), clock, rng))
        self._clock = clock
        self._not_before_s = -math.inf

    def latest(self, newer_than_sequence: int, timeout_s: float) -> Frame | None:
        """The next frame; None when none came within ``timeout_s``. Raises InputError for an unusable file."""
        engine = self._engine
        deadline_s = self._clock.now().monotonic_s + timeout_s
        while not engine.finished:
            now_s = self._clock.now().monotonic_s
            if now_s < self._not_before_s:
                self._clock.wait(min(self._not_before_s, deadline_s) - now_s)
                engine.waited_s += self._clock.now().monotonic_s - now_s
            else:
                tries = engine.tries
                frame, wait_s = engine.step(max(deadline_s - now_s, 0.001))
                self._not_before_s = self._clock.now().monotonic_s + wait_s
                if frame is not None and frame.sequence > newer_than_sequence:
                    return self._deliver(frame, engine.generation)
                if frame is None and engine.tries == tries and self._clock.now().monotonic_s <= now_s:
                    # A read that failed without taking time: let the rest of the tick pass instead of spinning.
                    self._clock.wait(deadline_s - now_s)
            if self._clock.now().monotonic_s >= deadline_s:
                return None
        if engine.unusable is not None:
            raise engine.unusable
        return None


class CameraFeed(_FeedBase):
    """Reads on a thread of its own and keeps the newest frame only; ``with`` starts and stops the thread."""

    def __init__(
        self, factory: CameraFactory, clock: Clock, backoff: Backoff | None = None, rng: random.Random | None = None
    ) -> None:
        super().__init__(FeedEngine(factory, backoff or Backoff(), clock, rng))
        self._stop = threading.Event()
        self._fresh = threading.Condition()
        self._newest: tuple[Frame, int] | None = None
        self._fetched = -1
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._thread is None:
            self._stop.clear()
            # A daemon: a read that hangs in a driver must not keep the process from ending.
            self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
            self._thread.start()
        return self

    def close(self) -> None:
        """Stop the thread (it closes the camera); waits at most CLOSE_S for a driver that hangs."""
        self._stop.set()
        with self._fresh:
            self._fresh.notify_all()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(CLOSE_S)

    @property
    def fault(self) -> CameraError | None:
        """What is wrong with the camera now; a reader that died counts as a lost camera."""
        if self._thread is not None and not self._thread.is_alive() and not self._engine.finished:
            return CameraUnavailable("the camera's reader died", where=self.name, mend="restart the kiosk")
        return self._engine.fault

    def latest(self, newer_than_sequence: int, timeout_s: float) -> Frame | None:
        """The newest frame; None when none came within ``timeout_s``. Raises InputError for an unusable file."""
        with self._fresh:
            self._fresh.wait_for(lambda: self._has(newer_than_sequence) or self._over(), timeout_s)
            newest = self._newest
            if newest is not None and newest[0].sequence > newer_than_sequence:
                return self._deliver(*newest)
        if self._engine.unusable is not None:
            raise self._engine.unusable
        return None

    @property
    def ended(self) -> bool:
        """A clip is at its end, and its last frame was fetched."""
        newest = self._newest
        return self._engine.ended and (newest is None or self._fetched >= newest[0].sequence)

    def _has(self, sequence: int) -> bool:
        return self._newest is not None and self._newest[0].sequence > sequence

    def _over(self) -> bool:
        return self._engine.finished or self._stop.is_set()

    def _deliver(self, frame: Frame, generation: int) -> Frame:
        self._fetched = frame.sequence
        return super()._deliver(frame, generation)

    def _paused(self, wait_s: float) -> bool:
        """Wait, with a sign of life every BEAT_S; whether it was told to stop."""
        while wait_s > 0:
            beat_s = min(wait_s, BEAT_S)
            if self._stop.wait(beat_s):
                return True
            self._engine.waited_s += beat_s
            wait_s -= beat_s
        return self._stop.is_set()

    def _run(self) -> None:
        wait_s = 0.0
        try:
            while not self._paused(wait_s) and not self._engine.finished:
                frame, wait_s = self._engine.step()
                if frame is not None:
                    with self._fresh:
                        self._newest = (frame, self._engine.generation)
                        self._fresh.notify_all()
        finally:
            self._engine.close()
            with self._fresh:
                self._fresh.notify_all()
