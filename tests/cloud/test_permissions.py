"""docs/cloud.md against what is really called: its policies, its Python and its configuration."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kiosk.cloud.directory import DynamoDirectory
from kiosk.cloud.pictures import S3Pictures
from kiosk.cloud.source import S3Source
from kiosk.cloud.table import prepare
from kiosk.config.cloud import PicturesSettings
from kiosk.config.load import parse
from kiosk.enrollment.places import LEASE
from kiosk.records.texts import tidy_badge
from tests.cloud.test_directory_contract import ADA, BOB, FACES
from tests.cloud.test_pictures_contract import jpeg
from tests.support.motokit import fresh

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cloud.md").read_text(encoding="utf-8")
NEEDED = {
    "ListObjectsV2": {"s3:ListBucket"},
    "ListObjectVersions": {"s3:ListBucketVersions"},
    "DeleteObjects": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "PutObject": {"s3:PutObject"},
    "GetObject": {"s3:GetObject"},
}
"""Operations of S3 to the actions they need (Service Authorization Reference); DynamoDB's bear their actions' names."""


def block(kind: str, number: int = 0) -> str:
    """A fenced block of the page."""
    return re.findall(rf"(?ms)^```{kind}\n(.*?)^```", PAGE)[number]


def called(client: Any, actions: set[str]) -> None:
    """Note the actions that this client's requests need."""

    def note(params: Any, model: Any, **_: Any) -> None:
        if model.name == "TransactWriteItems":
            asked = json.loads(params["body"])["TransactItems"]
            actions.update(f"dynamodb:{kind}Item" for one in asked for kind in one)
        else:
            actions.update(NEEDED.get(model.name, {f"{model.service_model.service_name}:{model.name}"}))

    client.meta.events.register("before-call", note)


def test_the_policy_allows_what_enrolling_needs_and_nothing_else(dynamodb: Any, s3: Any, bucket: str, now: Any) -> None:
    """Every request of a life: claimed, taken over, confirmed, kept, read, forgotten."""
    table = fresh("table")
    prepare(dynamodb, table)
    actions: set[str] = set()
    called(dynamodb, actions)
    called(s3, actions)
    directory = DynamoDirectory(dynamodb, table, tidy_badge, clock=now)
    directory.claim(ADA, "17")
    now.pass_(2 * LEASE)
    directory.claim(BOB, "17")
    directory.confirm(BOB, FACES)
    directory.holder("17")
    directory.release(BOB)
    shelf = S3Pictures(s3, PicturesSettings(enabled=True, bucket=bucket))
    for _ in range(2):
        shelf.keep(ADA, *jpeg(1))
    shelf.kept(ADA)
    source = S3Source.at(s3, f"s3://{bucket}/enrollment/")
    source.read(next(source.listed())[0], 100)
    shelf.forget(ADA)
    policy = json.loads(block("json", 1))
    assert {one["Effect"] for one in policy["Statement"]} == {"Allow"}
    allowed = {action for one in policy["Statement"] for action in one["Action"]}
    assert actions == {action for action in allowed if action.startswith(("dynamodb:", "s3:"))}
    assert not any("*" in action for action in allowed)


def test_the_policies_name_one_table_one_prefix_and_one_key() -> None:
    """Nothing is allowed on everything."""
    for number in (0, 1):
        for one in json.loads(block("json", number))["Statement"]:
            assert one["Resource"].startswith("arn:aws:")
            assert not one["Resource"].endswith(":*")


def test_the_table_is_made_as_the_page_says(moto: str, dynamodb: Any) -> None:
    """The block of Python, with another table and address."""
    table = fresh("table")
    text = block("python").replace('profile="admin"', f'endpoint_url="{moto}"').replace('"door-kiosk"', f'"{table}"')
    exec(compile(text, "docs/cloud.md", "exec"), {})  # noqa: S102 - the page's own block is what is tested
    assert dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"


def test_the_configuration_of_the_page_is_one() -> None:
    """It can be pasted as it stands."""
    cloud = parse(block("toml"), "docs/cloud.md").cloud
    assert (cloud.directory.enabled, cloud.directory.table) == (True, "door-kiosk")
    assert (cloud.pictures.bucket, cloud.pictures.owner) == ("door-kiosk-pictures", "111122223333")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[cloud.pictures]\nenabled = true", "bucket is needed"),
        ('[cloud.pictures]\nbucket = "Upper"', "bucket"),
        ('[cloud.pictures]\nprefix = "/x"', "prefix"),
        ('[cloud.pictures]\nprefix = "x/"', "prefix"),
        ('[cloud.pictures]\nprefix = "a/../b"', "prefix"),
        ('[cloud.pictures]\nowner = "me"', "owner"),
        ('[cloud.directory]\ntable = "a b"', "table"),
        ('[cloud.directory]\nendpoint_url = "http://cellar.example"', "endpoint_url must be https"),
        ('[cloud.pictures]\nendpoint_url = "https://user:secret@cellar.example"', "endpoint_url must be https"),
        ('[cloud.directory]\nsecret_access_key = "x"', "secret_access_key"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(text: str, words: str) -> None:
    """At the start, in one line."""
    from kiosk.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match=words) as caught:
        parse(text, "kiosk.toml")
    assert "\n" not in str(caught.value)


def test_nothing_is_used_unless_it_is_enabled() -> None:
    """The default is the embedded store alone."""
    cloud = parse("", "kiosk.toml").cloud
    assert (cloud.directory.enabled, cloud.pictures.enabled) == (False, False)
