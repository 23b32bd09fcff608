"""Enrollment pictures in S3: ``kiosk.enrollment.places.PictureShelf``.

Rules:
- A picture lies at ``PREFIX/PERSON_ID/SHA256.jpg`` (or png): whoever may list the bucket learns ids, no names.
- It is encrypted where it lies, and its SHA-256 is compared when it comes back.
- Forgetting removes every version and delete marker, and lists again: a versioned bucket otherwise keeps everything.
  Of a picture that is to stay, all versions stay: they hold the same.
- An answer counts only when it says what the service must say: an empty page is no proof that nothing is left.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from kiosk.cloud.faults import FOREIGN, code_of, sane, translated, unreadable
from kiosk.cloud.reading import Place, Reading, body_of, pages
from kiosk.cloud.source import MARKS
from kiosk.config.cloud import PicturesSettings
from kiosk.enrollment.places import MOST_PICTURE_BYTES, person_key, picture_suffix
from kiosk.errors import RecordsError

BATCH = 1000
"""Keys of one DeleteObjects."""
ROUNDS = 3
"""How often what was listed is removed: another kiosk may have kept a picture in between."""
NOT_KEPT = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""Codes for a key that there is already, or that is being written."""
TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_NAME = re.compile(r"([0-9a-f]{64})\.(?:jpg|png)")


class S3Calls(Reading, Protocol):
    """The part of boto3's client that the shelf needs. Each raises botocore's exceptions."""

    def put_object(self, **members: Any) -> Mapping[str, Any]:
        """Keep an object."""

    def delete_objects(self, **members: Any) -> Mapping[str, Any]:
        """Remove up to a thousand versions."""

    def list_object_versions(self, **members: Any) -> Mapping[str, Any]:
        """One page."""


class S3Pictures:
    """Pictures in one bucket. Safe from several threads."""

    def __init__(self, calls: S3Calls, settings: PicturesSettings) -> None:
        self._calls = calls
        self._prefix = settings.prefix
        self._where = f"bucket {settings.bucket}"
        self._place: Place = {"Bucket": settings.bucket}
        if settings.owner is not None:
            self._place = {**self._place, "ExpectedBucketOwner": settings.owner}
        self._encryption: Mapping[str, Any] = {"ServerSideEncryption": "AES256"}
        if settings.kms_key_id is not None:
            self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key_id}

    def keep(self, person_id: str, sha256: str, picture: bytes) -> None:
        """Keep a JPEG or PNG as given. Raises RecordsError."""
        suffix = picture_suffix(sha256, picture)
        key = f"{self._folder(person_id)}{sha256}.{suffix}"
        for _ in range(ROUNDS):
            code = self._put(key, picture, sha256, TYPES[suffix])
            if code == "ConditionalRequestConflict":  # another kiosk is just keeping the same
                continue
            if code == "PreconditionFailed":
                self._read(key, sha256)  # there is one already: that it is this one is not taken on trust
            return
        raise RecordsError("others keep the same picture", where=self._where, mend="try again")

    def kept(self, person_id: str) -> Sequence[tuple[str, bytes]]:
        """(sha256, picture) of each, by sha256. Raises RecordsError, also for one that is not what was kept."""
        return [(sha256, self._read(key, sha256)) for sha256, key in sorted(self._named(person_id).items())]

    def names(self, person_id: str) -> frozenset[str]:
        """SHA-256 of each. Raises RecordsError."""
        return frozenset(self._named(person_id))

    def _named(self, person_id: str) -> dict[str, str]:
        """The key of each, by SHA-256."""
        folder = self._folder(person_id)
        named: dict[str, str] = {}
        for page in pages(self._calls.list_objects_v2, self._place, folder, MARKS, self._where):
            for one in page.get("Contents", ()):
                name = _NAME.fullmatch(str(one["Key"]).removeprefix(folder))
                if name:
                    named[name[1]] = str(one["Key"])
        return named

    def forget(self, person_id: str, but: Collection[str] = ()) -> int:
        """Remove all in this person's folder but these pictures, in every version; how many were removed.

        Raises RecordsError: something is left.
        """
        folder = self._folder(person_id)
        gone: set[str] = set()
        for _ in range(ROUNDS):
            versions, pictures = self._versions(folder, but)
            if not versions:
                return len(gone)
            for start in range(0, len(versions), BATCH):
                self._remove(versions[start : start + BATCH])
            gone |= pictures
        if self._versions(folder, but)[0]:
            raise RecordsError("pictures keep coming back", where=self._where, mend="forget the person once more")
        return len(gone)

    def _folder(self, person_id: str) -> str:
        return f"{self._prefix}/{person_key(person_id)}/"

    def _put(self, key: str, picture: bytes, sha256: str, kind: str) -> str | None:
        """Keep it where nothing is yet: the same again would be a second version. None, or why it was not kept."""
        from botocore.exceptions import ClientError

        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        with translated(self._where):
            try:
                answer = self._calls.put_object(
                    **self._place,
                    **self._encryption,
                    Key=key,
                    Body=picture,
                    ContentType=kind,
                    ChecksumSHA256=checksum,
                    IfNoneMatch="*",
                )
            except ClientError as error:
                code = code_of(error)
                if code not in NOT_KEPT:
                    raise
                return code
        if not isinstance(answer.get("ETag"), str) or answer.get("ChecksumSHA256", checksum) != checksum:
            raise unreadable(self._where)
        return None

    def _read(self, key: str, sha256: str) -> bytes:
        picture = body_of(self._calls, self._place, key, MOST_PICTURE_BYTES, self._where)
        if hashlib.sha256(picture).hexdigest() != sha256:
            raise RecordsError("a picture is not the one that was kept", where=self._where, mend=f"see {sha256[:12]}")
        return picture

    def _versions(self, folder: str, but: Collection[str]) -> tuple[list[dict[str, str]], set[str]]:
        """Everything below ``folder`` but these pictures, delete markers too, and the keys that are no markers."""
        spared = {f"{folder}{sha256}.{suffix}" for sha256 in but for suffix in TYPES}
        marks = {"NextKeyMarker": "KeyMarker", "NextVersionIdMarker": "VersionIdMarker"}
        versions: list[dict[str, str]] = []
        pictures: set[str] = set()
        for page in pages(self._calls.list_object_versions, self._place, folder, marks, self._where):
            try:
                pictures.update(one["Key"] for one in page.get("Versions", ()) if one["Key"] not in spared)
                for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    if one["Key"] not in spared:
                        versions.append({"Key": one["Key"], "VersionId": one["VersionId"]})
            except FOREIGN as error:
                raise unreadable(self._where) from error
        return versions, pictures

    def _remove(self, versions: list[dict[str, str]]) -> None:
        """Remove these for good. Raises RecordsError, which counts those that are left."""
        with translated(self._where):
            answer = self._calls.delete_objects(**self._place, Delete={"Objects": versions, "Quiet": False})
        failed = answer.get("Errors", ())
        if failed:
            codes = " and ".join(sorted({sane(one.get("Code")) for one in failed}))
            told = f"{len(failed)} of {len(versions)} versions could not be removed ({codes})"
            raise RecordsError(told, where=self._where, mend="a lock or a permission keeps them, see docs/cloud.md")
        if len(answer.get("Deleted", ())) != len(versions):
            raise unreadable(self._where)
