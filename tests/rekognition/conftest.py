"""A server without its socket, and the AWS client that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.awskit import Bench, open_bench
from tests.support.pgkit import Postgres

EVERYWHERE = ("test_collections", "test_users", "test_sessions", "test_hostile")
"""Modules whose tests depend on what is kept: they run over each store. The others are about the protocol."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Which stores a test's ``bench`` stands over; with PostgreSQL's own search where something is searched."""
    if "bench" not in metafunc.fixturenames:
        return
    module, test = metafunc.module.__name__.rpartition(".")[2], metafunc.function.__name__
    stores = ["embedded"]
    if module in EVERYWHERE:
        stores.append("postgresql")
    if module == "test_users" or (module in EVERYWHERE and ("found" in test or "search" in test)):
        stores.append("postgresql-searches")
    metafunc.parametrize("bench", stores, indirect=True)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Over a fresh store: the encrypted file, PostgreSQL, or PostgreSQL that searches itself."""
    if request.param == "embedded":
        with open_bench(tmp_path) as opened:
            yield opened
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    memory_faces = 0 if request.param == "postgresql-searches" else 1_000_000
    with open_bench(tmp_path, database=postgres.url(postgres.emptied()), memory_faces=memory_faces) as opened:
        yield opened


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
