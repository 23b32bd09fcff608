"""Liveness sessions of the Rekognition server, inside a caller's transaction.

Rules: an expired session has no outcome, whoever asks; ``prune`` overwrites what is left of it.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from kiosk.records.schema import AccessKeyRow
from kiosk.records.schema import LivenessSessionRow as Row
from kiosk.records.sealing import Sealer
from kiosk.records.texts import utc_text
from kiosk.rekognition.sessions import (
    LIFE_S,
    REMEMBERED_S,
    ChallengeType,
    Outcome,
    Session,
    SessionImage,
    Status,
)


def due(connection: Connection, now: str) -> bool:
    """Whether there is an outcome that must not be here any more, or a session to be forgotten."""
    outcomes = Row.created <= _before(now, LIFE_S), Row.outcome.is_not(None)
    old = Row.created <= _before(now, REMEMBERED_S)
    return connection.scalar(select(Row.session_id).where(or_(and_(*outcomes), old)).limit(1)) is not None


def prune(connection: Connection, now: str) -> None:
    """Empty what has expired, forget what expired long ago."""
    connection.execute(delete(Row).where(Row.created <= _before(now, REMEMBERED_S)))
    expired = Row.created <= _before(now, LIFE_S), Row.outcome.is_not(None)
    connection.execute(update(Row).where(*expired).values(outcome=None))


def begin(
    connection: Connection,
    access_key_id: str,
    token: str | None,
    challenges: Sequence[ChallengeType],
    audit_limit: int,
    now: str,
) -> str:
    """A new session's ID, or the living one's of the same key and token."""
    if token is not None:
        # Two servers that are asked at once: the second waits here until the first's session can be seen.
        mine = select(AccessKeyRow.access_key_id).where(AccessKeyRow.access_key_id == access_key_id)
        connection.execute(mine.with_for_update())
        same = Row.access_key_id == access_key_id, Row.token == token, _alive(now)
        known = connection.scalar(select(Row.session_id).where(*same))
        if known is not None:
            return known
    session_id = str(uuid.uuid4())
    connection.execute(
        insert(Row),
        {
            "session_id": session_id,
            "access_key_id": access_key_id,
            "token": token,
            "status": "CREATED",
            "challenges": json.dumps(list(challenges)),
            "audit_limit": audit_limit,
            "created": now,
        },
    )
    return session_id


def find(connection: Connection, session_id: str, now: str, sealer: Sealer) -> Session | None:
    """One session as it is now; None when there is none, or it expired long ago. Raises RecordsLocked."""
    wanted = Row.session_id == session_id, Row.created > _before(now, REMEMBERED_S)
    row = connection.execute(select(Row.__table__).where(*wanted)).one_or_none()
    if row is None:
        return None
    alive = row.created > _before(now, LIFE_S)
    told = alive and row.outcome is not None
    return Session(
        session_id=row.session_id,
        access_key_id=row.access_key_id,
        status=cast(Status, row.status) if alive else "EXPIRED",
        challenges=tuple(json.loads(row.challenges)),
        audit_limit=row.audit_limit,
        outcome=_outcome(json.loads(sealer.unseal(row.outcome, _about(session_id)))) if told else None,
    )


def kept(session_id: str, outcome: Outcome, sealer: Sealer) -> str:
    """An outcome as it lies in its row."""
    return sealer.seal(json.dumps(_plain(outcome)), _about(session_id))


def moved(
    connection: Connection, session_id: str, before: Status, after: Status, now: str, outcome: str | None = None
) -> bool:
    """Whether it went from one status to another, alive; ``outcome`` as ``kept`` made it."""
    mine = Row.session_id == session_id, Row.status == before, _alive(now)
    return bool(connection.execute(update(Row).where(*mine).values(status=after, outcome=outcome)).rowcount)


def _about(session_id: str) -> tuple[str, ...]:
    return "liveness_sessions.outcome", session_id


def _alive(now: str) -> ColumnElement[bool]:
    return Row.created > _before(now, LIFE_S)


def _before(now: str, seconds: float) -> str:
    return utc_text(datetime.fromisoformat(now) - timedelta(seconds=seconds))


def _plain(outcome: Outcome) -> dict[str, Any]:
    def image(one: SessionImage) -> dict[str, Any]:
        return {"jpeg": base64.b64encode(one.jpeg).decode(), "box": one.box}

    return {
        "challenge": outcome.challenge,
        "confidence": outcome.confidence,
        "feedback": list(outcome.feedback),
        "reference": None if outcome.reference is None else image(outcome.reference),
        "audit": [image(one) for one in outcome.audit],
    }


def _outcome(plain: dict[str, Any]) -> Outcome:
    def image(one: dict[str, Any]) -> SessionImage:
        return SessionImage(base64.b64decode(one["jpeg"]), None if one["box"] is None else tuple(one["box"]))

    return Outcome(
        challenge=plain["challenge"],
        confidence=plain["confidence"],
        feedback=tuple(plain["feedback"]),
        reference=None if plain["reference"] is None else image(plain["reference"]),
        audit=tuple(image(one) for one in plain["audit"]),
    )
