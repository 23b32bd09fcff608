"""The states of one visit, and what is true while each lasts.

    Idle ─► Guiding ⇄ Holding ─► Flashing ─► Deciding ─► Granted ─┐      (Moving instead of Flashing where the
      ▲        │          └────────┴──► Denied ◄┘                 │       screen must not or cannot flash)
      └────────┴── CoolingDown ◄──────────┴───────────────────────┘        any ─► Faulted ─► CoolingDown

Rules:
- Frozen and pixel-free: no images, no embeddings, no names.
- ``_s`` fields are points on the monotonic clock.
- Evidence of an attempt exists exactly while ``Flashing``, ``Moving`` or ``Deciding`` lasts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kiosk.reasons import Reason
from kiosk.values import Challenge, LivenessResult, Match, Oval, Quality
from kiosk.visit.guidance import NO_HINTS, Hints
from kiosk.visit.light import Flash
from kiosk.visit.movement import Course
from kiosk.visit.steadiness import Samples

SETTLE_S = 0.3
"""A camera that still adapts to the face before it is given this long, so that it is not frozen half-way."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody is being served."""

    seen: int = 0
    """Observations in a row with a face."""
    last_seen_s: float = -math.inf


@dataclass(frozen=True, slots=True)
class Approach:
    """What is known of a face on its way into the oval; shared by Guiding and Holding."""

    began_s: float
    last_seen_s: float
    track: int | None = None
    """The face seen last; None: nobody yet, or several."""
    hints: Hints = NO_HINTS
    fitting: bool = False
    """The place fitted on the last observation (hysteresis)."""
    fits: bool = False
    """Place and quality are right: the oval is green."""
    samples: Samples = ()
    quality: Quality | None = None
    """The last one measured of this track."""
    quality_at_s: float = -math.inf


@dataclass(frozen=True, slots=True)
class Guiding:
    """The face is being led into the oval."""

    approach: Approach
    again: Reason | None = None
    """Why the try before was unsure, if there was one."""
    again_until_s: float = -math.inf
    """The visitor is told so until then; no new try begins before."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The face is in the oval and must stay still while the exposure lock is proven."""

    approach: Approach
    since_s: float
    ready_at_s: float
    unlocked_since_s: float
    """Since when the lock has been asked for without proof."""


@dataclass(frozen=True, slots=True)
class Check:
    """One attempt: what Flashing and Deciding know of it."""

    attempt: int
    track: int
    """The face in front of which the flash began."""
    seen_track: int
    """The only face seen last."""
    challenge: Challenge
    began_s: float
    last_seen_s: float
    least_s: float = 0.0
    """In weak light: a LIVE answer ends the flash no earlier than so long after its begin."""
    liveness: LivenessResult | None = None
    match: Match | None = None
    failure: Reason | None = None
    """Why the matcher could not answer."""
    movement: bool = False
    """The check without a flash."""
    flash: Flash = Flash.NORMAL
    """The one that was played; NONE for the check without a flash."""
    followed: bool = False
    """Every instruction of it was followed."""
    badge: str | None = None
    """The badge that was read when it began."""
    match_badge: str | None = None
    """The badge with whose holder the match was made."""

    @property
    def flash_ends_s(self) -> float:
        """When the last slot is over."""
        return self.began_s + self.challenge.duration_s


@dataclass(frozen=True, slots=True)
class Flashing:
    """The challenge is on the screen; the match runs in parallel."""

    check: Check


@dataclass(frozen=True, slots=True)
class Moving:
    """The visitor follows instructions with the head; nothing flashes, the match runs in parallel."""

    check: Check
    course: Course


@dataclass(frozen=True, slots=True)
class Deciding:
    """The flash or the movement is over; waiting for the answers that are still missing."""

    check: Check
    deadline_at_s: float


@dataclass(frozen=True, slots=True)
class Granted:
    """The door was pulsed."""

    person_id: str
    track: int
    until_s: float


@dataclass(frozen=True, slots=True)
class Denied:
    """The door stays locked, and the visitor is told why."""

    reason: Reason
    until_s: float


@dataclass(frozen=True, slots=True)
class CoolingDown:
    """The result was shown; the next visit begins when the face is gone."""

    last_seen_s: float
    until_s: float
    """The longest wait for a face that stays."""
    gone_s: float
    """How long the face must be away."""
    track: int | None
    """The face that must go; None: any face."""
    reason: Reason | None
    """Word that stays on the screen."""


@dataclass(frozen=True, slots=True)
class Faulted:
    """Out of service; which parts are missing is in ``Visit.faults``."""


State = Idle | Guiding | Holding | Flashing | Moving | Deciding | Granted | Denied | CoolingDown | Faulted


@dataclass(frozen=True, slots=True)
class Visit:
    """The whole of what the kiosk knows of the person in front of it."""

    state: State
    oval: Oval
    frame_width_px: int
    frame_height_px: int
    focal_px: float
    """Focal length in pixels of frames of this width."""
    attempt: int = 0
    """Number of the latest attempt since the start of the program; never used twice."""
    tries_used: int = 0
    """Unsure verdicts in this visit."""
    denials: int = 0
    """Denials in a row of a face that never left."""
    faults: tuple[Reason, ...] = ()
    """Parts that are out of order, sorted."""
    last_s: float = -math.inf
    """Time of the last event."""
    observed_s: float = -math.inf
    """When the last observation was received."""
    frame_at_s: float = -math.inf
    """When the last observation's frame was exposed."""
    badge: str | None = None
    badge_at_s: float = -math.inf
    badge_no_flash: bool = False
    """Its holder's record forbids a flash; means nothing without a badge."""


def attempt_under_way(visit: Visit) -> Check | None:
    """The attempt whose answers are wanted now, if any."""
    state = visit.state
    return state.check if isinstance(state, (Flashing, Moving, Deciding)) else None


def visit_is_open(visit: Visit) -> bool:
    """Whether somebody is being served: from VISIT_STARTED to VISIT_ENDED."""
    return isinstance(visit.state, (Guiding, Holding, Flashing, Moving, Deciding, Granted, Denied))


def wants_exposure_lock(visit: Visit) -> bool:
    """Whether exposure, gain and white balance must be constant now: from ``SETTLE_S`` of holding to the verdict."""
    state = visit.state
    if isinstance(state, Deciding):
        return state.check.liveness is None and not state.check.movement
    if isinstance(state, Holding):
        return visit.last_s - state.since_s >= SETTLE_S
    return isinstance(state, Flashing)


def keeps_frames(visit: Visit) -> bool:
    """Whether frames may be kept as evidence now: from the approach to the liveness verdict, and never else."""
    state = visit.state
    if isinstance(state, Deciding):
        return state.check.liveness is None
    return isinstance(state, (Guiding, Holding, Flashing, Moving))
