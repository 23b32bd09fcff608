"""What happens in a simulated world and when: actors, the room's light, injected streams, faults of the camera.

A demo visit is a few lines::

    person = LiveHead(portrait, Path.walk_up(far_mm=900, near_mm=400).leaving(14.0))
    story = Story(actors=(person,), lights=((0.0, Ambient(lux=300)),))
    world = World(story, seed=1)

Story times count from the world's start; ``World.start_s`` is the same instant on the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from hardware.sim.light import Ambient
from hardware.sim.path import Stand
from kiosk.values import Face, Pixels

if TYPE_CHECKING:
    from hardware.sim.relief import Relief
    from hardware.sim.world import World


class Actor(Protocol):
    """Something that can be filmed."""

    def stand(self, t_s: float) -> Stand | None:
        """Where it is at story time ``t_s``; None while it is not to be seen."""

    def relief(self, t_s: float) -> Relief:
        """What it looks like at story time ``t_s``."""


class Injection(Protocol):
    """A stream that takes the camera's place: the attacker has got between sensor and kiosk."""

    def pixels(self, world: World, start_s: float, exposure_s: float, filmed: Pixels) -> Pixels | None:
        """The injected frame for an exposure at clock time ``start_s``; None leaves the filmed one."""

    def faces(self, world: World, start_s: float, exposure_s: float) -> Sequence[Face] | None:
        """The faces in the injected frame; None where the filmed one is left."""


@dataclass(slots=True)
class Cue:
    """When something happens that the story cannot know beforehand: the first light of the flash."""

    at_s: float
    """Story time; the expected one until the kiosk flashes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The camera gives nothing between two story times."""

    from_s: float
    until_s: float
    kind: Literal["stall", "unplug"] = "stall"


@dataclass(frozen=True, slots=True)
class Story:
    """A whole story. ``lights`` are (from_s, ambient) in order; a change takes ``fade_s``."""

    actors: tuple[Actor, ...] = ()
    lights: tuple[tuple[float, Ambient], ...] = ((0.0, Ambient()),)
    injections: tuple[Injection, ...] = ()
    faults: tuple[Fault, ...] = ()
    fade_s: float = 0.4
    flash: Cue | None = None
    """What some actors and streams wait for."""

    def ambient(self, t_s: float) -> Ambient:
        """The room's light at story time ``t_s``."""
        current = self.lights[0][1]
        for from_s, ambient in self.lights:
            if t_s < from_s:
                break
            share = min(1.0, (t_s - from_s) / self.fade_s) if self.fade_s > 0 else 1.0
            current = replace(
                ambient,
                lux=current.lux + (ambient.lux - current.lux) * share,
                backlight=current.backlight + (ambient.backlight - current.backlight) * share,
            )
        return current

    def fault(self, t_s: float) -> Fault | None:
        """The fault that holds at story time ``t_s``."""
        return next((fault for fault in self.faults if fault.from_s <= t_s < fault.until_s), None)
