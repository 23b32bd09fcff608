"""One engine while its people move into another collection: both serve until everybody has moved.

Whom the new collection does not know is sought in the old one, within the same deadline and by the thresholds of the
old one's face model; the answer bears that model, by which the policy checks it again. Without a badge both are asked
in any case: somebody who has not moved yet may resemble the visitor more than whoever the new one names, and then
nobody is named. That holds for a face of somebody who may not enter (suspended, removed) too: one collection would name
nobody else for it. A visitor is compared twice, as with two shards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from kiosk.config.engines import ModelThresholds
from kiosk.identity.failover import Engine
from kiosk.reasons import Reason
from kiosk.values import Embedding, Match, Pixels

UNKNOWN = (Reason.UNKNOWN_PERSON, Reason.BADGE_MISMATCH)


class ChangingEngine:
    """The new collection first, then the old one. Safe from several threads if they are."""

    def __init__(
        self,
        new: Engine,
        old: Engine,
        thresholds: Mapping[str, ModelThresholds],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``thresholds``: by face-model version, of both."""
        self._new = new
        self._old = old
        self._thresholds = thresholds
        self._clock = clock

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """The new one's answer, unless the old one knows somebody else. Raises MatchError when one cannot answer."""
        until_s = self._clock() + deadline_s
        found = self._new.search(probe, deadline_s=deadline_s, badge=badge, crop=crop)
        if found.reason not in UNKNOWN and (badge is not None or found.reason is not Reason.WELCOME):
            return found
        if self._barred(found):
            return found
        before = self._old.search(probe, deadline_s=max(0.0, until_s - self._clock()), badge=badge, crop=crop)
        if self._barred(before):
            return before
        if before.reason in UNKNOWN or before.person_id == found.person_id is not None:
            return found
        if found.reason in UNKNOWN:
            return before
        return replace(found, person_id=None, runner_up=before.similarity, reason=Reason.AMBIGUOUS_PERSON)

    def _barred(self, found: Match) -> bool:
        """Whether it is a face that is known well enough, but of nobody who may enter."""
        rules = self._thresholds.get(found.model_version)
        return rules is not None and found.reason is Reason.UNKNOWN_PERSON and found.similarity >= rules.threshold
