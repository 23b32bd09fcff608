"""Requests that are repeated because their answer was lost: the same token gets the same answer and is not done again.

AWS's clients send a ``ClientRequestToken`` of their own with whatever changes users, and repeat it after a time-out. In
memory, for some minutes, for each key.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from kiosk.errors import RekognitionFault

KEPT_S = 300.0
MOST = 10_000


class Repeats:
    """Answers by (key, operation, token). Safe from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str], tuple[float, bytes, bytes]] = OrderedDict()

    def known(self, key: str, operation: str, token: str, body: bytes) -> bytes | None:
        """The answer that was given; None for a new request. Raises RekognitionFault for another request's token."""
        with self._guard:
            found = self._kept.get((key, operation, token))
        if found is None or self._clock() - found[0] > KEPT_S:
            return None
        if found[1] != _digest(body):
            raise RekognitionFault("IdempotentParameterMismatchException", "the token belongs to another request")
        return found[2]

    def keep(self, key: str, operation: str, token: str, body: bytes, answer: bytes) -> None:
        """Remember an answer; the oldest gives way."""
        with self._guard:
            self._kept[key, operation, token] = (self._clock(), _digest(body), answer)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
