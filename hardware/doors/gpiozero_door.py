"""A relay on a gpiozero pin, through the pin factory that the configuration names.

Rules: the factory is built here, by name; gpiozero's global factory and its silent fall-back are never touched, and
the mock factory is used only when it is named.

Why the pin classes are replaced: ``OutputDevice(active_high=…, initial_value=False)`` calls
``Pin.output_with_state``, which gpiozero promises may be blip-free; but only its RPi.GPIO pin sets level and
direction together. The lgpio, native, pigpio and mock pins become an output first (lgpio at level 0) and get their
level after, which clicks a relay that switches on low. On closing, lgpio and native pins are turned into floating
inputs; ours stay outputs at the locked level until the factory lets go of the chip.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

from kiosk.errors import ConfigurationError, DoorError

_FACTORIES = {
    "lgpio": ("gpiozero.pins.lgpio", "LGPIOFactory"),
    "rpigpio": ("gpiozero.pins.rpigpio", "RPiGPIOFactory"),
    "pigpio": ("gpiozero.pins.pigpio", "PiGPIOFactory"),
    "native": ("gpiozero.pins.native", "NativeFactory"),
    "mock": ("gpiozero.pins.mock", "MockFactory"),
}
_MEND = {
    "lgpio": "install python3-lgpio and use a venv with --system-site-packages",
    "rpigpio": "install python3-rpi.gpio (not on a Raspberry Pi 5: use lgpio)",
    "pigpio": "install python3-pigpio and start pigpiod",
    "native": "use lgpio or kind = gpiod",
    "mock": "install the extra 'pi'",
}


class GpiozeroLine:
    """One pin (``GPIO17``, ``BOARD11`` …) of one explicitly named pin factory."""

    def __init__(self, pin: str, *, pin_factory: str, active_low: bool) -> None:
        """``active_low``: the relay switches, and so unlocks, on a low level."""
        self._pin = pin
        self._kind = pin_factory
        self._active_low = active_low
        self.factory: Any = None
        """gpiozero's factory while the line is open (tests look at its pins)."""
        self._device: Any = None

    @property
    def name(self) -> str:
        """Factory and pin."""
        return f"{self._kind} {self._pin}"

    def open(self) -> None:
        """Build the factory and take the pin as an output at the locked level. Raises DoorError."""
        if self._device is not None:
            return
        foreign = _foreign_errors(self._kind)
        self.factory = self.factory or build_factory(self._kind)
        try:
            from gpiozero import OutputDevice

            self._device = OutputDevice(
                self._pin, active_high=not self._active_low, initial_value=False, pin_factory=self.factory
            )
        except foreign as error:
            self.release()
            raise DoorError(f"the pin cannot be taken: {error}", where=self.name, mend="check door.pin") from error

    def drive(self, unlocked: bool) -> None:
        """Write the level. Raises DoorError."""
        if self._device is None:
            raise DoorError("the relay line is not open", where=self.name)
        try:
            self._device.on() if unlocked else self._device.off()
        except _foreign_errors(self._kind) as error:
            raise DoorError(f"the relay cannot be driven: {error}", where=self.name) from error

    def release(self) -> None:
        """Give the pin and the factory back; calling it again does nothing."""
        device, self._device = self._device, None
        factory, self.factory = self.factory, None
        if factory is None:
            return
        with contextlib.suppress(*_foreign_errors(self._kind)):
            if device is not None:
                device.close()
        with contextlib.suppress(*_foreign_errors(self._kind)):
            factory.close()

    def probe(self) -> dict[str, str | int | bool]:
        """Whether package and device are there, without building a factory (that would move the pin)."""
        load_factory_class(self._kind)
        return {"pin_factory": self._kind, "pin": self._pin}


def load_factory_class(kind: str) -> Any:
    """The named factory class. Raises DoorError when its package is missing, ConfigurationError for a wrong name."""
    if kind not in _FACTORIES:
        known = ", ".join(_FACTORIES)
        raise ConfigurationError(f"unknown pin factory {kind!r}", where="door.pin_factory", mend=f"use one of {known}")
    module, name = _FACTORIES[kind]
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise DoorError(f"the pin factory {kind} is not installed", mend=_MEND[kind]) from error


def build_factory(kind: str) -> Any:
    """The named factory with pins that change level and direction together. Raises DoorError."""
    factory_class = load_factory_class(kind)
    try:
        factory = factory_class()
    except _foreign_errors(kind) as error:
        raise DoorError(f"the pin factory {kind} does not start: {error}", mend=_MEND[kind]) from error
    factory.pin_class = seamless_pin(kind, factory.pin_class)
    return factory


def seamless_pin(kind: str, base: Any) -> Any:
    """``base`` with an ``output_with_state`` that never shows the other level; see the module's docstring."""
    if kind == "lgpio":
        return _seamless_lgpio(base)
    if kind == "native":
        return _seamless_native(base)
    if kind == "pigpio":
        return _seamless_pigpio(base)
    if kind == "mock":
        return _seamless_mock(base)
    return base


def _seamless_lgpio(base: Any) -> Any:
    lgpio = importlib.import_module("lgpio")

    class SeamlessPin(base):  # type: ignore[misc]
        def output_with_state(self, state: bool) -> None:
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))

        def close(self) -> None:
            """Stay an output: closing the chip frees the line."""

    return SeamlessPin


def _seamless_native(base: Any) -> Any:
    class SeamlessPin(base):  # type: ignore[misc]
        def output_with_state(self, state: bool) -> None:
            # The set and clear registers latch the level of an input too; it appears when the pin becomes an output.
            if state:
                self.factory.mem[self._set_offset] = 1 << self._set_shift
            else:
                self.factory.mem[self._clear_offset] = 1 << self._clear_shift
            self.function = "output"

        def close(self) -> None:
            """Stay an output: the registers keep the locked level."""

    return SeamlessPin


def _seamless_pigpio(base: Any) -> Any:
    class SeamlessPin(base):  # type: ignore[misc]
        def output_with_state(self, state: bool) -> None:
            # pigpio's write sets the level first and the mode after, by itself.
            self.factory.connection.write(self._number, int(state))

        def close(self) -> None:
            """Stay an output: the daemon keeps the locked level."""

    return SeamlessPin


def _seamless_mock(base: Any) -> Any:
    class SeamlessPin(base):  # type: ignore[misc]
        def output_with_state(self, state: bool) -> None:
            self._change_state(bool(state))
            self.function = "output"

        def close(self) -> None:
            """Stay an output, as the real ones do."""

    return SeamlessPin


def _foreign_errors(kind: str) -> tuple[type[BaseException], ...]:
    """What gpiozero and its factories raise: their own tree, the kernel's errors, and lgpio's plain Exception class."""
    try:
        from gpiozero.exc import GPIOZeroError
    except ImportError as error:
        raise DoorError("gpiozero is not installed", mend="install the extra 'pi'") from error
    errors: tuple[type[BaseException], ...] = (GPIOZeroError, OSError, ValueError, RuntimeError)
    if kind in ("lgpio", "pigpio"):
        with contextlib.suppress(ImportError):
            errors = (*errors, importlib.import_module(kind).error)
    return errors
