"""Whom a gallery or an engine's answers name: the rule of threshold and margin, by one face model or by two.

Similarities of two models cannot be compared, but how far each is above what its own model asks for can: the best by
that is the person, the next one the runner-up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kiosk.reasons import Reason
from kiosk.values import Match


class Thresholds(Protocol):
    """What a model's similarity must reach: ``ModelThresholds``, or the settings of this machine's own models."""

    @property
    def threshold(self) -> float:
        """Least similarity, 0..100."""

    @property
    def margin(self) -> float:
        """Least distance to the second person."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One person of an answer, by the model that they are known by."""

    person_id: str
    similarity: float
    """0..100 of their best face."""
    version: str
    """Face model."""
    rules: Thresholds
    """Of that model."""
    stale: bool = False
    """An old face of somebody who has moved, and whom the present collections did not show: it names nobody, but stands
    in others' way. They may have been moving just then, or the present collections may have lost them."""

    @property
    def above(self) -> float:
        """Similarity above the threshold; below zero: not enough."""
        return self.similarity - self.rules.threshold


def decided(
    hits: Sequence[Hit], version: str, source: str, may_enter: Callable[[str], bool], *, full: bool = False
) -> Match:
    """The 1:N answer; ``hits`` has each person once, ``version`` is told where there is nobody at all.

    ``may_enter``: whether the kiosk's own records know the person; a face of somebody who may not enter names nobody
    else. ``full``: an answer had no room for a second person, so that nothing is known of the runner-up. The answer's
    margin is that between the two, whatever their models. Raises what ``may_enter`` raises.
    """
    ranked = sorted(hits, key=lambda hit: -hit.above)
    if not ranked:
        return Match(None, 0.0, 0.0, source, version, Reason.UNKNOWN_PERSON)
    top = ranked[0]
    runner_up = _on_scale_of(top, ranked[1]) if len(ranked) > 1 else 0.0

    def match(reason: Reason, person_id: str | None = None) -> Match:
        return Match(person_id, top.similarity, runner_up, source, top.version, reason)

    if not top.above >= 0.0:
        return match(Reason.UNKNOWN_PERSON)
    if not top.similarity - runner_up >= top.rules.margin or not top.similarity > runner_up or full:
        return match(Reason.AMBIGUOUS_PERSON)
    if top.stale or not may_enter(top.person_id):
        return match(Reason.UNKNOWN_PERSON)
    return match(Reason.WELCOME, top.person_id)


def verified(hits: Sequence[Hit], holder: str, version: str, source: str) -> Match:
    """The 1:1 answer for the ``holder`` of a badge, whoever else resembles more."""
    theirs = [hit for hit in hits if hit.person_id == holder and not hit.stale]
    if not theirs:
        return Match(None, 0.0, 0.0, source, version, Reason.BADGE_MISMATCH)
    top = max(theirs, key=lambda hit: hit.above)
    if not top.above >= 0.0:
        return Match(None, top.similarity, 0.0, source, top.version, Reason.BADGE_MISMATCH)
    return Match(holder, top.similarity, 0.0, source, top.version, Reason.WELCOME)


def _on_scale_of(top: Hit, other: Hit) -> float:
    """The other's similarity as far below the top's as it is below by their own models; never below 0."""
    if other.rules.threshold == top.rules.threshold:
        return other.similarity
    return max(0.0, top.rules.threshold + other.above)
