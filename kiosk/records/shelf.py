"""What the Rekognition server keeps, in the kiosk's own database or in PostgreSQL.

Implements ``FaceShelf``, ``SessionBook`` and ``KeyBook``. Rules: one transaction a call. In the embedded database what
was deleted is gone from the write-ahead log too when the call returns, or, when somebody was reading just then, after
a later ``tidy``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection

from kiosk.records import access_keys, face_collections, liveness_sessions
from kiosk.records.access_keys import KeyFacts
from kiosk.records.sealing import Sealer
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.sessions import ChallengeType, Outcome, Session, Status
from kiosk.rekognition.shelf import Content, Halves, StoredCollection, StoredFace, StoredUser

Transaction = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Made by ``Store.shelf`` or ``SharedStore.shelf``; lives as long as the store."""

    read: Transaction
    write: Transaction
    now: Callable[[], str]
    forget: Callable[..., None]
    """``forget()`` empties the write-ahead log; ``forget(False)`` only if an earlier time was in vain."""
    sealer: Sealer

    def create_collection(self, name: str, model_version: str) -> None:
        """Raises RecordsConflict when the name is taken."""
        with self.write() as connection:
            face_collections.create(connection, name, model_version, self.now())

    def collection(self, name: str) -> StoredCollection | None:
        """None when there is none of this name."""
        with self.read() as connection:
            found = face_collections.listing(connection, only=frozenset({name}))
        return found[0] if found else None

    def collections(self, after: str, limit: int, only: frozenset[str] | None) -> list[StoredCollection]:
        """By name, those behind ``after``; of ``only`` where given."""
        with self.read() as connection:
            return face_collections.listing(connection, after=after, limit=limit, only=only)

    def delete_collection(self, name: str) -> bool:
        """With all its faces and users; whether it was there."""
        with self.write() as connection:
            done = face_collections.remove(connection, name)
        self.forget()
        return done

    def revision(self, name: str) -> int | None:
        """How often the collection was changed; None when there is none."""
        with self.read() as connection:
            return face_collections.revision(connection, name)

    def content(self, name: str) -> Content | None:
        """All faces by number, as of one moment."""
        with self.read() as connection:
            return face_collections.content(connection, name)

    def add_faces(
        self, name: str, faces: Sequence[StoredFace], rows: Halves, model_version: str | None = None
    ) -> Content | None:
        """Add faces, all or none; what was added, numbered, with the new revision. None: no such collection.

        ``model_version``: of the rows; a collection of this name that was made anew with another model is another one.
        """
        with self.write() as connection:
            return face_collections.add(connection, name, faces, rows, self.now(), model_version)

    def faces(
        self, name: str, after: int, limit: int, user_id: str | None = None, face_ids: Sequence[str] | None = None
    ) -> list[StoredFace]:
        """By number, those behind ``after``."""
        with self.read() as connection:
            return face_collections.faces(connection, name, after, limit, user_id, face_ids)

    def delete_faces(self, name: str, face_ids: Sequence[str]) -> frozenset[str]:
        """Those that are there and belong to no user; which they were."""
        with self.write() as connection:
            gone = face_collections.remove_faces(connection, name, face_ids)
        if gone:
            self.forget()
        return gone

    def create_user(self, name: str, user_id: str) -> None:
        """Raises RecordsConflict when the user is there already."""
        with self.write() as connection:
            face_collections.add_user(connection, name, user_id, self.now())

    def user(self, name: str, user_id: str) -> StoredUser | None:
        """None when there is none."""
        with self.read() as connection:
            return face_collections.user(connection, name, user_id)

    def users(self, name: str, after: str, limit: int) -> list[StoredUser]:
        """By ID, those behind ``after``."""
        with self.read() as connection:
            return face_collections.users(connection, name, after, limit)

    def delete_user(self, name: str, user_id: str) -> bool:
        """Its faces stay, without a user; whether it was there."""
        with self.write() as connection:
            gone = face_collections.remove_user(connection, name, user_id)
        if gone:
            self.forget()
        return gone

    def give_faces(self, name: str, user_id: str, face_ids: Sequence[str], most: int) -> frozenset[str] | None:
        """Make faces without a user this one's, up to ``most`` in all; which they were. None: no such user."""
        with self.write() as connection:
            return face_collections.give(connection, name, user_id, face_ids, most)

    def take_faces(self, name: str, user_id: str, face_ids: Sequence[str]) -> frozenset[str] | None:
        """Take the user's faces from it; which they were. None: no such user."""
        with self.write() as connection:
            return face_collections.take(connection, name, user_id, face_ids)

    # Liveness sessions

    def begin_session(
        self, access_key_id: str, token: str | None, challenges: Sequence[ChallengeType], audit_limit: int
    ) -> str:
        """A new session's ID; the living one's of the same key and token where there is one."""
        with self.write() as connection:
            return liveness_sessions.begin(connection, access_key_id, token, challenges, audit_limit, self.now())

    def session(self, session_id: str) -> Session | None:
        """None where there is none, or it expired long ago."""
        with self.read() as connection:
            return liveness_sessions.find(connection, session_id, self.now(), self.sealer)

    def start_session(self, session_id: str) -> bool:
        """Whether it was CREATED and is IN_PROGRESS now."""
        with self.write() as connection:
            return liveness_sessions.moved(connection, session_id, "CREATED", "IN_PROGRESS", self.now())

    def end_session(self, session_id: str, outcome: Outcome | None) -> bool:
        """SUCCEEDED with its outcome, or FAILED without; whether it was IN_PROGRESS and alive."""
        end: Status = "FAILED" if outcome is None else "SUCCEEDED"
        kept = None if outcome is None else liveness_sessions.kept(session_id, outcome, self.sealer)
        with self.write() as connection:
            return liveness_sessions.moved(connection, session_id, "IN_PROGRESS", end, self.now(), kept)

    def tidy(self) -> None:
        """Overwrite the outcomes of sessions that have expired, and what a deletion could not overwrite at once.

        To be called every now and then, and when the store was opened.
        """
        with self.read() as connection:
            due = liveness_sessions.due(connection, self.now())
        if due:
            with self.write() as connection:
                liveness_sessions.prune(connection, self.now())
        self.forget(due)

    # Keys

    def access_key(self, access_key_id: str) -> AccessKey | None:
        """The key of this name; None when there is none, or it was revoked."""
        with self.read() as connection:
            return access_keys.find(connection, access_key_id, self.sealer)

    def add_key(self, key: AccessKey) -> None:
        """Keep a new key."""
        with self.write() as connection:
            access_keys.add(connection, key, self.now(), self.sealer)

    def keys(self) -> list[KeyFacts]:
        """Every key without its secret, the oldest first."""
        with self.read() as connection:
            return access_keys.listing(connection)

    def revoke_key(self, access_key_id: str) -> bool:
        """Whether it was valid until now; from the next request on it is not."""
        with self.write() as connection:
            done = access_keys.revoke(connection, access_key_id, self.now())
        self.forget()
        return done
