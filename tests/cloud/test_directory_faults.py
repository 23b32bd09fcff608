"""A DynamoDB that throttles, breaks, refuses or is none: one line each, no secret, and never an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from kiosk.cloud.clients import ATTEMPTS, open_service
from kiosk.cloud.directory import DynamoDirectory
from kiosk.cloud.table import prepare
from kiosk.config.cloud import ServiceSettings
from kiosk.errors import ConfigurationError, RecordsConflict, RecordsError
from kiosk.records.texts import tidy_badge
from tests.cloud.test_directory_contract import ADA, BOB, FACES
from tests.support.motokit import KEY_ID, SECRET, Reply, fresh, service, wire

CALLS: dict[str, Callable[[DynamoDirectory], object]] = {
    "claim": lambda directory: directory.claim(ADA, "17"),
    "confirm": lambda directory: directory.confirm(ADA, FACES),
    "release": lambda directory: directory.release(ADA),
    "holder": lambda directory: directory.holder("17"),
    "faces": lambda directory: directory.faces(ADA),
}


def fault(code: str, status: int = 400) -> Reply:
    """DynamoDB's own form, with a text that nobody should see."""
    text = f'{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"arn:aws:iam::1:user/hidden"}}'
    return Reply(status, text.encode())


def cancelled(*codes: str) -> Reply:
    """A transaction that was cancelled for these reasons."""
    reasons = ",".join(f'{{"Code":"{code}","Message":"hidden"}}' for code in codes)
    body = f'{{"__type":"x#TransactionCanceledException","message":"hidden","CancellationReasons":[{reasons}]}}'
    return Reply(400, body.encode())


PORTAL = b"<html><head><title>Welcome</title></head><body>Please log in, hidden</body></html>"
FAULTS = {
    "denied": (fault("AccessDeniedException"), "AccessDeniedException; the kiosk's role lacks a permission"),
    "no table": (fault("ResourceNotFoundException"), "ResourceNotFoundException; there is no such table"),
    "expired": (fault("ExpiredTokenException"), "ExpiredTokenException; renew the credentials"),
    "unknown key": (fault("UnrecognizedClientException"), "UnrecognizedClientException; check the credentials"),
    "bad clock": (fault("InvalidSignatureException"), "check the secret key and the clock"),
    "throttled": (fault("ThrottlingException"), "ThrottlingException; try again later"),
    "throughput": (fault("ProvisionedThroughputExceededException"), "ProvisionedThroughputExceededException"),
    "broken": (fault("InternalServerError", 500), "answered InternalServerError"),
    "gateway": (Reply(502, b"<html>Bad Gateway hidden</html>", "text/html"), "answered"),
    "portal": (Reply(200, PORTAL, "text/html"), "cannot be read; check the network"),
    "portal that says JSON": (Reply(200, PORTAL), "cannot be read|no answer"),
    "empty": (Reply(200, b""), "cannot be read|no answer"),
    "nothing in it": (Reply(200, b"{}"), "cannot be read"),
    "list": (Reply(200, b"[]"), "cannot be read|no answer"),
    "null": (Reply(200, b"null"), "cannot be read|no answer"),
    "deep": (Reply(200, b"[" * 100_000), "cannot be read|no answer"),
    "odd code": (fault("x" * 200), "answered an error"),
    "cancelled for no reason": (cancelled(), "answered TransactionCanceledException"),
    "cancelled as invalid": (cancelled("None", "ValidationError"), "answered (ValidationError|TransactionC)"),
    "cancelled oddly": (cancelled("a b c"), "answered (an error|TransactionC)"),
}


def directory(client: Any, table: str) -> DynamoDirectory:
    """Over these calls, without waits."""
    return DynamoDirectory(client, table, tidy_badge, pause=lambda _seconds: None)


@pytest.fixture
def shared(moto: str, signed: None) -> Any:
    """(wire, client). One client a test: whose tries were used up for one fault, makes none for the next."""
    del signed
    with wire(moto) as line, service("dynamodb", line.url) as client:
        yield line, client


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_service_that_misbehaves_is_one_line(shared: Any, call: str, name: str) -> None:
    """Never "nobody", never "done", never somebody else's badge; and nothing of what the service wrote."""
    line, client = shared
    line.always, words = FAULTS[name]
    with pytest.raises(RecordsError, match=words) as caught:
        CALLS[call](directory(client, "door"))
    assert not isinstance(caught.value, RecordsConflict)
    told = str(caught.value)
    assert told.startswith("directory door: ")
    assert not any(part in told for part in ("\n", "hidden", "arn:", "html", SECRET, KEY_ID, ADA, "xxxx"))


@pytest.mark.parametrize("name", ["throttled", "broken", "gateway"])
@pytest.mark.parametrize("call", CALLS)
def test_what_passes_is_asked_again(shared: Any, dynamodb: Any, call: str, name: str) -> None:
    """Twice broken, then well: as if nothing had been."""
    line, client = shared
    table = fresh("table")
    prepare(dynamodb, table)
    directory(dynamodb, table).claim(ADA, "17")
    line.always, line.script = None, [FAULTS[name][0], FAULTS[name][0]]
    CALLS[call](directory(client, table))
    assert not line.script


def test_a_service_that_is_gone_is_asked_so_often_and_no_more(shared: Any) -> None:
    """The bound on requests is real."""
    line, client = shared
    line.always, line.seen = FAULTS["broken"][0], []
    with pytest.raises(RecordsError):
        directory(client, "door").holder("17")
    assert len(line.seen) == ATTEMPTS


def test_a_real_table_that_is_missing_is_told(dynamodb: Any) -> None:
    """By the service itself, for reading and for writing."""
    for call in CALLS.values():
        with pytest.raises(RecordsError, match="ResourceNotFound") as caught:
            call(directory(dynamodb, fresh("none")))
        assert "\n" not in str(caught.value)


def test_nobody_at_home_ends(moto: str, signed: None) -> None:
    """The port is closed, and the wire was cut before."""
    del signed
    with wire(moto) as line:
        pass
    with service("dynamodb", line.url) as client, pytest.raises(RecordsError, match="no answer"):
        directory(client, "door").claim(ADA, "17")


def test_a_service_that_hangs_ends(signed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connected, and then nothing: the time-out is ours, not the service's."""
    import socket

    del signed
    monkeypatch.setattr("kiosk.cloud.clients.READ_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        with service("dynamodb", url) as client, pytest.raises(RecordsError, match=r"no answer \(ReadTimeout"):
            directory(client, "door").claim(ADA, "17")
        assert time.monotonic() - began < 60.0


def test_without_credentials_nothing_is_sent(moto: str, signed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the line says so."""
    del signed
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with wire(moto) as line, service("dynamodb", line.url) as client:
        with pytest.raises(RecordsError, match="NoCredentials"):
            directory(client, "door").holder("17")
        assert line.seen == []


def test_other_people_s_endpoints_in_the_environment_are_not_asked(
    moto: str, signed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where badges go, the kiosk's own configuration says."""
    del signed
    with wire(moto) as line:
        monkeypatch.setenv("AWS_ENDPOINT_URL", line.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", line.url)
        client = open_service("dynamodb", ServiceSettings())
        try:
            assert client.meta.endpoint_url == "https://dynamodb.eu-central-1.amazonaws.com"
        finally:
            client.close()


def test_settings_of_no_use_are_told_at_the_start(signed: None) -> None:
    """In one line that names the service."""
    del signed
    with pytest.raises(ConfigurationError, match=r"dynamodb: cannot be used .*no-such-profile") as caught:
        open_service("dynamodb", ServiceSettings(profile="no-such-profile"))
    assert "\n" not in str(caught.value)


def test_a_table_with_other_things_in_it_is_unreadable(dynamodb: Any) -> None:
    """Half an item is no person."""
    table = fresh("table")
    prepare(dynamodb, table)
    for item in (
        {"pk": {"S": f"PERSON#{ADA}"}},
        {"pk": {"S": f"PERSON#{ADA}"}, "faces": {"L": [{"M": {"engine": {"S": "aws"}}}]}},
        {"pk": {"S": f"PERSON#{ADA}"}, "faces": {"S": "none"}},
    ):
        dynamodb.put_item(TableName=table, Item=item)
        for name in ("confirm", "release", "faces"):
            with pytest.raises(RecordsError, match="cannot be read"):
                CALLS[name](directory(dynamodb, table))
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "BADGE#17"}, "person_id": {"S": BOB}})
    with pytest.raises(RecordsError, match="cannot be read"):
        directory(dynamodb, table).holder("17")


def test_a_badge_s_item_that_was_left_by_hand_lapses(dynamodb: Any, now: Any) -> None:
    """Somebody deleted the person's item in the console: after an hour the badge can be had, by anybody."""
    table = fresh("table")
    prepare(dynamodb, table)
    ours = DynamoDirectory(dynamodb, table, tidy_badge, clock=now)
    for who in (ADA, BOB):
        ours.claim(ADA, "17")
        dynamodb.delete_item(TableName=table, Key={"pk": {"S": f"PERSON#{ADA}"}})
        with pytest.raises(RecordsConflict):
            ours.claim(who, "17")
        now.pass_(timedelta(hours=2))
        ours.claim(who, "17")
        assert (ours.holder("17"), ours.faces(who)) == (who, ())
        ours.release(who)


def test_a_person_is_forgotten_whoever_has_the_badge(dynamodb: Any, now: Any) -> None:
    """Somebody gave the badge's item to another by hand: that stays, the person goes."""
    table = fresh("table")
    prepare(dynamodb, table)
    ours = DynamoDirectory(dynamodb, table, tidy_badge, clock=now, pause=lambda _seconds: None)
    ours.claim(ADA, "17")
    item = dynamodb.get_item(TableName=table, Key={"pk": {"S": "BADGE#17"}})["Item"]
    dynamodb.put_item(TableName=table, Item={**item, "person_id": {"S": BOB}})
    ours.release(ADA)
    assert (ours.faces(ADA), ours.holder("17")) == (None, BOB)


def test_no_name_and_no_badge_but_the_number_is_sent(shared: Any, dynamodb: Any) -> None:
    """What a registration sends, to the letter: ids, the number, face ids, a time, a state."""
    line, client = shared
    table = fresh("table")
    prepare(dynamodb, table)
    line.always, line.seen = None, []
    ours = directory(client, table)
    ours.claim(ADA, "17")
    ours.confirm(ADA, FACES)
    person = dynamodb.get_item(TableName=table, Key={"pk": {"S": f"PERSON#{ADA}"}})["Item"]
    badge = dynamodb.get_item(TableName=table, Key={"pk": {"S": "BADGE#17"}})["Item"]
    assert set(person) == {"pk", "badge", "state", "claimed_at", "faces"}
    assert set(badge) == {"pk", "person_id", "state", "claimed_at"}
    assert (person["state"], badge["state"]) == ({"S": "confirmed"}, {"S": "confirmed"})
    reads = [body for body in (json.loads(body) for _, _, body in line.seen) if "Key" in body]
    assert reads
    assert all(body["ConsistentRead"] is True for body in reads)


def test_the_table_is_made_once_and_as_it_should_be(dynamodb: Any) -> None:
    """Paid by request, protected, restorable; again is no error; another's table is not touched."""
    table = fresh("table")
    assert prepare(dynamodb, table)
    assert prepare(dynamodb, table)
    told = dynamodb.describe_table(TableName=table)["Table"]
    assert told["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert told["DeletionProtectionEnabled"] is True
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    other = fresh("table")
    dynamodb.create_table(
        TableName=other,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(RecordsError, match="another shape"):
        prepare(dynamodb, other)


def test_a_server_without_restoring_has_a_table_all_the_same(moto: str, dynamodb: Any) -> None:
    """And whoever made it is told; a fault is a fault."""
    del dynamodb
    with wire(moto) as line, service("dynamodb", line.url) as client:
        for reply, outcome in ((fault("UnknownOperationException"), False), (fault("ExpiredTokenException"), None)):
            line.script = [Reply(reply.status, reply.body, about=b"PointInTime")]
            if outcome is None:
                with pytest.raises(RecordsError, match="ExpiredTokenException"):
                    prepare(client, fresh("table"))
            else:
                assert prepare(client, fresh("table")) is outcome


def test_a_key_of_one_s_own_encrypts_the_table(dynamodb: Any) -> None:
    """Where a site asks for it."""
    table = fresh("table")
    prepare(dynamodb, table, kms_key_id="arn:aws:kms:eu-central-1:1:key/2")
    told = dynamodb.describe_table(TableName=table)["Table"]["SSEDescription"]
    assert (told["SSEType"], told["KMSMasterKeyArn"]) == ("KMS", "arn:aws:kms:eu-central-1:1:key/2")
