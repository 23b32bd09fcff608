"""The check itself: Flashing and Deciding.

Rules:
- One face, one track, from the flash to the decision: another face, a second one, or nobody for a moment ends it.
- Only answers of this very attempt count; the answers may come in any order, already during the flash.
- A spoof verdict refuses at once. Whatever is missing at the deadline refuses.
- Flashing never grants: a decision is made in Deciding only, and only by ``policy.decide``.
"""

from __future__ import annotations

import math
from dataclasses import replace

from kiosk.reasons import Reason
from kiosk.values import Grant, Liveness, Observation, SeenFace
from kiosk.visit.events import LivenessJudged, MatchArrived, MatchFailed
from kiosk.visit.geometry import offset
from kiosk.visit.outcomes import Stepped, deciding, deny, grant, unsure
from kiosk.visit.policy import Case, decide
from kiosk.visit.rules import FAR_DISTANCE, FAR_OFFSET, NOBODY_S, Rules
from kiosk.visit.states import Check, Deciding, Flashing, Visit

Answer = LivenessJudged | MatchArrived | MatchFailed


def check_observed(visit: Visit, state: Flashing | Deciding, seen: Observation, now_s: float, rules: Rules) -> Stepped:
    """Is it still the same single face?"""
    check = state.check
    broken = broken_by(visit, check, seen, now_s, rules, flashing=isinstance(state, Flashing))
    if broken is not None:
        return deny(visit, broken, now_s, rules)
    if seen.faces:
        check = replace(check, last_seen_s=now_s, seen_track=seen.faces[0].track)
    return proceed(visit, state, check, now_s, rules)


def check_answered(visit: Visit, state: Flashing | Deciding, event: Answer, now_s: float, rules: Rules) -> Stepped:
    """An answer came; one of another attempt, or one after the deadline, is no answer."""
    check = state.check
    late = isinstance(state, Deciding) and now_s > state.deadline_at_s
    if event.attempt != check.attempt or late:
        return proceed(visit, state, check, now_s, rules)
    if isinstance(event, MatchArrived):
        return proceed(visit, state, matched(check, event), now_s, rules)
    if isinstance(event, MatchFailed):
        return proceed(visit, state, replace(check, failure=failure(event.reason)), now_s, rules)
    check = replace(check, liveness=event.result)
    if event.result.verdict is Liveness.SPOOF:
        return deny(visit, Reason.NOT_LIVE, now_s, rules, check)
    if event.result.verdict is Liveness.UNSURE:
        return unsure(visit, check, now_s, rules)
    if isinstance(state, Flashing) and now_s - check.began_s >= check.least_s:
        return deciding(visit, check, now_s, rules), ()
    return proceed(visit, state, check, now_s, rules)


def proceed(visit: Visit, state: Flashing | Deciding, check: Check, now_s: float, rules: Rules) -> Stepped:
    """Time passed, or something was learnt: end the flash, decide, or wait on."""
    if isinstance(state, Flashing):
        if now_s >= check.flash_ends_s:
            return deciding(visit, check, now_s, rules), ()
        return replace(visit, state=Flashing(check)), ()
    if check.failure is not None:
        return deny(visit, check.failure, now_s, rules, check)
    waiting = check.liveness is None or check.match is None
    if waiting and now_s <= state.deadline_at_s:
        return replace(visit, state=Deciding(check, state.deadline_at_s)), ()
    decision = decide(
        Case(
            attempt=visit.attempt,
            liveness=check.liveness,
            liveness_attempt=check.attempt,
            match=check.match,
            match_attempt=check.attempt,
            track=check.track,
            seen_track=check.seen_track,
            began_s=check.began_s,
            last_s=visit.last_s,
            now_s=now_s,
            deadline_at_s=state.deadline_at_s,
            movement=check.movement,
            followed=check.followed,
            badge=check.badge,
            match_badge=check.match_badge,
        ),
        rules.identity,
    )
    if isinstance(decision, Grant):
        return grant(visit, decision, check, rules)
    return deny(visit, decision.reason, now_s, rules, check)


def matched(check: Check, event: MatchArrived) -> Check:
    """The first match counts, with the badge that it was made for."""
    return check if check.match is not None else replace(check, match=event.match, match_badge=event.badge)


def failure(reason: Reason) -> Reason:
    """A matcher's failure must read as one."""
    return Reason.MATCH_LATE if reason is Reason.MATCH_LATE else Reason.MATCH_FAILED


def broken_by(
    visit: Visit, check: Check, seen: Observation, now_s: float, rules: Rules, *, flashing: bool
) -> Reason | None:
    """Why the one face is not the one face any more."""
    if not seen.faces:
        return Reason.LEFT_DURING_CHECK if now_s - check.last_seen_s > NOBODY_S else None
    if len(seen.faces) > 1:
        return Reason.SECOND_FACE
    face = seen.faces[0]
    if face.track != check.track:
        return Reason.FACE_CHANGED
    if flashing and _far_out(visit, face, rules):
        return Reason.LEFT_DURING_CHECK
    return None


def _far_out(visit: Visit, face: SeenFace, rules: Rules) -> bool:
    """Whether the face left the oval so far that the flash no longer lights what was predicted."""
    guidance = rules.guidance
    x, y = offset(face, visit.oval, visit.frame_width_px, visit.frame_height_px)
    near_mm, far_mm = guidance.near_mm / FAR_DISTANCE, guidance.far_mm * FAR_DISTANCE
    within = math.hypot(x, y) <= FAR_OFFSET * guidance.offset_leave_ratio and near_mm <= face.distance_mm <= far_mm
    return not within
