"""The picture on the screen: a pure function of the visit and the time.

Rules:
- Nothing is remembered here, so nothing can be forgotten on the screen.
- While Flashing, the slot follows the time since the flash began; after the last slot the picture is DECIDING's.
- The screen shows words and shapes, never a score and never a name.
"""

from __future__ import annotations

from kiosk.reasons import Reason
from kiosk.values import Challenge, Scene, SceneKind, Slot
from kiosk.visit.states import (
    Approach,
    Check,
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


def scene(visit: Visit, now_s: float) -> Scene:
    """What the screen shows at ``now_s`` (monotonic seconds)."""
    oval = visit.oval
    match visit.state:
        case Idle():
            return Scene(SceneKind.IDLE, oval)
        case Guiding(approach=Approach(fits=fits), again=Reason() as why, again_until_s=until_s) if now_s < until_s:
            return Scene(SceneKind.GUIDING, oval, fits, Reason.ONCE_MORE, why=why)
        case Guiding(approach=Approach(fits=fits, hints=hints)):
            return Scene(SceneKind.GUIDING, oval, fits, hints.shown)
        case Holding(approach=approach, since_s=since_s, ready_at_s=ready_at_s):
            progress = _share(now_s - since_s, ready_at_s - since_s)
            return Scene(SceneKind.HOLDING, oval, approach.fits, approach.hints.shown, progress)
        case Flashing(check=check):
            return _flashing(visit, check, now_s)
        case Moving(course=course):
            return Scene(SceneKind.MOVING, oval, True, course.hint, course.progress)
        case Deciding():
            return _deciding(visit)
        case Granted():
            return Scene(SceneKind.GRANTED, oval, True, Reason.WELCOME)
        case Denied(reason=reason):
            return Scene(SceneKind.DENIED, oval, hint=reason)
        case CoolingDown(reason=reason):
            return Scene(SceneKind.COOLING_DOWN, oval, hint=reason)
        case Faulted():  # pragma: no branch - the last of all states, which mypy proves
            return Scene(SceneKind.FAULTED, oval, faults=visit.faults)


def slot_at(challenge: Challenge, elapsed_s: float) -> Slot | None:
    """The slot that is lit ``elapsed_s`` after the flash began; None before it and after the last one."""
    if elapsed_s < 0.0:
        return None
    ends_s = 0.0
    for slot in challenge.slots:
        ends_s += slot.duration_s
        if elapsed_s < ends_s:
            return slot
    return None


def _flashing(visit: Visit, check: Check, now_s: float) -> Scene:
    elapsed_s = now_s - check.began_s
    slot = slot_at(check.challenge, elapsed_s)
    if slot is None:
        return _deciding(visit)
    progress = _share(elapsed_s, check.challenge.duration_s)
    return Scene(SceneKind.FLASHING, visit.oval, True, Reason.HOLD_STILL, progress, slot)


def _deciding(visit: Visit) -> Scene:
    return Scene(SceneKind.DECIDING, visit.oval, True, Reason.CHECKING, 1.0)


def _share(part_s: float, whole_s: float) -> float:
    return min(max(part_s / whole_s, 0.0), 1.0) if whole_s > 0.0 else 1.0
