"""A recording's frames as a camera: what the kiosk sees when an old session is played to it.

Rules: the frames keep their distances in time, counted from the first read; paced, a read waits for the next frame
and skips what is over. ``gains_locked`` is False whatever the recording says: a file proves nothing about *now*.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from hardware.cameras.base import FileCamera, upright
from hardware.recording.read import read_recording
from kiosk.errors import CameraEnded, CameraUnavailable
from kiosk.evaluation.recording import RecordedFrame
from kiosk.ports import Clock
from kiosk.values import Frame


class ReplayCamera(FileCamera):
    """Plays ``folder`` once."""

    def __init__(self, folder: Path, *, clock: Clock, rotate_deg: int = 0, paced: bool = True) -> None:
        self._folder = folder
        self._clock = clock
        self._rotate_deg = rotate_deg
        self._paced = paced
        self._rows: tuple[RecordedFrame, ...] | None = None
        self._shift_s: float | None = None
        self._next = 0

    def __enter__(self) -> Self:
        """Read and check the recording. Raises InputError."""
        self._rows = read_recording(self._folder).frames
        self._shift_s, self._next = None, 0
        return self

    def close(self) -> None:
        """Nothing stays open; reading is refused from now on."""
        self._rows = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return f"replay {self._folder.name}"

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The next frame (paced: the newest that is due) that began after ``newer_than_s``. Raises CameraEnded."""
        del timeout_s  # waiting is bounded by one frame's time
        rows = self._rows
        if rows is None:
            raise CameraUnavailable("the recording is closed", where=self.name)
        now_s = self._clock.now().monotonic_s
        if self._shift_s is None:
            self._shift_s = now_s - rows[0].exposure_start_s
        begun = [row.exposure_start_s + self._shift_s for row in rows]
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
            pixels=upright(rows[index].load(), self._rotate_deg),
            sequence=index,
            exposure_start_s=begun[index],
            exposure_s=rows[index].exposure_s,
            gains_locked=False,
        )
