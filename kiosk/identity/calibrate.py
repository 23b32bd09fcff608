"""Measure the similarity scale of an embedder on a folder of known people.

All pairs of pictures of *different* people are compared; an anchor's cosine is the lowest one that at most its share
of those pairs reaches. A share is only stated where the set has at least ``LEAST_EVENTS`` pairs beyond it: a
false match rate of 1 in 100 000 needs a million impostor pairs, some 1 500 pictures of different people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import InputError
from kiosk.identity.scale import ANCHORS
from kiosk.values import Embedding

LEAST_EVENTS = 10
BINS = 200_000
"""Of the cosine's range -1..1: a step of 1e-5, always rounded against us."""
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, as the manifest keeps it."""

    model_version: str
    pictures: int
    people: int
    impostor_pairs: int
    genuine_pairs: int
    cosine_at: tuple[float | None, ...]
    """In the order of ``ANCHORS``; None where the set is too small to tell."""
    found_at: tuple[float | None, ...]
    """Share of the genuine pairs at or above that cosine."""

    @property
    def complete(self) -> bool:
        """Whether every anchor was measured."""
        return None not in self.cosine_at


def calibrate(templates: Sequence[tuple[str, Embedding]]) -> Calibration:
    """Compare every pair of (person, embedding). Memory: a block of rows at a time.

    Raises InputError for fewer than two people or embeddings of different models.
    """
    people = [person for person, _ in templates]
    versions = {embedding.model_version for _, embedding in templates}
    if len(set(people)) < 2:
        raise InputError("calibration needs pictures of at least two people")
    if len(versions) != 1:
        raise InputError(f"embeddings of different models: {', '.join(sorted(versions))}")
    impostors, genuines = _histograms(people, np.array([embedding.vector for _, embedding in templates], np.float32))
    reach = impostors[::-1].cumsum()[::-1]
    """Impostor pairs in this bin or a higher one."""
    total = int(impostors.sum())
    cosines: list[float | None] = []
    found: list[float | None] = []
    for _, share in ANCHORS:
        allowed = share * total
        if allowed < LEAST_EVENTS:
            cosines.append(None)
            found.append(None)
            continue
        first = int(np.argmax(reach <= allowed))
        cosines.append(round(first * 2.0 / BINS - 1.0, 5))
        found.append(float(genuines[first:].sum() / genuines.sum()) if genuines.sum() else None)
    return Calibration(
        model_version=versions.pop(),
        pictures=len(people),
        people=len(set(people)),
        impostor_pairs=total,
        genuine_pairs=int(genuines.sum()),
        cosine_at=tuple(cosines),
        found_at=tuple(found),
    )


def to_toml(result: Calibration, how: str) -> str:
    """The block for ``models/manifest.toml``. Raises InputError where the set was too small for an anchor."""
    if not result.complete:
        worst = min(share for (_, share), cosine in zip(ANCHORS, result.cosine_at, strict=True) if cosine is None)
        raise InputError(
            f"{result.impostor_pairs} impostor pairs are too few to state a false match rate of {worst:g}",
            mend=f"give pictures of more people: {LEAST_EVENTS / worst:.0f} pairs are needed",
        )
    anchors = zip(ANCHORS, result.cosine_at, strict=True)
    at = ", ".join(f"{name:.0f} = {cosine:.4f}" for (name, _), cosine in anchors if cosine is not None)
    words = " ".join(how.replace('"', "'").replace("\\", "/").split())
    return (
        f'[similarity."{result.model_version}"]\n'
        f'how = "{words}: {result.pictures} pictures of {result.people} people."\n'
        f"impostor_pairs = {result.impostor_pairs}\n"
        f"cosine_at = {{ {at} }}\n"
    )


def _histograms(people: Sequence[str], rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts by cosine of (different people, the same person), every pair once."""
    index = {person: number for number, person in enumerate(dict.fromkeys(people))}
    owners = np.array([index[person] for person in people])
    impostors, genuines = np.zeros(BINS + 1, np.int64), np.zeros(BINS + 1, np.int64)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        cosines = np.clip(block @ rows[start:].T, -1.0, 1.0)
        bins = np.floor((cosines.astype(np.float64) + 1.0) * (BINS / 2)).astype(np.int64)
        once = np.arange(rows.shape[0] - start)[None, :] > np.arange(len(block))[:, None]
        same = owners[start : start + _BLOCK, None] == owners[None, start:]
        impostors += np.bincount(bins[once & ~same], minlength=BINS + 1)
        genuines += np.bincount(bins[once & same], minlength=BINS + 1)
    return impostors, genuines
