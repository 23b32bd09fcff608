"""The similarity scale: 0..100, monotone in the cosine of two embeddings, calibrated for each model version.

A similarity is a statement about false matches, per comparison of two different people:

    80  at most 1 in 100          98  at most 1 in 10 000
    90  at most 1 in 1 000        99  at most 1 in 100 000

Between the anchors it is linear in the cosine; -1 is 0, a cosine of 0 is 20, and 1 is 100. The cosines of the
anchors are measured (``kiosk.identity.calibrate``) and kept in the manifest of the models, one table a version. A
version without a table is refused: a similarity without calibration would mean nothing.

A search among N people makes N comparisons: at 98 among 1 000 people up to one stranger in ten resembles
somebody, at 99 up to one in a hundred (before the margin to the second person, which removes some).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiosk.errors import MatchError, ModelError
from kiosk.values import Embedding

ANCHORS: tuple[tuple[float, float], ...] = ((80.0, 1e-2), (90.0, 1e-3), (98.0, 1e-4), (99.0, 1e-5))
"""(similarity, highest false match rate per comparison)."""
_ENDS = ((-1.0, 0.0), (0.0, 20.0), (1.0, 100.0))
"""(cosine, similarity) of the ends, the same for every version."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Cosine to similarity and back for one embedding version."""

    model_version: str
    points: tuple[tuple[float, float], ...]
    """(cosine, similarity), both strictly growing from (-1, 0) to (1, 100)."""

    def __post_init__(self) -> None:
        if len(self.points) < 3 or self.points[0] != _ENDS[0] or self.points[-1] != _ENDS[-1]:
            raise ModelError("the calibration does not run from (-1, 0) to (1, 100)", where=self.model_version)
        for (cosine, similarity), (next_cosine, next_similarity) in zip(self.points, self.points[1:], strict=False):
            if not (cosine < next_cosine and similarity < next_similarity):
                raise ModelError("the calibration does not grow strictly", where=self.model_version)

    @classmethod
    def from_anchors(cls, model_version: str, cosines: Sequence[float]) -> Scale:
        """A scale from the measured cosines of ``ANCHORS``, in their order. Raises ModelError if they do not grow."""
        if len(cosines) != len(ANCHORS):
            raise ModelError(f"the calibration needs {len(ANCHORS)} cosines", where=model_version)
        inner = tuple((float(cosine), anchor[0]) for cosine, anchor in zip(cosines, ANCHORS, strict=True))
        return cls(model_version, (_ENDS[0], _ENDS[1], *inner, _ENDS[2]))

    @classmethod
    def from_tables(cls, model_version: str, tables: Mapping[str, Mapping[str, Any]]) -> Scale:
        """The scale of one version out of the manifest's tables. Raises ModelError for a version without one."""
        table = tables.get(model_version)
        if table is None:
            known = ", ".join(sorted(tables)) or "none"
            raise ModelError(f"no similarity calibration for {model_version}", where="models", mend=f"known: {known}")
        try:
            return cls.from_anchors(model_version, [float(table["cosine_at"][f"{name:.0f}"]) for name, _ in ANCHORS])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError("the similarity calibration is incomplete", where=model_version) from error

    def similarity(self, cosine: float) -> float:
        """0..100; a cosine that is not a number is 0."""
        if not np.isfinite(cosine):
            return 0.0
        xs, ys = zip(*self.points, strict=True)
        return float(np.interp(cosine, xs, ys))

    def cosine(self, similarity: float) -> float:
        """The cosine of a similarity 0..100 (the inverse of ``similarity``)."""
        xs, ys = zip(*self.points, strict=True)
        return float(np.interp(similarity, ys, xs))

    def between(self, one: Embedding, other: Embedding) -> float:
        """Similarity 0..100 of two embeddings. Raises MatchError where a version is not this scale's."""
        for embedding in (one, other):
            if embedding.model_version != self.model_version:
                raise MatchError(f"embedding of {embedding.model_version} on the scale of {self.model_version}")
        return self.similarity(float(np.dot(one.vector, other.vector)))
