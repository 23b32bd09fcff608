"""The kiosk without its door, its people and its records, for recordings and drills: put together here.

Rule: whatever happens in a rig, nothing can open. There is no door, and the matcher knows nobody.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hardware.cameras import open_camera
from hardware.clock import SystemClock
from hardware.displays.screen import open_display
from hardware.recording.write import write_recording
from kiosk.config.tree import Settings
from kiosk.ports import Clock, Display, FaceModels
from kiosk.runtime import calibration
from kiosk.runtime.calibration import Calibration
from kiosk.runtime.feed import CameraFeed, Feed
from kiosk.runtime.journal import no_journal
from kiosk.runtime.loop import Loop, Watcher
from kiosk.runtime.reopen import Backoff
from kiosk.runtime.wiring import Adapters, assemble
from kiosk.runtime.worker import ThreadWorker, Worker
from kiosk.site.keeping import Kept, Place
from kiosk.site.nobody import NobodyMatcher, NoDoor, NoRecords
from models.faces import open_models


@dataclass(frozen=True, slots=True)
class Devices:
    """What a rig stands on; all open."""

    clock: Clock
    display: Display
    feed: Feed
    models: FaceModels
    worker: Worker
    """For the attempts."""
    writer: Worker
    """For what is written to the disk."""
    calibration: Calibration | None = None


@contextmanager
def real_devices(settings: Settings, data: Path) -> Iterator[Devices]:
    """The configured camera and display. Raises ModelError, CameraError, DisplayError, InputError."""
    clock = SystemClock()
    camera = settings.camera
    backoff = Backoff(stall_s=camera.stall_s, first_s=camera.reopen_first_s, max_s=camera.reopen_max_s)
    with ExitStack() as stack:
        models = stack.enter_context(open_models(data))
        display = stack.enter_context(open_display(settings.display))
        worker = stack.enter_context(ThreadWorker(no_journal))
        writer = stack.enter_context(ThreadWorker(no_journal, name="writer"))
        feed = stack.enter_context(CameraFeed(lambda: open_camera(camera, clock=clock), clock, backoff))
        stored = calibration.load_or_none(data / calibration.FILE, no_journal)
        yield Devices(clock, display, feed, models, worker, writer, stored)


def rig_loop(settings: Settings, devices: Devices, watchers: tuple[Watcher, ...]) -> Loop:
    """The kiosk's own loop, with nobody behind it."""
    adapters = Adapters(
        clock=devices.clock,
        feed=devices.feed,
        display=devices.display,
        door=NoDoor(),
        models=devices.models,
        matcher=NobodyMatcher(devices.models.embedding_version),
        recorder=NoRecords(),
        worker=devices.worker,
        journal=no_journal,
        calibration=devices.calibration,
    )
    return assemble(settings, adapters, watchers)


def place_of(settings: Settings, devices: Devices) -> Place:
    """The installation's facts for recordings."""
    panel, clock = devices.display.panel, devices.clock
    lag_s = calibration.lag_of(settings, devices.calibration, panel, lambda: clock.now().utc)
    return Place(panel, lambda: devices.feed.name, settings.camera.hfov_deg, lag_s)


def write_kept(folder: Path, kept: Kept, species: str | None, notes: Mapping[str, object]) -> None:
    """One attempt in the documented format. Raises InputError."""
    write_recording(
        folder,
        slots=kept.slots,
        panel=kept.panel,
        camera_name=kept.camera_name,
        exposure_locked=kept.exposure_locked,
        lag_s=kept.lag_s,
        ambient_lux=kept.ambient_lux,
        frames=kept.frames,
        species=species,
        hfov_deg=kept.hfov_deg,
        notes=notes,
    )


def free_bytes(folder: Path) -> int:
    """Free on the disk that ``folder`` is on, or will be. Raises OSError."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
