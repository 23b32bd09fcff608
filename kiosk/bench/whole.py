"""Benchmarks of the whole loop in real time: frame rate, processor share, memory, latency of the decision, readiness.

The frames of a genuine simulated visit are rendered beforehand and then played back from memory at their own pace,
so that the simulation's own cost is not measured. Everything behind the camera is the product's, worker thread and
system clock included.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from hardware.clock import SystemClock
from hardware.displays.screen import open_display
from hardware.doors import open_door
from kiosk.closing import Closing
from kiosk.config.tree import DisplaySettings, DoorSettings, Settings
from kiosk.errors import CameraEnded
from kiosk.identity.galleries import Galleries
from kiosk.identity.gallery import Gallery
from kiosk.identity.matcher import LocalMatcher
from kiosk.ports import FaceModels
from kiosk.records.store import Store
from kiosk.runtime.feed import CameraFeed
from kiosk.runtime.journal import no_journal
from kiosk.runtime.loop import Turn
from kiosk.runtime.wiring import Adapters, assemble, scale_of
from kiosk.runtime.worker import ThreadWorker
from kiosk.values import Embedding, Floats, Frame, NewTemplate, SceneKind
from models.embedder import LENGTHS, VERSION

PEOPLE = 10_000
READY_LIMIT_S = 60.0
RUN_S = 6


class MemoryCamera(Closing):
    """Plays frames from memory in real time, in a circle if asked; claims a proven lock, as the frames were made so."""

    def __init__(self, frames: Sequence[Frame], *, rounds: int = 1) -> None:
        self._frames = frames
        self._rounds = rounds
        self._began_s = 0.0
        self._next = 0

    @property
    def name(self) -> str:
        """Stable identity."""
        return "bench:0"

    @property
    def exposure_locked(self) -> bool | None:
        """As rendered."""
        return True

    def __enter__(self) -> Self:
        self._began_s = time.monotonic()
        self._next = 0
        return self

    def close(self) -> None:
        """Nothing to release."""

    def lock_exposure(self) -> None:
        """Always locked."""

    def unlock_exposure(self) -> None:
        """Always locked."""

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The next frame at its time."""
        del newer_than_s, timeout_s
        if self._next >= len(self._frames) * self._rounds:
            raise CameraEnded("the frames are over", where=self.name)
        first, last = self._frames[0], self._frames[-1]
        length_s = last.exposure_start_s - first.exposure_start_s + 1 / 30
        turn, index = divmod(self._next, len(self._frames))
        frame = self._frames[index]
        start_s = self._began_s + turn * length_s + frame.exposure_start_s - first.exposure_start_s
        time.sleep(max(0.0, start_s + frame.exposure_s - time.monotonic()))
        self._next += 1
        return replace(frame, sequence=self._next, exposure_start_s=start_s, gains_locked=True)


class _Latency:
    """Measures from the arrival of the first frame after the flash to the decision on the screen."""

    def __init__(self) -> None:
        self.decisions_ms: list[float] = []
        self._flash_ended_s: float | None = None
        self._before = SceneKind.IDLE

    def turned(self, turn: Turn) -> None:
        """Look at one turn."""
        kind = turn.scene.kind
        if self._before is SceneKind.FLASHING and kind is not SceneKind.FLASHING and turn.frame is not None:
            self._flash_ended_s = turn.frame.exposure_start_s + turn.frame.exposure_s
        if kind not in (SceneKind.FLASHING, SceneKind.DECIDING) and self._flash_ended_s is not None:
            if kind in (SceneKind.GRANTED, SceneKind.DENIED, SceneKind.GUIDING):
                self.decisions_ms.append((time.monotonic() - self._flash_ended_s) * 1e3)
            self._flash_ended_s = None
        self._before = kind


def run_loop(settings: Settings, models: FaceModels, frames: Sequence[Frame], *, rounds: int) -> dict[str, Any]:
    """The loop over ``frames`` in real time with a gallery of PEOPLE random templates."""
    latency = _Latency()
    clock = SystemClock()
    with ExitStack() as stack:
        adapters = Adapters(
            clock=clock,
            feed=stack.enter_context(CameraFeed(lambda: MemoryCamera(frames, rounds=rounds), clock)),
            display=stack.enter_context(open_display(DisplaySettings(kind="memory"))),
            door=stack.enter_context(open_door(DoorSettings(kind="memory"))),
            models=models,
            matcher=_crowd(settings, models),
            recorder=_Forgetful(),
            worker=stack.enter_context(ThreadWorker(no_journal)),
            journal=no_journal,
        )
        loop = assemble(settings, adapters, (latency,))
        began_s, busy_s = time.monotonic(), time.process_time()
        loop.run(lambda: False)
        took_s, busy_s = time.monotonic() - began_s, time.process_time() - busy_s
    return {
        "fps": round(loop.frames / took_s, 2),
        "cpu_ratio": round(busy_s / took_s / (os.cpu_count() or 1), 3),
        "decision_after_flash_ms": latency.decisions_ms,
    }


def started(clip: Path, data: Path, folder: Path) -> dict[str, float]:
    """``kiosk run`` as a process of its own, with PEOPLE enrolled: seconds to READY=1 and resident memory in MB.

    ``folder`` is empty and gets the records; the weights of ``data`` are used. The file cache is warm.
    """
    (folder / "models").symlink_to((data / "models").resolve())
    _populate(folder)
    address = str(folder / "notify")
    command = [sys.executable, "-c", "from kiosk.cli import main; main()", "run", "--camera", str(clip)]
    command += ["--display", "memory", "--door", "memory", "--seconds", str(RUN_S), "--json"]
    environment = {**os.environ, "NOTIFY_SOCKET": address, "KIOSK_DATA_DIR": str(folder)}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(address)
        heard.settimeout(READY_LIMIT_S)
        began_s = time.monotonic()
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while b"READY=1" not in heard.recv(4096):
                pass
            ready_s = time.monotonic() - began_s
            most_mb = 0.0
            while process.poll() is None:
                most_mb = max(most_mb, _resident_mb(process.pid))
                time.sleep(0.1)
    return {"ready_s": round(ready_s, 2), "rss_mb": round(most_mb, 1)}


def _faces(version: str) -> Floats:
    """``(PEOPLE, D)`` random unit rows."""
    rows = np.random.default_rng(9).standard_normal((PEOPLE, LENGTHS.get(version, 128)), dtype=np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _populate(folder: Path) -> None:
    vectors = _faces(VERSION)
    with Store.in_directory(folder, create=True) as store:
        for row in range(PEOPLE):
            template = NewTemplate(Embedding(vectors[row], VERSION), f"{row:064x}")
            store.add_person(f"Person {row}", templates=[template])


class _Forgetful:
    """An EventRecorder that keeps nothing: the store has its own figures."""

    def record_event(self, **_event: object) -> None:
        """Forget it."""


def _crowd(settings: Settings, models: FaceModels) -> LocalMatcher:
    version = models.embedding_version
    vectors = _faces(version)
    gallery = Gallery(version)
    gallery.replace((f"p{row}", Embedding(vectors[row], version)) for row in range(PEOPLE))
    return LocalMatcher(Galleries(gallery), scale_of, settings.identity, lambda _badge: None)


def _resident_mb(process: int) -> float:
    """Resident memory of a process now (Linux); 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 2**20
