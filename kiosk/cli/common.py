"""What the commands share: options, JSON lines, progress, and the only ways to write to the standard streams.

Rules: standard output carries the answer and nothing else, and is whole or an error: a name that the terminal's
encoding lacks is escaped, a stream that cannot be written is a KioskError. Complaints go to standard error and
never fail themselves.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from kiosk.errors import KioskError

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="TOML file with the settings (default: /etc/kiosk/kiosk.toml if present)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def emit(value: dict[str, Any]) -> None:
    """One JSON object on one line of standard output."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        line.encode(_encoding())
    except UnicodeEncodeError:  # half a character of a file's name, or a terminal without UTF-8
        line = json.dumps(value, ensure_ascii=True, allow_nan=False)
    say(line)


def say(line: str) -> None:
    """One line of text on standard output. Raises KioskError when it cannot be written, BrokenPipeError."""
    if sys.stdout is None:
        raise KioskError("is closed", where="standard output")
    encoding = _encoding()
    try:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise KioskError(f"cannot be written ({error.strerror})", where="standard output") from error


def complain(line: str) -> None:
    """One plain line on standard error, as every fault is told."""
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(f"kiosk: {' '.join(line.split())}\n")


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "utf-8"


class Advance(Protocol):
    """Callback of long work."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``what``."""


@contextmanager
def progress(*, quiet: bool = False, size_in_bytes: bool = False) -> Iterator[Advance]:
    """A progress bar on standard error (plain silence when it is no terminal or ``quiet``)."""
    if quiet:
        yield _silence
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    count = DownloadColumn() if size_in_bytes else MofNCompleteColumn()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        count,
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, Any] = {}

    def advance(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)

    with bar:
        yield advance


def _silence(what: str, done: int, total: int) -> None:
    """Nobody watches."""
