"""A camera that plays a script: frames to deliver and errors to raise, in order. For tests; chosen only by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from kiosk.closing import Closing
from kiosk.errors import CameraEnded, CameraUnavailable, KioskError
from kiosk.values import Frame


class MemoryCamera(Closing):
    """Delivers ``script``; a KioskError in it is raised in its turn. After the last item: CameraEnded."""

    def __init__(self, script: Iterable[Frame | KioskError], *, name: str = "memory:0") -> None:
        self._script = iter(script)
        self._name = name
        self._open = False
        self._locked: bool | None = None
        self.calls: list[str] = []
        """open, lock, unlock, close: as they came."""

    def __enter__(self) -> Self:
        self._open = True
        self.calls.append("open")
        return self

    def close(self) -> None:
        """Stop; calling it again does nothing."""
        if self._open:
            self._open = False
            self.calls.append("close")

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def exposure_locked(self) -> bool | None:
        """What the frame delivered last says."""
        return self._locked

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The next frame of the script that is newer; raises what the script says."""
        del timeout_s
        if not self._open:
            raise CameraUnavailable("the camera is closed", where=self._name)
        for item in self._script:
            if isinstance(item, KioskError):
                raise item
            if item.exposure_start_s > newer_than_s:
                self._locked = item.gains_locked
                return item
        raise CameraEnded("the script is at its end", where=self._name)

    def lock_exposure(self) -> None:
        """Noted in ``calls``."""
        self.calls.append("lock")

    def unlock_exposure(self) -> None:
        """Noted in ``calls``."""
        self.calls.append("unlock")
