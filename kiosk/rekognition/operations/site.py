"""What the operations work with, and what many of them ask first."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.identity.scale import Scale
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.faults import bad_token, not_found, not_ready
from kiosk.rekognition.pictures import Looker
from kiosk.rekognition.sessions import SessionBook
from kiosk.rekognition.shelf import FaceShelf, StoredCollection
from kiosk.rekognition.vectors import Vectors

Request = Mapping[str, Any]
Answer = dict[str, Any]
DEFAULT_SIMILARITY = 80.0
MOST_FACES = 4096
LIST_MOST = 4096


@dataclass(frozen=True, slots=True)
class Site:
    """One server's parts."""

    shelf: FaceShelf
    sessions: SessionBook
    vectors: Vectors
    looker: Looker
    scale_of: Callable[[str], Scale]
    """The similarity scale of a face model in use."""

    @property
    def model_version(self) -> str:
        """Of new collections and new vectors."""
        return self.looker.model_version

    def collection(self, request: Request) -> StoredCollection:
        """The named collection. Raises RekognitionFault (ResourceNotFoundException)."""
        name = request["CollectionId"]
        found = self.shelf.collection(name)
        if found is None:
            raise no_collection(name)
        return found

    def comparable(self, request: Request) -> StoredCollection:
        """The named collection, if its vectors can be compared with new ones. Raises RekognitionFault.

        A collection keeps the face model that it was made with, as on AWS: during a change of models both are in use.
        ResourceNotReadyException otherwise.
        """
        found = self.collection(request)
        if found.model_version not in self.looker.versions:
            running = " and ".join(self.looker.versions)
            raise not_ready(f"the collection is of face model {found.model_version}, this server runs {running}")
        return found

    def least_cosine(self, request: Request, name: str, version: str, default: float = DEFAULT_SIMILARITY) -> float:
        """The cosine, by the face model ``version``, of the least similarity that ``request[name]`` asks for."""
        return self.scale_of(version).cosine(request.get(name, default))

    def similarity(self, cosine: float, version: str) -> float:
        """0..100, of two vectors of the face model ``version``."""
        return self.scale_of(version).similarity(min(1.0, max(-1.0, cosine)))


Operation = Callable[[Site, AccessKey, Request], Answer]


def no_collection(name: str) -> Exception:
    """The fault for a collection that is not here."""
    return not_found(f"the collection id: {name} does not exist")


LONGEST_LAST = 160
"""A token has 255 characters at most."""


def token_of(kind: str, last: str) -> str:
    """A paging token: where the next page of this list begins. A long name is told by its hash."""
    return base64.urlsafe_b64encode(f"{kind}\n{shortened(last)}".encode()).decode()


def shortened(last: str) -> str:
    """The name, or ``#`` and its SHA-256 where it is too long for a token; no name begins with ``#``."""
    return last if len(last) <= LONGEST_LAST else f"#{hashlib.sha256(last.encode()).hexdigest()}"


def begin_of(kind: str, request: Request, first: str) -> str:
    """Where the asked page begins. Raises RekognitionFault (InvalidPaginationTokenException)."""
    token = request.get("NextToken")
    if not token:
        return first
    try:
        of, last = base64.urlsafe_b64decode(token.encode()).decode().split("\n")
    except (binascii.Error, ValueError) as error:
        raise bad_token() from error
    if of != kind or "\0" in last:  # PostgreSQL knows no text with a zero in it
        raise bad_token()
    return last
