"""Reading and writing the audit events inside a caller's transaction.

Rules: an event names a person by id only; details are small and flat, without names, badges, pictures or vectors;
the head of the chain moves in the same transaction as the event.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from kiosk.errors import RecordsError
from kiosk.records import texts
from kiosk.records.chain import ChainReport, Detail, Link, StoredEvent, digest_of, verify
from kiosk.records.schema import EventRow, MetaRow

ANCHOR = "chain_anchor"
HEAD = "chain_head"
DETAILS_LIMIT = 4096
CLOCK_SLACK = timedelta(days=1)
_WORD = re.compile(r"[A-Z0-9_]{1,32}")
_DETAIL_KEY = re.compile(r"[a-z0-9_.]{1,48}")
_FORBIDDEN = frozenset({"name", "names", "badge", "embedding", "vector", "template", "pixels", "image", "frame"})

_META = select(MetaRow.value).where(MetaRow.key == bindparam("wanted"))
_SET_META = update(MetaRow).where(MetaRow.key == bindparam("wanted")).values(value=bindparam("text"))
_INSERT = insert(EventRow)
_EVENTS = select(
    EventRow.event_id,
    EventRow.utc,
    EventRow.kind,
    EventRow.reason,
    EventRow.person_id,
    EventRow.details,
    EventRow.prev_hash,
    EventRow.hash,
)
# Spelt out once: rebuilding these statements would cost more than running them.


def append(
    connection: Connection, *, utc: str, kind: str, reason: str, person_id: str | None, details: Mapping[str, Detail]
) -> int:
    """Add one event behind the newest and return its number. Raises RecordsError for what must not be kept."""
    if not _WORD.fullmatch(kind) or not (reason == "" or _WORD.fullmatch(reason)):
        raise RecordsError("kind and reason of an event are words like GRANTED or TOO_DARK")
    utc = texts.tidy_utc(utc)
    person_id = None if person_id is None else texts.tidy_person_id(person_id)
    text = details_text(details)
    last = end(connection, HEAD)
    number = last.event_id + 1
    digest = digest_of(last.digest, number, utc, kind, reason, person_id, text)
    values = {"event_id": number, "utc": utc, "kind": kind, "reason": reason, "person_id": person_id}
    connection.execute(_INSERT, {**values, "details": text, "prev_hash": last.digest, "hash": digest})
    set_end(connection, HEAD, Link(number, digest))
    return number


def details_text(details: Mapping[str, Detail]) -> str:
    """The details as canonical JSON. Raises RecordsError for a wrong key or value, or when they are too long."""
    for key, value in details.items():
        if not _DETAIL_KEY.fullmatch(key) or _FORBIDDEN & set(re.split(r"[_.]", key)):
            raise RecordsError(f"events hold no {key[:48]!a}", mend="name the person by id, and keep no biometrics")
        if not (value is None or isinstance(value, str | int | float)):
            raise RecordsError(f"{key} of an event is a {type(value).__name__}", mend="give text, a number or None")
        if isinstance(value, float) and not math.isfinite(value):
            raise RecordsError(f"{key} of an event is not a finite number", mend="give None for unknown")
    # ASCII escapes: a lone surrogate from a file name is kept instead of failing to encode.
    text = json.dumps(dict(details), sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    if len(text) > DETAILS_LIMIT:
        raise RecordsError(f"the details of an event take {len(text)} bytes", mend=f"at most {DETAILS_LIMIT} are kept")
    return text


def latest(connection: Connection, *, since: str | None, limit: int) -> list[StoredEvent]:
    """The newest ``limit`` events, those at or after ``since`` only, oldest first."""
    query = _EVENTS.order_by(EventRow.event_id.desc()).limit(limit)
    if since is not None:
        query = query.where(EventRow.utc >= since)
    return [_stored(row) for row in connection.execute(query)][::-1]


def of_person(connection: Connection, person_id: str) -> list[StoredEvent]:
    """The oldest first."""
    known = texts.tidy_person_id(person_id)
    found = connection.execute(_EVENTS.where(EventRow.person_id == known).order_by(EventRow.event_id))
    return [_stored(row) for row in found]


def after(connection: Connection, number: int, limit: int) -> list[StoredEvent]:
    """The ``limit`` oldest events behind ``number``, oldest first."""
    query = _EVENTS.where(EventRow.event_id > number).order_by(EventRow.event_id).limit(limit)
    return [_stored(row) for row in connection.execute(query)]


def prune(connection: Connection, *, keep_days: int, now: datetime) -> int:
    """Remove the oldest events, those of more than ``keep_days`` before ``now``; return how many.

    The chain stays verifiable: the anchor moves to the last removed event, and an EVENTS_PRUNED event says how many.
    Only a run from the oldest on is removed. An event stamped by a clock that ran ahead does not keep older ones
    alive; with a clock that went back (now is a day before the newest event) nothing is removed.
    """
    head, anchor = end(connection, HEAD), end(connection, ANCHOR)
    newest = connection.scalar(select(EventRow.utc).where(EventRow.event_id == head.event_id))
    if newest is None or texts.utc_time(newest) > now + CLOCK_SLACK:
        return 0
    cutoff, future = texts.utc_text(now - timedelta(days=keep_days)), texts.utc_text(now + CLOCK_SLACK)
    young = select(func.min(EventRow.event_id)).where(EventRow.utc >= cutoff, EventRow.utc <= future)
    first_kept = connection.scalar(young) or head.event_id + 1
    last_gone = first_kept - 1
    if last_gone <= anchor.event_id:
        return 0
    digest = connection.scalars(select(EventRow.hash).where(EventRow.event_id == last_gone)).one()
    removed = connection.execute(delete(EventRow).where(EventRow.event_id <= last_gone)).rowcount
    set_end(connection, ANCHOR, Link(last_gone, digest))
    details: dict[str, Detail] = {"removed": removed, "through": last_gone, "through_hash": digest.hex()}
    append(connection, utc=texts.utc_text(now), kind="EVENTS_PRUNED", reason="", person_id=None, details=details)
    return removed


def verified(connection: Connection) -> ChainReport:
    """Walk the whole chain, a few thousand rows in memory at a time."""
    anchor, head = end(connection, ANCHOR), end(connection, HEAD)
    return verify(_all(connection), anchor=anchor, head=head)


def end(connection: Connection, which: str) -> Link:
    """The anchor or the head. Raises RecordsError when it is unreadable."""
    return Link.parsed(connection.scalar(_META, {"wanted": which}))


def set_end(connection: Connection, which: str, link: Link) -> None:
    """Move the anchor or the head."""
    connection.execute(_SET_META, {"wanted": which, "text": link.text})


def _all(connection: Connection) -> Iterator[StoredEvent]:
    with connection.execution_options(yield_per=2000).execute(_EVENTS.order_by(EventRow.event_id)) as rows:
        for row in rows:
            yield _stored(row)


def _stored(row: Sequence[Any]) -> StoredEvent:
    return StoredEvent(*row)
