"""All benchmarks in one report. ``measured_on`` and ``frames`` say what the figures mean."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hardware.cameras import open_camera
from hardware.displays.video import VideoWriter
from kiosk.bench.parts import Progress, model_ms, perceive_ms, percentiles, search_ms, step_us
from kiosk.bench.visit import rendered_visit
from kiosk.bench.whole import run_loop, started
from kiosk.config.tree import CameraSettings, DoorSettings, Settings
from kiosk.errors import CameraEnded, InputError
from kiosk.runtime.wiring import rules_of
from kiosk.values import Frame, Panel
from models.faces import open_models

STEPS = 6
LOOP_S = 20.0
MOST_FRAMES = 450


def measure(settings: Settings, data: Path, *, video: Path | None, progress: Progress) -> dict[str, Any]:
    """Every figure. Raises ModelError without weights, InputError for an unusable video."""
    settings = settings.model_copy(
        update={"camera": CameraSettings(source="bench"), "door": DoorSettings(kind="memory")}
    )
    report: dict[str, Any] = {}
    later = _Later()
    with open_models(data, settings.identity.embedders) as models:
        progress("bench", 0, STEPS)
        clip_frames = None if video is None else read_clip(video)  # first: a bad file should not cost a wait
        visit = rendered_visit(data, models)
        frames = visit if clip_frames is None else clip_frames
        progress("bench", 1, STEPS)
        report["perceive_ms"], observations, faces = perceive_ms(settings, models, later(frames))
        display = settings.display
        rules = rules_of(settings, Panel(display.width_mm, display.height_mm, display.luminance_cd_m2))
        report["step_us"] = step_us(rules, observations)
        progress("bench", 2, STEPS)
        if not faces:
            raise InputError("no face in the frames", where=str(video), mend="use a video of a face")
        report |= model_ms(models, frames[-1].pixels, faces[-1])
        progress("bench", 3, STEPS)
        # The visit answers its own flash, so the decision's latency comes from it and the frame rate from the video.
        decisions = run_loop(settings, models, later(visit), rounds=5)["decision_after_flash_ms"]
        report["decision_after_flash_ms"] = {**percentiles(decisions), "n": len(decisions)}
        progress("bench", 4, STEPS)
        length_s = max(1.0, len(frames) / settings.camera.fps)
        loop = run_loop(settings, models, later(frames), rounds=max(1, round(LOOP_S / length_s)))
        report |= {key: loop[key] for key in ("fps", "cpu_ratio")}
        progress("bench", 5, STEPS)
    with tempfile.TemporaryDirectory() as folder:
        clip = video if video is not None else _written(frames, Path(folder) / "bench.mp4")
        empty = Path(folder) / "data"
        empty.mkdir()
        report |= started(clip.resolve(), data, empty)
    report["search_ms"] = search_ms("bench", progress)
    report["frames"] = "synthetic: rendered visit" if video is None else f"video: {video.name}"
    report["machine"] = machine()
    progress("bench", STEPS, STEPS)
    return report


class _Later:
    """The same frames an hour on each time: one landmarker, whose times must grow, sees them again and again."""

    def __init__(self) -> None:
        self._shift_s = 0.0

    def __call__(self, frames: Sequence[Frame]) -> list[Frame]:
        self._shift_s += 3600.0
        return [replace(frame, exposure_start_s=frame.exposure_start_s + self._shift_s) for frame in frames]


def read_clip(video: Path) -> list[Frame]:
    """Up to MOST_FRAMES frames of a video at the default frame size. Raises InputError."""
    frames: list[Frame] = []
    with open_camera(CameraSettings(source=str(video)), paced=False) as camera:
        try:
            while len(frames) < MOST_FRAMES:
                newer_than_s = frames[-1].exposure_start_s if frames else -np.inf
                frames.append(camera.read(newer_than_s=newer_than_s, timeout_s=5.0))
        except CameraEnded:
            pass
    return frames


def _written(frames: Sequence[Frame], path: Path) -> Path:
    with VideoWriter(path, 30.0) as writer:
        for frame in frames[:90]:
            writer.write(frame.pixels)
    return path


def machine() -> dict[str, Any]:
    """What the figures were measured on, without a host name."""
    model = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    return {
        "processor": model,
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
