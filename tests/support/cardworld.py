"""A plain wall close to a simulated kiosk whose screen is later than it says: what calibration is tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.display import SimDisplay
from hardware.sim.light import Ambient
from hardware.sim.room import Room
from hardware.sim.sensor import CameraOptics
from hardware.sim.story import Story
from hardware.sim.world import World
from kiosk.values import Panel, Pixels, Scene

PANEL = Panel(155.0, 88.0, 500.0)
RESPONSE_S = 0.004
"""Mean delay of the simulated liquid crystal."""
SMALL = CameraOptics(width_px=160, height_px=120)


class LateDisplay(SimDisplay):
    """Says that a picture is visible ``late_s`` before it is."""

    late_s = 0.0

    def show(self, scene: Scene, preview: Pixels | None = None) -> float:
        """As the simulated display, with its tale."""
        return super().show(scene, preview) - self.late_s


@dataclass(frozen=True)
class Site:
    """A wall at ``wall_mm``, its light, a camera and the truth about the delay."""

    late_s: float = 0.05
    latency_s: float = 0.03
    lux: float = 200.0
    optics: CameraOptics = SMALL
    lights: tuple[tuple[float, Ambient], ...] = ()
    wall_mm: float = 400.0
    colour: tuple[int, int, int] = (150, 150, 150)
    seed: int = 5

    @property
    def true_lag_s(self) -> float:
        """What the middle row of the picture sees."""
        return self.late_s + RESPONSE_S - self.optics.readout_s / 2

    def open(self) -> tuple[SimCamera, LateDisplay, SimClock]:
        """Camera, display and clock; the first two are to be entered."""
        lights = self.lights or ((0.0, Ambient(lux=self.lux)),)
        world = World(
            Story(lights=lights),
            seed=self.seed,
            room=Room(back_mm=self.wall_mm, wall=self.colour),
            panel=PANEL,
            optics=self.optics,
        )
        clock = SimClock(self.seed)
        display = LateDisplay(world, clock, latency_s=self.latency_s)
        display.late_s = self.late_s
        return SimCamera(world, clock), display, clock

    def but(self, **optics: object) -> Site:
        """With another camera."""
        return replace(self, optics=replace(self.optics, **optics))  # type: ignore[arg-type]
