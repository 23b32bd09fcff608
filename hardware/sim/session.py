"""Recording a genuine session of the simulated world, to be replayed against another challenge later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hardware.sim import seen
from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.display import SimDisplay
from hardware.sim.world import World
from kiosk.values import Face, Oval, Pixels, Scene, SceneKind, Slot

_OVAL = Oval(0.5, 0.5, 0.4, 0.6)


@dataclass(frozen=True, slots=True, eq=False)
class SessionFrame:
    """One frame of a recorded session."""

    offset_s: float
    """Since the world's start."""
    pixels: Pixels
    faces: tuple[Face, ...]


def record_session(world: World, slots: Sequence[Slot], flash_s: float) -> list[SessionFrame]:
    """Film ``world`` from its start while its screen plays ``slots`` from story time ``flash_s`` on; locked from there.

    What was a guard before is white. The world's own clock is not needed: this makes one.
    """
    clock = SimClock(start_s=world.start_s)
    frames: list[SessionFrame] = []
    until_s = world.start_s + flash_s + sum(slot.duration_s for slot in slots) + 0.3
    with SimDisplay(world, clock) as display, SimCamera(world, clock) as camera:
        display.show(Scene(SceneKind.HOLDING, _OVAL))
        queue, next_s = list(slots), world.start_s + flash_s
        while clock.now_s < until_s:
            frame = camera.read(newer_than_s=0.0, timeout_s=1.0)
            faces = seen.faces(world, frame.exposure_start_s, frame.exposure_s)
            frames.append(SessionFrame(frame.exposure_start_s - world.start_s, frame.pixels, tuple(faces)))
            if clock.now_s >= next_s - 0.4:
                camera.lock_exposure()
            if queue and clock.now_s >= next_s:
                slot = queue.pop(0)
                display.show(Scene(SceneKind.FLASHING, _OVAL, flash=slot))
                next_s = clock.now_s + slot.duration_s
    return frames
