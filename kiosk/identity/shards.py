"""Which collection a person's faces lie in, when there are too many people for one.

Rendezvous hashing (Thaler and Ravishankar 1998) with BLAKE2b: every program and every start finds the same shard, and
one shard more moves only the people who go into it, one in ``shards + 1``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kiosk.config.engines import shard_names as names

__all__ = ["MOST_FACES", "Move", "collection_of", "moves", "names", "shard_of"]
MOST_FACES = 20_000_000
"""Face vectors in one collection, as AWS allows."""


def shard_of(person_id: str, shards: int) -> int:
    """0..``shards - 1``. Raises ValueError for no shards."""
    if shards < 1:
        raise ValueError("there is no shard")
    return max(range(shards), key=lambda shard: (_weight(person_id, shard), shard))


def collection_of(prefix: str, person_id: str, shards: int) -> str:
    """The collection's name."""
    return names(prefix, shards)[shard_of(person_id, shards)]


@dataclass(frozen=True, slots=True)
class Move:
    """One person whose faces belong elsewhere."""

    person_id: str
    source: int
    target: int


def moves(person_ids: Iterable[str], before: int, after: int) -> Iterator[Move]:
    """Who must move when there are ``after`` shards instead of ``before``: the fewest people that can be."""
    for person_id in person_ids:
        source, target = shard_of(person_id, before), shard_of(person_id, after)
        if source != target:
            yield Move(person_id, source, target)


def _weight(person_id: str, shard: int) -> int:
    digest = hashlib.blake2b(person_id.encode(), digest_size=8, salt=shard.to_bytes(8, "big"))
    return int.from_bytes(digest.digest(), "big")
