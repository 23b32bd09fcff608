"""The ends that several states share: denied, granted, unsure, ended, faulted.

Rules:
- Every attempt that was started is dropped exactly once, on whichever way it ends (a grant, too: its evidence is
  no longer wanted).
- Every visit that was started is ended exactly once.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.reasons import Reason
from kiosk.values import Grant
from kiosk.visit.events import DropAttempt, Effect, PulseDoor, RecordEvent
from kiosk.visit.rules import AGAIN_S, COOL_LONG_S, COOL_S, DENIALS_IN_A_ROW, SERVED_GONE_S, Rules
from kiosk.visit.states import (
    Approach,
    Check,
    CoolingDown,
    Deciding,
    Denied,
    Faulted,
    Granted,
    Guiding,
    Idle,
    Visit,
    attempt_under_way,
    visit_is_open,
)

Stepped = tuple[Visit, tuple[Effect, ...]]


def told(kind: str, check: Check | None, reason: Reason | None = None, person_id: str | None = None) -> RecordEvent:
    """An event with the figures of the attempt, as far as they are known."""
    if check is None:
        return RecordEvent(kind, reason=reason, person_id=person_id)
    match, liveness = check.match, check.liveness
    return RecordEvent(
        kind,
        reason=reason,
        person_id=person_id,
        attempt=check.attempt,
        similarity=match.similarity if match else None,
        confidence=liveness.confidence if liveness else None,
        source=match.source if match else None,
        model_version=match.model_version if match else None,
        flash=check.flash,
        gates=tuple((gate.name, gate.verdict.value) for gate in liveness.gates) if liveness else (),
    )


def _dropped(check: Check | None) -> tuple[Effect, ...]:
    return () if check is None else (DropAttempt(check.attempt),)


def deny(visit: Visit, reason: Reason, now_s: float, rules: Rules, check: Check | None = None) -> Stepped:
    """To Denied. ``check`` is the newest knowledge of the attempt, else the one in the state."""
    check = check or attempt_under_way(visit)
    state = Denied(reason, now_s + rules.visit.result_s)
    denied = replace(visit, state=state, denials=visit.denials + 1)
    return denied, (*_dropped(check), told("DENIED", check, reason))


def grant(visit: Visit, permission: Grant, check: Check, rules: Rules) -> Stepped:
    """From Deciding to Granted: the one place that asks for a door pulse, once the grant is on record."""
    state = Granted(permission.person_id, check.track, permission.decided_at_s + rules.visit.result_s)
    effects = (
        told("GRANTED", check, Reason.WELCOME, permission.person_id),
        PulseDoor(permission),
        DropAttempt(check.attempt),
    )
    return replace(visit, state=state, denials=0), effects


def unsure(visit: Visit, check: Check, now_s: float, rules: Rules, reason: Reason | None = None) -> Stepped:
    """Another try with a new challenge, or a refusal when the tries are used up; ``reason``: else the gates' first."""
    reasons = check.liveness.reasons if check.liveness else ()
    reason = reason or (reasons[0] if reasons else Reason.LIVENESS_UNSURE)
    if visit.tries_used >= rules.liveness.tries:
        return deny(visit, reason, now_s, rules, check)
    guiding = Guiding(Approach(now_s, now_s), reason, now_s + AGAIN_S)
    again = replace(visit, state=guiding, tries_used=visit.tries_used + 1)
    return again, (DropAttempt(check.attempt), told("ATTEMPT_UNSURE", check, reason))


def cool_down(visit: Visit, now_s: float, rules: Rules, reason: Reason | None = None) -> Stepped:
    """End an open visit and wait for the face to go."""
    state = visit.state
    gone_s, track = SERVED_GONE_S, None
    if isinstance(state, Denied):
        gone_s, reason = rules.visit.gone_s, state.reason
    elif isinstance(state, Granted):
        track, reason = state.track, Reason.WELCOME
    effects = (RecordEvent("VISIT_ENDED", reason=reason),) if visit_is_open(visit) else ()
    cooling = CoolingDown(now_s, now_s + _longest_wait_s(visit), gone_s, track, reason)
    return replace(visit, state=cooling, badge=None, tries_used=0), effects


def cool_again(visit: Visit, state: CoolingDown, now_s: float) -> Visit:
    """The cooling down from its beginning, on a clock that was set anew."""
    return replace(visit, state=replace(state, last_seen_s=now_s, until_s=now_s + _longest_wait_s(visit)))


def _longest_wait_s(visit: Visit) -> float:
    return COOL_LONG_S if visit.denials >= DENIALS_IN_A_ROW else COOL_S


def go_idle(visit: Visit, now_s: float, *, gone: bool) -> Stepped:
    """Ready for the next visit. ``gone``: the face left, so its denials are forgotten."""
    effects = (RecordEvent("VISIT_ENDED", reason=Reason.NO_FACE),) if visit_is_open(visit) else ()
    badge = None if visit_is_open(visit) else visit.badge
    denials = 0 if gone else visit.denials
    return replace(visit, state=Idle(last_seen_s=now_s), badge=badge, denials=denials, tries_used=0), effects


def fail(visit: Visit, fault: Reason) -> Stepped:
    """A needed part is out of order: whatever was going on is over and the door stays locked."""
    if fault in visit.faults:
        return visit, ()
    ended: tuple[Effect, ...] = (RecordEvent("VISIT_ENDED", reason=fault),) if visit_is_open(visit) else ()
    effects = (*_dropped(attempt_under_way(visit)), *ended, RecordEvent("FAULTED", reason=fault))
    faults = tuple(sorted((*visit.faults, fault)))
    return replace(visit, state=Faulted(), faults=faults, badge=None, tries_used=0), effects


def recover(visit: Visit, fault: Reason, now_s: float, rules: Rules) -> Stepped:
    """One part works again; when all do, the kiosk cools down before it serves anybody."""
    if fault not in visit.faults:
        return visit, ()
    recovered = replace(visit, faults=tuple(other for other in visit.faults if other is not fault))
    event = RecordEvent("RECOVERED", reason=fault)
    if recovered.faults:
        return recovered, (event,)
    cooling, effects = cool_down(recovered, now_s, rules)
    return cooling, (event, *effects)


def deciding(visit: Visit, check: Check, now_s: float, rules: Rules) -> Visit:
    """From Flashing or Moving to Deciding."""
    return replace(visit, state=Deciding(check, now_s + rules.identity.deadline_s))
