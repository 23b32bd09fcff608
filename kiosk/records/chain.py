"""The audit chain: each event carries a SHA-256 over itself and the hash of the one before. Pure.

    hash(n) = SHA-256( "kiosk event 1\\n" + hash(n-1) + canonical JSON of event n )

Two ends are kept beside the events: the *anchor* (the last event that retention removed) and the *head* (the newest).
So a changed, reordered, inserted or missing event, and a cut at either end, is found. What it cannot find: somebody
who holds the key and rewrites everything including the ends. Against that, note the head
elsewhere (``Store.chain_head``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kiosk.errors import RecordsError

EMPTY_HASH = bytes(32)
Detail = str | float | int | None


@dataclass(frozen=True, slots=True)
class Link:
    """One end of the chain: the number of an event and its hash."""

    event_id: int
    digest: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """``12:9f86...``, as kept in the database."""
        return f"{self.event_id}:{self.digest.hex()}"

    @classmethod
    def parsed(cls, text: str | None) -> Link:
        """Back from ``text``. Raises RecordsError when it was tampered with."""
        number, _, digest = (text or "").partition(":")
        try:
            link = cls(int(number), bytes.fromhex(digest))
        except ValueError:
            raise RecordsError("an end of the event chain is unreadable", mend="restore a backup") from None
        if len(link.digest) != len(EMPTY_HASH):
            raise RecordsError("an end of the event chain is unreadable", mend="restore a backup")
        return link


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it lies in the database; ``details_text`` is the JSON exactly as hashed."""

    event_id: int
    utc: str
    kind: str
    reason: str
    person_id: str | None
    details_text: str
    previous: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @property
    def details(self) -> Mapping[str, Detail]:
        """The details again as a mapping."""
        loaded: dict[str, Detail] = json.loads(self.details_text)
        return loaded


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What the walk along the chain found."""

    events: int
    """How many were read."""
    problem: str = ""
    """Empty when the chain is whole, else what is wrong with which event."""
    head: Link = Link(0, EMPTY_HASH)

    @property
    def ok(self) -> bool:
        """Whether nothing was changed, added or taken away."""
        return not self.problem


def digest_of(
    previous: bytes, event_id: int, utc: str, kind: str, reason: str, person_id: str | None, details_text: str
) -> bytes:
    """The hash of one event; JSON arrays keep field boundaries unambiguous."""
    body = json.dumps([event_id, utc, kind, reason, person_id, details_text], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(b"kiosk event 1\n" + previous + body.encode()).digest()


def verify(events: Iterable[StoredEvent], *, anchor: Link, head: Link) -> ChainReport:
    """Walk from the anchor to the head; stops at the first problem. ``events`` in order of their numbers."""
    last = anchor
    count = 0
    for event in events:
        count += 1
        if event.event_id != last.event_id + 1:
            return ChainReport(count, f"event {last.event_id + 1} is missing", last)
        if event.previous != last.digest:
            return ChainReport(count, f"event {event.event_id} does not follow the one before", last)
        expected = digest_of(
            last.digest, event.event_id, event.utc, event.kind, event.reason, event.person_id, event.details_text
        )
        if event.digest != expected:
            return ChainReport(count, f"event {event.event_id} was changed", last)
        last = Link(event.event_id, event.digest)
    if last.event_id < head.event_id:
        return ChainReport(count, f"the events after {last.event_id} are missing", last)
    if last != head:
        return ChainReport(count, f"event {last.event_id} is not the one that was recorded last", last)
    return ChainReport(count, "", last)
