"""One contract for every PictureShelf: in memory, and in S3 (moto's server) with and without versions."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest

from kiosk.cloud.pictures import S3Pictures
from kiosk.config.cloud import PicturesSettings
from kiosk.enrollment.places import MOST_PICTURE_BYTES, PictureShelf
from kiosk.errors import RecordsError
from tests.support.places import MemoryPictures

ADA, BOB = (str(uuid.UUID(int=number, version=4)) for number in (1, 2))


def jpeg(number: int) -> tuple[str, bytes]:
    """(sha256, what begins as a JPEG does)."""
    content = b"\xff\xd8\xff\xe0" + number.to_bytes(4, "big")
    return hashlib.sha256(content).hexdigest(), content


def png() -> tuple[str, bytes]:
    """(sha256, what begins as a PNG does)."""
    content = b"\x89PNG\r\n\x1a\n" + bytes(9)
    return hashlib.sha256(content).hexdigest(), content


@pytest.fixture(params=["memory", "s3", "versions"])
def shelf(request: pytest.FixtureRequest) -> PictureShelf:
    """An empty one."""
    if request.param == "memory":
        return MemoryPictures()
    client, bucket = request.getfixturevalue("s3"), request.getfixturevalue("bucket")
    if request.param == "versions":
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return S3Pictures(client, PicturesSettings(enabled=True, bucket=bucket))


def test_pictures_come_back_as_they_were(shelf: PictureShelf) -> None:
    """Each person's own, byte for byte, by SHA-256."""
    pictures = sorted([jpeg(1), jpeg(2), png()])
    for sha256, content in pictures:
        shelf.keep(ADA, sha256, content)
    shelf.keep(BOB.upper(), *jpeg(1))
    assert shelf.kept(ADA) == pictures
    assert shelf.kept(BOB) == [jpeg(1)]


def test_the_same_picture_again_changes_nothing(shelf: PictureShelf) -> None:
    """It is one picture, and counts as one."""
    for _ in range(3):
        shelf.keep(ADA, *jpeg(1))
    assert shelf.kept(ADA) == [jpeg(1)]
    assert shelf.forget(ADA) == 1


def test_forgetting_leaves_nothing_and_may_be_repeated(shelf: PictureShelf) -> None:
    """Of this person; the other's stay. What is forgotten may be kept again."""
    for number in range(3):
        shelf.keep(ADA, *jpeg(number))
    shelf.keep(BOB, *jpeg(0))
    assert shelf.forget(ADA) == 3
    assert (shelf.forget(ADA), shelf.kept(ADA), shelf.kept(BOB)) == (0, [], [jpeg(0)])
    shelf.keep(ADA, *jpeg(1))
    assert shelf.kept(ADA) == [jpeg(1)]


def test_pictures_that_are_to_stay_stay(shelf: PictureShelf) -> None:
    """All others of this person go, nobody else's do; what is to stay and is not there makes no difference."""
    for number in range(3):
        shelf.keep(ADA, *jpeg(number))
    shelf.keep(ADA, *png())
    shelf.keep(BOB, *jpeg(0))
    stay = {jpeg(1)[0], png()[0], jpeg(9)[0]}
    assert (shelf.forget(ADA, stay), shelf.forget(ADA, stay)) == (2, 0)
    assert shelf.names(ADA) == {jpeg(1)[0], png()[0]}
    assert (dict(shelf.kept(ADA)), shelf.kept(BOB)) == (dict([jpeg(1), png()]), [jpeg(0)])
    assert (shelf.forget(ADA), shelf.names(ADA), shelf.names(BOB)) == (2, frozenset(), {jpeg(0)[0]})


@pytest.mark.parametrize(
    ("sha256", "content", "words"),
    [
        (jpeg(1)[0], jpeg(2)[1], "not that of the picture"),
        (jpeg(1)[0].upper(), jpeg(1)[1], "not that of the picture"),
        (hashlib.sha256(b"GIF89a").hexdigest(), b"GIF89a", "neither JPEG nor PNG"),
        (hashlib.sha256(b"").hexdigest(), b"", "neither JPEG nor PNG"),
        ("0" * 64, bytes(MOST_PICTURE_BYTES + 1), "bytes"),
    ],
    ids=["another's", "upper case", "GIF", "empty", "huge"],
)
def test_only_a_jpeg_or_png_of_this_sha256_is_kept(
    shelf: PictureShelf, sha256: str, content: bytes, words: str
) -> None:
    """Whatever else is refused, and leaves nothing."""
    with pytest.raises(RecordsError, match=words):
        shelf.keep(ADA, sha256, content)
    assert shelf.kept(ADA) == []


@pytest.mark.parametrize("name", ["Ada Lovelace", "", "..", "enrollment"])
def test_a_name_never_gets_there(shelf: PictureShelf, name: str) -> None:
    """Only a UUID names a person, in every call: a prefix of all people is no person."""
    calls: list[Any] = [lambda: shelf.keep(name, *jpeg(1)), lambda: shelf.kept(name), lambda: shelf.forget(name)]
    calls += [lambda: shelf.names(name), lambda: shelf.forget(name, {jpeg(1)[0]})]
    for call in calls:
        with pytest.raises(RecordsError, match="UUID"):
            call()
