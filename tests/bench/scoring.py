"""What scoring a recording costs on one core: for the first time, and again with the evidence that was kept.

``python -m tests.bench.scoring [--frames N] [--runs N] [--seed S] [--recording DIR]`` writes a synthetic visit of
640 x 480 (needs the weights and the demo's photographs) or copies a recording, binds itself to one core, and runs the
command line itself, each time in a new process: ``liveness score`` without kept evidence, once ``liveness replay``,
which keeps it, ``liveness score`` again, and a replay of one and of several recordings with evidence. Printed are the
processor's seconds, the median of the runs and the least, whole and without the bare start of the interpreter, the
clock's, and whether the answers were the same. On a machine that does other things as well, the clock says little and
the processor's seconds grow, too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from hardware.recording.write import write_recording
from hardware.sim.actors import LiveHead
from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.light import BLACK, rgb_linear
from hardware.sim.path import Path as Walk
from hardware.sim.portrait import Portrait
from hardware.sim.story import Story
from hardware.sim.world import World
from hardware.stills import load_image
from kiosk.config.paths import data_dir
from kiosk.config.tree import LivenessSettings
from kiosk.demo.cast import WALKING_PHOTO
from kiosk.evaluation.kept import FILE
from kiosk.values import Frame, ShownSlot
from kiosk.visit.challenge import draw
from models import manifest
from models.faces import open_models
from models.segmenter import person_matte

APPROACH_S = 2.0
MANY = 6
"""Recordings of a replay."""
COMMAND = "from kiosk.cli import main; main()"


def say(line: str) -> None:
    """One line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def film(folder: Path, count: int, seed: int) -> None:
    """A visitor who stands before a drawn flash, as ``count`` frames, the flash behind an approach of two seconds."""
    photo = load_image(manifest.item(WALKING_PHOTO).path(data_dir()))
    with open_models(data_dir()) as models:
        portrait = Portrait.of(photo, models.find_still, lambda pixels: person_matte(pixels, data_dir()))
    clock = SimClock(seed)
    world = World(Story(actors=(LiveHead(portrait, Walk.walk_up(walk_s=0.5)),)), seed=seed)
    world.show(clock.now_s, (0.6, 0.6, 0.6), (0.6, 0.6, 0.6))
    frames: list[Frame] = []
    with SimCamera(world, clock) as camera:
        camera.read(newer_than_s=clock.now_s + 1.5, timeout_s=10.0)
        camera.lock_exposure()
        begin_s = clock.now_s + APPROACH_S
        slots = []
        for slot in draw(clock.now().nonce, LivenessSettings()).slots:
            light = rgb_linear(slot.rgb)
            halves = (BLACK if slot.region == "bottom" else light, BLACK if slot.region == "top" else light)
            world.show(begin_s, *halves)
            slots.append(ShownSlot(slot.rgb, slot.region, begin_s, slot.duration_s))
            begin_s += slot.duration_s
        while len(frames) < count:
            frames.append(camera.read(newer_than_s=frames[-1].exposure_start_s if frames else 0.0, timeout_s=1.0))
    write_recording(
        folder, slots=slots, panel=world.lamp.panel, camera_name="sim:0", exposure_locked=True, lag_s=None,
        ambient_lux=None, frames=frames, species="live", hfov_deg=world.optics.hfov_deg,
    )  # fmt: skip


def run(code: str, *words: str) -> tuple[float, float, str]:
    """(seconds by the clock, seconds of the processor, standard output) of one Python process."""
    before, began_s = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    clock_s, after = time.perf_counter() - began_s, os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return clock_s, spent, done.stdout


def measured(name: str, runs: int, code: str, *words: str, bare_s: float = 0.0) -> float:
    """Run it so often and print what it took; returns the median of the processor's seconds."""
    rows = [run(code, *words)[:2] for _ in range(runs)]
    clock_s, spent_s = median(row[0] for row in rows), median(row[1] for row in rows)
    least_s = min(row[1] for row in rows)
    less = f"   without the bare start {spent_s - bare_s:.2f} s" if bare_s else ""
    say(f"{name:12} processor {spent_s:.2f} s, least {least_s:.2f} s{less}   clock {clock_s:.2f} s")
    return spent_s


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--frames", type=int, default=160)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--recording", type=Path)
    given = parser.parse_args(arguments)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "0001"
        if given.recording is not None:
            shutil.copytree(given.recording, folder, ignore=shutil.ignore_patterns(FILE))
        else:
            film(folder, given.frames, given.seed)
        pictures = sorted(folder.glob("*.png"))
        mb = sum(one.stat().st_size for one in pictures) / 1e6
        kind = "copied" if given.recording is not None else "synthetic"
        say(f"{kind} recording: {len(pictures)} frames, {mb:.0f} MB, one core")
        bare_s = measured("bare start", given.runs, "pass")
        score = ("liveness", "score", str(folder), "--json")
        first = json.loads(run(COMMAND, *score)[2])
        measured("first time", max(1, given.runs // 2), COMMAND, *score, bare_s=bare_s)
        run(COMMAND, "liveness", "replay", str(folder), "--json")
        if not (folder / FILE).is_file():
            say("no evidence was kept")
            return 1
        say(f"kept: {(folder / FILE).stat().st_size / 1e6:.1f} MB")
        again = json.loads(run(COMMAND, *score)[2])
        measured("again", given.runs, COMMAND, *score, bare_s=bare_s)
        for number in range(2, MANY + 1):
            shutil.copytree(folder, folder.with_name(f"{number:04}"), copy_function=os.link)
        one_s = measured("replay one", given.runs, COMMAND, "liveness", "replay", str(folder), "--json")
        all_s = measured(f"replay {MANY}", given.runs, COMMAND, "liveness", "replay", scratch, "--json")
        say(f"each further recording of a replay: {(all_s - one_s) / (MANY - 1):.2f} s of the processor")
    say(f"verdict {first['verdict']}; the same answer: {'yes' if first == again else 'NO'}")
    return int(first != again)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
