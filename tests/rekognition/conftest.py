"""A server without its socket, and the AWS client that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.awskit import Bench, open_bench
from tests.support.pgkit import Postgres


@pytest.fixture(params=["embedded", "postgresql", "postgresql searches"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Over a fresh store: the encrypted file, PostgreSQL, and PostgreSQL that also searches."""
    if request.param == "embedded":
        with open_bench(tmp_path) as opened:
            yield opened
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.fresh()
    memory_faces = 0 if request.param.endswith("searches") else 1_000_000
    with open_bench(tmp_path, database=postgres.url(name), memory_faces=memory_faces) as opened:
        yield opened
    postgres.drop(name)


@pytest.fixture
def aws(bench: Bench) -> Any:
    """boto3's client with the admin's key."""
    return bench.client()


@pytest.fixture
def refusal() -> Callable[..., tuple[str, int, str]]:
    """(AWS's name, HTTP status, message) of a call that must fail."""
    from botocore.exceptions import ClientError

    def ask(call: Callable[..., Any], **members: Any) -> tuple[str, int, str]:
        with pytest.raises(ClientError) as caught:
            call(**members)
        told = caught.value.response
        return told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Message"]

    return ask
