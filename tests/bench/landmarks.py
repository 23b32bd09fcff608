"""How far the simulated landmarks are from MediaPipe's, and what a simulated frame costs.

``python -m tests.bench.landmarks [--seed S] [--frames N]`` films every species in four circumstances (needs the weights
and the demo's photographs) and prints, in shares of the eye distance: the median error of the projected landmarks, and
how the error trembles from frame to frame (what ``hardware.sim.seen.Tremble`` imitates). ``--speed`` prints the
processor's milliseconds for a frame of each species instead.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from hardware.sim import seen
from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.conditions import Conditions
from hardware.sim.portrait import Portrait
from hardware.sim.species import SETTLED_S, SPECIES, Cast, build
from hardware.sim.world import World
from hardware.stills import load_image
from kiosk.config.paths import data_dir
from kiosk.values import Floats
from models import manifest
from models.faces import LocalFaceModels, open_models
from models.segmenter import person_matte

CIRCUMSTANCES = (
    Conditions(blink_every_s=0.0),
    Conditions(blink_every_s=0.0, skin_l=72.0, shape=(0.92, 1.08, 1.1)),
    Conditions(blink_every_s=0.0, skin_l=30.0, glasses=True, distance_mm=350.0),
    Conditions(blink_every_s=0.0, skin_l=45.0, ambient_lux=900.0, distance_mm=500.0, light="side"),
)


def say(line: str) -> None:
    """One line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def cast_of(models: LocalFaceModels) -> Cast:
    """Two of the demo's photographs."""
    made = []
    for name in ("obama.jpg", "biden.jpg"):
        pixels = load_image(manifest.item(name).path(data_dir()))
        made.append(Portrait.of(pixels, models.find_still, lambda still: person_matte(still, data_dir())))
    return Cast(made[0], made[1])


def opened(name: str, cast: Cast, conditions: Conditions, seed: int) -> World:
    """A world under a steady screen."""
    world = build(name, cast, conditions, seed)
    world.show(world.start_s, (0.6, 0.6, 0.6), (0.6, 0.6, 0.6))
    return world


def errors(world: World, models: LocalFaceModels, frames: int) -> Floats | None:
    """``(frames found, 478, 2)`` MediaPipe's minus projected landmarks of the largest face, in eye distances."""
    rows = []
    with SimCamera(world, SimClock()) as camera:
        camera.read(newer_than_s=world.start_s + SETTLED_S, timeout_s=10.0)
        for _ in range(frames):
            frame = camera.read(newer_than_s=0.0, timeout_s=1.0)
            real = models.find(frame)
            told = seen.faces(world, frame.exposure_start_s, frame.exposure_s)
            if real and told:
                off = real[0].landmarks[:, :2] - told[0].landmarks[:, :2]
                rows.append(off / told[0].eye_distance_px)
    # MediaPipe follows from frame to frame: the first ones are still on their way.
    return np.array(rows[4:], np.float32) if len(rows) > 8 else None


def tremble(off: Floats) -> tuple[float, float]:
    """(of the whole face, of single points), standard deviations over time."""
    moving = off - off.mean(axis=0)
    whole = moving.mean(axis=1)
    return float(whole.std(axis=0).mean()), float((moving - whole[:, None]).std(axis=0).mean())


def compare(cast: Cast, models: LocalFaceModels, seed: int, frames: int) -> None:
    """One line for each species and circumstance."""
    for name in SPECIES:
        for number, conditions in enumerate(CIRCUMSTANCES if name != "replay_session" else ()):
            off = errors(opened(name, cast, conditions, seed), models, frames)
            if off is None:
                say(f"{name:18} {number}  not found")
                continue
            whole, single = tremble(off)
            median = float(np.median(np.hypot(off[..., 0], off[..., 1])))
            say(f"{name:18} {number}  median error {median:.3f}  tremble whole {whole:.4f} single {single:.4f}")


def speed(cast: Cast, seed: int, frames: int) -> None:
    """Milliseconds of the processor for one frame of 480x360, and for building the world."""
    for name in SPECIES:
        if name == "replay_session":
            continue
        began = time.process_time()
        world = opened(name, cast, CIRCUMSTANCES[0], seed)
        built = time.process_time() - began
        with SimCamera(world, SimClock()) as camera:
            camera.read(newer_than_s=world.start_s + SETTLED_S, timeout_s=10.0)
            began = time.process_time()
            for _ in range(frames):
                camera.read(newer_than_s=0.0, timeout_s=1.0)
            spent = time.process_time() - began
        say(f"{name:18} {1000 * spent / frames:6.2f} ms a frame   {1000 * built:6.0f} ms to build")


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--speed", action="store_true")
    given = parser.parse_args(arguments)
    with open_models(data_dir()) as models:
        cast = cast_of(models)
        if given.speed:
            speed(cast, given.seed, given.frames)
        else:
            compare(cast, models, given.seed, given.frames)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
