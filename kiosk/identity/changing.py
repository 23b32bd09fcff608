"""One engine while its people move into another collection: both serve until everybody has moved.

Whom the new collection does not know is sought in the old one, within the same deadline and by the thresholds of the
old one's face model; the answer bears that model, by which the policy checks it again. A visitor is compared twice, as
with two shards.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.identity.failover import Engine
from kiosk.reasons import Reason
from kiosk.values import Embedding, Match, Pixels

UNKNOWN = (Reason.UNKNOWN_PERSON, Reason.BADGE_MISMATCH)


class ChangingEngine:
    """The new collection first, then the old one. Safe from several threads if they are."""

    def __init__(self, new: Engine, old: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._new = new
        self._old = old
        self._clock = clock

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """The new one's answer, unless only the old one knows somebody. Raises MatchError when one cannot answer."""
        until_s = self._clock() + deadline_s
        found = self._new.search(probe, deadline_s=deadline_s, badge=badge, crop=crop)
        if found.reason not in UNKNOWN:
            return found
        before = self._old.search(probe, deadline_s=max(0.0, until_s - self._clock()), badge=badge, crop=crop)
        return found if before.reason in UNKNOWN else before
