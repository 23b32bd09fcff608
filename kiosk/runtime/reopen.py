"""A camera that comes back by itself: opened, read, lost, closed and opened again, one step at a time.

``FeedEngine.step`` is one try to open or one read, and says how long to wait before the next; it has no thread and
no sleep, so that every rule can be tested step by step. ``kiosk.runtime.feed`` runs it.

Rules: sequences grow across reopened cameras; each opened camera has its own ``generation``; a camera is lost when it
cannot be opened, says so, or gives no new frame for ``stall_s``; it has recovered with the first frame after that;
waits between two tries to open it double, with jitter, and start anew only after it delivered for ``STEADY_S``.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from kiosk.errors import CameraEnded, CameraError, CameraStalled, KioskError
from kiosk.ports import Camera, Clock
from kiosk.values import Frame

CameraFactory = Callable[[], Camera]
"""Makes a camera that is opened by ``with``; called again for every try."""
JITTER = 0.25
"""Share by which a wait is made longer or shorter, so that kiosks on one hub do not try in step."""
STEADY_S = 5.0
READ_S = 0.25
"""Longest single read: a request to lock the exposure waits at most this long."""
BEAT_S = 2.0
"""A wait between two tries shows a sign of life this often, so that no watchdog takes patience for death."""
OPEN_S = 10.0
"""A camera that does not open for this long is lost, even when the call never returns."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """When to call a camera lost and how long to wait before opening it again, seconds."""

    stall_s: float = 2.0
    first_s: float = 0.5
    max_s: float = 15.0

    def wait_s(self, failures: int, jitter: float) -> float:
        """The wait after ``failures`` >= 1 failures in a row; ``jitter`` is -1..1."""
        doubled = self.first_s * 2.0 ** min(failures - 1, 30)
        return min(doubled, self.max_s) * (1.0 + JITTER * jitter)


class FeedEngine:
    """Opens, reads, notices loss, closes, opens again. ``step`` is for one thread; all may read the attributes."""

    def __init__(
        self, factory: CameraFactory, backoff: Backoff, clock: Clock, rng: random.Random | None = None
    ) -> None:
        """``rng``: jitter only, nothing secret."""
        self._factory = factory
        self._backoff = backoff
        self._clock = clock
        self._rng = rng or random.Random()
        self._camera: Camera | None = None
        self._locked = False
        self._newest_start_s = -math.inf
        self._base = 0
        self._last_sequence = -1
        self._failures = 0
        self._since_s: float | None = None
        self._alive_s = clock.now().monotonic_s
        self._lost: CameraError | None = None
        self.lock_wanted = False
        self.name = ""
        self.generation = 0
        self.tries = 0
        self.waited_s = 0.0
        """Seconds of waits between tries that were seen through."""
        self.ended = False
        self.unusable: KioskError | None = None
        """An input or setting that trying again cannot mend."""

    @property
    def signs(self) -> int:
        """Grows with every try to open and every BEAT_S of waiting for the next: the handling of a loss is alive."""
        return self.tries + int(self.waited_s / BEAT_S)

    @property
    def finished(self) -> bool:
        """Whether no step makes sense any more."""
        return self.ended or self.unusable is not None

    @property
    def fault(self) -> CameraError | None:
        """The loss that was noticed, or a stall seen from outside while a read or an opening hangs."""
        if self._lost is not None or self.finished:
            return self._lost
        silent_s = self._clock.now().monotonic_s - self._alive_s
        if silent_s > (OPEN_S if self._camera is None else self._backoff.stall_s + READ_S):
            return CameraStalled(f"no frame for {silent_s:.1f} s", where=self.name)
        return None

    def step(self, timeout_s: float = READ_S) -> tuple[Frame | None, float]:
        """One try to open, or one read of at most ``timeout_s``: (new frame or None, seconds to wait before the next).

        Foreign errors pass through: they are bugs of an adapter.
        """
        try:
            if self._camera is None:
                return None, self._open()
            return self._read(self._camera, min(timeout_s, READ_S)), 0.0
        except CameraEnded:
            self.ended = True
            self.close()
        except CameraError as error:
            return None, self._lose(error)
        except KioskError as error:
            self.unusable = error
            self.close()
        return None, 0.0

    def close(self) -> None:
        """Close the camera; a fault while closing has no consequence, since it is closed for good or opened anew."""
        camera, self._camera = self._camera, None
        if camera is not None:
            try:
                camera.close()
            except CameraError:
                return

    def _open(self) -> float:
        self.tries += 1
        camera = self._factory()
        try:
            camera.__enter__()
        except KioskError:
            camera.close()
            raise
        self._camera = camera
        self._locked = False
        self._newest_start_s = -math.inf
        self._base = self._last_sequence + 1
        self._since_s = None
        self._alive_s = self._clock.now().monotonic_s
        self.generation += 1
        self.name = camera.name
        return 0.0

    def _read(self, camera: Camera, timeout_s: float) -> Frame | None:
        self._follow_lock(camera)
        try:
            frame = camera.read(newer_than_s=self._newest_start_s, timeout_s=timeout_s)
        except CameraStalled:
            if self._clock.now().monotonic_s - self._alive_s < self._backoff.stall_s:
                return None
            raise
        return self._accept(frame)

    def _accept(self, frame: Frame) -> Frame:
        now_s = self._clock.now().monotonic_s
        sequence = max(self._base + frame.sequence, self._last_sequence + 1)
        self._newest_start_s = frame.exposure_start_s
        self._last_sequence = sequence
        self._alive_s = now_s
        self._lost = None
        if self._since_s is None:
            self._since_s = now_s
        elif now_s - self._since_s >= STEADY_S:
            self._failures = 0
        return replace(frame, sequence=sequence)

    def _follow_lock(self, camera: Camera) -> None:
        wanted = self.lock_wanted
        if wanted == self._locked:
            return
        camera.lock_exposure() if wanted else camera.unlock_exposure()
        self._locked = wanted

    def _lose(self, error: CameraError) -> float:
        self._lost = error
        self.close()
        self._failures += 1
        return self._backoff.wait_s(self._failures, self._rng.uniform(-1.0, 1.0))
