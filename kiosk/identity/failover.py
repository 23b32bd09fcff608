"""One matcher out of several engines: the first that is well answers, the others wait behind it.

Rules:
- "Nobody" is an answer and final: only a failure leads to the next engine.
- The first engine of the list is the usual one. Every other answers under the stricter rule: a higher threshold, or a
  badge, as configured. Cutting the network therefore never makes a door easier.
- An engine that failed repeatedly is left alone and tried again by itself (``breaker``); nobody has to switch back.
- Engines before the last may use no more than their share of the deadline: the last one always gets its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kiosk.config.tree import FallbackSettings
from kiosk.errors import MatchError
from kiosk.identity.breaker import Breaker
from kiosk.identity.rekognition import Unusable
from kiosk.reasons import Reason
from kiosk.values import Embedding, Match, Pixels

LAST_SHARE = 0.25
"""Of the deadline, kept for the last engine."""


class Engine(Protocol):
    """One way to find out who it is."""

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """Raises MatchError when it cannot answer."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine with its breaker."""

    name: str
    engine: Engine
    breaker: Breaker


class FailoverMatcher:
    """The Matcher port over several engines, the usual one first. ``journal`` is told of changes, once each."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        rules: FallbackSettings,
        model_version: str,
        journal: Callable[..., None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``model_version`` is the local embedder's."""
        if not candidates:
            raise MatchError("there is no engine")
        self._candidates = tuple(candidates)
        self._rules = rules
        self._model_version = model_version
        self._journal = journal
        self._clock = clock
        self._answered = candidates[0].name

    @property
    def model_version(self) -> str:
        """The embedding version that the local engine can compare."""
        return self._model_version

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """The answer of the first engine that gives one. Raises MatchError when none does."""
        until_s = self._clock() + deadline_s
        faults = []
        for place, candidate in enumerate(self._candidates):
            if not candidate.breaker.allows():
                faults.append(f"{candidate.name}: resting")
                continue
            last = place == len(self._candidates) - 1
            left_s = max(0.0, until_s - self._clock()) - (0.0 if last else LAST_SHARE * deadline_s)
            try:
                found = candidate.engine.search(probe, deadline_s=max(0.0, left_s), badge=badge, crop=crop)
            except Unusable as error:
                candidate.breaker.succeeded()
                faults.append(str(error))
                continue
            except MatchError as error:
                candidate.breaker.failed()
                faults.append(str(error))
                continue
            candidate.breaker.succeeded()
            self._note(candidate.name)
            return found if place == 0 else self._stricter(found, badge)
        raise MatchError(f"no engine answered ({'; '.join(faults)})")

    def _stricter(self, found: Match, badge: str | None) -> Match:
        """A fallback's answer under the stricter rule."""
        if found.reason is not Reason.WELCOME:
            return found
        if self._rules.badge and badge is None:
            return replace(found, person_id=None, reason=Reason.BADGE_NEEDED)
        if found.similarity < self._rules.threshold:
            reason = Reason.UNKNOWN_PERSON if badge is None else Reason.BADGE_MISMATCH
            return replace(found, person_id=None, reason=reason)
        return found

    def _note(self, name: str) -> None:
        if name != self._answered:
            self._answered = name
            self._journal("ENGINE_CHANGED", engine=name)
