"""What the service manager wants to hear (``sd_notify(3)``), in a few lines of AF_UNIX.

Without ``NOTIFY_SOCKET`` everything here does nothing. A message that cannot be sent is dropped: the only cure for a
lost one is the watchdog, and that comes by itself.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


class Notifier:
    """Speaks to the service manager that started us. A leading ``@`` in the address is an abstract socket."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """``environment``: ``os.environ`` when None."""
        environment = os.environ if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environment) if address else None
        """The watchdog's time-out in seconds; None when it is off or meant for another process."""

    @property
    def listening(self) -> bool:
        """Whether somebody wants to hear."""
        return bool(self._address)

    def ready(self) -> None:
        """Start-up is complete."""
        self._send("READY=1")

    def watchdog(self) -> None:
        """The process works: only to be called on proven progress."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send("STATUS=" + " ".join(text.split()))

    def stopping(self) -> None:
        """Shutting down on purpose."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outlet:
            # The loop must not hang on a full queue of the service manager.
            outlet.setblocking(False)
            outlet.sendto(message.encode(), self._address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    meant_for = environment.get("WATCHDOG_PID", "")
    if meant_for and meant_for != str(os.getpid()):
        return None
    try:
        micros = int(environment.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return micros / 1e6 if micros > 0 else None
