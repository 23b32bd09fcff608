"""The exact search that PostgreSQL does itself, with pgvector, among more faces than fit into this machine's memory.

Rules: the answers are those of the search in memory (``kiosk.rekognition.vectors``), in the same order. PostgreSQL
multiplies with a half-precision probe (its operator ``<#>``: the negative inner product), which moves a cosine by at
most ``|probe - half(probe)|``; so a few more faces are asked for than are wanted, multiplied again here in single
precision, and more yet as long as a face that was not sent could still belong among them. No index is used: an
approximate one would be faster and would miss people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Double, Row, bindparam, cast, func, literal, select

from kiosk.records.face_collections import FACTS, face_of
from kiosk.records.halves import VECTOR_TYPE, HalfRow
from kiosk.records.schema import CollectionFaceRow as FaceRow
from kiosk.rekognition.shelf import Halves, StoredFace
from kiosk.rekognition.vectors import LEAST_NORM, cosines_of, mean_direction
from kiosk.values import Floats

_MORE = 16
"""Faces asked for beyond the wanted, at least; an eighth of the wanted where that is more."""
_LONGEST_ROW = 1.001
"""Length of a unit row that was rounded to half precision."""
_ARITHMETIC = 1e-5
"""What sums of single precision, in another order, may differ by."""

Found = Sequence[Row[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class HalvesSearch:
    """Implements ``FaceSearch``. Made by ``SharedStore.search``; lives as long as the store."""

    read: Callable[[], AbstractContextManager[Connection]]

    def more_than(self, name: str, faces: int) -> bool:
        """Whether the collection has more faces than that."""
        wanted = select(FaceRow.number).where(FaceRow.collection == name).offset(faces).limit(1)
        with self.read() as connection:
            return connection.scalar(wanted) is not None

    def faces_like(self, name: str, vector: Floats, least_cosine: float, limit: int) -> list[tuple[StoredFace, float]]:
        """(face, cosine), the most alike first, of equal ones the older first; at least ``least_cosine``."""
        probe = np.asarray(vector, np.float32)
        half = probe.astype(VECTOR_TYPE)
        moved = _LONGEST_ROW * float(np.linalg.norm(probe - half.astype(np.float32))) + _ARITHMETIC
        asked = limit + max(_MORE, limit // 8)
        while True:
            rows = self._nearest(name, half, least_cosine - moved, asked)
            if not rows:
                return []
            cosines = cosines_of(_matrix(rows), probe)
            order = np.lexsort(([row.number for row in rows], -cosines))
            found = [(face_of(rows[at]), float(cosines[at])) for at in order if cosines[at] >= least_cosine][:limit]
            # A face that was not sent is no nearer than the last that was, as PostgreSQL counts.
            if len(rows) < asked or (len(found) == limit and found[-1][1] > rows[-1].cosine + moved):
                return found
            asked *= 2

    def users_like(self, name: str, vector: Floats, least_cosine: float, limit: int) -> list[tuple[str, float]]:
        """(user ID, cosine with the mean direction of their faces), the most alike first."""
        from pgvector.sqlalchemy import VECTOR

        mean = func.avg(cast(FaceRow.vector, VECTOR()), type_=VECTOR())
        mine = FaceRow.collection == name, FaceRow.user_id.is_not(None)
        first = func.min(FaceRow.number).label("first")
        users = select(FaceRow.user_id, mean.label("mean"), first).where(*mine).group_by(FaceRow.user_id).subquery()
        probe = cast(literal(np.asarray(vector, np.float32), VECTOR()), VECTOR())
        product: Any = -users.c.mean.op("<#>", return_type=Double())(probe)
        cosine = product / func.greatest(func.vector_norm(users.c.mean, type_=Double()), LEAST_NORM)
        wanted = select(users.c.user_id, cosine).where(cosine >= least_cosine)
        with self.read() as connection:
            rows = connection.execute(wanted.order_by(cosine.desc(), users.c.first).limit(limit)).all()
        return [(user_id, float(value)) for user_id, value in rows]

    def face(self, name: str, face_id: str) -> tuple[StoredFace, Floats] | None:
        """One face with its vector."""
        wanted = select(*FACTS, FaceRow.vector).where(FaceRow.collection == name, FaceRow.face_id == face_id)
        with self.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else (face_of(row), _matrix([row])[0].astype(np.float32))

    def user(self, name: str, user_id: str) -> Floats | None:
        """The mean direction of one user's faces; None without faces."""
        mine = FaceRow.collection == name, FaceRow.user_id == user_id
        with self.read() as connection:
            rows = connection.execute(select(FaceRow.vector).where(*mine).order_by(FaceRow.number)).all()
        return mean_direction(_matrix(rows)) if rows else None

    def _nearest(self, name: str, half: Halves, least_cosine: float, count: int) -> Found:
        """As PostgreSQL counts: the nearest first, with ``cosine``."""
        probe = bindparam("probe", half.tobytes(), HalfRow())
        distance: Any = FaceRow.vector.op("<#>", return_type=Double())(probe)
        wanted = select(*FACTS, FaceRow.vector, (-distance).label("cosine"))
        wanted = wanted.where(FaceRow.collection == name, distance <= -least_cosine)
        with self.read() as connection:
            return connection.execute(wanted.order_by(distance, FaceRow.number).limit(count)).all()


def _matrix(rows: Found) -> Halves:
    """``(N, D)`` of their vectors."""
    flat = np.frombuffer(b"".join(row.vector for row in rows), VECTOR_TYPE)
    return np.asarray(flat.reshape(len(rows), -1), np.float16)
