"""Keys of the Rekognition server, inside a caller's transaction: made once, revoked for good, never changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, insert, select, update

from kiosk.records.schema import AccessKeyRow
from kiosk.records.sealing import Sealer
from kiosk.rekognition.access import AccessKey, Scope


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """All of a key that may be shown."""

    access_key_id: str
    scope: str
    collections: tuple[str, ...] | None
    created: str
    revoked: str | None


def add(connection: Connection, key: AccessKey, now: str, sealer: Sealer) -> None:
    """Keep a new key."""
    bound = None if key.collections is None else json.dumps(sorted(key.collections))
    secret = sealer.seal(key.secret, _about(key.access_key_id, key.scope, bound))
    row = {"access_key_id": key.access_key_id, "secret": secret, "scope": key.scope, "collections": bound}
    connection.execute(insert(AccessKeyRow), {**row, "created": now})


def find(connection: Connection, access_key_id: str, sealer: Sealer) -> AccessKey | None:
    """The key, unless it was revoked. Raises RecordsLocked where its secret does not open."""
    own = AccessKeyRow.access_key_id == access_key_id, AccessKeyRow.revoked.is_(None)
    row = connection.execute(select(AccessKeyRow.secret, AccessKeyRow.scope, AccessKeyRow.collections).where(*own))
    for kept, scope, collections in row:
        secret = sealer.unseal(kept, _about(access_key_id, scope, collections))
        bound = None if collections is None else frozenset(json.loads(collections))
        return AccessKey(access_key_id, secret, cast(Scope, scope), bound)
    return None


def _about(access_key_id: str, scope: str, collections: str | None) -> tuple[str, ...]:
    """What the secret stands for: a key whose scope was widened behind our back opens nothing."""
    return "access_keys.secret", access_key_id, scope, "*" if collections is None else collections


def listing(connection: Connection) -> list[KeyFacts]:
    """Every key, the oldest first, without secrets."""
    columns = (
        AccessKeyRow.access_key_id, AccessKeyRow.scope, AccessKeyRow.collections, AccessKeyRow.created,
        AccessKeyRow.revoked,
    )  # fmt: skip
    rows = connection.execute(select(*columns).order_by(AccessKeyRow.created, AccessKeyRow.access_key_id))
    return [
        KeyFacts(name, scope, None if bound is None else tuple(json.loads(bound)), created, revoked)
        for name, scope, bound, created, revoked in rows
    ]


def revoke(connection: Connection, access_key_id: str, now: str) -> bool:
    """Whether it was valid until now. The secret is overwritten."""
    own = AccessKeyRow.access_key_id == access_key_id, AccessKeyRow.revoked.is_(None)
    done = connection.execute(update(AccessKeyRow).where(*own).values(revoked=now, secret=""))
    return bool(done.rowcount)
