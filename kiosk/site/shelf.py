"""Recordings as numbered folders: written beside the loop, whole or not at all, never over another.

The writer itself (PNG, JSON) comes in through ``Write``; it runs in a worker, so that the loop goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiosk import __version__
from kiosk.errors import InputError, KioskError
from kiosk.runtime.worker import Worker
from kiosk.site.keeping import Kept
from kiosk.values import LivenessResult
from kiosk.visit.plain import liveness_to_json

SPARE_BYTES = 200 * 2**20
"""Must stay free: the kiosk's own events and the system live on the same disk."""
DIGITS = 4
Write = Callable[[Path, Kept, str | None, Mapping[str, object]], None]
"""``write(folder, kept, species, notes)``; raises InputError."""


def numbered(folder: Path) -> list[int]:
    """The numbers of the recordings in ``folder``. Raises InputError when something else lies there."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise InputError("is no folder", where=str(folder), mend="name a new folder")
    numbers = []
    for one in folder.iterdir():
        if one.name.endswith(".part"):
            continue
        if not (one.is_dir() and one.name.isdecimal() and len(one.name) == DIGITS):
            raise InputError(f"holds {one.name!r}, which is no recording", where=str(folder), mend="name a new folder")
        numbers.append(int(one.name))
    return sorted(numbers)


@dataclass(frozen=True, slots=True)
class Written:
    """One recording on the disk."""

    path: Path
    frames: int
    result: LivenessResult


class Shelf:
    """Writes attempts to ``folder``/0001, 0002 ... and tells what became of them."""

    def __init__(
        self,
        folder: Path,
        write: Write,
        worker: Worker,
        free_bytes: Callable[[], int],
        now: Callable[[], datetime],
        *,
        species: str | None = None,
    ) -> None:
        """``species``: the label of every recording.

        Raises InputError when ``folder`` holds something else, or its disk is full already.
        """
        taken = numbered(folder)
        self._folder = folder
        self._write = write
        self._worker = worker
        self._free_bytes = free_bytes
        self._now = now
        self._species = species
        self._next = taken[-1] + 1 if taken else 1
        self._asked = 0
        self._require(0)
        self.written: list[Written] = []
        self.skipped = 0
        """Attempts that came while the one before was being written."""
        self.failed: KioskError | None = None

    @property
    def waiting(self) -> int:
        """Recordings that are being written."""
        return self._asked - len(self.written) - (self.failed is not None)

    @property
    def done(self) -> int:
        """Recordings that are written or about to be."""
        return self._asked

    def put(self, kept: Kept) -> bool:
        """Begin to write one; False when the one before is not written yet: two would need twice the memory.

        Raises InputError when the disk is too full for it.
        """
        if self.waiting:
            self.skipped += 1
            return False
        self._require(sum(frame.pixels.nbytes for frame in kept.frames))
        path = self._folder / f"{self._next:0{DIGITS}d}"
        self._next += 1
        self._asked += 1
        notes: dict[str, object] = {
            "recorded_utc": self._now().isoformat(timespec="seconds"),
            "software": __version__,
            "result": liveness_to_json(kept.result),
        }
        self._worker.submit(("recording", path), lambda: self._one(path, kept, notes))
        return True

    def _require(self, needed: int) -> None:
        if self._free_bytes() < needed + SPARE_BYTES:
            raise InputError(
                f"too little space for {needed // 2**20} MB and {SPARE_BYTES // 2**20} MB to spare",
                where=str(self._folder),
                mend="free some, or name another disk",
            )

    def _one(self, path: Path, kept: Kept, notes: Mapping[str, object]) -> Written:
        self._write(path, kept, self._species, notes)
        return Written(path, len(kept.frames), kept.result)

    def look(self) -> list[Written]:
        """What was written since the last look. Raises the InputError of one that could not be."""
        fresh = []
        for _key, answer in self._worker.drain():
            if isinstance(answer, KioskError):
                self.failed = answer
                raise answer
            if isinstance(answer, Written):
                fresh.append(answer)
        self.written += fresh
        return fresh
