"""Where to listen: read from text, and whether others can reach it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from kiosk.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def parsed(cls, text: str, option: str = "--listen") -> Address:
        """``HOST:PORT`` or ``[IPV6]:PORT``. Raises ConfigurationError."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            raise ConfigurationError(f"{text!r} is no HOST:PORT", where=option, mend="such as 127.0.0.1:8765")
        return cls(host, int(port))

    @property
    def shown(self) -> str:
        """The host as a URL writes it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
