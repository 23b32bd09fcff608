"""The real clock and the real randomness."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta

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


class PlaybackClock:
    """Time that moves only when somebody waits: plays a file as fast as it can be worked on. Real randomness."""

    def __init__(self) -> None:
        self._now_s = time.monotonic()
        self._began_s = self._now_s
        self._began = datetime.now(UTC)

    def now(self) -> Moment:
        """The file's moment, with 32 random bytes that were never used before."""
        utc = self._began + timedelta(seconds=self._now_s - self._began_s)
        return Moment(monotonic_s=self._now_s, utc=utc, nonce=secrets.token_bytes(NONCE_BYTES))

    def wait(self, seconds: float) -> None:
        """Advance by ``seconds`` at once; a negative wait does nothing."""
        self._now_s += max(0.0, seconds)
