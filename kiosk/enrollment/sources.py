"""What a batch is made of: entries of a name, a badge and pictures, from a folder or a table.

Rules: the order is the same at every reading, so that a batch can be resumed; a line that cannot be used is an entry
with a fault, told with the others at the end, and never skipped silently.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kiosk.errors import InputError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
COLUMNS = ("name", "badge", "path")
DEEPEST = 2
"""Parts of a key below the prefix: a person's folder and a picture."""
MOST_TABLE_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One person of a batch."""

    place: str
    """Where it stands: a file, a folder, or a line of the table."""
    name: str
    badge: str | None
    paths: tuple[Path, ...]
    fault: str = ""
    """Why it cannot be used; empty: it can."""
    remote: bool = False
    """``paths`` are keys of a bucket."""


def entries(source: Path) -> list[BatchEntry]:
    """Of a folder or a CSV file. Raises InputError: there is none, or it holds nobody."""
    try:
        if source.is_dir():
            found = list(_folder(source))
        elif source.is_file():
            found = list(_table(source))
        else:
            raise InputError("there is no such folder or table", where=str(source))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(source)) from error
    if not found:
        raise InputError("holds nobody", where=str(source), mend="pictures in a folder, or a CSV of name,badge,path")
    return found


def _folder(folder: Path) -> Iterator[BatchEntry]:
    """``Ada Lovelace.jpg``, ``Ada Lovelace__1234.jpg`` (with badge), or ``Ada Lovelace/*.jpg``."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.startswith("."):
            continue
        pictures = tuple(sorted(_pictures(path))) if path.is_dir() else (path,) if _is_picture(path) else ()
        if pictures:
            yield _named(str(path), path.name if path.is_dir() else path.stem, pictures)


def from_keys(keys: Iterable[str], prefix: str, bucket: str) -> list[BatchEntry]:
    """Of the keys below a prefix, named as in a folder. Raises InputError: none is a picture."""
    people: dict[str, list[Path]] = {}
    folder = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
    for key in sorted(keys):
        path = Path(key.removeprefix(folder))
        if not key.startswith(folder) or Path(key).as_posix() != key:
            continue  # of a neighbour whose name begins alike, or no name that a folder could have
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and len(path.parts) <= DEEPEST:
            people.setdefault(path.parts[0] if len(path.parts) > 1 else path.stem, []).append(Path(key))
    if not people:
        raise InputError("holds nobody", where=f"s3://{bucket}/{prefix}", mend="pictures NAME.jpg or NAME/ANY.jpg")
    found = [_named(f"s3://{bucket}/{keys[0].as_posix()}", name, tuple(keys)) for name, keys in sorted(people.items())]
    return [replace(one, remote=True) for one in found]


def _named(place: str, text: str, pictures: tuple[Path, ...]) -> BatchEntry:
    name, _, badge = text.partition("__")
    return BatchEntry(place, name.replace("_", " ").strip(), badge.strip() or None, pictures)


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if _is_picture(path))


def _is_picture(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _table(file: Path) -> Iterator[BatchEntry]:
    """A line a picture; lines of the same name and badge are one person. Other columns are ignored."""
    people: dict[tuple[str, str], list[tuple[int, Path, str]]] = {}
    for number, row in enumerate(_rows(file), 2):
        name, badge, path = (str(row.get(column) or "").strip() for column in COLUMNS)
        if not any(str(value or "").strip() for value in row.values()):
            continue  # as spreadsheets end
        fault = "" if name and path else "has no name" if path else "has no path"
        if path.startswith("s3://"):
            fault = "lies in a bucket: give the bucket as the source"
        if "\0" in path:
            path, fault = path.replace("\0", ""), "has a path that is none"  # the rejects must be writable
        if None in row:
            fault = "has more fields than the first line"
        key = (name, badge) if name else (f"#{number}", badge)
        people.setdefault(key, []).append((number, file.parent / path, fault))
    for (name, badge), lines in people.items():
        faults = [fault for _, _, fault in lines if fault]
        place = f"{file.name}:{lines[0][0]}"
        paths = tuple(path for _, path, _ in lines)
        unnamed = name.startswith("#") and bool(faults)
        yield BatchEntry(place, "" if unnamed else name, badge or None, paths, "".join(faults[:1]))


def _rows(file: Path) -> Iterator[dict[str | None, object]]:
    try:
        if file.stat().st_size > MOST_TABLE_BYTES:
            raise InputError(f"is larger than {MOST_TABLE_BYTES // 1_000_000} MB", where=str(file))
        with file.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            stream.seek(0)
            if "\0" in head:
                raise InputError("is no table", where=str(file), mend="give a CSV of name,badge,path")
            reader = csv.DictReader(stream, delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
            columns: Sequence[str] = reader.fieldnames or ()
            reader.fieldnames = [column.strip().lower() for column in columns]
            if not {"name", "path"} <= set(reader.fieldnames):
                mend = f"its first line must name the columns {', '.join(COLUMNS)} (badge may be left out)"
                raise InputError("is no table of people", where=str(file), mend=mend)
            yield from reader
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read ({error})", where=str(file), mend="give a CSV in UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(file)) from error
