"""Injected streams that are rendered as they are needed: a second world of the attacker, filmed by a camera of its own.

In it the attacker's victim stands before a screen that follows the kiosk's, late (``delayed``), or before a steady
one, and the picture is tinted as a whole afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hardware.sim import seen
from hardware.sim.light import LightHistory, linear_to_srgb, srgb_to_linear
from hardware.sim.sensor import Sensor
from kiosk.values import Face, Floats, Pixels

if TYPE_CHECKING:
    from hardware.sim.world import World

STEADY = 0.6
"""Linear level of the attacker's own screen."""


@dataclass(slots=True)
class DelayedLight(LightHistory):
    """The light of another history, ``delay_s`` late."""

    source: LightHistory = field(default_factory=LightHistory)
    delay_s: float = 0.2

    def mean(self, start_s: NDArray[np.float64], exposure_s: float) -> NDArray[np.float64]:
        """As the source's, earlier."""
        return self.source.mean(start_s - self.delay_s, exposure_s)


@dataclass(slots=True, eq=False)
class _Studio:
    """The attacker's world and camera, locked after the first frame."""

    world: World
    sensor: Sensor | None = None

    def shoot(self, start_s: float) -> Pixels:
        sensor = self.sensor
        radiance = self.world.film(start_s, 0.01 if sensor is None else sensor.gains.exposure_s)
        if sensor is None:
            sensor = self.sensor = Sensor(self.world.optics, self.world.seed)
            for _ in range(4):
                sensor.adapt(radiance, 10.0)
        return sensor.develop(radiance)

    def faces(self, start_s: float) -> Sequence[Face]:
        return seen.actor_faces(self.world, start_s, 0.01)


class InjectedRelit:
    """The victim's head relit from its mesh: ``studio`` is a world with the victim in the kiosk's own circumstances."""

    def __init__(self, studio: World, delay_s: float) -> None:
        self._studio = _Studio(studio)
        self._delay_s = delay_s

    def pixels(self, world: World, start_s: float, exposure_s: float, filmed: Pixels) -> Pixels | None:  # noqa: ARG002 - the port's signature
        """The relit frame of this moment."""
        self._studio.world.light = DelayedLight(source=world.light, delay_s=self._delay_s)
        return self._studio.shoot(start_s)

    def faces(self, world: World, start_s: float, exposure_s: float) -> Sequence[Face] | None:  # noqa: ARG002 - the port's signature
        """The victim's."""
        return self._studio.faces(start_s)


class InjectedVideo:
    """A video of the victim in steady light, tinted as a whole with the screen's colour, ``delay_s`` late.

    ``strength`` is the modulation that the attacker guesses for a white screen.
    """

    def __init__(self, studio: World, delay_s: float, strength: float) -> None:
        self._studio = _Studio(studio)
        self._delay_s = delay_s
        self._strength = strength
        studio.light.add(0.0, (STEADY,) * 3, (STEADY,) * 3)

    def pixels(self, world: World, start_s: float, exposure_s: float, filmed: Pixels) -> Pixels | None:  # noqa: ARG002 - the port's signature
        """The tinted frame of this moment."""
        light = world.light.mean(np.array([start_s - self._delay_s]), exposure_s)[0].mean(axis=0)
        factor = (1.0 + self._strength * (light - STEADY)).astype(np.float32)
        return _multiplied(self._studio.shoot(start_s), factor)

    def faces(self, world: World, start_s: float, exposure_s: float) -> Sequence[Face] | None:  # noqa: ARG002 - the port's signature
        """The victim's."""
        return self._studio.faces(start_s)


def _multiplied(pixels: Pixels, factor: Floats) -> Pixels:
    """8-bit sRGB with each channel's light multiplied, by a table."""
    codes = srgb_to_linear(np.arange(256, dtype=np.uint8))
    tables = np.round(linear_to_srgb(codes[:, None] * factor[None, :])).astype(np.uint8)
    return np.stack([tables[pixels[..., channel], channel] for channel in range(3)], axis=-1)
