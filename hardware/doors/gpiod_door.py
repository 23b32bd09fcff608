"""A relay on a line of the kernel's GPIO character device (libgpiod 2.x): Raspberry Pi 5, Jetson, most boards.

The request carries direction, level and polarity together, so the line is never an output at the wrong level. The
kernel gives a line back when its last holder ends: wire a resistor that pulls the relay to locked.
"""

from __future__ import annotations

import contextlib
import errno
from types import ModuleType
from typing import Any

from hardware.doors.line import CONSUMER
from kiosk.errors import DoorError


class GpiodLine:
    """One line of ``chip`` (path), named by its offset or by the board's line name."""

    def __init__(self, chip: str, pin: str, *, active_low: bool) -> None:
        """``active_low``: the relay switches, and so unlocks, on a low level."""
        self._chip = chip
        self._pin: int | str = int(pin) if pin.isdigit() else pin
        self._active_low = active_low
        self._request: Any = None

    @property
    def name(self) -> str:
        """Chip and line."""
        return f"{self._chip} line {self._pin}"

    def open(self) -> None:
        """Request the line as an output at the locked level. Raises DoorError."""
        if self._request is not None:
            return
        gpiod = load_gpiod()
        settings = gpiod.LineSettings(
            direction=gpiod.line.Direction.OUTPUT,
            active_low=self._active_low,
            output_value=gpiod.line.Value.INACTIVE,
        )
        try:
            self._request = gpiod.request_lines(self._chip, consumer=CONSUMER, config={self._pin: settings})
        except (OSError, ValueError) as error:
            raise explain(error, self.name) from error

    def drive(self, unlocked: bool) -> None:
        """Write the level. Raises DoorError."""
        if self._request is None:
            raise DoorError("the relay line is not open", where=self.name)
        gpiod = load_gpiod()
        value = gpiod.line.Value.ACTIVE if unlocked else gpiod.line.Value.INACTIVE
        try:
            self._request.set_value(self._pin, value)
        except (OSError, ValueError, gpiod.RequestReleasedError) as error:
            raise explain(error, self.name) from error

    def release(self) -> None:
        """Give the line back to the kernel; calling it again does nothing."""
        request, self._request = self._request, None
        if request is not None:
            with contextlib.suppress(OSError):
                request.release()

    def probe(self) -> dict[str, str | int | bool]:
        """What the kernel says of the line, without taking it: chip, offset, consumer. Raises DoorError."""
        gpiod = load_gpiod()
        try:
            with gpiod.Chip(self._chip) as chip:
                info = chip.get_line_info(self._pin)
                label = chip.get_info().label
        except (OSError, ValueError) as error:
            raise explain(error, self.name) from error
        if info.used:
            raise DoorError(f"the line is held by {info.consumer!r}", where=self.name, mend="stop that process")
        return {"chip": self._chip, "label": label, "offset": info.offset, "line": info.name or "", "used": info.used}


def load_gpiod() -> ModuleType:
    """The gpiod binding. Raises DoorError when it is missing or of the 1.x interface."""
    try:
        import gpiod
        import gpiod.line
    except ImportError as error:
        raise DoorError("gpiod is not installed", mend="install the extra 'pi' or 'jetson'") from error
    if not hasattr(gpiod, "request_lines"):
        raise DoorError("this gpiod has the 1.x interface", mend="install gpiod 2.3 or newer, not python3-libgpiod 1.6")
    module: ModuleType = gpiod
    return module


def explain(error: BaseException, where: str) -> DoorError:
    """A DoorError that says what to do about an error of the kernel or the binding."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EBUSY:
        return DoorError("the line is held by another process", where=where, mend="stop it, or choose another pin")
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return DoorError("no such chip or line", where=where, mend="check door.chip and door.pin with gpioinfo")
    if number in (errno.EACCES, errno.EPERM):
        return DoorError("permission denied", where=where, mend="add the user to the group 'gpio'")
    return DoorError(f"the relay cannot be driven: {error}", where=where)
