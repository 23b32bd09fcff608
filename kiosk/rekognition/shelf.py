"""What the server keeps, as a port: collections, faces with their vectors, users. Images are never kept.

Rules for every shelf: a writing method is done whole or not at all; every change of a collection's faces or their
owners raises its ``revision`` by one, and no two collections begin with the same; vectors come and go as half-precision
unit rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from kiosk.values import Floats

Halves = NDArray[np.float16]
UserStatus = Literal["CREATED", "ACTIVE"]
"""CREATED: no face yet."""


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """One collection of one model version."""

    name: str
    model_version: str
    created: datetime
    faces: int
    users: int


@dataclass(frozen=True, slots=True)
class StoredFace:
    """All that is kept of one face but its vector."""

    face_id: str
    image_id: str
    external_image_id: str | None
    box: tuple[float, float, float, float]
    """(left, top, width, height) in shares of the picture."""
    confidence: float
    """0..100."""
    user_id: str | None = None
    number: int = 0
    """Grows with every face of the shelf: the order of lists."""


@dataclass(frozen=True, slots=True)
class StoredUser:
    """One user of a collection."""

    user_id: str
    status: UserStatus


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Content:
    """A collection's faces with their vectors at one revision. Biometric data: never logged."""

    revision: int
    faces: tuple[StoredFace, ...]
    rows: Halves
    """``(len(faces), D)``; ``(0, 0)`` when there are none."""


class FaceShelf(Protocol):
    """Where it is kept. Every method may raise RecordsError; safe to use from several threads."""

    def create_collection(self, name: str, model_version: str) -> None:
        """Raises RecordsConflict when the name is taken."""

    def collection(self, name: str) -> StoredCollection | None:
        """None when there is none of this name."""

    def collections(self, after: str, limit: int, only: frozenset[str] | None) -> list[StoredCollection]:
        """By name, those behind ``after``; of ``only`` where given."""

    def delete_collection(self, name: str) -> bool:
        """With all its faces and users; whether it was there."""

    def revision(self, name: str) -> int | None:
        """How often the collection was changed; None when there is none."""

    def content(self, name: str) -> Content | None:
        """All faces by number, as of one moment."""

    def add_faces(
        self, name: str, faces: Sequence[StoredFace], rows: Halves, model_version: str | None = None
    ) -> Content | None:
        """Add faces, all or none; what was added, numbered, with the new revision. None: no such collection.

        ``model_version``: of the rows; a collection of this name that was made anew with another model is another one.
        """

    def faces(
        self, name: str, after: int, limit: int, user_id: str | None = None, face_ids: Sequence[str] | None = None
    ) -> list[StoredFace]:
        """By number, those behind ``after``."""

    def delete_faces(self, name: str, face_ids: Sequence[str]) -> frozenset[str]:
        """Those that are there and belong to no user; which they were."""

    def create_user(self, name: str, user_id: str) -> None:
        """Raises RecordsConflict when the user is there already."""

    def user(self, name: str, user_id: str) -> StoredUser | None:
        """None when there is none."""

    def users(self, name: str, after: str, limit: int) -> list[StoredUser]:
        """By ID, those behind ``after``."""

    def delete_user(self, name: str, user_id: str) -> bool:
        """Its faces stay, without a user; whether it was there."""

    def give_faces(self, name: str, user_id: str, face_ids: Sequence[str], most: int) -> frozenset[str] | None:
        """Make faces without a user this one's, up to ``most`` in all; which they were. None: no such user."""

    def take_faces(self, name: str, user_id: str, face_ids: Sequence[str]) -> frozenset[str] | None:
        """Take the user's faces from it; which they were. None: no such user."""


class FaceSearch(Protocol):
    """The exact search that a shelf may do itself, for collections that are too large for this machine's memory.

    The answers are those of the search in memory. Every method may raise RecordsError; safe from several threads.
    """

    def more_than(self, name: str, faces: int) -> bool:
        """Whether the collection has more faces than that."""

    def faces_like(self, name: str, vector: Floats, least_cosine: float, limit: int) -> list[tuple[StoredFace, float]]:
        """(face, cosine), the most alike first, of equal ones the older first; at least ``least_cosine``."""

    def users_like(self, name: str, vector: Floats, least_cosine: float, limit: int) -> list[tuple[str, float]]:
        """(user ID, cosine with the mean direction of their faces), the most alike first."""

    def face(self, name: str, face_id: str) -> tuple[StoredFace, Floats] | None:
        """One face with its vector."""

    def user(self, name: str, user_id: str) -> Floats | None:
        """The mean direction of one user's faces; None without faces."""
