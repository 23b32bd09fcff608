"""``kiosk drill``: genuine tries and simple attacks at one's own kiosk, counted."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import ConfigOption, JsonOption, emit, say
from kiosk.cli.liveness_site import CameraOption, DisplayOption, real_display
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import DisplayClosed, InputError
from kiosk.values import Oval, Scene, SceneKind

if TYPE_CHECKING:
    from kiosk.cli.rig import Devices
    from kiosk.config.tree import Settings
    from kiosk.site.drill import Choice, Drill, Operator, Step, Try

ANSWER_S = 0.1
"""Between two looks at the keyboard the screen is kept alive."""
MOST_TYPED = 4096


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(drill)


def drill(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of this drill; the same one goes on with it.")],
    step: Annotated[
        list[str] | None,
        typer.Option("--step", metavar="SPECIES=N", help="Tries, like print_flat=5; may be repeated. Default: 4 x 5."),
    ] = None,
    camera: CameraOption = None,
    display: DisplayOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Try genuine visits, prints and screens at this kiosk, step by step, and write a report; no door is touched.

    The kiosk must not be running. Every try is kept at once: stop with s or Ctrl-C, go on with the same command. Writes
    report.json, report.md and report.html. Exit code 1 when an attack was accepted.
    """
    from kiosk.cli.play import stop_on_signals
    from kiosk.cli.rig import real_devices
    from kiosk.runtime.wiring import with_overrides
    from kiosk.site import drillreport

    settings = with_overrides(load(config), camera=camera, display=display)
    real_display(settings, "a drill")
    begun, source = begin(out, step or []), keyboard()
    with stop_on_signals() as stop, real_devices(settings, data_dir()) as devices:
        operator = Terminal(source, stop.is_set, lambda: _keep_alive(devices))
        done = play(settings, devices, begun, out, operator, stop.is_set)
    write_report(out, done)
    report = drillreport.to_json(done)
    if json:
        emit(report)
    else:
        say(report["result"])
        for line in report["advice"]:
            say(line)
        say(f"{len(done.tries)} tries; see {out}/report.html" + ("" if report["finished"] else "; not finished yet"))
    if done.attack_accepted:
        raise typer.Exit(1)


def begin(out: Path, words: list[str]) -> Drill:
    """The drill that is in ``out``, or a new one. Raises InputError where it has other steps."""
    from kiosk.site.drill import Drill, plan
    from kiosk.site.drillfile import load as kept

    steps, stored = plan(words), kept(out)
    if stored is None:
        return Drill(steps, began_utc="")
    if words and stored.steps != steps:
        raise InputError(
            "holds a drill with other steps", where=str(out), mend="leave out --step, or name a new folder"
        )
    return replace(stored, skipped=())


def play(
    settings: Settings, devices: Devices, begun: Drill, out: Path, operator: Operator, stop: Callable[[], bool]
) -> Drill:
    """Walk through the steps on a rig; every try is kept in ``out``. Raises InputError, CameraError, DisplayError."""
    from kiosk.cli.rig import rig_loop
    from kiosk.runtime.visitlog import VisitLog
    from kiosk.site.attempting import attempt
    from kiosk.site.drill import walk
    from kiosk.site.drillfile import save

    log = VisitLog()
    loop = rig_loop(settings, devices, (log,))
    panel = devices.display.panel
    latest = replace(
        begun,
        began_utc=begun.began_utc or devices.clock.now().utc.isoformat(timespec="seconds"),
        facts={
            "screen": f"{panel.width_mm:g} x {panel.height_mm:g} mm, {panel.luminance_cd_m2:g} cd/m2",
            "delay": "as set" if settings.camera.lag_s is not None else _delay(devices),
        },
    )

    def keep(drill: Drill) -> None:
        nonlocal latest
        latest = replace(drill, camera=devices.feed.name or drill.camera)
        save(out, latest)

    def one_try(step: Step) -> Try | None:
        return attempt(loop, log, devices.clock, step, stop=stop, fault=lambda: devices.feed.fault)

    with suppress(DisplayClosed):
        walk(latest, operator, one_try, keep)
    return latest


def write_report(out: Path, done: Drill) -> None:
    """report.json, report.md and report.html, each whole. Raises InputError."""
    from kiosk.site import drillreport
    from kiosk.site.drillfile import write_text

    write_text(out / "report.json", dumps(drillreport.to_json(done), indent=1, allow_nan=False) + "\n")
    write_text(out / "report.md", drillreport.to_markdown(done))
    write_text(out / "report.html", drillreport.to_html(done))


def _delay(devices: Devices) -> str:
    return "never calibrated" if devices.calibration is None else f"calibrated {devices.calibration.measured_utc[:10]}"


def keyboard() -> int:
    """The file descriptor of standard input. Raises InputError where there is none."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError) as error:
        raise InputError("a drill asks questions", where="standard input", mend="run it in a terminal") from error


def _keep_alive(devices: Devices) -> None:
    """A window whose program does not answer is called dead; nobody is served meanwhile."""
    devices.display.show(Scene(SceneKind.IDLE, Oval(0.5, 0.5, 0.27, 0.48)))


class Terminal:
    """The operator at a terminal: asked on standard error, answers by a letter and Enter."""

    def __init__(self, source: int, stop: Callable[[], bool], idle: Callable[[], None]) -> None:
        """``source``: file descriptor to read from; ``idle`` is called while nobody types."""
        self._source = source
        self._stop = stop
        self._idle = idle
        self._typed = b""

    def ready(self, step: Step, number: int) -> Choice:
        """Tell what to hold up, and wait."""
        from kiosk.site.drill import Choice

        if number == 1:
            typer.echo(f"\n{step.title}, {step.tries} tries. {step.instruction}", err=True)
        asked = f"{step.title} {number} of {step.tries}: Enter begins, k skips this step, s stops > "
        return self._ask(asked, {"": Choice.GO, "k": Choice.SKIP, "s": Choice.STOP})

    def seen(self, step: Step, number: int, found: Try) -> Choice:
        """Tell what happened, and wait."""
        from kiosk.site.drill import LIVE, Choice

        if found.accepted:
            told = "accepted" if step.species == LIVE else "ACCEPTED: this attack would have passed the face check"
        else:
            told = f"refused, {found.reason or found.verdict}" + (f" ({', '.join(found.gates)})" if found.gates else "")
        typer.echo(f"  {number}: {told}", err=True)
        asked = "  step away, then: Enter goes on, r repeats (this try does not count, and is noted), s stops > "
        return self._ask(asked, {"": Choice.GO, "r": Choice.REPEAT, "s": Choice.STOP})

    def _ask(self, told: str, answers: dict[str, Choice]) -> Choice:
        from kiosk.site.drill import Choice

        while True:
            typer.echo(told, nl=False, err=True)
            line = self._line()
            if line is None:
                typer.echo("", err=True)
                return Choice.STOP
            if line.strip().lower() in answers:
                return answers[line.strip().lower()]

    def _line(self) -> str | None:
        """What was typed; None at the end of the input and when told to stop."""
        while b"\n" not in self._typed:
            if self._stop():
                return None
            readable, _, _ = select.select([self._source], [], [], ANSWER_S)
            if not readable:
                self._idle()
                continue
            chunk = os.read(self._source, MOST_TYPED)
            if not chunk:
                return None
            self._typed = (self._typed + chunk)[-MOST_TYPED:]
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode("utf-8", "replace")
