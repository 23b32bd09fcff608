"""What S3 alone can do to pictures: versions, markers, owners, keys, forged content, many of them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from kiosk.cloud.pictures import S3Pictures
from kiosk.cloud.source import S3Source
from kiosk.config.cloud import PicturesSettings
from kiosk.errors import InputError, RecordsError
from tests.cloud.test_pictures_contract import ADA, BOB, jpeg, png
from tests.support.motokit import Reply, put_many, service, wire

XML = "application/xml"


def shelf(client: Any, bucket: str, **more: Any) -> S3Pictures:
    """In this bucket."""
    return S3Pictures(client, PicturesSettings(enabled=True, bucket=bucket, **more))


def versions(client: Any, bucket: str) -> list[tuple[str, str]]:
    """(key, version) of everything there, delete markers too."""
    page = client.list_object_versions(Bucket=bucket)
    return [(one["Key"], one["VersionId"]) for kind in ("Versions", "DeleteMarkers") for one in page.get(kind, ())]


def test_forgetting_removes_old_versions_and_delete_markers(s3: Any, bucket: str) -> None:
    """Also of what somebody deleted or overwrote by hand, and of what is no picture of ours."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    pictures = shelf(s3, bucket)
    pictures.keep(ADA, *jpeg(1))
    pictures.keep(BOB, *jpeg(1))
    key = f"enrollment/{ADA}/{jpeg(1)[0]}.jpg"
    s3.put_object(Bucket=bucket, Key=key, Body=b"overwritten")
    s3.delete_object(Bucket=bucket, Key=key)
    s3.put_object(Bucket=bucket, Key=f"enrollment/{ADA}/notes.txt", Body=b"by hand")
    pictures.keep(ADA, *jpeg(1))
    assert len(versions(s3, bucket)) == 6
    assert pictures.kept(ADA) == [jpeg(1)]
    assert pictures.forget(ADA) == 2
    assert [key for key, _ in versions(s3, bucket)] == [f"enrollment/{BOB}/{jpeg(1)[0]}.jpg"]


def test_of_the_others_every_version_goes(s3: Any, bucket: str) -> None:
    """Also where it lies beneath a delete marker, and things put there by hand, whatever their names begin with."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    pictures = shelf(s3, bucket)
    for number in (1, 2):
        key = f"enrollment/{ADA}/{jpeg(number)[0]}.jpg"
        pictures.keep(ADA, *jpeg(number))
        s3.delete_object(Bucket=bucket, Key=key)
        pictures.keep(ADA, *jpeg(number))
    s3.put_object(Bucket=bucket, Key=f"enrollment/{ADA}/{jpeg(1)[0]}.jpg.old", Body=b"by hand")
    s3.put_object(Bucket=bucket, Key=f"enrollment/{ADA}/old/{jpeg(1)[0]}.jpg", Body=b"by hand")
    assert pictures.forget(ADA, {jpeg(1)[0]}) == 3
    assert {key for key, _ in versions(s3, bucket)} == {f"enrollment/{ADA}/{jpeg(1)[0]}.jpg"}
    assert pictures.kept(ADA) == [jpeg(1)]


def test_hundreds_of_pictures_are_listed_and_removed_in_pages(s3: Any, bucket: str) -> None:
    """More than S3 gives or takes at once."""
    pictures = shelf(s3, bucket)
    put_many(bucket, {f"enrollment/{ADA}/{number}": b"" for number in range(1103)})
    for number in range(3):
        pictures.keep(ADA, *jpeg(number))
    assert len(pictures.kept(ADA)) == 3
    assert pictures.forget(ADA) == 1106
    assert versions(s3, bucket) == []


@pytest.mark.parametrize(("key_id", "algorithm"), [(None, "AES256"), ("arn:aws:kms:eu-central-1:1:key/2", "aws:kms")])
def test_pictures_are_encrypted_where_they_lie(s3: Any, bucket: str, key_id: str | None, algorithm: str) -> None:
    """With the site's key, or S3's own; the kind of picture is told, no name is."""
    shelf(s3, bucket, kms_key_id=key_id, prefix="a/b").keep(ADA, *png())
    told = s3.head_object(Bucket=bucket, Key=f"a/b/{ADA}/{png()[0]}.png")
    assert (told["ServerSideEncryption"], told.get("SSEKMSKeyId")) == (algorithm, key_id)
    assert (told["ContentType"], told["Metadata"]) == ("image/png", {})


def test_what_is_not_what_was_kept_is_no_picture(s3: Any, bucket: str) -> None:
    """Somebody with the bucket in their hands must not choose who is who."""
    pictures = shelf(s3, bucket)
    pictures.keep(ADA, *jpeg(1))
    s3.put_object(Bucket=bucket, Key=f"enrollment/{ADA}/{jpeg(1)[0]}.jpg", Body=jpeg(2)[1])
    with pytest.raises(RecordsError, match="not the one that was kept") as caught:
        pictures.kept(ADA)
    assert "\n" not in str(caught.value)
    s3.put_object(Bucket=bucket, Key=f"enrollment/{ADA}/{jpeg(1)[0]}.jpg", Body=bytes(20_000_000))
    with pytest.raises(RecordsError, match="not the one that was kept"):
        pictures.kept(ADA)


def test_every_request_says_whose_bucket_it_must_be(moto: str, s3: Any, bucket: str) -> None:
    """A bucket of that name in another account gets nothing and proves nothing."""
    del s3
    with wire(moto) as line, service("s3", line.url) as client:
        pictures = shelf(client, bucket, owner="111122223333")
        pictures.keep(ADA, *jpeg(1))
        pictures.kept(ADA)
        assert pictures.forget(ADA) == 1
        source = S3Source.at(client, f"s3://{bucket}", "111122223333")
        assert list(source.listed()) == []
        assert len(line.seen) >= 7
        for request, headers, _ in line.seen:
            sent = {name.lower(): value for name, value in headers.items()}
            assert sent.get("x-amz-expected-bucket-owner") == "111122223333", request


def test_a_key_that_was_taken_is_looked_into(s3: Any, bucket: str) -> None:
    """Something else under the picture's own name: nobody believes that the picture is kept."""
    pictures = shelf(s3, bucket)
    s3.put_object(Bucket=bucket, Key=f"enrollment/{ADA}/{jpeg(1)[0]}.jpg", Body=jpeg(2)[1])
    with pytest.raises(RecordsError, match="not the one that was kept"):
        pictures.keep(ADA, *jpeg(1))


def test_two_kiosks_keeping_the_same_picture_keep_one(moto: str, s3: Any, bucket: str) -> None:
    """S3 tells one of them to try again; for ever is not believed."""
    conflict = Reply(409, error("ConditionalRequestConflict"), XML)
    with wire(moto) as line, service("s3", line.url) as client:
        line.script = [conflict]
        shelf(client, bucket).keep(ADA, *jpeg(1))
        line.always = conflict
        with pytest.raises(RecordsError, match="others keep the same picture"):
            shelf(client, bucket).keep(ADA, *jpeg(2))
    assert shelf(s3, bucket).kept(ADA) == [jpeg(1)]


def error(code: str) -> bytes:
    """S3's own form."""
    return f"<Error><Code>{code}</Code><Message>secret, of {ADA}</Message></Error>".encode()


def listing(bucket: str, kind: str, inner: str = "", truncated: str = "false") -> bytes:
    """A page."""
    head = f"<Name>{bucket}</Name><Prefix>enrollment/{ADA}/</Prefix><IsTruncated>{truncated}</IsTruncated>"
    return f"<{kind}>{head}{inner}</{kind}>".encode()


CALLS: dict[str, Callable[[S3Pictures], object]] = {
    "keep": lambda pictures: pictures.keep(ADA, *jpeg(1)),
    "kept": lambda pictures: pictures.kept(ADA),
    "forget": lambda pictures: pictures.forget(ADA),
    "names": lambda pictures: pictures.names(ADA),
    "forget but": lambda pictures: pictures.forget(ADA, {jpeg(2)[0]}),
}
FAULTS = {
    "portal": (Reply(200, b"<html><body>Please log in</body></html>", "text/html"), "cannot be read"),
    "no XML": (Reply(200, b"<html><br>Please log in", "text/html"), "cannot be read|no answer|answered 500"),
    "nothing": (Reply(200, b"", XML), "cannot be read|no answer"),
    "denied": (Reply(403, error("AccessDenied"), XML), "AccessDenied; the kiosk's role lacks"),
    "no bucket": (Reply(404, error("NoSuchBucket"), XML), "NoSuchBucket; there is no such bucket"),
    "expired": (Reply(400, error("ExpiredToken"), XML), "ExpiredToken; renew"),
    "skewed": (Reply(403, error("RequestTimeTooSkewed"), XML), "set the clock"),
    "proxy": (Reply(403, b"<html>\r\nBlocked by policy 7</html>", "text/html"), "answered"),
    "long code": (Reply(400, error("x" * 500), XML), "answered an error"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_service_that_misbehaves_is_one_line(moto: str, s3: Any, bucket: str, call: str, fault: str) -> None:
    """Never a success, never an empty shelf, and nothing of its text."""
    shelf(s3, bucket).keep(ADA, *jpeg(1))
    reply, words = FAULTS[fault]
    with wire(moto) as line, service("s3", line.url) as client:
        line.always = reply
        with pytest.raises(RecordsError, match=words) as caught:
            CALLS[call](shelf(client, bucket))
    assert "\n" not in str(caught.value)
    assert not any(part in str(caught.value) for part in ("secret", ADA, "policy", "xxxx"))
    assert len(shelf(s3, bucket).kept(ADA)) == 1


@pytest.mark.parametrize("call", CALLS)
def test_what_passes_is_asked_again(moto: str, s3: Any, bucket: str, call: str) -> None:
    """Throttled once, broken once, lost once: as if nothing had been; one picture, not two."""
    pictures = shelf(s3, bucket)
    pictures.keep(ADA, *jpeg(1))
    for reply in (Reply(503, error("SlowDown"), XML), Reply(500, error("InternalError"), XML), Reply(0, lost=True)):
        with wire(moto) as line, service("s3", line.url) as client:
            line.script = [reply]
            CALLS[call](shelf(client, bucket))
            assert not line.script
    assert pictures.forget(ADA) == (0 if call.startswith("forget") else 1)


def test_a_partial_failure_of_forgetting_is_told(moto: str, s3: Any, bucket: str) -> None:
    """So many of so many, and why; what could be removed is."""
    s3.put_object(Bucket=bucket, Key=f"enrollment/{ADA}/1", Body=b"")
    page = f"<Version><Key>enrollment/{ADA}/1</Key><VersionId>null</VersionId></Version>"
    two = page + page.replace("/1<", "/2<")
    outcome = f"<Deleted><Key>enrollment/{ADA}/1</Key></Deleted>"
    locked = f"<Error><Key>enrollment/{ADA}/2</Key><Code>AccessDenied</Code><Message>secret</Message></Error>"
    with wire(moto) as line, service("s3", line.url) as client:
        for inner, words in (
            (outcome + locked, r"1 of 2 versions could not be removed \(AccessDenied\)"),
            ("", "read"),
        ):
            line.script = [
                Reply(200, listing(bucket, "ListVersionsResult", two), XML),
                Reply(200, f"<DeleteResult>{inner}</DeleteResult>".encode(), XML),
            ]
            with pytest.raises(RecordsError, match=words) as caught:
                shelf(client, bucket).forget(ADA)
            assert "secret" not in str(caught.value)


def test_what_is_left_after_removing_is_an_error(moto: str, s3: Any, bucket: str) -> None:
    """A service that says "removed" and goes on listing it is not believed."""
    del s3
    page = f"<Version><Key>enrollment/{ADA}/1</Key><VersionId>null</VersionId></Version>"
    listed = Reply(200, listing(bucket, "ListVersionsResult", page), XML)
    removed = Reply(200, f"<DeleteResult><Deleted><Key>enrollment/{ADA}/1</Key></Deleted></DeleteResult>".encode(), XML)
    with wire(moto) as line, service("s3", line.url) as client:
        line.script = [*[listed, removed] * 3, listed]
        with pytest.raises(RecordsError, match="keep coming back"):
            shelf(client, bucket).forget(ADA)


@pytest.mark.parametrize("call", ["kept", "forget", "names", "forget but"])
@pytest.mark.parametrize("other", ["bucket", "prefix"])
def test_an_empty_page_of_something_else_proves_nothing(moto: str, s3: Any, bucket: str, call: str, other: str) -> None:
    """Whole, well formed, empty, and of another bucket or folder: nothing is known of this one."""
    del s3
    kind = "ListBucketResult" if call in ("kept", "names") else "ListVersionsResult"
    page = listing("another-bucket" if other == "bucket" else bucket, kind)
    page = page.replace(ADA.encode(), BOB.encode()) if other == "prefix" else page
    with wire(moto) as line, service("s3", line.url) as client:
        line.always = Reply(200, page, XML)
        with pytest.raises(RecordsError, match="cannot be read"):
            CALLS[call](shelf(client, bucket))
        line.always = Reply(200, listing(bucket, kind), XML)
        assert not CALLS[call](shelf(client, bucket))


@pytest.mark.parametrize(
    "page",
    [
        "<Version><Key>enrollment/somebody-else/1</Key><VersionId>null</VersionId></Version>",
        "<Version><Key>enrollment/ADA/1</Key></Version>",
    ],
)
def test_nothing_is_removed_that_was_not_asked_for(moto: str, s3: Any, bucket: str, page: str) -> None:
    """Though the service lists it: no DeleteObjects is sent."""
    del s3
    with wire(moto) as line, service("s3", line.url) as client:
        line.always = Reply(200, listing(bucket, "ListVersionsResult", page.replace("ADA", ADA)), XML)
        with pytest.raises(RecordsError, match="cannot be read"):
            shelf(client, bucket).forget(ADA)
        assert not any(request.startswith("POST") for request, _, _ in line.seen)


def test_a_listing_that_turns_in_circles_ends(moto: str, s3: Any, bucket: str) -> None:
    """The same page with the same mark, for ever."""
    del s3
    with wire(moto) as line, service("s3", line.url) as client:
        mark = "<NextKeyMarker>x</NextKeyMarker>"
        line.always = Reply(200, listing(bucket, "ListVersionsResult", mark, "true"), XML)
        with pytest.raises(RecordsError, match="cannot be read"):
            shelf(client, bucket).forget(ADA)
        assert len(line.seen) == 2


def test_a_source_lists_and_reads_what_is_below_a_prefix(s3: Any, bucket: str) -> None:
    """In pages, in order, without "folders"; keys with blanks and umlauts are keys."""
    put_many(bucket, {f"in/{number:04}.jpg": bytes(number % 7) for number in range(1001)})
    s3.put_object(Bucket=bucket, Key="in/ü & ö/b+c d.jpg", Body=jpeg(5)[1])
    s3.put_object(Bucket=bucket, Key="in/folder/", Body=b"")
    s3.put_object(Bucket=bucket, Key="out/1.jpg", Body=b"x")
    source = S3Source.at(s3, f"s3://{bucket}/in/")
    listed = list(source.listed())
    assert listed[:1001] == [(f"in/{number:04}.jpg", number % 7) for number in range(1001)]
    assert listed[1001:] == [("in/ü & ö/b+c d.jpg", 8)]
    assert source.read("in/ü & ö/b+c d.jpg", 8) == jpeg(5)[1]
    with pytest.raises(InputError, match="larger than 7 bytes"):
        source.read("in/ü & ö/b+c d.jpg", 7)
    with pytest.raises(InputError, match="not below the prefix"):
        source.read("out/1.jpg", 100)
    with pytest.raises(RecordsError, match="NoSuchKey"):
        source.read("in/none.jpg", 100)
    assert len(list(S3Source.at(s3, f"s3://{bucket}").listed())) == 1003
    assert list(S3Source.at(s3, f"s3://{bucket}/none").listed()) == []


def test_a_source_cut_short_is_no_picture(moto: str, s3: Any, bucket: str) -> None:
    """The head promises more than comes; a portal's page is none either."""
    s3.put_object(Bucket=bucket, Key="1.jpg", Body=b"whole")
    with wire(moto) as line, service("s3", line.url) as client:
        line.always = Reply(200, b"<html>Please log in</html>", "text/html")
        with pytest.raises(RecordsError, match="cannot be read"):
            S3Source.at(client, f"s3://{bucket}").read("1.jpg", 1000)
        line.always = Reply(200, b"hal", short=2)
        with pytest.raises(RecordsError, match="no answer"):
            S3Source.at(client, f"s3://{bucket}").read("1.jpg", 1000)


@pytest.mark.parametrize(
    "url", ["", "s3://", "s3:///x", "s3://UPPER/x", "https://bucket/x", "pictures/x", "s3://a b/c"]
)
def test_what_is_no_address_is_told_in_one_line(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(InputError, match="give s3://BUCKET/PREFIX"):
        S3Source.at(None, url)  # type: ignore[arg-type]


def test_shas_and_ids_of_tests_are_real() -> None:
    """Else they would prove nothing."""
    assert hashlib.sha256(jpeg(1)[1]).hexdigest() == jpeg(1)[0]
    assert uuid.UUID(ADA).version == 4
