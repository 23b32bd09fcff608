"""How well calibration finds the delay in drawn simulated worlds: ``python -m tests.bench.calibration [WORLDS]``.

Synthetic: walls, lamps, panels and cameras are those of ``hardware.sim.conditions``; the delay and its jitter are drawn
and known. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.conditions import draw
from hardware.sim.display import SimDisplay
from hardware.sim.room import Room
from hardware.sim.story import Story
from hardware.sim.world import World
from kiosk.errors import KioskError
from kiosk.site.calibrate import calibrate
from kiosk.site.filming import film

WORLDS = 60
RESPONSE_S = 0.004
"""Mean delay of the simulated liquid crystal."""


def error_s(number: int) -> float | None:
    """Found minus true delay in one drawn world; None when the run was refused."""
    drawn = draw(np.random.default_rng([7, number]), "test" if number % 2 else "train")
    optics = replace(drawn.optics, width_px=160, height_px=120)
    world = World(
        Story(lights=((0.0, drawn.ambient),)),
        seed=number,
        room=Room(back_mm=drawn.distance_mm, wall=drawn.wall),
        panel=drawn.panel,
        optics=optics,
        lag_s=drawn.lag_s,
        lag_jitter_s=drawn.lag_jitter_s,
    )
    clock = SimClock(number)
    with SimDisplay(world, clock) as display, SimCamera(world, clock) as camera:
        filmed = film(camera, display, clock)
    try:
        made = calibrate(
            filmed,
            drawn.panel,
            target="wall",
            distance_mm=drawn.distance_mm,
            lag_max_s=0.2,
            now=datetime(2026, 11, 22, tzinfo=UTC),
        )
    except KioskError:
        return None
    return made.calibration.lag_s - (drawn.lag_s + RESPONSE_S - optics.readout_s / 2)


def main() -> int:
    """Measure and print."""
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else WORLDS
    found = [error for number in range(worlds) if (error := error_s(number)) is not None]
    off_ms = np.abs(found) * 1000
    report = {
        "synthetic": True,
        "worlds": worlds,
        "refused": worlds - len(found),
        "median_ms": round(float(np.median(off_ms)), 2),
        "p95_ms": round(float(np.percentile(off_ms, 95)), 2),
        "worst_ms": round(float(off_ms.max()), 2),
    }
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
