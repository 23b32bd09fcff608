"""``kiosk liveness calibrate``, ``record`` and ``replay``: liveness at this installation."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli import liveness_replay
from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, progress, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import ConfigurationError, InputError, KioskError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosk.config.tree import Settings
    from kiosk.site.calibrate import Calibrated
    from kiosk.site.keeping import Keeper
    from kiosk.site.shelf import Shelf, Written

CameraOption = Annotated[str | None, typer.Option("--camera", help="Instead of camera.source.")]
DisplayOption = Annotated[str | None, typer.Option("--display", help="Instead of display.kind.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``kiosk liveness``."""
    app.command()(calibrate)
    app.command()(record)
    app.command()(liveness_replay.replay)


def real_display(settings: Settings, what: str) -> None:
    """Refuse a display that nobody sees. Raises ConfigurationError."""
    if settings.display.kind == "memory":
        raise ConfigurationError(f"{what} needs a screen that lights up", where="display.kind", mend="set pygame")


def wait_for_enter(told: str) -> None:
    """Tell the operator what to do and wait; without a terminal there is nobody to wait for."""
    if sys.stdin is not None and sys.stdin.isatty():
        typer.prompt(told, default="", show_default=False, prompt_suffix=" [Enter]", err=True)


def calibrate(
    card: Annotated[bool, typer.Option("--grey-card/--wall", help="What the camera sees: a card, or a wall.")] = True,
    distance_mm: Annotated[
        float | None,
        typer.Option(min=100, max=5000, help="From the camera to it; default: the oval's middle distance."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write instead of DATA/calibration.json.")] = None,
    camera: CameraOption = None,
    display: DisplayOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure delay, colours and strength from screen to camera with a grey card, and store them (20 s).

    The kiosk must not be running. Hold a grey card or a sheet of plain paper still, so that it fills the middle of the
    picture. The screen steps slowly through black, grey, white and soft colours.
    """
    from hardware.cameras import open_camera
    from hardware.clock import SystemClock
    from hardware.displays.screen import open_display
    from kiosk.runtime import calibration
    from kiosk.runtime.wiring import with_overrides
    from kiosk.site.calibrate import calibrate as judged
    from kiosk.site.filming import film

    settings = with_overrides(load(config), camera=camera, display=display)
    real_display(settings, "calibrating")
    guidance = settings.guidance
    away_mm = distance_mm if distance_mm is not None else (guidance.near_mm + guidance.far_mm) / 2
    path = out if out is not None else data_dir() / calibration.FILE
    clock = SystemClock()
    if not json:
        what = "a grey card or a sheet of plain paper" if card else "a plain wall"
        wait_for_enter(f"{what}, {away_mm:.0f} mm before the camera, still, filling the middle of the picture")
    with open_display(settings.display) as screen, open_camera(settings.camera, clock=clock) as lens:
        with progress(quiet=json) as advance:
            filmed = film(lens, screen, clock, progress=advance)
        panel = screen.panel
    made = judged(
        filmed,
        panel,
        target="card" if card else "wall",
        distance_mm=away_mm,
        lag_max_s=settings.liveness.lag_max_s,
        now=clock.now().utc,
    )
    calibration.save(path, made.calibration)
    if json:
        emit({**asdict(made.calibration), "remarks": list(made.remarks), "written": str(path)})
    else:
        _tell(made, path)


def _tell(made: Calibrated, path: Path) -> None:
    found = made.calibration
    say(
        f"delay     {found.lag_s * 1000:.1f} ms, {found.switches} switches within {found.lag_spread_s * 1000:.1f} ms "
        f"({found.camera})"
    )
    rows = "  |  ".join(" ".join(f"{value:6.3f}" for value in row) for row in found.colour_matrix)
    say(f"colours   camera R | G | B of panel R G B:  {rows}")
    lux = "" if found.ambient_lux is None else f" of about {found.ambient_lux:.0f} lx"
    say(f"strength  full white adds {found.modulation:.1%} to the ambient light{lux} at {found.distance_mm:.0f} mm")
    for remark in made.remarks:
        say(f"remark    {remark}")
    say(f"written   {path}")


def record(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the recordings: 0001, 0002 ...")],
    consent: Annotated[
        bool, typer.Option("--consent", help="The person agreed that pictures of their face are kept.")
    ] = False,
    label: Annotated[
        str | None, typer.Option(help="What stands before the camera: live, print_flat, replay_phone ...")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many attempts to record.")] = 1,
    seconds: Annotated[float | None, typer.Option(min=1, help="Stop after this time, whatever was recorded.")] = None,
    camera: CameraOption = None,
    display: DisplayOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Record attempts with pictures of the person, for later scoring; no door, nobody is identified.

    The kiosk must not be running. Step up as to the door, and away between two attempts. Ctrl-C ends in order: what is
    written is whole. Exit code 1 when nothing was recorded. In the end the recordings are looked at once and what was
    measured is kept beside the frames (evidence.npz), so that scoring them only judges; Ctrl-C leaves that to replay.
    """
    from kiosk.cli.play import stop_on_signals
    from kiosk.cli.rig import free_bytes, place_of, real_devices, rig_loop, write_kept
    from kiosk.errors import DisplayClosed
    from kiosk.runtime.wiring import with_overrides
    from kiosk.site.keeping import Keeper
    from kiosk.site.recording import record as recorded
    from kiosk.site.shelf import Shelf

    refuse_unasked(consent)
    settings = with_overrides(load(config), camera=camera, display=display)
    species = None if label is None else label_of(label)
    with stop_on_signals() as stop, real_devices(settings, data_dir()) as devices:
        clock = devices.clock
        shelf = Shelf(
            out, write_kept, devices.writer, lambda: free_bytes(out), lambda: clock.now().utc, species=species
        )
        keeper = Keeper(place_of(settings, devices))
        loop = rig_loop(settings, devices, (keeper,))
        began_s = clock.now().monotonic_s

        def over() -> bool:
            late = seconds is not None and clock.now().monotonic_s - began_s >= seconds
            return stop.is_set() or late or devices.feed.ended

        with suppress(DisplayClosed):
            recorded(loop, keeper, shelf, clock, count=count, stop=over, told=_teller(json))
        broken = devices.feed.fault
    _tell_lost(keeper, shelf)
    if broken is not None:
        raise broken
    if not shelf.written:
        complain("nothing was recorded")
        raise typer.Exit(1)
    if not stop.is_set():
        _keep_evidence([one.path for one in shelf.written], quiet=json)


def _keep_evidence(folders: list[Path], *, quiet: bool) -> None:
    """Look at each recording once. They are whole without it: whatever goes wrong is told, and nothing is lost."""
    from hardware.recording.read import read_recording
    from kiosk.cli.kept import Evidences

    with suppress(KeyboardInterrupt), progress(quiet=quiet) as advance:
        try:
            with Evidences(data_dir(), keep=True) as evidences:
                for number, folder in enumerate(folders):
                    advance("evidence", number, len(folders))
                    evidences.of(folder, read_recording(folder))
                advance("evidence", len(folders), len(folders))
        except KioskError as error:
            complain(f"recorded, but evidence is not kept: {error}")


def _teller(json: bool) -> Callable[[Written], None]:
    """Tells of each recording on standard output."""

    def told(one: Written) -> None:
        if json:
            emit({"recording": str(one.path), "verdict": str(one.result.verdict), "frames": one.frames})
        else:
            say(f"{one.result.verdict} (confidence {one.result.confidence:.0f}), {one.frames} frames: {one.path}")

    return told


def _tell_lost(keeper: Keeper, shelf: Shelf) -> None:
    for what, lost in (
        ("broken off before a verdict", keeper.broken_off),
        ("too large for the memory", keeper.lost),
        ("come while another was being written", shelf.skipped),
    ):
        if lost:
            complain(f"attempts not kept, {what}: {lost}")


def refuse_unasked(consent: bool) -> None:
    """Pictures of a person are kept only when the operator says that the person agreed. Raises InputError."""
    if not consent:
        raise InputError(
            "this keeps pictures of a person's face on the disk", mend="ask them, then say so with --consent"
        )


def label_of(word: str) -> str:
    """A species' name. Raises InputError."""
    if not (0 < len(word) <= 40 and word.replace("_", "").isalnum() and word == word.lower() and word.isascii()):
        raise InputError(
            f"{word!r} is no label", where="--label", mend="use small letters, digits and _, like print_flat"
        )
    return word
