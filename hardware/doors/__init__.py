"""Doors: a relay line (gpiozero, gpiod or memory) under one timer that always locks again.

Nothing else is imported here until it is asked for: the relock command must run where little else does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.errors import ConfigurationError

if TYPE_CHECKING:
    from hardware.doors.gpiod_door import GpiodLine
    from hardware.doors.gpiozero_door import GpiozeroLine
    from hardware.doors.memory import MemoryLine
    from hardware.doors.timed import TimedDoor, TimerClock
    from kiosk.config.tree import DoorSettings


def make_line(
    kind: str, *, pin: str, pin_factory: str, chip: str, active_low: bool
) -> GpiodLine | GpiozeroLine | MemoryLine:
    """The line of this kind, not yet open. Raises ConfigurationError for an unknown kind."""
    if kind == "gpiod":
        from hardware.doors.gpiod_door import GpiodLine

        return GpiodLine(chip, pin, active_low=active_low)
    if kind == "gpiozero":
        from hardware.doors.gpiozero_door import GpiozeroLine

        return GpiozeroLine(pin, pin_factory=pin_factory, active_low=active_low)
    if kind == "memory":
        from hardware.doors.memory import MemoryLine

        return MemoryLine(active_low=active_low)
    raise ConfigurationError(f"unknown kind of door {kind!r}", where="door.kind", mend="use gpiozero, gpiod or memory")


def open_door(settings: DoorSettings, clock: TimerClock | None = None) -> TimedDoor:
    """The configured door; ``with`` opens it. ``clock``: the timer's, CLOCK_MONOTONIC when None."""
    from hardware.doors.timed import TimedDoor

    return TimedDoor(_line_of(settings), clock)


def probe_door_dry(settings: DoorSettings) -> dict[str, str | int | bool]:
    """What can be said of the door without moving the relay: package, chip, line, permission. Raises DoorError."""
    from hardware.doors.memory import MemoryLine

    line = _line_of(settings)
    facts: dict[str, str | int | bool] = {"kind": settings.kind, "line": line.name}
    if isinstance(line, MemoryLine):
        return {**facts, "note": "opens nothing"}
    return {**facts, **line.probe()}


def _line_of(settings: DoorSettings) -> GpiodLine | GpiozeroLine | MemoryLine:
    return make_line(
        settings.kind,
        pin=settings.pin,
        pin_factory=settings.pin_factory,
        chip=settings.chip,
        active_low=settings.active_low,
    )
