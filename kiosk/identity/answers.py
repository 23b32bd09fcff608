"""Reading what a Rekognition server answers: an answer counts only when it can be read whole.

Rules: a face-model version without thresholds in the configuration is refused and named; a face without a person is
somebody all the same, who can be a runner-up and is never let in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.config.engines import ModelThresholds
from kiosk.errors import MatchError
from kiosk.identity.asking import Unusable

UNNAMED = "#"
"""Begins what stands for a face without a person: no person id and no ExternalImageId begins so."""
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Place:
    """Which collections to ask, and how their answers are judged."""

    name: str
    """Source of its matches: ``aws``, ``site``."""
    prefix: str
    shards: int
    thresholds: Mapping[str, ModelThresholds]
    """Face-model version to thresholds."""
    users: bool = False
    """Whether people are users, found by all their faces together, and not by single faces."""

    @property
    def operation(self) -> str:
        """boto3's method that finds people by a picture."""
        return "search_users_by_image" if self.users else "search_faces_by_image"

    @property
    def least(self) -> float:
        """The lowest similarity that any face model's rules look at, 0..100.

        The margin of one model may be asked for against somebody who is known by another (``deciding``).
        """
        limits = self.thresholds.values()
        return max(0.0, min(one.threshold for one in limits) - max(one.margin for one in limits))

    def question(self, collection: str, content: bytes, most: int, least: float, quality: str) -> dict[str, object]:
        """The members of ``operation``: up to ``most`` people or faces of at least ``least``."""
        limits = {"MaxUsers": most, "UserMatchThreshold": least} if self.users else {}
        limits = limits or {"MaxFaces": most, "FaceMatchThreshold": least}
        return {"CollectionId": collection, "Image": {"Bytes": content}, "QualityFilter": quality, **limits}


@dataclass(frozen=True, slots=True)
class Found:
    """One collection's answer."""

    version: str
    """Face model."""
    people: Mapping[str, float]
    """Person id (or ``UNNAMED`` and a face's id) to best similarity, 0..100."""
    rows: int
    """How many matches it came from."""


def found_in(answer: object, place: Place) -> Found:
    """What an answer to ``place.operation`` says. Raises MatchError for what is no whole answer, Unusable."""
    try:
        version = answer["FaceModelVersion"]  # type: ignore[index]  # foreign: whatever it is, it is caught here
        if not isinstance(version, str):
            raise TypeError("no version")
        matches = answer["UserMatches" if place.users else "FaceMatches"]  # type: ignore[index]  # as above
        if place.users and not answer.get("SearchedFace"):  # type: ignore[attr-defined]  # as above
            raise Unusable("saw no usable face in the picture", where=place.name)
        people: dict[str, float] = {}
        for match in matches:
            value = float(match["Similarity"])
            if not 0.0 <= value <= 100.0:
                raise ValueError("no similarity")
            person_id = str(match["User"]["UserId"]) if place.users else _person_of(match["Face"])
            people[person_id] = max(value, people.get(person_id, 0.0))
        rows = len(matches)
    except UNREADABLE as error:
        raise MatchError("the answer cannot be read", where=place.name) from error
    refuse_unknown(version, place)
    return Found(version, people, rows)


def refuse_unknown(version: str, place: Place) -> None:
    """Raises MatchError for a face model without thresholds."""
    if version not in place.thresholds:
        known = ", ".join(sorted(place.thresholds)) or "none"
        mend = f'add [identity.models."{ascii(version)[1:-1]}"] (known: {known})'
        raise MatchError(
            f"face model {version!a} has no thresholds", where=place.name, mend=mend, reason="UNKNOWN_MODEL"
        )


def together(found: list[Found], place: Place) -> tuple[str, dict[str, float]]:
    """(face model, best similarity of each person) over all shards. Raises MatchError for shards of several models."""
    versions = {one.version for one in found}
    if len(versions) != 1:
        raise MatchError(f"the shards are of different models: {', '.join(sorted(versions))}", where=place.name)
    best: dict[str, float] = {}
    for one in found:
        for person_id, similarity in one.people.items():
            best[person_id] = max(similarity, best.get(person_id, 0.0))
    return versions.pop(), best


def _person_of(face: Mapping[str, object]) -> str:
    return str(face.get("ExternalImageId") or f"{UNNAMED}{face['FaceId']}")
