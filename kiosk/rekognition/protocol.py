"""A connection of the server: one that does not ask in time, or one too many of a peer, is closed.

uvicorn bounds neither: without this, a few dozen silent connections would keep everybody else out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

FIRST_S = 10.0
"""From the connection to the end of its first request's headers."""
MOST_OF_A_PEER = 64


def bounded_protocol(first_s: float = FIRST_S, most_of_a_peer: int = MOST_OF_A_PEER) -> type[asyncio.Protocol]:
    """uvicorn's HTTP/1.1 with both bounds, for one server."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    open_of: Counter[str] = Counter()  # the event loop's thread only

    class BoundedProtocol(H11Protocol):
        """One connection."""

        _peer = ""
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            """Count the connection, give it its time."""
            told = transport.get_extra_info("peername")
            self._peer = str(told[0]) if told else ""
            open_of[self._peer] += 1
            super().connection_made(transport)
            if open_of[self._peer] > most_of_a_peer:
                transport.abort()
                return
            self._timer = self.loop.call_later(first_s, self._out_of_time)

        def connection_lost(self, exc: Exception | None) -> None:
            """It is over."""
            open_of[self._peer] -= 1
            if not open_of[self._peer]:
                del open_of[self._peer]
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

        def _out_of_time(self) -> None:
            if self.cycle is None:
                self.transport.abort()

    return BoundedProtocol
