"""Liveness sessions: one check of one person, asked for by a program, done at a kiosk, fetched once it is over.

Rules: a session lives three minutes; it takes one outcome, of a kind of challenge that was asked for; only the key
that made it can read it. The pictures of an outcome are the only ones that the server ever holds: encrypted, and
removed with the session. Who asks sees no gates, only the confidence: 50 and more is what the kiosk itself calls live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from kiosk.reasons import Reason

LIFE_S = 180.0
REMEMBERED_S = 3600.0
"""So long an expired session is told to be one; then it was never here."""
MOST_AUDIT = 4
MOST_IMAGE_BYTES = 204_800
CHALLENGE_VERSION = "1.0.0"

Status = Literal["CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "EXPIRED"]
ChallengeType = Literal["FaceMovementAndLightChallenge", "FaceMovementChallenge"]
CHALLENGES: tuple[ChallengeType, ...] = ("FaceMovementAndLightChallenge", "FaceMovementChallenge")
"""By the screen's light; by movements alone, which needs a badge as well at a door."""

FEEDBACK: Mapping[Reason, str] = {
    Reason.FACE_NOT_VISIBLE: "FACE_NOT_VISIBLE",
    Reason.FACE_OBSTRUCTED: "FACE_OBSTRUCTION_DETECTED",
    Reason.LOW_VIDEO_QUALITY: "LOW_VIDEO_QUALITY_DETECTED",
    Reason.FACE_NOT_ALIGNED: "FACE_NOT_ALIGNED",
    Reason.EYES_CLOSED: "EYES_CLOSED_DETECTED",
    Reason.LOW_LIGHTING: "LOW_LIGHTING_DETECTED",
    Reason.HIGH_LIGHTING: "HIGH_LIGHTING_DETECTED",
}
"""What a person can do better, in AWS's words; other reasons are not told."""


@dataclass(frozen=True, slots=True, repr=False)
class SessionImage:
    """One picture of the person. Personal data: never logged."""

    jpeg: bytes
    """At most ``MOST_IMAGE_BYTES``."""
    box: tuple[float, float, float, float] | None
    """(left, top, width, height) of the face in shares of the picture."""


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What a check came to."""

    challenge: ChallengeType
    confidence: float
    """0..100."""
    feedback: tuple[str, ...]
    reference: SessionImage | None
    audit: tuple[SessionImage, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """One session as it is now."""

    session_id: str
    access_key_id: str
    """Who made it."""
    status: Status
    challenges: tuple[ChallengeType, ...]
    """What may be played."""
    audit_limit: int
    outcome: Outcome | None = None


class SessionBook(Protocol):
    """Where sessions are kept. Every method may raise RecordsError."""

    def begin_session(
        self, access_key_id: str, token: str | None, challenges: Sequence[ChallengeType], audit_limit: int
    ) -> str:
        """A new session's ID; the living one's of the same key and token where there is one."""

    def session(self, session_id: str) -> Session | None:
        """None where there is none, or it expired long ago."""

    def start_session(self, session_id: str) -> bool:
        """Whether it was CREATED and is IN_PROGRESS now."""

    def end_session(self, session_id: str, outcome: Outcome | None) -> bool:
        """SUCCEEDED with its outcome, or FAILED without; whether it was IN_PROGRESS and alive."""
