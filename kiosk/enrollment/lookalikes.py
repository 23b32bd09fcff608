"""Pairs of people who resemble each other: enrolled twice under two names, twins, or just alike.

Whoever is less alike than the door's threshold was enrolled without a word; staff should know of the pairs above a
lower one, since such people may be mistaken for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kiosk.values import Floats, IndexedFace

ROWS = 1024
LEAST = 90.0
"""Similarity from which a pair is told, 0..100."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people, by id, the smaller one first."""

    one: str
    other: str
    similarity: float
    engine: str = "local"


class FaceSearch(Protocol):
    """The part of an engine that this needs."""

    @property
    def name(self) -> str:
        """Of the engine."""

    def like_face(self, face: IndexedFace) -> Mapping[str, float]:
        """Person id to similarity. Raises MatchError."""


def pairs_here(
    ids: Sequence[str], rows: Floats, least_cosine: float, only: frozenset[str] | None = None
) -> Iterator[tuple[str, str, float]]:
    """(person, other person, cosine of their most similar templates), at least ``least_cosine``, the smaller id first.

    ``rows``: ``(N, D)`` unit templates of ``ids``. ``only``: pairs with one of these people.
    """
    best: dict[tuple[str, str], float] = {}
    chosen = [at for at, one in enumerate(ids) if only is None or one in only]
    for begin in range(0, len(chosen), ROWS):
        block = chosen[begin : begin + ROWS]
        cosines = rows[block] @ rows.T
        for row, column in np.argwhere(cosines >= least_cosine):
            one, other = sorted((ids[block[int(row)]], ids[int(column)]))
            if one != other:
                best[one, other] = max(float(cosines[row, column]), best.get((one, other), -1.0))
    for (one, other), cosine in sorted(best.items(), key=lambda pair: -pair[1]):
        yield one, other, cosine


def pairs_of_engine(engine: FaceSearch, faces: Iterable[IndexedFace], owner: str) -> Iterator[Pair]:
    """Whom an engine finds alike to faces of ``owner``. Raises MatchError."""
    best: dict[str, float] = {}
    for face in faces:
        for other, similarity in engine.like_face(face).items():
            if other != owner:
                best[other] = max(similarity, best.get(other, 0.0))
    for other, similarity in best.items():
        one, two = sorted((owner, other))
        yield Pair(one, two, similarity, engine.name)
