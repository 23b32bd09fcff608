"""Every kind of door on a wire that remembers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hardware.doors.gpiod_door import GpiodLine
from hardware.doors.gpiozero_door import GpiozeroLine
from hardware.doors.line import RelayLine
from hardware.doors.memory import MemoryLine
from hardware.doors.timed import TimedDoor
from kiosk.values import Grant
from tests.support.wire import LIMIT_S, ManualTimer, Wire, fake_gpiod, fake_lgpio

GRANT = Grant(attempt=1, person_id="p", decided_at_s=1.0)


@dataclass
class Rig:
    """A door, the wire behind it and the timer that moves it."""

    line: RelayLine
    wire: Wire
    active_low: bool
    break_error: Callable[[], Exception]
    timer: ManualTimer = field(default_factory=ManualTimer)

    def __post_init__(self) -> None:
        self.door = TimedDoor(self.line, self.timer)

    @property
    def history(self) -> list[bool]:
        """Levels as the lock sees them: True is unlocked."""
        return [level is not self.active_low for level in self.wire.levels]

    def locks_within_limit(self) -> bool:
        """Wait for the wire to be at the locked level."""
        return self.wire.wait_for(lambda levels: bool(levels) and levels[-1] is self.active_low)


class _WireLine(MemoryLine):
    """The memory line, on a shared wire."""

    def __init__(self, wire: Wire, active_low: bool) -> None:
        super().__init__(active_low=active_low)
        self._wire = wire

    def _write(self, unlocked: bool) -> None:
        if self._wire.error is not None:
            self.broken = str(self._wire.error)
        else:
            self.broken = None
        super()._write(unlocked)
        self._wire.write(self.levels[-1])


def _mock_line(wire: Wire, active_low: bool, monkeypatch: pytest.MonkeyPatch) -> GpiozeroLine:
    from gpiozero.pins import mock

    class RecordingPin(mock.MockPin):  # type: ignore[misc]
        def _set_function(self, value: str) -> None:
            super()._set_function(value)
            wire.output = value == "output"
            if wire.output:
                wire.write(self._state)

        def _change_state(self, value: bool) -> Any:
            if self._function == "output":
                wire.write(bool(value))
            return super()._change_state(value)

    class RecordingFactory(mock.MockFactory):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(pin_class=RecordingPin)

    monkeypatch.setattr(mock, "MockFactory", RecordingFactory)
    return GpiozeroLine("GPIO17", pin_factory="mock", active_low=active_low)


def _lgpio_line(wire: Wire, active_low: bool, monkeypatch: pytest.MonkeyPatch) -> GpiozeroLine:
    monkeypatch.setitem(sys.modules, "lgpio", fake_lgpio(wire))
    monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", None)
    del sys.modules["gpiozero.pins.lgpio"]
    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", lambda: 0xA02082)
    return GpiozeroLine("GPIO17", pin_factory="lgpio", active_low=active_low)


@pytest.fixture(params=["memory", "gpiod", "gpiozero-mock", "gpiozero-lgpio"])
def kind(request: pytest.FixtureRequest) -> str:
    """Every adapter that can run here."""
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["active-low", "active-high"])
def rig(request: pytest.FixtureRequest, kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A door of each kind and polarity, not yet open."""
    active_low, wire = bool(request.param), Wire()
    broken: Callable[[], Exception] = lambda: OSError(5, "Input/output error")  # noqa: E731 - a one-line maker
    line: RelayLine
    if kind == "memory":
        line = _WireLine(wire, active_low)
    elif kind == "gpiod":
        monkeypatch.setitem(sys.modules, "gpiod", fake_gpiod(wire))
        monkeypatch.setitem(sys.modules, "gpiod.line", sys.modules["gpiod"].line)
        line = GpiodLine("/dev/gpiochip0", "17", active_low=active_low)
    elif kind == "gpiozero-mock":
        line = _mock_line(wire, active_low, monkeypatch)
    else:
        line = _lgpio_line(wire, active_low, monkeypatch)
        broken = lambda: sys.modules["lgpio"].error("GPIO not allocated")  # noqa: E731 - as above
    rig = Rig(line, wire, active_low, broken)
    yield rig
    wire.error = None
    rig.door.close()


__all__ = ["GRANT", "LIMIT_S", "Rig"]
