"""Who may pass: the only place in the project that makes a ``Grant``.

Rules:
- Everything that is not proven is a refusal; the order below is the order of the reasons.
- Liveness is judged before identity: somebody who is not proven live learns nothing about the gallery.
- Comparisons are written so that a number that is not a number refuses.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.config.tree import IdentitySettings
from kiosk.reasons import Reason
from kiosk.values import LOCAL, Decision, Deny, Grant, Liveness, LivenessResult, Match, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision rests on."""

    attempt: int
    """The attempt that is being decided."""
    liveness: LivenessResult | None
    liveness_attempt: int | None
    match: Match | None
    match_attempt: int | None
    track: int
    """Track of the face when the flash began."""
    seen_track: int
    """Track of the only face seen last."""
    began_s: float
    """When the flash began."""
    last_s: float
    """The latest time known before now."""
    now_s: float
    deadline_at_s: float
    movement: bool = False
    """The check without a flash: needs every instruction followed and a badge beside the face."""
    followed: bool = False
    """Every instruction was followed, in order, in time, by this face."""
    badge: str | None = None
    """The badge that was read when the check began."""
    match_badge: str | None = None
    """The badge with whose holder the match was made, 1:1."""


MOVEMENT_GATES = frozenset({"instruction", "parallax", "passive", "second_factor", "continuity"})
"""Gates without which the check by movements proves nothing."""


def decide(case: Case, settings: IdentitySettings) -> Decision:
    """Grant, or Deny with the first reason that applies."""
    refusal = _refuse_course(case) or _refuse_liveness(case) or _refuse_movement(case) or _refuse_match(case, settings)
    match = case.match
    if refusal is None and match is not None and match.person_id:
        return Grant(attempt=case.attempt, person_id=match.person_id, decided_at_s=case.now_s)
    return Deny(refusal or Reason.UNKNOWN_PERSON)


def _refuse_course(case: Case) -> Reason | None:
    """Time and continuity."""
    if not case.began_s <= case.last_s <= case.now_s:
        return Reason.CLOCK_WENT_BACK
    if case.seen_track != case.track:
        return Reason.FACE_CHANGED
    if not case.now_s <= case.deadline_at_s:
        return Reason.LIVENESS_UNSURE if case.liveness is None and case.match is not None else Reason.MATCH_LATE
    return None


def _refuse_liveness(case: Case) -> Reason | None:
    result = case.liveness
    if result is None or case.liveness_attempt != case.attempt:
        return Reason.LIVENESS_UNSURE
    if result.verdict is Liveness.SPOOF:
        return Reason.NOT_LIVE
    proven = bool(result.gates) and all(gate.verdict is Verdict.PASS for gate in result.gates)
    if result.verdict is not Liveness.LIVE or not proven:
        return Reason.LIVENESS_UNSURE
    return None


def _refuse_movement(case: Case) -> Reason | None:
    """What the check without a flash needs beside a live verdict."""
    names = frozenset(gate.name for gate in case.liveness.gates) if case.liveness is not None else frozenset()
    if not case.movement:
        return Reason.LIVENESS_UNSURE if "instruction" in names else None
    if not case.followed or not names >= MOVEMENT_GATES:
        return Reason.LIVENESS_UNSURE
    if not case.badge or (case.match is not None and case.match_badge != case.badge):
        return Reason.BADGE_NEEDED
    return None


def _refuse_match(case: Case, settings: IdentitySettings) -> Reason | None:
    match = case.match
    if match is None or case.match_attempt != case.attempt:
        return Reason.MATCH_LATE
    if match.reason is not Reason.WELCOME:
        return match.reason
    limits = settings if match.source == LOCAL else settings.models.get(match.model_version)
    if limits is None or not match.person_id or not limits.threshold <= match.similarity <= 100.0:
        return Reason.UNKNOWN_PERSON  # of a face model without thresholds a similarity says nothing
    if not match.margin >= limits.margin or not match.margin > 0.0:  # two who are equally alike are nobody
        return Reason.AMBIGUOUS_PERSON
    return None
