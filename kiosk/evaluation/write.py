"""Write a report's files: each to a temporary name first, so that none is ever half there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.errors import InputError
from kiosk.evaluation.pages import apcer_csv, bpcer_csv, html, markdown
from kiosk.evaluation.plots import plots


def write_report(folder: Path, report: Mapping[str, Any], name: str = "report") -> list[str]:
    """``NAME.json``, ``NAME.md``, ``NAME.html``, two CSV tables and the drawings; returns the files' names.

    Raises InputError when the folder cannot be written.
    """
    drawings = plots(report)
    files = {
        f"{name}.json": json.dumps(report, indent=1, allow_nan=False) + "\n",
        "apcer.csv": apcer_csv(report),
        "bpcer.csv": bpcer_csv(report),
        f"{name}.html": html(report, drawings),
        f"{name}.md": markdown(report, list(drawings), f"{name}-"),
        **{f"{name}-{drawing}.svg": svg + "\n" for drawing, svg in drawings.items()},
    }
    write_files(folder, files)
    return list(files)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Each file whole or not at all. Raises InputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            draft = folder / f".{name}.part"
            try:
                draft.write_text(text, encoding="utf-8")
                draft.replace(folder / name)
            finally:
                draft.unlink(missing_ok=True)
    except OSError as error:
        mend = "choose another --out"
        raise InputError(f"cannot be written ({error.strerror})", where=str(folder), mend=mend) from error
