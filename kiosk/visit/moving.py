"""The check without a flash: the visitor follows instructions with the head.

Rules:
- It begins only for a visitor who showed a badge: the badge is the second factor, and the match is 1:1 with its holder.
- One face, one track, near the oval, from the first instruction to the decision, as during a flash.
- A wrong turn, or an instruction that is not followed in time, is unsure: another try with new instructions.
- A LIVE verdict before the last instruction was followed is no verdict: only what was filmed to the end counts.
- It never grants: when everything was followed it goes to Deciding, and ``policy.decide`` has the last word.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.reasons import Reason
from kiosk.values import Challenge, Liveness, Moment, Observation
from kiosk.visit.check import Answer, broken_by, failure, matched
from kiosk.visit.events import Effect, JudgeMovement, MatchArrived, MatchFailed, RecordEvent, StartAttempt
from kiosk.visit.light import Flash
from kiosk.visit.movement import begin as begin_course
from kiosk.visit.movement import draw_instructions, follow
from kiosk.visit.outcomes import Stepped, deciding, deny, unsure
from kiosk.visit.rules import Rules
from kiosk.visit.states import Check, Moving, Visit


def begin(visit: Visit, seen: Observation, now: Moment, rules: Rules) -> Stepped:
    """A fresh attempt with fresh instructions for the only face that is seen."""
    face, now_s = seen.faces[0], now.monotonic_s
    attempt = visit.attempt + 1
    nothing = Challenge(())
    check = Check(
        attempt, face.track, face.track, nothing, now_s, now_s, movement=True, flash=Flash.NONE, badge=visit.badge
    )
    course = begin_course(draw_instructions(now.nonce, rules.liveness.turns), face.pose, seen.at_s)
    effects: tuple[Effect, ...] = (
        StartAttempt(attempt, face.track, nothing, visit.badge, movement=True),
        RecordEvent("ATTEMPT_STARTED", attempt=attempt, flash=Flash.NONE),
    )
    return replace(visit, state=Moving(check, course), attempt=attempt), effects


def observed(visit: Visit, state: Moving, seen: Observation | None, now_s: float, rules: Rules) -> Stepped:
    """One observation, or (None) just time that passed."""
    check, course = state.check, state.course
    if seen is not None:
        broken = broken_by(visit, check, seen, now_s, rules, flashing=True)
        if broken is not None:
            return deny(visit, broken, now_s, rules)
        if seen.faces:
            check = replace(check, last_seen_s=now_s, seen_track=seen.faces[0].track)
            course = follow(course, seen.faces[0].pose, seen.at_s, rules.liveness)
    if course.missed or not now_s - course.given_s <= rules.liveness.turn_s:
        return unsure(visit, check, now_s, rules, Reason.INSTRUCTION_MISSED)
    if course.done:
        judge = JudgeMovement(check.attempt, course.turned)
        return deciding(visit, replace(check, followed=True), now_s, rules), (judge,)
    return replace(visit, state=Moving(check, course)), ()


def answered(visit: Visit, state: Moving, event: Answer, now_s: float, rules: Rules) -> Stepped:
    """An answer came while the visitor still moves; one of another attempt is no answer."""
    check = state.check
    if event.attempt == check.attempt:
        if isinstance(event, MatchArrived):
            check = matched(check, event)
        elif isinstance(event, MatchFailed):
            check = replace(check, failure=failure(event.reason))
        elif event.result.verdict is Liveness.SPOOF:
            return deny(visit, Reason.NOT_LIVE, now_s, rules, replace(check, liveness=event.result))
    return observed(visit, replace(state, check=check), None, now_s, rules)
