"""``kiosk bench``: the figures of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kiosk.cli.common import ConfigOption, JsonOption, emit, progress, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(bench)


def bench(
    video: Annotated[
        Path | None, typer.Option("--video", help="A real video of a face; default: a rendered (synthetic) visit.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure perceive, step, embedding, passive score, decision latency, search, frame rate, memory, readiness."""
    from kiosk.bench.report import measure

    with progress(quiet=json) as advance:
        report = measure(load(config), data_dir(), video=video, progress=advance)
    if json:
        emit(report)
        return
    for name, value in report.items():
        say(f"{name:28} {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {inner}" for key, inner in value.items())
    return str(value)
