"""Exact search among a collection's faces, and among its users, in memory; by the shelf itself where they are too many.

Rules: what is in memory is of the shelf's present revision, also when another process changed it; rows are kept in half
precision (the similarity changes by less than 0.1 at the thresholds in use) and multiplied in single precision, a block
at a time; a user is the mean direction of their faces. Vectors are biometric data: never logged, no ``repr``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from kiosk.rekognition.shelf import Content, FaceSearch, FaceShelf, Halves, StoredFace
from kiosk.values import Floats

BLOCK_ROWS = 65_536
LEAST_NORM = 1e-6
"""Of a mean: faces that cancel each other out are like nobody."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Users:
    names: tuple[str, ...]
    rows: Floats


class Vectors:
    """All collections that were searched so far. Safe from several threads.

    ``beyond`` searches the collections of more than ``memory_faces`` faces; without it everything is in memory.
    """

    def __init__(self, shelf: FaceShelf, beyond: FaceSearch | None = None, memory_faces: int = 0) -> None:
        self._shelf = shelf
        self._beyond = beyond
        self._memory_faces = memory_faces
        self._sizes: dict[str, tuple[int, bool]] = {}
        self._guard = threading.Lock()
        self._loading = threading.Lock()
        self._held: dict[str, Content] = {}
        self._users: dict[str, tuple[int, _Users]] = {}

    def content(self, name: str) -> Content | None:
        """The collection as it is now; None when it is not there (any more). Raises RecordsError."""
        revision = self._shelf.revision(name)
        held = self._held.get(name)
        if revision is not None and held is not None and held.revision == revision:
            return held
        with self._loading:  # one at a time: who waited here finds what the one before has read
            revision = self._shelf.revision(name)
            held = self._held.get(name)
            if revision is None:
                self.forget(name)
                return None
            if held is not None and held.revision == revision:
                return held
            held = self._shelf.content(name)
            if held is not None:
                with self._guard:
                    self._held[name] = held
        if self._shelf.revision(name) is None:  # deleted while it was read
            self.forget(name)
            return None
        return held

    def added(self, name: str, new: Content) -> None:
        """Take in what was just added, without reading the rest again."""
        with self._guard:
            held = self._held.get(name)
            if held is not None and held.revision == new.revision - 1:
                rows = np.concatenate([held.rows, new.rows]) if len(held.faces) else new.rows
                self._held[name] = Content(new.revision, held.faces + new.faces, rows)

    def sweep(self) -> None:
        """Forget what is not there any more, whoever deleted it. Raises RecordsError."""
        for name in {*self._held, *self._sizes}:
            if self._shelf.revision(name) is None:
                self.forget(name)

    def forget(self, name: str) -> None:
        """A collection that is gone."""
        with self._guard:
            self._held.pop(name, None)
            self._users.pop(name, None)
            self._sizes.pop(name, None)

    def faces_like(
        self, name: str, vector: Floats, least_cosine: float, limit: int, *, without: str | None = None
    ) -> list[tuple[StoredFace, float]]:
        """(face, cosine), the most alike first, at least ``least_cosine``; without the face ``without``."""
        beyond = self._beyond_memory(name)
        if beyond is not None:
            near = beyond.faces_like(name, vector, least_cosine, limit + 1)
            return [pair for pair in near if pair[0].face_id != without][:limit]
        held = self.content(name)
        if held is None or not len(held.faces):
            return []
        cosines = cosines_of(held.rows, vector)
        found = [(held.faces[at], float(cosines[at])) for at in _best(cosines, least_cosine, limit + 1)]
        return [pair for pair in found if pair[0].face_id != without][:limit]

    def users_like(
        self, name: str, vector: Floats, least_cosine: float, limit: int, *, without: str | None = None
    ) -> list[tuple[str, float]]:
        """(user ID, cosine), the most alike first."""
        beyond = self._beyond_memory(name)
        if beyond is not None:
            near = beyond.users_like(name, vector, least_cosine, limit + 1)
            return [pair for pair in near if pair[0] != without][:limit]
        users = self._users_of(name)
        if users is None or not users.names:
            return []
        cosines = cosines_of(users.rows, vector)
        found = [(users.names[at], float(cosines[at])) for at in _best(cosines, least_cosine, limit + 1)]
        return [pair for pair in found if pair[0] != without][:limit]

    def face(self, name: str, face_id: str) -> tuple[StoredFace, Floats] | None:
        """One face with its vector."""
        beyond = self._beyond_memory(name)
        if beyond is not None:
            return beyond.face(name, face_id)
        held = self.content(name)
        for at, face in enumerate(() if held is None else held.faces):
            if face.face_id == face_id and held is not None:
                return face, held.rows[at].astype(np.float32)
        return None

    def user(self, name: str, user_id: str) -> Floats | None:
        """One user's vector; None without faces."""
        beyond = self._beyond_memory(name)
        if beyond is not None:
            return beyond.user(name, user_id)
        users = self._users_of(name)
        if users is None or user_id not in users.names:
            return None
        return np.asarray(users.rows[users.names.index(user_id)], np.float32)

    def _beyond_memory(self, name: str) -> FaceSearch | None:
        """Who searches this collection instead, if anybody; what is held of it is dropped then. Raises RecordsError."""
        if self._beyond is None:
            return None
        revision = self._shelf.revision(name)
        if revision is None:
            self.forget(name)
            return None
        known = self._sizes.get(name)
        if known is None or known[0] != revision:
            known = revision, self._beyond.more_than(name, self._memory_faces)
            with self._guard:
                self._sizes[name] = known
        if not known[1]:
            return None
        with self._guard:
            self._held.pop(name, None)
            self._users.pop(name, None)
        return self._beyond

    def _users_of(self, name: str) -> _Users | None:
        held = self.content(name)
        if held is None:
            return None
        known = self._users.get(name)
        if known is None or known[0] != held.revision:
            known = held.revision, _gathered(held)
            with self._guard:
                self._users[name] = known
        return known[1]


def cosines_of(rows: Halves | Floats, vector: Floats) -> Floats:
    """``(N,)`` cosines of unit rows ``(N, D)`` with a unit vector ``(D,)``."""
    blocks = [rows[begin : begin + BLOCK_ROWS].astype(np.float32) @ vector for begin in range(0, len(rows), BLOCK_ROWS)]
    return np.asarray(np.concatenate(blocks), np.float32)


def _best(cosines: Floats, least: float, limit: int) -> list[int]:
    """Indices of at most ``limit`` values of at least ``least``, the largest first; of equal ones the older first."""
    enough = np.flatnonzero(cosines >= least)
    if len(enough) > limit:
        enough = enough[np.argpartition(-cosines[enough], limit)[:limit]]
    return [int(at) for at in enough[np.lexsort((enough, -cosines[enough]))]]


def _gathered(content: Content) -> _Users:
    owners: dict[str, list[int]] = {}
    for at, face in enumerate(content.faces):
        if face.user_id is not None:
            owners.setdefault(face.user_id, []).append(at)
    means = [mean_direction(content.rows[places]) for places in owners.values()]
    return _Users(tuple(owners), np.array(means, np.float32) if means else np.empty((0, 0), np.float32))


def mean_direction(rows: Halves) -> Floats:
    """``(D,)``: the unit vector that a user is, from ``(N, D)`` rows of their faces."""
    mean = rows.astype(np.float32).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), LEAST_NORM), np.float32)
