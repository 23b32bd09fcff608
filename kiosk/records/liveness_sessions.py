"""Liveness sessions of the Rekognition server, inside a caller's transaction.

Rules: an outcome is kept as long as the session lives and not a second longer: ``prune`` runs with every call.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, delete, insert, select, update

from kiosk.records.schema import LivenessSessionRow as Row
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


def prune(connection: Connection, now: str) -> bool:
    """Empty what has expired, forget what expired long ago; whether pictures were removed."""
    old = Row.created <= _before(now, LIFE_S)
    emptied = connection.execute(update(Row).where(old, Row.outcome.is_not(None)).values(outcome=None))
    connection.execute(update(Row).where(old, Row.status != "EXPIRED").values(status="EXPIRED"))
    connection.execute(delete(Row).where(Row.created <= _before(now, REMEMBERED_S)))
    return bool(emptied.rowcount)


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
        same = Row.access_key_id == access_key_id, Row.token == token, Row.status != "EXPIRED"
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


def find(connection: Connection, session_id: str) -> Session | None:
    """One session; None when there is none."""
    row = connection.execute(select(Row.__table__).where(Row.session_id == session_id)).one_or_none()
    if row is None:
        return None
    return Session(
        session_id=row.session_id,
        access_key_id=row.access_key_id,
        status=cast(Status, row.status),
        challenges=tuple(json.loads(row.challenges)),
        audit_limit=row.audit_limit,
        outcome=None if row.outcome is None else _outcome(json.loads(row.outcome)),
    )


def moved(connection: Connection, session_id: str, before: Status, after: Status, outcome: Outcome | None) -> bool:
    """Whether it went from one status to another."""
    kept = None if outcome is None else json.dumps(_plain(outcome))
    mine = Row.session_id == session_id, Row.status == before
    return bool(connection.execute(update(Row).where(*mine).values(status=after, outcome=kept)).rowcount)


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
