"""The real clock and the real randomness."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

from kiosk.values import Moment

NONCE_BYTES = 32


class SystemClock:
    """A ``Clock``: CLOCK_MONOTONIC, UTC, and bytes from the operating system's CSPRNG."""

    def now(self) -> Moment:
        """This moment, with 32 random bytes that were never used before."""
        return Moment(monotonic_s=time.monotonic(), utc=datetime.now(UTC), nonce=secrets.token_bytes(NONCE_BYTES))

    def wait(self, seconds: float) -> None:
        """Sleep for ``seconds``; a negative wait does nothing."""
        time.sleep(max(0.0, seconds))
