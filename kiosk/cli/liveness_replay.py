"""``kiosk liveness replay``: last month's recordings under other thresholds."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, progress, say
from kiosk.config.load import load, replaced
from kiosk.config.paths import data_dir
from kiosk.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from kiosk.config.tree import Settings
    from kiosk.site.replaying import GateChange, Replayed

LOG_WIDTH = 150


def replay(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Recordings, or folders that hold recordings.")
    ],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="liveness.NAME=VALUE", help="Another threshold; may be repeated."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Judge recordings by the settings (then) and by the changed ones (now), and show which gates differ.

    A recording that cannot be read is one line on standard error; exit code 2 when none could be. What was measured in
    its frames is kept beside them (evidence.npz), so that the next replay only judges.
    """
    from hardware.recording.read import read_recording
    from kiosk.cli.kept import Evidences
    from kiosk.site.replaying import replay as replayed

    settings = load(config)
    now = with_changes(settings, changes or [])
    found = recordings(folders)
    rows: list[Replayed] = []
    with Evidences(data_dir(), keep=True) as evidences, progress(quiet=json) as advance:
        for number, folder in enumerate(found):
            advance("recordings", number, len(found))
            try:
                recording = read_recording(folder)
                evidence = evidences.of(folder, recording)
            except InputError as error:
                complain(f"left out {error}")
                continue
            rows.append(replayed(str(folder), recording.species, evidence, settings.liveness, now.liveness))
            if json:
                emit(to_json(rows[-1]))
        advance("recordings", len(found), len(found))
    if not rows:
        raise InputError("none of the recordings could be read", where=str(folders[0]))
    if not json:
        _print(rows)


def recordings(folders: Iterable[Path]) -> list[Path]:
    """Each folder that is a recording, and the recordings right below those that are none. Raises InputError."""
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise InputError("no such folder", where=str(folder), mend="name a recording's folder")
        below = sorted(one for one in folder.iterdir() if one.is_dir() and (one / "recording.json").is_file())
        found += [folder] if (folder / "recording.json").exists() or not below else below
    return list(dict.fromkeys(found))


def with_changes(settings: Settings, changes: Iterable[str]) -> Settings:
    """The settings with ``liveness.NAME=VALUE`` changed. Raises ConfigurationError."""
    known = list(type(settings.liveness).model_fields)
    for change in changes:
        name, equals, text = change.partition("=")
        group, _, key = name.strip().partition(".")
        where = f"--set {change}"
        if not equals or group != "liveness" or not key:
            raise ConfigurationError("is no change", where=where, mend="write it like liveness.timing_r=0.8")
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            mend = f"did you mean liveness.{near[0]}?" if near else f"known are {', '.join(known)}"
            raise ConfigurationError(f"there is no liveness.{key}", where=where, mend=mend)
        try:
            value = tomllib.loads(f"value = {text.strip()}")["value"]
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{text.strip()!r} is no value", where=where, mend="a number, like 0.8") from error
        settings = replaced(settings, ("liveness", key), value, where=where)
    return settings


def to_json(row: Replayed) -> dict[str, Any]:
    """One recording as a plain object."""
    from kiosk.visit.plain import liveness_to_json

    return {
        "recording": row.name,
        "label": row.label,
        "then": liveness_to_json(row.then),
        "now": liveness_to_json(row.now),
        "changed": [
            {
                "gate": change.name,
                "then": None if change.then is None else str(change.then.verdict),
                "now": None if change.now is None else str(change.now.verdict),
            }
            for change in row.changes
        ],
    }


def _print(rows: list[Replayed]) -> None:
    from rich.console import Console
    from rich.table import Table

    from kiosk.site.replaying import tally

    table = Table(title="Recordings judged again")
    for column in ("recording", "label", "then", "now", "gates that changed"):
        table.add_column(column, overflow="fold")
    for row in rows:
        told = ", ".join(_change(change) for change in row.changes)
        table.add_row(
            row.name,
            row.label or "-",
            f"{row.then.verdict} {row.then.confidence:.0f}",
            f"{row.now.verdict} {row.now.confidence:.0f}",
            told or "none",
        )
    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    console.print(table)
    for one in tally(rows):
        say(f"{one.label or 'without a label'}: live {one.live_then} of {one.total} then, {one.live_now} now")


def _change(change: GateChange) -> str:
    then = "not asked" if change.then is None else str(change.then.verdict)
    now = "not asked" if change.now is None else str(change.now.verdict)
    value = change.now.value if change.now is not None else None
    limit = "" if value is None or change.now is None else f" ({value:.3g} against {change.now.threshold:g})"
    return f"{change.name} {then} > {now}{limit}"
