"""Which words bring the face into the oval.

Rules:
- One hint at a time, by priority: nobody, more than one, distance, centre, pose, other quality, hold still.
- The words are the visitor's own, as in a mirror: a face at the image's *left* of the oval is on the visitor's
  right, so MOVE_LEFT brings it in. A face above the oval hears MOVE_DOWN.
- A face that is too close never hears "closer".
- Hysteresis: a face that fits may drift a little farther before it does not fit.
- A hint is shown after it stood for a while, and taken down as soon as it is no longer true.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kiosk.config.tree import GuidanceSettings
from kiosk.reasons import Reason
from kiosk.values import Oval, Quality, SeenFace
from kiosk.visit.geometry import offset

Problems = tuple[Reason, ...]
"""What is wrong now, most urgent first; empty when all is well."""

NOBODY: Problems = (Reason.NO_FACE,)
SEVERAL: Problems = (Reason.ONE_PERSON,)
_POSE = (Reason.LOOK_AT_CAMERA, Reason.HEAD_TILTED)


@dataclass(frozen=True, slots=True)
class Hints:
    """Which hint is on the screen and which one is waiting to be."""

    shown: Reason | None = None
    waiting: Reason | None = None
    since_s: float = -math.inf
    """When ``waiting`` was first the most urgent one without a break."""


NO_HINTS = Hints()


def place_problems(
    face: SeenFace, oval: Oval, frame_w: int, frame_h: int, settings: GuidanceSettings, *, fitting: bool
) -> Problems:
    """What is wrong with where the face is. ``fitting``: it fitted on the frame before (wider limits)."""
    slack = settings.distance_slack_ratio if fitting else 0.0
    limit = settings.offset_leave_ratio if fitting else settings.offset_enter_ratio
    distance = _distance_problem(face.distance_mm, settings.near_mm * (1.0 - slack), settings.far_mm * (1.0 + slack))
    x, y = offset(face, oval, frame_w, frame_h)
    if math.hypot(x, y) <= limit:
        return distance
    sideways = Reason.MOVE_LEFT if x < 0.0 else Reason.MOVE_RIGHT
    upright = Reason.MOVE_DOWN if y < 0.0 else Reason.MOVE_UP
    first, second, smaller = (sideways, upright, abs(y)) if abs(x) >= abs(y) else (upright, sideways, abs(x))
    return (*distance, first, second) if smaller > limit / 2.0 else (*distance, first)


def _distance_problem(distance_mm: float, near_mm: float, far_mm: float) -> Problems:
    if near_mm <= distance_mm <= far_mm:
        return ()
    if distance_mm < near_mm:
        return (Reason.MOVE_BACK,)
    if distance_mm > far_mm:
        return (Reason.MOVE_CLOSER,)
    return (Reason.LOOK_AT_CAMERA,)  # not a number: the eyes could not be measured


def quality_problems(quality: Quality | None) -> Problems:
    """What is wrong with how the face looks: pose before everything else. Unknown quality asks to hold still."""
    if quality is None:
        return (Reason.HOLD_STILL,)
    problems = quality.problems
    if len(problems) < 2:
        return problems if problems or quality.measures else (Reason.HOLD_STILL,)
    return tuple(sorted(problems, key=lambda reason: reason not in _POSE))


def stand(hints: Hints, problems: Problems, now_s: float, stands_s: float) -> Hints:
    """The hints one frame later.

    A shown hint stays while it is still one of the problems (even if no longer the first) or while nobody is seen
    for a moment; a new one replaces it after it was the most urgent for ``stands_s``.
    """
    first = problems[0] if problems else None
    shown = hints.shown
    if shown is not None and shown not in problems and problems != NOBODY:
        shown = None
    since_s = hints.since_s if first is hints.waiting else now_s
    if now_s - since_s >= stands_s:
        shown = first
    if shown is hints.shown and first is hints.waiting:
        return hints
    return Hints(shown, first, since_s)
