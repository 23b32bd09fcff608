"""A memory camera whose frames and errors take their time on the test's clock."""

from __future__ import annotations

from collections.abc import Iterable

from hardware.cameras.memory import MemoryCamera
from kiosk.errors import CameraStalled, KioskError
from kiosk.values import Frame
from tests.support.cameras import ManualClock


class ScriptedCamera(MemoryCamera):
    """Reading a frame moves the clock to its time; a stall takes the whole time-out."""

    def __init__(
        self, script: Iterable[Frame | KioskError], *, clock: ManualClock, opening: KioskError | None = None
    ) -> None:
        super().__init__(script, name="scripted:0")
        self._clock = clock
        self._opening = opening

    def __enter__(self) -> ScriptedCamera:
        """Open, or fail to."""
        if self._opening is not None:
            raise self._opening
        super().__enter__()
        return self

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The next item of the script, at its time."""
        try:
            frame = super().read(newer_than_s=newer_than_s, timeout_s=timeout_s)
        except CameraStalled:
            self._clock.now_s += timeout_s
            raise
        self._clock.now_s = max(self._clock.now_s, frame.exposure_start_s)
        return frame
