"""What the visit is told (events, past participles) and what it asks for (effects, imperatives).

Effects are *edges* only. What is true while a state lasts (the picture, the exposure lock, frames kept) is a
function of the state: see ``kiosk.visit.states`` (``wants_exposure_lock``, ``keeps_frames``) and
``kiosk.visit.scene``. None of these values holds pixels or embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.reasons import Reason
from kiosk.values import Challenge, Grant, LivenessResult, Match, Observation
from kiosk.visit.challenge import FLOOR
from kiosk.visit.light import Flash
from kiosk.visit.movement import Turned


@dataclass(frozen=True, slots=True)
class Observed:
    """A frame was perceived."""

    observation: Observation


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed without a frame; sent at least ten times a second."""


@dataclass(frozen=True, slots=True)
class BadgeRead:
    """A reader saw a badge: the next match is 1:1 against its holder."""

    badge: str
    no_flash: bool = False
    """Its holder's record says that the screen must not flash at them."""


@dataclass(frozen=True, slots=True)
class LivenessJudged:
    """The gates have an answer for one attempt."""

    attempt: int
    result: LivenessResult


@dataclass(frozen=True, slots=True)
class MatchArrived:
    """The matcher answered for one attempt."""

    attempt: int
    match: Match
    badge: str | None = None
    """The badge with whose holder the face was compared 1:1; None: it was searched among all."""


@dataclass(frozen=True, slots=True)
class MatchFailed:
    """The matcher could not answer for one attempt."""

    attempt: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class PartFailed:
    """A needed part is out of order; the reason is the fault (CAMERA_LOST, DOOR_LOST ...)."""

    fault: Reason


@dataclass(frozen=True, slots=True)
class PartRecovered:
    """The part named by this fault works again."""

    fault: Reason


Event = Observed | Ticked | BadgeRead | LivenessJudged | MatchArrived | MatchFailed | PartFailed | PartRecovered


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """Begin keeping evidence for a fresh attempt and play this challenge; request the match now, in parallel.

    The shell embeds the best kept frames, searches (1:1 when ``badge`` is given) and answers with MatchArrived or
    MatchFailed of the same attempt. LivenessJudged comes after the last slot, or earlier when LIVE, but not before
    ``least_colours``.
    """

    attempt: int
    track: int
    challenge: Challenge
    badge: str | None
    least_colours: int = FLOOR
    """So many colour slots must be over before the flash may end early."""
    movement: bool = False
    """Nothing flashes (the challenge is empty): the visitor moves the head, and JudgeMovement ends it."""


@dataclass(frozen=True, slots=True)
class JudgeMovement:
    """Every instruction was followed: judge what was filmed meanwhile and answer with LivenessJudged."""

    attempt: int
    turned: tuple[Turned, ...]


@dataclass(frozen=True, slots=True)
class DropAttempt:
    """Forget all evidence of this attempt: its answers are no longer wanted."""

    attempt: int


@dataclass(frozen=True, slots=True)
class PulseDoor:
    """Unlock once."""

    grant: Grant


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """Append one event to the records and the journal."""

    kind: str
    """VISIT_STARTED, ATTEMPT_STARTED, ATTEMPT_UNSURE, GRANTED, DENIED, VISIT_ENDED, FAULTED, RECOVERED."""
    reason: Reason | None = None
    person_id: str | None = None
    attempt: int | None = None
    similarity: float | None = None
    confidence: float | None = None
    source: str | None = None
    model_version: str | None = None
    flash: Flash | None = None
    """The one of the attempt: normal, long, or none (the visitor moved the head); None where there was no attempt."""
    gates: tuple[tuple[str, str], ...] = ()
    """(gate name, verdict) of the liveness that decided."""


Effect = StartAttempt | JudgeMovement | DropAttempt | PulseDoor | RecordEvent
