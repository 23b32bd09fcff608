"""All templates in memory, searched exactly.

Rules:
- One model version a gallery; an embedding of another version is refused, so versions can never meet.
- A person is as similar as the best of their templates; the runner-up is the best template of any *other* person.
- Readers never wait: they take the current snapshot; writers make the next one under a lock. Rows are only ever
  appended behind a snapshot's end or copied, never changed in place.
- Templates are biometric data: they are never logged and have no ``repr``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import MatchError
from kiosk.values import Embedding, Floats

_UNIT_SLACK = 1e-3
_FIRST_ROWS = 256


@dataclass(frozen=True, slots=True)
class Candidate:
    """The best person and the distance to the next one, as cosines."""

    person_id: str
    cosine: float
    runner_up: float | None
    """Cosine of the best other person; None when there is none."""
    runner_up_id: str | None = None
    """Who that is."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Snapshot:
    rows: Floats
    """``(N, D)``, unit length."""
    owners: NDArray[np.int32]
    """``(N,)`` index into ``people``."""
    people: tuple[str, ...]


_EMPTY = _Snapshot(np.empty((0, 0), np.float32), np.empty(0, np.int32), ())


class Gallery:
    """Templates of one model version. Safe to search and change from several threads."""

    def __init__(self, model_version: str) -> None:
        self.model_version = model_version
        self._writing = threading.Lock()
        self._snapshot = _EMPTY
        self._rows_buffer: Floats = np.empty((0, 0), np.float32)
        self._owners_buffer: NDArray[np.int32] = np.empty(0, np.int32)
        self._index: dict[str, int] = {}

    def __len__(self) -> int:
        """Number of templates."""
        return len(self._snapshot.owners)

    @property
    def people(self) -> int:
        """Number of people with at least one template."""
        return len(self._snapshot.people)

    def replace(self, templates: Iterable[tuple[str, Embedding]]) -> None:
        """Replace everything. All or nothing: an unusable template raises MatchError and changes nothing."""
        pairs = list(templates)
        vectors = [self._vector(embedding) for _, embedding in pairs]
        if len({len(vector) for vector in vectors}) > 1:
            raise MatchError("templates of different lengths", where="gallery")
        rows = np.array(vectors, np.float32) if vectors else np.empty((0, 0), np.float32)
        index: dict[str, int] = {}
        owners = np.array([index.setdefault(person_id, len(index)) for person_id, _ in pairs], np.int32)
        with self._writing:
            self._take(rows, owners, index)

    def add(self, person_id: str, template: Embedding) -> None:
        """One more template of a new or known person. Raises MatchError for an unusable one."""
        vector = self._vector(template)
        with self._writing:
            count = len(self._snapshot.owners)
            if count and self._snapshot.rows.shape[1] != len(vector):
                raise MatchError("template of another length", where="gallery")
            self._make_room(count + 1, len(vector))
            owner = self._index.setdefault(person_id, len(self._index))
            self._rows_buffer[count] = vector
            self._owners_buffer[count] = owner
            self._publish(count + 1)

    def remove(self, person_id: str) -> None:
        """Forget every template of a person; an unknown one changes nothing."""
        with self._writing:
            if person_id not in self._index:
                return
            keep = self._snapshot.owners != self._index[person_id]
            names = [self._snapshot.people[owner] for owner in self._snapshot.owners[keep]]
            index: dict[str, int] = {}
            owners = np.array([index.setdefault(name, len(index)) for name in names], np.int32)
            self._take(self._snapshot.rows[keep], owners, index)

    def search(self, probe: Embedding) -> Candidate | None:
        """The best person, None in an empty gallery. Raises MatchError for a probe of another version."""
        vector = self._vector(probe)
        snapshot = self._snapshot
        if not len(snapshot.owners):
            return None
        cosines = self._cosines(snapshot, vector)
        best = int(cosines.argmax())
        owner = snapshot.owners[best]
        cosine = float(cosines[best])
        cosines[snapshot.owners == owner] = -np.inf
        second = int(cosines.argmax())
        runner_up = float(cosines[second])
        if not np.isfinite(runner_up):
            return Candidate(snapshot.people[owner], cosine, None)
        return Candidate(snapshot.people[owner], cosine, runner_up, snapshot.people[snapshot.owners[second]])

    def compare(self, probe: Embedding, person_id: str) -> float | None:
        """Cosine to the best template of one person; None when they have none here. Raises MatchError."""
        vector = self._vector(probe)
        snapshot = self._snapshot
        if person_id not in snapshot.people:
            return None
        rows = snapshot.rows[snapshot.owners == snapshot.people.index(person_id)]
        return float((rows @ vector).max())

    @staticmethod
    def _cosines(snapshot: _Snapshot, vector: Floats) -> Floats:
        if snapshot.rows.shape[1] != len(vector):
            raise MatchError("probe of another length", where="gallery")
        cosines: Floats = snapshot.rows @ vector
        return cosines

    def _vector(self, embedding: Embedding) -> Floats:
        """The vector of a usable embedding of this version."""
        if embedding.model_version != self.model_version:
            raise MatchError(
                f"embedding of {embedding.model_version} in a gallery of {self.model_version}", mend="enroll again"
            )
        vector = np.ascontiguousarray(embedding.vector, np.float32)
        if vector.ndim != 1 or not abs(float(vector @ vector) - 1.0) <= _UNIT_SLACK:
            raise MatchError("embedding is not of unit length", where="gallery")
        return vector

    def _take(self, rows: Floats, owners: NDArray[np.int32], index: dict[str, int]) -> None:
        self._rows_buffer, self._owners_buffer, self._index = rows, owners, index
        self._publish(len(owners))

    def _make_room(self, count: int, length: int) -> None:
        """Buffers for ``count`` rows; old snapshots keep their own."""
        if self._rows_buffer.shape[0] >= count and self._rows_buffer.shape[1] == length:
            return
        used = len(self._snapshot.owners)
        room = max(_FIRST_ROWS, 2 * count)
        rows, owners = np.empty((room, length), np.float32), np.empty(room, np.int32)
        if used:
            rows[:used], owners[:used] = self._snapshot.rows, self._snapshot.owners
        self._rows_buffer, self._owners_buffer = rows, owners

    def _publish(self, count: int) -> None:
        self._snapshot = _Snapshot(self._rows_buffer[:count], self._owners_buffer[:count], tuple(self._index))
