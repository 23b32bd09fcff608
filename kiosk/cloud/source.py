"""Pictures under ``s3://BUCKET/PREFIX``, listed and read for registering many people at once. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.cloud.reading import Place, Reading, body_of, pages
from kiosk.errors import InputError

_URL = re.compile(r"s3://([a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
MARKS = {"NextContinuationToken": "ContinuationToken"}


@dataclass(frozen=True, slots=True)
class S3Source:
    """One prefix of one bucket."""

    calls: Reading
    bucket: str
    prefix: str
    """As S3 compares it, to the letter; empty: the whole bucket."""
    owner: str | None = None
    """Account that must own the bucket; None: not checked."""

    @classmethod
    def at(cls, calls: Reading, url: str, owner: str | None = None) -> S3Source:
        """From ``s3://BUCKET/PREFIX``. Raises InputError."""
        found = _URL.fullmatch(url)
        if not found:
            raise InputError("no address of pictures", where=url[:80], mend="give s3://BUCKET/PREFIX")
        return cls(calls, found[1], found[2] or "", owner)

    def listed(self) -> Iterator[tuple[str, int]]:
        """(key, bytes) of every object, in the order of keys, page by page; "folders" of the console are left out.

        Raises RecordsError.
        """
        for page in pages(self.calls.list_objects_v2, self._place, self.prefix, MARKS, self._where):
            for one in page.get("Contents", ()):
                key, size = str(one["Key"]), int(one.get("Size", 0))
                if not key.endswith("/"):
                    yield key, size

    def read(self, key: str, most_bytes: int) -> bytes:
        """One object. Raises InputError: it is larger than ``most_bytes``, whatever the listing said; RecordsError."""
        if not key.startswith(self.prefix):
            raise InputError("not below the prefix", where=f"s3://{self.bucket}/{self.prefix}")
        content = body_of(self.calls, self._place, key, most_bytes, self._where)
        if len(content) > most_bytes:
            raise InputError(f"larger than {most_bytes} bytes", where=f"s3://{self.bucket}/{key}")
        return content

    @property
    def _place(self) -> Place:
        return {"Bucket": self.bucket} | ({} if self.owner is None else {"ExpectedBucketOwner": self.owner})

    @property
    def _where(self) -> str:
        return f"bucket {self.bucket}"
