"""The drill on the disk: taken up where it was left, written whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kiosk.errors import InputError
from kiosk.site.drill import FORMAT, SPECIES, Drill, Step, Try

STATE = "drill.json"
MOST_BYTES = 4 * 2**20


def write_text(path: Path, text: str) -> None:
    """Whole or not at all. Raises InputError."""
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path), mend="free some space") from error
    finally:
        beside.unlink(missing_ok=True)


def save(folder: Path, drill: Drill) -> None:
    """Keep it in ``folder``. Raises InputError."""
    write_text(folder / STATE, json.dumps({"format": FORMAT, **asdict(drill)}, indent=1) + "\n")


def load(folder: Path) -> Drill | None:
    """The drill that was begun there; None when there is none.

    Raises InputError for a damaged file and for a folder of other things.
    """
    path = folder / STATE
    try:
        if not path.exists():
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise InputError("holds something else than a drill", where=str(folder), mend="name a new folder")
            return None
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("too large")
        return _drill(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("is damaged, or of another version", where=str(path), mend="name a new folder") from error


def _drill(document: dict[str, Any]) -> Drill:
    if document["format"] != FORMAT:
        raise ValueError("format")
    steps = tuple(Step(str(one["species"]), int(one["tries"])) for one in document["steps"])
    tries, repeated = (
        tuple(Try(**{**one, "gates": tuple(one["gates"])}) for one in document[key]) for key in ("tries", "repeated")
    )
    named = {one.species for one in steps} | {one.species for one in (*tries, *repeated)}
    if not steps or not named <= set(SPECIES):
        raise ValueError("species")
    if any(not isinstance(one.accepted, bool) for one in (*tries, *repeated)):
        raise ValueError("accepted")
    return Drill(
        steps,
        str(document["began_utc"]),
        str(document["camera"]),
        tries,
        tuple(map(str, document["skipped"])),
        repeated,
        dict(document["facts"]),
    )
