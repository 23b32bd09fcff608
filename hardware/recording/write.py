"""Write a recording. It appears whole or not at all: everything goes to a neighbouring folder that is renamed last."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hardware.recording.pngs import write_png
from hardware.recording.read import COLUMNS, DOCUMENT, FORMAT, TABLE
from kiosk.errors import InputError
from kiosk.values import Frame, Panel, ShownSlot


def write_recording(
    folder: Path,
    *,
    slots: Sequence[ShownSlot],
    panel: Panel,
    camera_name: str,
    exposure_locked: bool | None,
    lag_s: float | None,
    ambient_lux: float | None,
    frames: Iterable[Frame],
    species: str | None = None,
    hfov_deg: float | None = None,
    notes: Mapping[str, object] | None = None,
) -> None:
    """Write one session to ``folder``, which must not exist yet or be empty. Raises InputError.

    ``notes``: further fields of ``recording.json``, which readers ignore; the format's own names are not for them.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("is there already", where=str(folder), mend="name a new folder")
    camera: dict[str, object] = {"name": camera_name, "exposure_locked": exposure_locked, "lag_s": lag_s}
    if hfov_deg is not None:
        camera["hfov_deg"] = hfov_deg
    document: dict[str, object] = {
        **(notes or {}),
        "format": FORMAT,
        "challenge": {
            "slots": [
                {
                    "rgb": list(slot.rgb),
                    "region": slot.region,
                    "visible_at_s": slot.visible_at_s,
                    "duration_s": slot.duration_s,
                }
                for slot in slots
            ]
        },
        "display": {
            "width_mm": panel.width_mm,
            "height_mm": panel.height_mm,
            "luminance_cd_m2": panel.luminance_cd_m2,
        },
        "camera": camera,
        "ambient_lux": ambient_lux,
    }
    if species is not None:
        document["label"] = {"species": species}
    draft = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _fill(draft, document, frames)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(folder)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(draft: Path, document: dict[str, object], frames: Iterable[Frame]) -> None:
    with (draft / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for number, frame in enumerate(frames):
            name = f"{number:05d}.png"
            write_png(draft / name, frame.pixels)
            table.writerow([name, repr(float(frame.exposure_start_s)), repr(float(frame.exposure_s))])
    (draft / DOCUMENT).write_text(json.dumps(document, indent=1), encoding="utf-8")
