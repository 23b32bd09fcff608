"""A wire with a memory, a timer that tests move, and foreign GPIO packages that drive the wire.

``fake_gpiod`` and ``fake_lgpio`` have the names, arguments and order of effects of the real bindings (libgpiod 2.x,
lgpio 0.2), as far as a relay needs them.
"""

from __future__ import annotations

import enum
import errno
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

LIMIT_S = 5.0
"""Longest wait for another thread before a test fails."""


class Wire:
    """Electrical levels of one line while it was an output, oldest first."""

    def __init__(self) -> None:
        self.levels: list[bool] = []
        self.output = False
        self.error: Exception | None = None
        self._changed = threading.Condition()

    def write(self, high: bool) -> None:
        """Drive the line, or raise what the test wished for."""
        if self.error is not None:
            raise self.error
        with self._changed:
            self.levels.append(bool(high))
            self._changed.notify_all()

    def wait_for(self, seen: Callable[[list[bool]], bool]) -> bool:
        """Wait until ``seen(levels)``; False after LIMIT_S."""
        with self._changed:
            return self._changed.wait_for(lambda: seen(self.levels), LIMIT_S)


class ManualTimer:
    """A door timer's clock that stands still until it is moved; moving it lets the timer's thread finish its turn."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self._changed = threading.Condition()
        self._waiting = threading.Event()
        self._turns = 0

    def monotonic(self) -> float:
        """The time that the test set."""
        return self.now_s

    def wait(self, changed: threading.Condition, timeout_s: float) -> None:
        """Wait until moved or notified; the door's own time-out has no meaning here."""
        del timeout_s
        self._changed = changed
        self._turns += 1
        self._waiting.set()
        changed.notify_all()
        changed.wait(LIMIT_S)

    def advance(self, seconds: float) -> None:
        """Move the time, wake the timer and return when it waits again."""
        assert self._waiting.wait(LIMIT_S), "no timer runs"
        with self._changed:
            self.now_s += seconds
            turns = self._turns
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._turns > turns, LIMIT_S), "the timer hangs"


class _Direction(enum.Enum):
    AS_IS = 1
    INPUT = 2
    OUTPUT = 3


class _Value(enum.Enum):
    INACTIVE = 0
    ACTIVE = 1


class _Released(Exception):
    """gpiod.RequestReleasedError."""


@dataclass
class _LineSettings:
    direction: _Direction = _Direction.AS_IS
    active_low: bool = False
    output_value: _Value = _Value.INACTIVE


class _Request:
    def __init__(self, wire: Wire, settings: _LineSettings) -> None:
        self._wire, self._settings, self._released = wire, settings, False
        wire.output = settings.direction is _Direction.OUTPUT
        self.set_value(0, settings.output_value)

    def set_value(self, line: int | str, value: _Value) -> None:
        del line
        if self._released:
            raise _Released
        self._wire.write((value is _Value.ACTIVE) is not self._settings.active_low)

    def release(self) -> None:
        self._released = True
        self._wire.output = False


def fake_gpiod(wire: Wire, *, lines: tuple[str, ...] = ("17", "GPIO17")) -> ModuleType:
    """A ``gpiod`` of the 2.x interface with one chip, /dev/gpiochip0, whose line 17 is ``wire``."""
    module: Any = ModuleType("gpiod")
    module.line = SimpleNamespace(Direction=_Direction, Value=_Value)
    module.LineSettings = _LineSettings
    module.RequestReleasedError = _Released
    module.requests = []
    module.busy = False
    module.denied = False

    def check(path: str, line: int | str) -> None:
        if path != "/dev/gpiochip0":
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        if module.denied:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        if str(line) not in lines:
            raise ValueError("line offset of out range")

    def request_lines(path: str, config: dict[int | str, _LineSettings], consumer: str | None = None) -> _Request:
        ((line, settings),) = config.items()
        check(path, line)
        if module.busy:
            raise OSError(errno.EBUSY, "Device or resource busy")
        module.requests.append(consumer)
        return _Request(wire, settings)

    class Chip:
        def __init__(self, path: str) -> None:
            check(path, lines[0])

        def __enter__(self) -> Chip:
            return self

        def __exit__(self, *ignored: object) -> None:
            pass

        def get_info(self) -> SimpleNamespace:
            return SimpleNamespace(label="pinctrl-test", num_lines=54)

        def get_line_info(self, line: int | str) -> SimpleNamespace:
            check("/dev/gpiochip0", line)
            return SimpleNamespace(offset=17, name="GPIO17", used=module.busy, consumer="somebody")

    module.request_lines = request_lines
    module.Chip = Chip
    return module


def fake_lgpio(wire: Wire) -> ModuleType:
    """An ``lgpio`` whose GPIO 17 is ``wire``: claiming an output drives it at once, at level 0 unless told."""
    module: Any = ModuleType("lgpio")

    class Error(Exception):
        pass

    def claim_input(handle: int, gpio: int, flags: int = 0) -> int:
        del handle, gpio, flags
        wire.output = False
        return 0

    def claim_output(handle: int, gpio: int, level: int = 0, flags: int = 0) -> int:
        del handle, flags
        assert gpio == 17
        wire.output = True
        wire.write(bool(level))
        return 0

    def write(handle: int, gpio: int, level: int) -> int:
        del handle, gpio
        assert wire.output
        wire.write(bool(level))
        return 0

    def opened(chip: int) -> int:
        return chip

    def closed(handle: int) -> None:
        del handle
        wire.output = False

    def read(handle: int, gpio: int) -> int:
        del handle, gpio
        return int(bool(wire.levels) and wire.levels[-1])

    def mode(handle: int, gpio: int) -> int:
        del handle, gpio
        return 2 if wire.output else 0

    module.error = Error
    module.SET_PULL_NONE = module.SET_PULL_UP = module.SET_PULL_DOWN = 0
    module.BOTH_EDGES, module.RISING_EDGE, module.FALLING_EDGE = 3, 1, 2
    module.gpiochip_open = opened
    module.gpiochip_close = closed
    module.gpio_claim_input = claim_input
    module.gpio_claim_output = claim_output
    module.gpio_write = write
    module.gpio_read = read
    module.gpio_get_mode = mode
    return module
