"""Listing and reading objects of S3 with bounds: pages that are pages of what was asked, bodies that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from kiosk.cloud.faults import translated, unreadable

CHUNK = 262_144
MOST_PAGES = 100_000
"""Of a thousand keys each: a listing that does not end is none."""
Place = Mapping[str, Any]
"""``Bucket``, and ``ExpectedBucketOwner`` where it is configured: members of every request."""


class Reading(Protocol):
    """The part of boto3's client that reading needs. Each raises botocore's exceptions."""

    def list_objects_v2(self, **members: Any) -> Mapping[str, Any]:
        """One page."""

    def get_object(self, **members: Any) -> Mapping[str, Any]:
        """One object with its body as a stream."""


def pages(
    listing: Callable[..., Mapping[str, Any]], place: Place, prefix: str, marks: Mapping[str, str], where: str
) -> Iterator[Mapping[str, Any]]:
    """All pages of a listing, each of which says that it is one of this bucket and prefix.

    ``marks``: member of an answer to the member of the next request that it becomes. Raises RecordsError: a page of
    something else, or with keys beyond the prefix.
    """
    more: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        with translated(where):
            page = listing(**place, Prefix=prefix, **more)
        if page.get("Name") != place["Bucket"] or page.get("Prefix", "") != prefix:
            raise unreadable(where)
        if not isinstance(page.get("IsTruncated"), bool):
            raise unreadable(where)
        for kind in ("Contents", "Versions", "DeleteMarkers"):
            if any(not str(one.get("Key", "")).startswith(prefix) for one in page.get(kind, ())):
                raise unreadable(where)  # nothing else is read, still less removed, because a server says so
        yield page
        if not page["IsTruncated"]:
            return
        before, more = more, {asked: page[told] for told, asked in marks.items() if page.get(told)}
        if more == before:
            break
    raise unreadable(where)


def body_of(calls: Reading, place: Place, key: str, most_bytes: int, where: str) -> bytes:
    """The object, of which no more than ``most_bytes + 1`` are read: one more says that it is too large.

    Raises RecordsError, also for one that is cut short.
    """
    content = bytearray()
    with translated(where):
        answer = calls.get_object(**place, Key=key)
        if not answer.get("ETag"):
            raise unreadable(where)
        body = answer["Body"]
        try:
            while len(content) <= most_bytes:
                chunk = body.read(min(CHUNK, most_bytes + 1 - len(content)))
                if not chunk:
                    break
                content += chunk
        finally:
            body.close()
    return bytes(content)
