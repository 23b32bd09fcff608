"""The heart of the kiosk: ``step(visit, event, now, rules) -> (visit', effects)``.

Rules:
- Pure: the same arguments give the same answer. Time and randomness come in the ``Moment``.
- One event makes at most one transition (recovery with a clock that went back is the one that makes two).
- A fault comes before everything; then the clock: time that goes back never grants; then a stalled loop: a check
  that was not watched is not a check.
- Answers of other attempts change nothing.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.reasons import Reason
from kiosk.values import Moment, Observation
from kiosk.visit import approach, moving, outcomes
from kiosk.visit.check import check_answered, check_observed, proceed
from kiosk.visit.events import (
    BadgeRead,
    Event,
    LivenessJudged,
    MatchArrived,
    MatchFailed,
    Observed,
    PartFailed,
    PartRecovered,
)
from kiosk.visit.geometry import oval_for
from kiosk.visit.outcomes import Stepped
from kiosk.visit.rules import Rules
from kiosk.visit.states import (
    CoolingDown,
    Deciding,
    Denied,
    Faulted,
    Flashing,
    Granted,
    Guiding,
    Holding,
    Idle,
    Moving,
    Visit,
)


def new_visit(rules: Rules, frame_width_px: int, frame_height_px: int) -> Visit:
    """Idle, before the first event. ``rules.focal_px`` belongs to this frame size.

    Observations of another size correct it: the same field of view in more or fewer pixels.
    """
    oval = oval_for(rules.guidance, frame_width_px, frame_height_px, rules.focal_px)
    return Visit(Idle(), oval, frame_width_px, frame_height_px, rules.focal_px)


def step(visit: Visit, event: Event, now: Moment, rules: Rules) -> Stepped:
    """The visit after ``event`` at ``now``, and the effects to perform, in order."""
    now_s = now.monotonic_s
    seen = event.observation if isinstance(event, Observed) else None
    after, effects = _stepped(visit, event, seen, now, rules)
    if seen is None:
        return replace(after, last_s=now_s), effects
    return replace(after, last_s=now_s, observed_s=now_s, frame_at_s=seen.at_s), effects


def _stepped(visit: Visit, event: Event, seen: Observation | None, now: Moment, rules: Rules) -> Stepped:
    now_s = now.monotonic_s
    if isinstance(event, PartFailed):
        return outcomes.fail(visit, event.fault)
    if not now_s >= visit.last_s:
        visit, effects = _clock_went_back(visit, now_s, rules)
        if isinstance(event, PartRecovered):
            visit, more = outcomes.recover(visit, event.fault, now_s, rules)
            effects = (*effects, *more)
        return visit, effects
    if isinstance(event, PartRecovered):
        return outcomes.recover(visit, event.fault, now_s, rules)
    if isinstance(visit.state, (Holding, Flashing, Moving, Deciding)):
        unwatched = _unwatched(visit, seen, now_s, rules)
        if unwatched is not None:
            return outcomes.deny(visit, unwatched, now_s, rules)
    if seen is not None:
        return _observed(_resized(visit, seen, rules), seen, now, rules)
    if isinstance(event, BadgeRead):
        visit = _badge_read(visit, event, now_s)
    if isinstance(event, (LivenessJudged, MatchArrived, MatchFailed)):
        if isinstance(visit.state, (Flashing, Deciding)):
            return check_answered(visit, visit.state, event, now_s, rules)
        if isinstance(visit.state, Moving):
            return moving.answered(visit, visit.state, event, now_s, rules)
    return _observed(visit, None, now, rules)


def _observed(visit: Visit, seen: Observation | None, now: Moment, rules: Rules) -> Stepped:
    """One observation, or (None) just time that passed."""
    now_s = now.monotonic_s
    match visit.state:
        case Guiding() as state:
            return approach.guiding(visit, state, seen, now_s, rules)
        case Idle() as state:
            return approach.idle(visit, state, seen, now_s, rules)
        case Holding() as state:
            return approach.holding(visit, state, seen, now, rules)
        case Flashing() | Deciding() as state:
            if seen is None:
                return proceed(visit, state, state.check, now_s, rules)
            return check_observed(visit, state, seen, now_s, rules)
        case Moving() as state:
            return moving.observed(visit, state, seen, now_s, rules)
        case Granted() | Denied() as state:
            if now_s < state.until_s:
                return visit, ()
            return outcomes.cool_down(visit, now_s, rules)
        case CoolingDown() as state:
            return approach.cooling_down(visit, state, seen, now_s)
        case Faulted():  # pragma: no branch - the last of all states, which mypy proves
            return visit, ()


def _unwatched(visit: Visit, seen: Observation | None, now_s: float, rules: Rules) -> Reason | None:
    """Why this check was not watched without a gap: by the loop's clock and by the frames' own times."""
    stall_s = rules.visit.stall_s
    if not now_s - visit.observed_s <= stall_s:
        return Reason.LOOP_STALLED
    if seen is None:
        return None
    if not seen.at_s >= visit.frame_at_s:
        return Reason.CLOCK_WENT_BACK
    return Reason.LOOP_STALLED if seen.at_s - visit.frame_at_s > stall_s else None


def _clock_went_back(visit: Visit, now_s: float, rules: Rules) -> Stepped:
    """Nothing measured before counts any more; times in the state are set anew."""
    visit = replace(visit, observed_s=now_s, badge=None)
    match visit.state:
        case Guiding() | Holding() | Flashing() | Moving() | Deciding():
            return outcomes.deny(visit, Reason.CLOCK_WENT_BACK, now_s, rules)
        case Granted() | Denied():
            return outcomes.cool_down(visit, now_s, rules)
        case CoolingDown() as state:
            return outcomes.cool_again(visit, state, now_s), ()
        case Idle():
            return replace(visit, state=Idle(last_seen_s=now_s)), ()
        case Faulted():  # pragma: no branch - the last of all states, which mypy proves
            return visit, ()


def _badge_read(visit: Visit, event: BadgeRead, now_s: float) -> Visit:
    """Keep the badge for the next match; one read during a check, its result or a fault is not this person's."""
    if isinstance(visit.state, (Idle, Guiding, Holding, CoolingDown)):
        return replace(visit, badge=event.badge, badge_at_s=now_s, badge_no_flash=event.no_flash)
    return visit


def _resized(visit: Visit, seen: Observation, rules: Rules) -> Visit:
    width, height = seen.frame_width_px, seen.frame_height_px
    if width == visit.frame_width_px and height == visit.frame_height_px:
        return visit
    focal_px = visit.focal_px * width / visit.frame_width_px
    oval = oval_for(rules.guidance, width, height, focal_px)
    return replace(visit, oval=oval, frame_width_px=width, frame_height_px=height, focal_px=focal_px)
