"""A connection of the server: one that does not ask in time, or one too many of a peer, is closed.

uvicorn bounds neither: without this, a few dozen silent connections would keep everybody else out.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from typing import Any

FIRST_S = 10.0
"""From the connection to the end of its first request's headers, and between two looks at what it does."""
MOST_OF_A_PEER = 64


def bounded_protocol(first_s: float = FIRST_S, most_of_a_peer: int = MOST_OF_A_PEER) -> type[asyncio.Protocol]:
    """uvicorn's HTTP/1.1 with both bounds, for one server."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    open_of: Counter[str] = Counter()  # the event loop's thread only

    class BoundedProtocol(H11Protocol):
        """One connection."""

        _peer = ""
        _timer: asyncio.TimerHandle | None = None
        _seen: object = None
        """The request that was the last one when this connection was looked at before."""

        def connection_made(self, transport: Any) -> None:
            """Count the connection, give it its time."""
            told = transport.get_extra_info("peername")
            self._peer = _peer_of(str(told[0])) if told else ""
            open_of[self._peer] += 1
            super().connection_made(transport)
            if open_of[self._peer] > most_of_a_peer:
                transport.abort()
                return
            self._timer = self.loop.call_later(first_s, self._look)

        def connection_lost(self, exc: Exception | None) -> None:
            """It is over."""
            open_of[self._peer] -= 1
            if not open_of[self._peer]:
                del open_of[self._peer]
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

        def _look(self) -> None:
            """Nothing under way and nothing asked since the last look: the connection is only held."""
            idle = self.cycle is None or self.cycle.response_complete
            if idle and self.cycle is self._seen:
                self.transport.abort()
                return
            self._seen = self.cycle
            self._timer = self.loop.call_later(first_s, self._look)

    return BoundedProtocol


def _peer_of(host: str) -> str:
    """Who is counted as one: an IPv4 address, or the network of an IPv6 one, in which somebody has any number."""
    address = ipaddress.ip_address(host.split("%")[0])
    return host if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
