"""One moto server a process, credentials that it takes, a table and buckets of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.motokit import credentials, fresh, moto_server, service


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Address of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore does not wait between its tries, nor does its adaptive mode before them."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket._sleep_amount", lambda *_: 0.0)


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment."""
    credentials(monkeypatch)


@pytest.fixture
def dynamodb(moto: str, signed: None) -> Iterator[Any]:
    """boto3's client."""
    del signed
    with service("dynamodb", moto) as client:
        yield client


@pytest.fixture
def s3(moto: str, signed: None) -> Iterator[Any]:
    """boto3's client."""
    del signed
    with service("s3", moto) as client:
        yield client


@pytest.fixture
def bucket(s3: Any) -> str:
    """An empty bucket without versions."""
    name = fresh("bucket")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return name


@dataclass
class Now:
    """A clock that tests move."""

    utc: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time that the test set."""
        return self.utc

    def pass_(self, time: timedelta) -> None:
        """It is later."""
        self.utc += time


@pytest.fixture
def now() -> Now:
    """Noon."""
    return Now()
