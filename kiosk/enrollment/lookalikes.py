"""Pairs of people who resemble each other: enrolled twice under two names, twins, or just alike.

Whoever is less alike than the door's threshold was enrolled without a word; staff should know of the pairs above a
lower one, since such people may be mistaken for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kiosk.enrollment.desk import Progress, silent
from kiosk.errors import MatchError
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


def pairs_elsewhere(
    engines: Sequence[FaceSearch],
    faces: Mapping[str, Sequence[IndexedFace]],
    wait: Callable[[], None],
    progress: Progress = silent,
) -> tuple[list[Pair], dict[str, MatchError]]:
    """(whom engines find alike to these people, the engines that did not answer, with their first fault).

    ``faces``: by person id. ``wait``: until each engine may be asked once more. An engine that failed once is left
    alone: its other people would fail too, one after the other.
    """
    best: dict[tuple[str, str, str], float] = {}
    faults: dict[str, MatchError] = {}
    for number, (owner, theirs) in enumerate(faces.items(), 1):
        by_engine = [[face for face in theirs if face.engine == engine.name] for engine in engines]
        for turn in range(max(map(len, by_engine), default=0)):
            asked = [
                (engine, of_engine[turn])
                for engine, of_engine in zip(engines, by_engine, strict=True)
                if engine.name not in faults and turn < len(of_engine)
            ]
            if asked:
                wait()
            for engine, face in asked:
                try:
                    alike = engine.like_face(face)
                except MatchError as error:
                    faults[engine.name] = error
                    continue
                for other in alike.keys() - {owner}:
                    one, two = sorted((owner, other))
                    best[one, two, engine.name] = max(alike[other], best.get((one, two, engine.name), 0.0))
        progress("look-alikes", number, len(faces))
    return [Pair(one, two, similarity, name) for (one, two, name), similarity in best.items()], faults
