"""Who may ask: signatures, clocks, scopes, rates - each refusal by its exact name, and planted changes on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest

from kiosk.rekognition.access import NEEDS, SCOPES
from kiosk.rekognition.operations.table import TABLE
from tests.support.awskit import Bench, open_bench
from tests.support.painted import painting, people

Refusal = Callable[..., tuple[str, int, str]]


def test_a_wrong_secret_and_an_unknown_key_are_told_apart(bench: Bench, refusal: Refusal) -> None:
    """By AWS's own names."""
    forged = bench.client(secret="0" * 40)
    assert refusal(forged.list_collections)[:2] == ("InvalidSignatureException", 400)
    other = bench.key("admin")
    assert bench.store.shelf().revoke_key(other.access_key_id)
    assert refusal(bench.client(other).list_collections)[:2] == ("UnrecognizedClientException", 400)
    assert not bench.store.shelf().revoke_key(other.access_key_id)


@pytest.mark.parametrize(("minutes", "fine"), [(-14, True), (14, True), (-16, False), (16, False)])
def test_the_clock_may_differ_by_fifteen_minutes(bench: Bench, refusal: Refusal, minutes: int, fine: bool) -> None:
    """A request that was overheard is worth nothing later."""
    bench.now = datetime.now(UTC) + timedelta(minutes=minutes)
    client = bench.client()
    if fine:
        client.list_collections()
    else:
        assert refusal(client.list_collections)[0] == "InvalidSignatureException"


def with_body(request: AWSPreparedRequest) -> None:
    """Another collection."""
    request.body = b'{"CollectionId": "other"}'


def with_body_and_its_hash(request: AWSPreparedRequest) -> None:
    """Another collection, and a header that vouches for the old body."""
    request.body = b'{"CollectionId": "other"}'
    request.headers["X-Amz-Content-SHA256"] = "0" * 64


def with_target(request: AWSPreparedRequest) -> None:
    """Another operation."""
    request.headers["X-Amz-Target"] = "RekognitionService.DeleteCollection"


def with_host(request: AWSPreparedRequest) -> None:
    """Meant for another server."""
    request.headers["Host"] = "elsewhere.test"


def without_target_signed(request: AWSPreparedRequest) -> None:
    """The operation left out of the signature."""
    told = request.headers["Authorization"].decode()
    request.headers["Authorization"] = told.replace(";x-amz-target", "")


def unsigned(request: AWSPreparedRequest) -> None:
    """As a browser would ask."""
    del request.headers["Authorization"]


def half_signed(request: AWSPreparedRequest) -> None:
    """A header that is no signature."""
    request.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=x"


def dated_yesterday(request: AWSPreparedRequest) -> None:
    """The date of the credential is not the request's."""
    told = request.headers["Authorization"].decode()
    today = datetime.now(UTC).strftime("%Y%m%d")
    request.headers["Authorization"] = told.replace(f"/{today}/", "/20200101/")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (with_body, "InvalidSignatureException"),
        (with_body_and_its_hash, "InvalidSignatureException"),
        (with_target, "InvalidSignatureException"),
        (with_host, "InvalidSignatureException"),
        (dated_yesterday, "InvalidSignatureException"),
        (without_target_signed, "IncompleteSignatureException"),
        (half_signed, "IncompleteSignatureException"),
        (unsigned, "MissingAuthenticationTokenException"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_request_that_was_changed_on_its_way_is_refused(
    bench: Bench, refusal: Refusal, change: Callable[[AWSPreparedRequest], None], code: str
) -> None:
    """And nothing of it is done."""
    client = bench.client()
    client.create_collection(CollectionId="staff")
    bench.change = change
    assert refusal(client.describe_collection, CollectionId="staff")[0] == code
    assert bench.store.shelf().collection("staff") is not None


def test_every_operation_has_a_scope_and_every_scope_its_operations() -> None:
    """Nothing is offered without one, nothing is named that is not offered."""
    assert set(NEEDS) == set(TABLE)
    assert set(NEEDS.values()) == set(SCOPES)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_may_what_the_ones_before_it_may_and_no_more(bench: Bench, refusal: Refusal, scope: Any) -> None:
    """Asked through the wire with every operation."""
    bench.client().create_collection(CollectionId="staff")
    client = bench.client(bench.key(scope), checked=False)
    for operation, needed in NEEDS.items():
        call = getattr(client, "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_"))
        allowed = SCOPES.index(scope) >= SCOPES.index(needed)
        if operation == "ListCollections":
            assert call()["CollectionIds"] == ["staff"]
            continue
        # Without what the operation needs: who may ask is told that instead.
        wrong = {"KmsKeyId": "alias/mine"} if operation == "CreateFaceLivenessSession" else {}
        code, _, _ = refusal(call, **wrong)
        assert code == ("InvalidParameterException" if allowed else "AccessDeniedException"), operation


def test_a_key_for_one_collection_sees_no_other(bench: Bench, refusal: Refusal) -> None:
    """Neither listed nor told whether it exists."""
    admin = bench.client()
    for name in ("mine", "theirs"):
        admin.create_collection(CollectionId=name)
    client = bench.client(bench.key("admin", "mine", "planned"))
    assert client.list_collections()["CollectionIds"] == ["mine"]
    picture = {"Bytes": painting(*people(1))}
    client.index_faces(CollectionId="mine", Image=picture)
    told = [refusal(client.index_faces, CollectionId=name, Image=picture) for name in ("theirs", "nowhere")]
    assert told[0] == told[1]
    assert told[0][0] == "AccessDeniedException"
    assert refusal(client.create_collection, CollectionId="more")[0] == "AccessDeniedException"
    client.create_collection(CollectionId="planned")


def test_who_asks_too_often_is_told_to_wait(tmp_path: Path, refusal: Refusal) -> None:
    """Each key by itself; a client that waits is served again."""
    with open_bench(tmp_path, per_s=2.0, burst=3) as bench:
        first, second = bench.client(), bench.client(bench.key("read-only"))
        for _ in range(3):
            first.list_collections()
        assert refusal(first.list_collections)[:2] == ("ThrottlingException", 400)
        second.list_collections()
        bench.clock_s = 0.5
        first.list_collections()
        assert refusal(first.list_collections)[0] == "ThrottlingException"


def test_a_fault_inside_is_told_as_one_and_no_more(
    bench: Bench, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client hears that it may ask again; the log hears the kind; nobody the contents."""

    def broken(*_: object) -> dict[str, Any]:
        raise ValueError("secret contents")

    monkeypatch.setitem(TABLE, "ListCollections", broken)  # type: ignore[arg-type]  # a plain dictionary inside
    assert refusal(bench.client().list_collections) == ("InternalServerError", 500, "internal error")
    assert bench.log[-1][1]["cause"] == "ValueError"
    assert "secret contents" not in repr(bench.log)


def test_an_operation_that_is_not_offered_is_unknown(bench: Bench, refusal: Refusal) -> None:
    """AWS has more of them."""
    assert refusal(bench.client().list_stream_processors)[0] == "UnknownOperationException"
