"""A recording's frames as a camera: what the kiosk sees when an old session is played to it.

Rules: the frames keep their distances in time, counted from the first read; paced, a read waits for the next frame
and skips what is over. ``gains_locked`` is False whatever the recording says: a file proves nothing about *now*.
(Scoring a recording reads it through ``hardware.recording``, not through this camera.)
"""

from __future__ import annotations

import csv
import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from hardware.cameras.base import upright
from hardware.cameras.clip import read_picture
from kiosk.errors import CameraEnded, CameraUnavailable, InputError
from kiosk.ports import Clock
from kiosk.values import Frame

HEADER = ["file", "exposure_start_s", "exposure_s"]
"""Of ``frames.csv``; the format is described in ``docs/``."""


@dataclass(frozen=True, slots=True)
class _Row:
    file: Path
    start_s: float
    exposure_s: float


class ReplayCamera:
    """Plays ``folder`` once."""

    def __init__(self, folder: Path, *, clock: Clock, rotate_deg: int = 0, paced: bool = True) -> None:
        self._folder = folder
        self._clock = clock
        self._rotate_deg = rotate_deg
        self._paced = paced
        self._rows: list[_Row] | None = None
        self._shift_s: float | None = None
        self._next = 0

    def __enter__(self) -> Self:
        """Read the list of frames. Raises InputError."""
        self._rows = _rows(self._folder)
        self._shift_s, self._next = None, 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing stays open; reading is refused from now on."""
        self._rows = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return f"replay {self._folder.name}"

    @property
    def exposure_locked(self) -> bool | None:
        """A file proves nothing."""
        return False

    def lock_exposure(self) -> None:
        """Cannot be done; the frames go on saying so."""

    def unlock_exposure(self) -> None:
        """Nothing to do."""

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The next frame (paced: the newest that is due) that began after ``newer_than_s``. Raises CameraEnded."""
        del timeout_s  # waiting is bounded by one frame's time
        rows = self._rows
        if rows is None:
            raise CameraUnavailable("the recording is closed", where=self.name)
        now_s = self._clock.now().monotonic_s
        if self._shift_s is None:
            self._shift_s = now_s - rows[0].start_s
        begun = [row.start_s + self._shift_s for row in rows]
        index = self._next
        while index < len(rows) and begun[index] <= newer_than_s:
            index += 1
        if self._paced:
            while index + 1 < len(rows) and begun[index + 1] <= now_s:
                index += 1
        if index >= len(rows):
            raise CameraEnded("the recording is at its end", where=self.name)
        self._next = index + 1
        if self._paced:
            self._clock.wait(begun[index] - now_s)
        return Frame(
            pixels=upright(read_picture(rows[index].file), self._rotate_deg),
            sequence=index,
            exposure_start_s=begun[index],
            exposure_s=rows[index].exposure_s,
            gains_locked=False,
        )


def _rows(folder: Path) -> list[_Row]:
    path = folder / "frames.csv"
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            table = list(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    if not table or table[0] != HEADER:
        raise InputError(f"must begin with {','.join(HEADER)}", where=str(path))
    rows = [_row(folder, path, line, number) for number, line in enumerate(table[1:], start=2)]
    if not rows:
        raise InputError("names no frames", where=str(path))
    if any(later.start_s <= earlier.start_s for earlier, later in itertools.pairwise(rows)):
        raise InputError("the frames' times do not advance", where=str(path))
    return rows


def _row(folder: Path, path: Path, line: list[str], number: int) -> _Row:
    try:
        name, start, exposure = line
        row = _Row(folder / name, float(start), float(exposure))
    except ValueError as error:
        raise InputError(f"line {number} is not file,time,time", where=str(path)) from error
    if not (math.isfinite(row.start_s) and math.isfinite(row.exposure_s) and row.exposure_s >= 0):
        raise InputError(f"line {number} has a senseless time", where=str(path))
    if name != row.file.name or name in ("", ".", ".."):
        raise InputError(f"line {number} points outside the recording", where=str(path))
    if not row.file.is_file():
        raise InputError(f"the frame {name} is missing", where=str(path))
    return row
