"""One matcher out of several engines: the first that is well answers, the others wait behind it.

Rules:
- "Nobody" is an answer and final, and so is "I cannot use this picture": a visitor must not choose who judges. Only a
  failure leads to the next engine.
- The first engine of the list is the usual one. Every other answers under the stricter rule: a higher threshold, or a
  badge, as configured. Cutting the network therefore never makes a door easier.
- An engine that failed repeatedly is left alone and tried again by itself (``breaker``); nobody has to switch back.
- Engines before the last share three quarters of the deadline: each gets its turn, the last one always.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kiosk.config.engines import FallbackSettings
from kiosk.errors import MatchError
from kiosk.identity.asking import Unusable
from kiosk.identity.breaker import Breaker
from kiosk.reasons import Reason
from kiosk.values import Embedding, Match, Pixels

LEAST_S = 0.1
"""With less time an engine is not asked: its failure would say nothing of it."""
MISTAKES = (
    MatchError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What an engine may raise: a foreign library's mistake must lead to the next engine as its failures do."""
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
        """The answer of the first engine that gives one. Raises MatchError when none does, Unusable at once."""
        until_s = self._clock() + deadline_s
        faults = []
        for place, candidate in enumerate(self._candidates):
            left_s = self._share_s(place, until_s - self._clock(), deadline_s)
            if left_s < LEAST_S and place < len(self._candidates) - 1:
                faults.append(f"{candidate.name}: no time left")
                continue
            if not candidate.breaker.allows():
                faults.append(f"{candidate.name}: resting")
                continue
            try:
                found = candidate.engine.search(probe, deadline_s=left_s, badge=badge, crop=crop)
            except Unusable:
                candidate.breaker.released()
                raise
            except MISTAKES as error:
                candidate.breaker.failed()
                faults.append(
                    str(error) if isinstance(error, MatchError) else f"{candidate.name}: {type(error).__name__}"
                )
                continue
            candidate.breaker.succeeded()
            self._note(candidate.name)
            return found if place == 0 else self._stricter(found, badge)
        raise MatchError(f"no engine answered ({'; '.join(faults)})")

    def _share_s(self, place: int, left_s: float, deadline_s: float) -> float:
        """The time of one engine: what is left, less the last one's share, is split among those before it."""
        before_last = len(self._candidates) - 1 - place
        if before_last == 0:
            return max(0.0, left_s)
        return max(0.0, left_s - LAST_SHARE * deadline_s) / before_last

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
