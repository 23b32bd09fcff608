"""What the commands share: options, JSON lines, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="TOML file with the settings (default: /etc/kiosk/kiosk.toml if present)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def emit(value: dict[str, Any]) -> None:
    """One JSON object on one line of standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def say(line: str) -> None:
    """One line of text on standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Advance(Protocol):
    """Callback of long work."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``what``."""


@contextmanager
def progress(*, quiet: bool = False, size_in_bytes: bool = False) -> Iterator[Advance]:
    """A progress bar on standard error (plain silence when it is no terminal or ``quiet``)."""
    console = Console(stderr=True)
    count = DownloadColumn() if size_in_bytes else MofNCompleteColumn()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        count,
        TimeElapsedColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    tasks: dict[str, Any] = {}

    def advance(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)

    with bar:
        yield advance
