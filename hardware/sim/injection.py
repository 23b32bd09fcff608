"""Streams that take the camera's place: what an attacker who got between sensor and kiosk would send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hardware.sim import seen
from hardware.sim.light import linear_to_srgb, srgb_to_linear
from kiosk.values import Face, Pixels

if TYPE_CHECKING:
    from hardware.sim.story import Cue
    from hardware.sim.world import World


@dataclass(frozen=True, slots=True, eq=False)
class RecordedSession:
    """An old genuine session ``((offset_s, pixels), ...)`` played back from story time ``from_s`` on, once.

    When the kiosk's flash begins it jumps to where the recorded one did (``flash_offset_s``): what an attacker does who
    watches the screen. After its last frame it holds that one, since a recording that has ended shows nothing new.
    """

    frames: Sequence[tuple[float, Pixels]]
    from_s: float = 0.0
    shown: Sequence[Sequence[Face]] = ()
    """The faces of each frame, where they are known."""
    flash: Cue | None = None
    """None: it is played as it is, whatever the kiosk does."""
    flash_offset_s: float = 0.0

    def pixels(self, world: World, start_s: float, exposure_s: float, filmed: Pixels) -> Pixels | None:  # noqa: ARG002 - the port's signature
        """The recorded frame of this moment."""
        index = self._index(world, start_s)
        return None if index is None else self.frames[index][1]

    def faces(self, world: World, start_s: float, exposure_s: float) -> Sequence[Face] | None:  # noqa: ARG002 - the port's signature
        """The faces that were recorded; none where they are not known."""
        index = self._index(world, start_s)
        return None if index is None else (self.shown[index] if self.shown else ())

    def _index(self, world: World, start_s: float) -> int | None:
        """Which frame is played at this moment."""
        played_s = start_s - world.start_s - self.from_s
        if played_s < 0.0 or not self.frames:
            return None
        if self.flash is not None and start_s - world.start_s >= self.flash.at_s:
            played_s = self.flash_offset_s + start_s - world.start_s - self.flash.at_s
        offsets = np.array([offset for offset, _ in self.frames])
        return int(np.clip(np.searchsorted(offsets, played_s, side="right") - 1, 0, len(offsets) - 1))


@dataclass(slots=True, eq=False)
class FrozenFrame:
    """From story time ``from_s`` on the camera's last picture is repeated."""

    from_s: float
    _held: list[Pixels] = field(default_factory=list)
    _since: list[tuple[float, float]] = field(default_factory=list)

    def pixels(self, world: World, start_s: float, exposure_s: float, filmed: Pixels) -> Pixels | None:
        """The same picture again."""
        if start_s - world.start_s < self.from_s:
            return None
        if not self._held:
            self._held.append(filmed.copy())
            self._since.append((start_s, exposure_s))
        return self._held[0]

    def faces(self, world: World, start_s: float, exposure_s: float) -> Sequence[Face] | None:
        """The faces of the moment at which the picture was held."""
        if start_s - world.start_s < self.from_s:
            return None
        return seen.actor_faces(world, *(self._since[0] if self._since else (start_s, exposure_s)))


@dataclass(frozen=True, slots=True, eq=False)
class InjectedTint:
    """A still or clip that is tinted as a whole with the screen's colour, ``delay_s`` late: a simple adaptive attacker.

    ``frames`` are looped at ``fps``; ``strength`` is the modulation that the attacker guesses.
    """

    frames: Sequence[Pixels]
    delay_s: float = 0.2
    strength: float = 0.12
    fps: float = 30.0
    from_s: float = 0.0
    noise: float = 1.0
    """Standard deviation of the noise that is added, 8-bit codes."""
    shown: Sequence[Sequence[Face]] = ()
    """The faces of each frame, where they are known."""

    def pixels(self, world: World, start_s: float, exposure_s: float, filmed: Pixels) -> Pixels | None:  # noqa: ARG002 - the port's signature
        """The tinted frame of this moment."""
        played_s = start_s - world.start_s - self.from_s
        if played_s < 0.0:
            return None
        number = int(played_s * self.fps)
        light = world.light.mean(np.array([start_s - self.delay_s]), exposure_s)[0].mean(axis=0)
        linear = srgb_to_linear(self.frames[number % len(self.frames)])
        tinted = linear_to_srgb(np.asarray(linear * (1.0 + self.strength * light), np.float32))
        random = np.random.default_rng([world.seed, 0x1213, number])
        codes = tinted + self.noise * random.standard_normal(tinted.shape, np.float32)
        return np.asarray(np.clip(np.round(codes), 0, 255), np.uint8)

    def faces(self, world: World, start_s: float, exposure_s: float) -> Sequence[Face] | None:  # noqa: ARG002 - the port's signature
        """The faces of the clip's frame; none where they are not known."""
        played_s = start_s - world.start_s - self.from_s
        if played_s < 0.0:
            return None
        return self.shown[int(played_s * self.fps) % len(self.frames)] if self.shown else ()
