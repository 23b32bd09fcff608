"""``kiosk screens``: every picture that the kiosk can show, as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import ConfigOption, JsonOption, emit, progress, say
from kiosk.config.load import load
from kiosk.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(screens)


def _sizes(words: list[str]) -> list[tuple[int, int]]:
    sizes = []
    for word in words:
        width, _, height = word.lower().partition("x")
        if not (width.isdecimal() and height.isdecimal() and 320 <= int(width) <= 7680 and 320 <= int(height) <= 7680):
            raise InputError(
                f"not a screen size: {word!r}", where="--size", mend="write it like 800x480, 320 to 7680 each"
            )
        sizes.append((int(width), int(height)))
    return sizes


def screens(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures.")],
    size: Annotated[list[str] | None, typer.Option("--size", help="Like 800x480; may be repeated.")] = None,
    photo: Annotated[
        Path | None, typer.Option("--photo", help="A camera picture instead of the drawn visitor.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Render every state, hint and result of the screen, and contact sheets of them."""
    from hardware.displays.screens import SIZES, render_all
    from hardware.stills import load_image
    from kiosk.values import Panel

    display = load(config).display
    panel = Panel(display.width_mm, display.height_mm, display.luminance_cd_m2)
    sizes = _sizes(size) if size else list(SIZES)
    preview = None if photo is None else load_image(photo)
    with progress(quiet=json) as advance:
        written = render_all(
            out,
            sizes,
            preview=preview,
            panel=panel if config is not None else None,
            progress=lambda done, total: advance("screens", done, total),
        )
    if json:
        emit({"written": [str(path) for path in written]})
    else:
        say(f"{len(written)} pictures in {out}; start with {written[0]}")
