"""Collections, users and faces of the Rekognition server, inside a caller's transaction.

Rules: every change of a collection's faces or users raises its revision in the same transaction; a face that belongs to
a user is not deleted; vectors are little-endian float16 rows. Whoever changes a collection takes its row first: on
PostgreSQL, where several servers write at once, they queue there, so that numbers and revisions follow the commits and
no two can wait for each other. (SQLite has one writer at a time and is not asked for a lock.)
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from kiosk.errors import RecordsConflict
from kiosk.records.halves import VECTOR_TYPE
from kiosk.records.schema import CollectionFaceRow as FaceRow
from kiosk.records.schema import CollectionRow, CollectionUserRow
from kiosk.rekognition.shelf import Content, Halves, StoredCollection, StoredFace, StoredUser

_AT_ONCE = 500
"""Values in one ``IN``: SQLite takes no more than some thousands."""
FACTS = (
    FaceRow.face_id, FaceRow.image_id, FaceRow.external_image_id, FaceRow.box, FaceRow.confidence, FaceRow.user_id,
    FaceRow.number,
)  # fmt: skip


def create(connection: Connection, name: str, model_version: str, now: str) -> None:
    """A new, empty collection. Raises RecordsConflict."""
    if revision(connection, name) is not None:
        raise RecordsConflict(f"the collection {name} is already there")
    row = {"name": name, "model_version": model_version, "revision": secrets.randbits(48), "created": now}
    connection.execute(insert(CollectionRow), row)


def listing(
    connection: Connection, *, after: str = "", limit: int = 1, only: frozenset[str] | None = None
) -> list[StoredCollection]:
    """By name, those behind ``after``; of ``only`` where given."""
    faces = select(func.count()).where(FaceRow.collection == CollectionRow.name).scalar_subquery()
    users = select(func.count()).where(CollectionUserRow.collection == CollectionRow.name).scalar_subquery()
    wanted = select(CollectionRow.name, CollectionRow.model_version, CollectionRow.created, faces, users)
    wanted = wanted.where(CollectionRow.name > after).order_by(CollectionRow.name).limit(limit)
    if only is not None:
        wanted = wanted.where(CollectionRow.name.in_(sorted(only)))
    return [
        StoredCollection(name, version, datetime.fromisoformat(created), int(face_count), int(user_count))
        for name, version, created, face_count, user_count in connection.execute(wanted)
    ]


def remove(connection: Connection, name: str) -> bool:
    """With faces and users; whether it was there."""
    return bool(connection.execute(delete(CollectionRow).where(CollectionRow.name == name)).rowcount)


def revision(connection: Connection, name: str) -> int | None:
    """How often it was changed; None when there is none."""
    return connection.scalar(select(CollectionRow.revision).where(CollectionRow.name == name))


def content(connection: Connection, name: str) -> Content | None:
    """All faces by number with their vectors."""
    now = revision(connection, name)
    if now is None:
        return None
    wanted = select(*FACTS, FaceRow.vector).where(FaceRow.collection == name).order_by(FaceRow.number)
    rows = connection.execute(wanted).all()
    vectors = np.frombuffer(b"".join(row.vector for row in rows), VECTOR_TYPE)
    matrix = vectors.reshape(len(rows), -1) if rows else np.empty((0, 0), VECTOR_TYPE)
    return Content(now, tuple(face_of(row) for row in rows), np.asarray(matrix, np.float16))


def add(
    connection: Connection,
    name: str,
    faces: Sequence[StoredFace],
    rows: Halves,
    now: str,
    model_version: str | None = None,
) -> Content | None:
    """Add faces; what was added, with the new revision. None: no such collection, or none of this face model."""
    if not _locked(connection, name, model_version):
        return None
    values = [
        {
            "face_id": face.face_id,
            "collection": name,
            "user_id": face.user_id,
            "image_id": face.image_id,
            "external_image_id": face.external_image_id,
            "box": json.dumps(face.box),
            "confidence": face.confidence,
            "vector": np.ascontiguousarray(row, VECTOR_TYPE).tobytes(),
            "created": now,
        }
        for face, row in zip(faces, rows, strict=True)
    ]
    counted = insert(FaceRow).returning(FaceRow.number, sort_by_parameter_order=True)
    numbers = connection.scalars(counted, values).all()
    numbered = tuple(replace(face, number=number) for face, number in zip(faces, numbers, strict=True))
    _raised(connection, name)
    return Content(revision(connection, name) or 0, numbered, np.asarray(rows, np.float16))


def faces(
    connection: Connection,
    name: str,
    after: int,
    limit: int,
    user_id: str | None = None,
    face_ids: Sequence[str] | None = None,
) -> list[StoredFace]:
    """By number, those behind ``after``."""
    wanted = select(*FACTS).where(FaceRow.collection == name, FaceRow.number > after).order_by(FaceRow.number)
    if user_id is not None:
        wanted = wanted.where(FaceRow.user_id == user_id)
    if face_ids is None:
        return [face_of(row) for row in connection.execute(wanted.limit(limit))]
    found: list[StoredFace] = []
    for some in _portions(face_ids):
        found += [face_of(row) for row in connection.execute(wanted.where(FaceRow.face_id.in_(some)))]
    return sorted(found, key=lambda face: face.number)[:limit]


def remove_faces(connection: Connection, name: str, face_ids: Sequence[str]) -> frozenset[str]:
    """Those that are there and belong to no user; which they were."""
    gone: set[str] = set()
    _locked(connection, name)
    for some in _portions(face_ids):
        free = FaceRow.collection == name, FaceRow.face_id.in_(some), FaceRow.user_id.is_(None)
        gone.update(connection.scalars(delete(FaceRow).where(*free).returning(FaceRow.face_id)))
    if gone:
        _raised(connection, name)
    return frozenset(gone)


def add_user(connection: Connection, name: str, user_id: str, now: str) -> None:
    """A user without faces. Raises RecordsConflict."""
    _locked(connection, name)
    if user(connection, name, user_id) is not None:
        raise RecordsConflict(f"the user {user_id} is already there")
    connection.execute(insert(CollectionUserRow), {"collection": name, "user_id": user_id, "created": now})


def user(connection: Connection, name: str, user_id: str) -> StoredUser | None:
    """One user; None when there is none."""
    found = _users(connection, name, CollectionUserRow.user_id == user_id, 1)
    return found[0] if found else None


def users(connection: Connection, name: str, after: str, limit: int) -> list[StoredUser]:
    """By ID, those behind ``after``."""
    return _users(connection, name, CollectionUserRow.user_id > after, limit)


def remove_user(connection: Connection, name: str, user_id: str) -> bool:
    """Its faces stay, without a user; whether it was there."""
    _locked(connection, name)
    own = CollectionUserRow.collection == name, CollectionUserRow.user_id == user_id
    if not connection.execute(delete(CollectionUserRow).where(*own)).rowcount:
        return False
    theirs = FaceRow.collection == name, FaceRow.user_id == user_id
    if connection.execute(update(FaceRow).where(*theirs).values(user_id=None)).rowcount:
        _raised(connection, name)
    return True


def give(connection: Connection, name: str, user_id: str, face_ids: Sequence[str], most: int) -> frozenset[str] | None:
    """Make faces without a user this one's, up to ``most`` in all; which they were. None: no such user."""
    _locked(connection, name)
    if user(connection, name, user_id) is None:
        return None
    mine = FaceRow.collection == name, FaceRow.user_id == user_id
    room = most - int(connection.scalar(select(func.count()).where(*mine)) or 0)
    free = FaceRow.collection == name, FaceRow.user_id.is_(None)
    return _owned(connection, name, free, user_id, face_ids[: max(0, room)])


def take(connection: Connection, name: str, user_id: str, face_ids: Sequence[str]) -> frozenset[str] | None:
    """Take faces from their user; which they were. None: no such user."""
    _locked(connection, name)
    if user(connection, name, user_id) is None:
        return None
    return _owned(connection, name, (FaceRow.collection == name, FaceRow.user_id == user_id), None, face_ids)


def _owned(
    connection: Connection, name: str, which: tuple[Any, ...], owner: str | None, face_ids: Sequence[str]
) -> frozenset[str]:
    """Set the owner of those faces that ``which`` holds for at this moment."""
    changed: set[str] = set()
    for some in _portions(face_ids):
        step = update(FaceRow).where(*which, FaceRow.face_id.in_(some)).values(user_id=owner)
        changed.update(connection.scalars(step.returning(FaceRow.face_id)))
    if changed:
        _raised(connection, name)
    return frozenset(changed)


def _users(connection: Connection, name: str, which: Any, limit: int) -> list[StoredUser]:
    mine = FaceRow.collection == name, FaceRow.user_id == CollectionUserRow.user_id
    some = exists().where(*mine).correlate(CollectionUserRow)
    wanted = select(CollectionUserRow.user_id, some).where(CollectionUserRow.collection == name, which)
    rows = connection.execute(wanted.order_by(CollectionUserRow.user_id).limit(limit))
    return [StoredUser(user_id, "ACTIVE" if has_faces else "CREATED") for user_id, has_faces in rows]


def _locked(connection: Connection, name: str, model_version: str | None = None) -> bool:
    """Take the collection's row until the transaction ends; whether it is there (and of this face model)."""
    wanted = select(CollectionRow.model_version).where(CollectionRow.name == name).with_for_update()
    found = connection.scalar(wanted)
    return found is not None and model_version in (None, found)


def _raised(connection: Connection, name: str) -> None:
    """Raise the revision."""
    raised = update(CollectionRow).where(CollectionRow.name == name).values(revision=CollectionRow.revision + 1)
    connection.execute(raised)


def _portions(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[begin : begin + _AT_ONCE] for begin in range(0, len(values), _AT_ONCE)]


def face_of(row: Row[*tuple[Any, ...]]) -> StoredFace:
    """A face out of the columns ``FACTS``."""
    left, top, width, height = json.loads(row.box)
    return StoredFace(
        face_id=row.face_id,
        image_id=row.image_id,
        external_image_id=row.external_image_id,
        box=(left, top, width, height),
        confidence=row.confidence,
        user_id=row.user_id,
        number=row.number,
    )
