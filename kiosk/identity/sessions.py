"""Liveness sessions of a Rekognition server, from the side of who asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.errors import MatchError
from kiosk.identity.answers import UNREADABLE
from kiosk.identity.asking import Asker

LIVE = 50.0
"""Confidence from which this kiosk's own check calls somebody live; AWS advises 50 to 60 against prints and screens."""


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What came of a session."""

    status: str
    """CREATED, IN_PROGRESS, SUCCEEDED, FAILED or EXPIRED."""
    confidence: float
    """0..100; 0 unless SUCCEEDED."""
    reference: bytes = field(default=b"", repr=False)
    """JPEG or PNG of the face; empty: none."""


class LivenessSessions:
    """Sessions of one engine; only the credentials that made one can read it."""

    def __init__(self, asker: Asker, *, call_s: float = 20.0) -> None:
        self._asker = asker
        self._call_s = call_s

    def create(self, *, audit_images: int = 0, token: str | None = None) -> str:
        """A new session's id; with the same ``token`` the same one for some minutes. Raises MatchError."""
        members: dict[str, Any] = {"Settings": {"AuditImagesLimit": audit_images}}
        if token is not None:
            members["ClientRequestToken"] = token
        answer = self._asker.ask("create_face_liveness_session", members, self._asker.clock() + self._call_s)
        try:
            return str(answer["SessionId"])
        except UNREADABLE as error:
            raise MatchError("the answer cannot be read", where=self._asker.name) from error

    def result(self, session_id: str) -> SessionResult:
        """What came of it so far. Raises MatchError, also for a session that is not there (any more)."""
        members = {"SessionId": session_id}
        until_s = self._asker.clock() + self._call_s
        return self._read(self._asker.ask("get_face_liveness_session_results", members, until_s))

    def _read(self, answer: Mapping[str, Any]) -> SessionResult:
        try:
            status = str(answer["Status"])
            if status != "SUCCEEDED":
                return SessionResult(status, 0.0)
            confidence = float(answer["Confidence"])
            if not 0.0 <= confidence <= 100.0:
                raise ValueError("no confidence")
            image = answer.get("ReferenceImage") or {}
            return SessionResult(status, confidence, bytes(image.get("Bytes", b"")))
        except UNREADABLE as error:
            raise MatchError("the answer cannot be read", where=self._asker.name) from error
