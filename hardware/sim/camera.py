"""The simulated camera: films the world at its own rhythm and moves the virtual clock on to each delivery."""

from __future__ import annotations

from typing import Self

import numpy as np

from hardware.sim.clock import SimClock
from hardware.sim.sensor import Sensor
from hardware.sim.world import World
from kiosk.closing import Closing
from kiosk.errors import CameraStalled, CameraUnavailable
from kiosk.values import Frame, Pixels

_NEVER = 10**12


class SimCamera(Closing):
    """A ``Camera`` in a simulated world. ``read`` advances ``clock`` to the moment at which the frame arrives."""

    def __init__(self, world: World, clock: SimClock, name: str = "sim:0") -> None:
        self._world = world
        self._clock = clock
        self._name = name
        self._optics = world.optics
        self._sensor = Sensor(world.optics, world.seed)
        self._open = False
        self._starts: dict[int, float] = {}
        self._last_number = -1
        self._adapted_s = world.start_s
        self._lock_from = _NEVER
        self._locked: bool | None = None

    @property
    def name(self) -> str:
        """Stable identity of the simulated device."""
        return self._name

    @property
    def exposure_locked(self) -> bool | None:
        """As the last delivered frame said."""
        return self._locked

    def __enter__(self) -> Self:
        self._refuse_unplugged(self._clock.now_s)
        self._open = True
        self._lock_from = _NEVER
        self._locked = None if self._optics.locking == "untold" else False
        return self

    def close(self) -> None:
        """Stop; calling it again does nothing."""
        self._open = False

    def lock_exposure(self) -> None:
        """Freeze exposure, gain and white balance; it takes ``lock_frames`` frames."""
        if self._lock_from == _NEVER:
            self._lock_from = max(self._number_at(self._clock.now_s), self._last_number) + 1 + self._optics.lock_frames

    def unlock_exposure(self) -> None:
        """Back to automatic."""
        self._lock_from = _NEVER

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The newest frame whose exposure began after ``newer_than_s``; advances the clock when it must be awaited.

        Raises CameraStalled after ``timeout_s`` of virtual time without one, CameraUnavailable when unplugged.
        """
        if not self._open:
            raise CameraUnavailable("the simulated camera is closed", where=self._name)
        now_s = self._clock.now_s
        self._refuse_unplugged(now_s)
        number = max(self._newest_delivered(now_s), self._last_number + 1)
        while self._start_s(number) <= newer_than_s or self._lost(number):
            number += 1
            if self._delivered_s(number) > max(now_s, newer_than_s) + timeout_s + 1.0:
                break
        if self._delivered_s(number) > now_s + timeout_s or self._lost(number):
            self._clock.advance_to(now_s + timeout_s)
            self._refuse_unplugged(self._clock.now_s)
            raise CameraStalled(f"no frame within {timeout_s:g} s", where=self._name)
        self._clock.advance_to(self._delivered_s(number))
        return self._expose(number)

    def _expose(self, number: int) -> Frame:
        start_s = self._start_s(number)
        optics, sensor = self._optics, self._sensor
        frozen = number >= self._lock_from and optics.locking != "ignored"
        exposure_s = sensor.gains.exposure_s
        radiance = self._world.film(start_s, exposure_s)
        pixels: Pixels = self._world.inject(start_s, exposure_s, sensor.develop(radiance))
        lux = sensor.lux(radiance) if optics.reports_lux else None
        if not frozen:
            if self._last_number < 0:
                # A camera that has been on for a while meets the story already adapted.
                for _ in range(3):
                    sensor.adapt(radiance, 10.0)
                pixels = self._world.inject(start_s, sensor.gains.exposure_s, sensor.develop(radiance))
                exposure_s = sensor.gains.exposure_s
            else:
                sensor.adapt(radiance, start_s - self._adapted_s)
        self._adapted_s = start_s
        self._last_number = number
        self._locked = None if optics.locking == "untold" else frozen
        return Frame(pixels, number, start_s, exposure_s, self._locked, lux)

    def _start_s(self, number: int) -> float:
        """Beginning of one exposure: a steady rhythm with a jitter that depends on the number alone."""
        if number not in self._starts:
            random = np.random.default_rng([self._world.seed, 0xF8A3E, max(number, 0)])
            jitter = float(np.clip(random.standard_normal(), -3, 3)) * self._optics.jitter_s
            self._starts[number] = self._world.start_s + (number + 0.5) / self._optics.fps + jitter
        return self._starts[number]

    def _delivered_s(self, number: int) -> float:
        optics = self._optics
        return self._start_s(number) + self._sensor.gains.exposure_s + optics.readout_s + optics.delivery_s

    def _number_at(self, now_s: float) -> int:
        return int(np.floor((now_s - self._world.start_s) * self._optics.fps))

    def _newest_delivered(self, now_s: float) -> int:
        number = max(self._number_at(now_s), 0)
        while number > 0 and self._delivered_s(number) > now_s:
            number -= 1
        return number

    def _lost(self, number: int) -> bool:
        """Whether a fault swallows this frame."""
        return self._world.story.fault(self._start_s(number) - self._world.start_s) is not None

    def _refuse_unplugged(self, now_s: float) -> None:
        fault = self._world.story.fault(now_s - self._world.start_s)
        if fault is not None and fault.kind == "unplug":
            self._open = False
            raise CameraUnavailable("unplugged", where=self._name)
