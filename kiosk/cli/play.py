"""``kiosk run`` and ``kiosk demo``: the main job at a real door and in the simulated world."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk.cli.common import ConfigOption, JsonOption, emit, progress, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import DisplayClosed
from kiosk.stopping import on_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG_WIDTH = 150


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(run)
    app.command()(demo)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """SIGINT and SIGTERM end the loop in order: the door is locked on the way out. A second SIGINT does not wait."""
    stop = threading.Event()
    with on_signals(stop.set):
        yield stop


def run(
    config: ConfigOption = None,
    camera: Annotated[
        str | None,
        typer.Option(
            help="Instead of camera.source: picamera2, 0, /dev/video2, a GStreamer pipeline, a file, a folder."
        ),
    ] = None,
    display: Annotated[str | None, typer.Option(help="Instead of display.kind: pygame or memory.")] = None,
    door: Annotated[str | None, typer.Option(help="Instead of door.kind: gpiozero, gpiod or memory.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after this time; default: run for ever.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Files only: every frame, as fast as possible.")] = False,
    json: JsonOption = False,
) -> None:
    """Run the kiosk until stopped; ends with a summary."""
    from kiosk.runtime.journal import open_journal
    from kiosk.runtime.visitlog import VisitLog
    from kiosk.runtime.wiring import open_kiosk, with_overrides

    settings = with_overrides(load(config), camera=camera, display=display, door=door)
    log = VisitLog()
    with (
        stop_on_signals() as stop,
        open_kiosk(settings, data_dir(), open_journal(), (log,), paced=not fast) as kiosk,
    ):
        kiosk.notifier.ready()
        began_s = time.monotonic()

        def over() -> bool:
            return stop.is_set() or (seconds is not None and time.monotonic() - began_s >= seconds)

        with suppress(DisplayClosed):
            kiosk.loop.run(over)
        took_s = max(time.monotonic() - began_s, 1e-9)
        kiosk.notifier.stopping()
        log.finish(time.monotonic())
        pulses, frames = kiosk.adapters.door.pulses, kiosk.loop.frames
    summary: dict[str, Any] = {
        "visits": [visit.to_json() for visit in log.visits],
        "door_pulses": pulses,
        "frames": frames,
        "fps": round(frames / took_s, 2),
    }
    if json:
        emit(summary)
        return
    for visit in log.visits:
        hints = " ".join(str(hint) for hint in visit.hints)
        say(f"visit: {visit.decision} {visit.reason or ''}  ({hints})")
    say(f"{frames} frames at {frames / took_s:.1f} a second, {len(log.visits)} visits, {pulses} door pulses")


def demo(
    out: Annotated[
        Path | None, typer.Option(help="Folder for film, contact sheet and report (default: DATA/demo).")
    ] = None,
    window: Annotated[bool, typer.Option("--window", help="Show the kiosk's screen while playing.")] = False,
    json: JsonOption = False,
) -> None:
    """Play the main job in the simulated world with real photographs; exit code 1 if a visit is not as expected."""
    from kiosk.demo.play import play

    folder = out if out is not None else data_dir() / "demo"
    with progress(quiet=json) as advance:
        report = play(data_dir(), folder, progress=advance, window=window)
    if json:
        emit(report)
    else:
        _print_visits(report, folder)
    if report["failed"]:
        raise typer.Exit(1)


def _print_visits(report: dict[str, Any], folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Visits in the simulated world (synthetic: real photographs, simulated light)")
    for column in ("visit", "expected", "happened", "reason", "similarity", "liveness", "oval to decision", "door", ""):
        table.add_column(column, overflow="fold")
    for visit in report["visits"]:
        liveness = visit["liveness"]
        similarity, took_s = visit["similarity"], visit["in_oval_to_decision_s"]
        table.add_row(
            visit["name"],
            visit["expected"],
            visit["decision"],
            visit["reason"] or "-",
            "-" if similarity is None else f"{similarity:.1f}",
            "-" if liveness is None else liveness["verdict"],
            "-" if took_s is None else f"{took_s:.1f} s",
            "opened" if visit["door_pulses"] else "locked",
            "ok" if visit["passed"] else "NOT AS EXPECTED",
        )
    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH  # a log is read later, on something wider than the 80 columns assumed here
    console.print(table)
    say(f"{report['passed']} passed, {report['failed']} failed; see {folder}/demo.mp4, contact-sheet.png, report.json")
