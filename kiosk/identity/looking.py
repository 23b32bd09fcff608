"""What staff may ask an engine about: a picture, and collections that are not the kiosk's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.identity.collection import PAGE, FaceCollections


def detect(engine: FaceCollections, picture: bytes) -> list[Mapping[str, Any]]:
    """FaceDetail of every face, the largest first, with all attributes. Raises MatchError."""
    told = engine.ask("detect_faces", {"Image": {"Bytes": picture}, "Attributes": ["ALL"]})
    return engine.read(told, lambda told: [dict(one) for one in told["FaceDetails"]])


def every_collection(engine: FaceCollections) -> dict[str, str]:
    """Every collection that the credentials see: name to face model. Raises MatchError."""
    found: dict[str, str] = {}
    token: dict[str, str] = {}
    while True:
        told = engine.ask("list_collections", {"MaxResults": PAGE, **token})
        names, versions, then = engine.read(
            told, lambda told: (told["CollectionIds"], told["FaceModelVersions"], told.get("NextToken"))
        )
        found |= {str(name): str(version) for name, version in zip(names, versions, strict=False)}
        if not then:
            return found
        token = {"NextToken": str(then)}


def drop(engine: FaceCollections, collection: str) -> None:
    """Delete a collection with all its faces. Raises MatchError."""
    engine.ask("delete_collection", {"CollectionId": collection})
