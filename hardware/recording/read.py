"""Read a recording: everything is checked before the first frame is decoded; any fault is one InputError line.

Unknown fields are ignored, so that other tools may add theirs. ``camera.hfov_deg`` is one that this project adds.
"""

from __future__ import annotations

import csv
import json
import math
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import cast

from hardware.recording.fields import Fields
from hardware.recording.pngs import header, read_png
from kiosk.errors import InputError
from kiosk.evaluation.recording import DEFAULT_HFOV_DEG, RecordedFrame, Recording
from kiosk.values import Panel, Region, ShownSlot

FORMAT = 1
DOCUMENT = "recording.json"
TABLE = "frames.csv"
COLUMNS = ["file", "exposure_start_s", "exposure_s"]
MOST_SLOTS = 100
MOST_FRAMES = 3000
MOST_TEXT_BYTES = 4 * 1024 * 1024
LATEST_S = 1e12


def read_recording(folder: Path) -> Recording:
    """The session in ``folder``. Raises InputError: missing or invalid files and fields, times that do not advance,
    frames that are missing, lie outside the folder, are no 8-bit RGB PNG, are huge, or differ in size.
    """
    document = _document(folder)
    slots = _slots(document)
    display, camera = document.inner("display"), document.inner("camera")
    locked = camera.values.get("exposure_locked")
    if locked not in (True, False, None) or (isinstance(locked, float | int) and not isinstance(locked, bool)):
        raise camera.bad("exposure_locked", "true, false or null")
    label = document.values.get("label")
    if label is not None and not isinstance(label, dict):
        raise document.bad("label", "an object or absent")
    return Recording(
        slots=slots,
        panel=Panel(
            width_mm=display.number("width_mm", 10, 5000),
            height_mm=display.number("height_mm", 10, 5000),
            luminance_cd_m2=display.number("luminance_cd_m2", 1, 100_000),
        ),
        camera_name=camera.text("name"),
        exposure_locked=locked,
        lag_s=camera.optional("lag_s", 0, 5),
        ambient_lux=document.optional("ambient_lux", 0, 500_000),
        frames=_frames(folder),
        species=None if label is None or label.get("species") is None else Fields(
            label, "label", folder / DOCUMENT).text("species"),
        hfov_deg=camera.optional("hfov_deg", 10, 170) or DEFAULT_HFOV_DEG,
    )  # fmt: skip


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_TEXT_BYTES:
            raise InputError("is too large to be part of a recording", where=str(path))
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(
            f"the recording has no {path.name}", where=str(path.parent), mend="name the recording's folder"
        ) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError("is no UTF-8 text", where=str(path)) from error


def _document(folder: Path) -> Fields:
    path = folder / DOCUMENT
    text = _text(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"is no JSON (line {error.lineno}: {error.msg})", where=str(path)) from error
    except (RecursionError, ValueError) as error:
        raise InputError("is no usable JSON", where=str(path)) from error
    if not isinstance(document, dict):
        raise InputError("is no JSON object", where=str(path))
    fields = Fields(document, "", path)
    number = document.get("format")
    if isinstance(number, bool) or number != FORMAT:
        raise fields.bad("format", f"{FORMAT}")
    return fields


def _slots(document: Fields) -> tuple[ShownSlot, ...]:
    slots = []
    for item in document.inner("challenge").items("slots", MOST_SLOTS):
        rgb = item.values.get("rgb")
        codes = rgb if isinstance(rgb, list) and len(rgb) == 3 else []
        if not codes or not all(isinstance(c, int) and not isinstance(c, bool) and 0 <= c <= 255 for c in codes):
            raise item.bad("rgb", "three whole numbers from 0 to 255")
        region = item.values.get("region")
        if region not in ("full", "top", "bottom"):
            raise item.bad("region", "full, top or bottom")
        slots.append(
            ShownSlot(
                rgb=(codes[0], codes[1], codes[2]),
                region=cast(Region, region),
                visible_at_s=item.number("visible_at_s", -LATEST_S, LATEST_S),
                duration_s=item.number("duration_s", 0.001, 60),
            )
        )
    if any(b.visible_at_s <= a.visible_at_s for a, b in pairwise(slots)):
        raise InputError("challenge.slots: visible_at_s does not advance", where=str(document.path))
    return tuple(slots)


def _frames(folder: Path) -> tuple[RecordedFrame, ...]:
    path = folder / TABLE
    try:
        rows = list(csv.reader(_text(path).splitlines(), strict=True))
    except csv.Error as error:
        raise InputError(f"is no CSV table ({error})", where=str(path)) from error
    if not rows or [name.strip() for name in rows[0]] != COLUMNS:
        raise InputError(f"does not begin with the line {','.join(COLUMNS)}", where=str(path))
    body = [(number, row) for number, row in enumerate(rows[1:], start=2) if row]
    if not body:
        raise InputError("lists no frames", where=str(path))
    if len(body) > MOST_FRAMES:
        raise InputError(f"lists {len(body)} frames; at most {MOST_FRAMES} are allowed", where=str(path))
    frames = tuple(_frame(folder, path, number, row) for number, row in body)
    for a, b in pairwise(frames):
        if b.exposure_start_s <= a.exposure_start_s:
            raise InputError(f"exposure_start_s does not advance at {b.name}", where=str(path))
        if a.size_px != b.size_px:
            raise InputError(f"{b.name} is {b.size_px[0]} x {b.size_px[1]}, the frames before are not", where=str(path))
    return frames


def _frame(folder: Path, table: Path, number: int, row: list[str]) -> RecordedFrame:
    if len(row) != len(COLUMNS):
        raise InputError(f"line {number} has {len(row)} fields instead of {len(COLUMNS)}", where=str(table))
    name = row[0]
    try:
        start_s, exposure_s = float(row[1]), float(row[2])
    except ValueError as error:
        raise InputError(f"line {number} holds a time that is no number", where=str(table)) from error
    if not math.isfinite(start_s) or abs(start_s) > LATEST_S or not 0 < exposure_s <= 5:
        raise InputError(f"line {number} holds an impossible time", where=str(table))
    root = folder.resolve()
    try:
        place = (root / name).resolve()
    except (OSError, ValueError) as error:
        raise InputError(f"line {number} names no file", where=str(table)) from error
    if not name or Path(name).is_absolute() or not place.is_relative_to(root) or place == root:
        raise InputError(f"line {number} points outside the recording", where=str(table))
    return RecordedFrame(name, start_s, exposure_s, header(place), partial(read_png, place))
