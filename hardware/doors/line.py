"""What a relay line is: the few things a door asks of the wire.

Rules: ``open`` sets level and direction together, at the locked level, so the relay never clicks at start; ``drive``
returns only when the level was written; foreign errors come out as DoorError. This module and the lines import no
third-party package at import time, so that the relock command works where little else does.
"""

from __future__ import annotations

from typing import Protocol

CONSUMER = "door-kiosk"
"""Name under which the kernel lists the holder of the line."""


class RelayLine(Protocol):
    """One output that switches the lock's relay."""

    @property
    def name(self) -> str:
        """Where the line is, for messages."""

    def open(self) -> None:
        """Take the line as an output at the locked level, in one step. Raises DoorError."""

    def drive(self, unlocked: bool) -> None:
        """Write the level. Raises DoorError."""

    def release(self) -> None:
        """Give the line back; calling it again does nothing. Raises nothing."""
