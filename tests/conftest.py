"""Rules for every test: examples are drawn the same way each time, and no test is judged by the wall clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.pgkit import Postgres, running

settings.register_profile(
    "kiosk",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # also a wall clock
)
settings.load_profile("kiosk")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests of this process."""
    with running() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """A fresh, empty database."""
    name = postgres.fresh()
    yield name
    postgres.drop(name)
