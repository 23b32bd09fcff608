"""Strict reading of JSON fields: a wrong value is one line that names the file, the field and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.errors import InputError


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of the JSON document with the name it has there."""

    values: Mapping[str, Any]
    name: str
    path: Path

    def bad(self, key: str, wanted: str) -> InputError:
        """The error for a field that is missing or wrong."""
        where = f"{self.name}.{key}" if self.name else key
        state = "is missing" if key not in self.values else f"is {_short(self.values[key])}"
        return InputError(f"{where} {state}; it must be {wanted}", where=str(self.path))

    def inner(self, key: str) -> Fields:
        """A nested object."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self.bad(key, "an object")
        return Fields(value, f"{self.name}.{key}" if self.name else key, self.path)

    def items(self, key: str, most: int) -> list[Fields]:
        """A non-empty list of objects."""
        value = self.values.get(key)
        if not isinstance(value, list) or not 0 < len(value) <= most or not all(isinstance(v, dict) for v in value):
            raise self.bad(key, f"a list of 1 to {most} objects")
        where = f"{self.name}.{key}" if self.name else key
        return [Fields(item, f"{where}[{number}]", self.path) for number, item in enumerate(value)]

    def number(self, key: str, low: float, high: float) -> float:
        """A finite number in ``low .. high``."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.bad(key, f"a number from {low:g} to {high:g}")
        if not low <= value <= high:
            raise self.bad(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def optional(self, key: str, low: float, high: float) -> float | None:
        """A number or null; absent is null."""
        return None if self.values.get(key) is None else self.number(key, low, high)

    def text(self, key: str) -> str:
        """A string of 1 to 200 characters."""
        value = self.values.get(key)
        if not isinstance(value, str) or not 0 < len(value) <= 200:
            raise self.bad(key, "a text of 1 to 200 characters")
        return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
