"""Who may ask for what: four scopes, each with what the ones before it may, for all collections or for some.

    read-only   describe and list
    match       look at pictures, search, compare, liveness sessions
    enroll      index and delete faces, make and change users
    admin       make and delete collections

A key that is bound to collections sees the others neither in a list nor in an error.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal, Protocol

from kiosk.rekognition.faults import denied

Scope = Literal["read-only", "match", "enroll", "admin"]
SCOPES: tuple[Scope, ...] = ("read-only", "match", "enroll", "admin")
NEEDS: dict[str, Scope] = {
    "DescribeCollection": "read-only",
    "ListCollections": "read-only",
    "ListFaces": "read-only",
    "ListUsers": "read-only",
    "DetectFaces": "match",
    "CompareFaces": "match",
    "SearchFaces": "match",
    "SearchFacesByImage": "match",
    "SearchUsers": "match",
    "SearchUsersByImage": "match",
    "CreateFaceLivenessSession": "match",
    "GetFaceLivenessSessionResults": "match",
    "IndexFaces": "enroll",
    "DeleteFaces": "enroll",
    "CreateUser": "enroll",
    "DeleteUser": "enroll",
    "AssociateFaces": "enroll",
    "DisassociateFaces": "enroll",
    "CreateCollection": "admin",
    "DeleteCollection": "admin",
}
"""Operation to the least scope that may ask for it; what is not here is not offered."""
ID_PREFIX = "KIOSK"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One key; its text form does not tell the secret."""

    access_key_id: str
    secret: str = field(repr=False)
    scope: Scope
    collections: frozenset[str] | None = None
    """The only ones it may name; None: all."""

    @classmethod
    def fresh(cls, scope: Scope, collections: frozenset[str] | None = None) -> AccessKey:
        """A new one: 20 characters of name and 40 of secret (240 bits), as AWS's own are long."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        name = ID_PREFIX + "".join(secrets.choice(alphabet) for _ in range(20 - len(ID_PREFIX)))
        return cls(name, secrets.token_urlsafe(30), scope, collections)

    def sees(self, collection: str) -> bool:
        """Whether it may name this collection."""
        return self.collections is None or collection in self.collections


class KeyBook(Protocol):
    """Where the keys are kept."""

    def access_key(self, access_key_id: str) -> AccessKey | None:
        """The key of this name; None when there is none, or it was revoked. Raises RecordsError."""


def check_scope(key: AccessKey, operation: str) -> None:
    """Raises RekognitionFault (AccessDeniedException) for an operation that the key may not ask for."""
    needed = NEEDS[operation]
    if SCOPES.index(key.scope) < SCOPES.index(needed):
        raise denied(f"{operation} needs a key of scope {needed}")


def check_collection(key: AccessKey, collection: str | None) -> None:
    """Raises RekognitionFault (AccessDeniedException) for a collection that the key is not for."""
    if collection is not None and not key.sees(collection):
        raise denied("this key is not for that collection")
