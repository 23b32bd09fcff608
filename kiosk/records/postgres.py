"""Connections to PostgreSQL for SQLAlchemy, every one with the same limits.

Rules: no wait is without a limit (connecting, a lock, a statement, a pause within a transaction, a dead wire); a
connection that was cut is replaced before the next use; who reads sees one moment, who writes sees what was committed
before (and takes the collection's row first, so two servers queue). What libpq takes from the environment and from a
service file counts as the address does: another machine is spoken to over TLS and by its certificate's name, or not
at all. psycopg is imported only here, and only when a database was named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from kiosk.config.server import checked_url, is_here, refuse_weak
from kiosk.errors import ConfigurationError, RecordsError

CONNECT_S = 10
LOCK_S = 15.0
STATEMENT_S = 60.0
SETUP_S = 900.0
PAUSE_S = 60.0
POOL_S = 15.0
DEAD_S = 20.0
"""Longest silence of a peer that owes an answer."""
LEAST_PGVECTOR = (0, 7)
"""halfvec came with 0.7.0 (pgvector, CHANGELOG)."""
_SETUP_LOCK = 0x6B696F736B01
"""``pg_advisory_xact_lock`` of whoever makes or upgrades the tables: "kiosk" and a one."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. Made by ``Address.of``; its text form is what messages show."""

    parameters: tuple[tuple[str, str], ...]
    shown: str

    @classmethod
    def of(cls, url: str) -> Address:
        """The address as libpq understands it, environment included. Raises ConfigurationError."""
        psycopg = _driver()
        try:
            checked_url(url)
            given = {name: str(value) for name, value in psycopg.conninfo.conninfo_to_dict(url).items()}
            if "password" in given:
                raise ValueError("must not hold a password")
            usual = {one.keyword.decode(): one.val for one in psycopg.pq.Conninfo.get_defaults() if one.val}
            hosts = given.get("host") or (usual.get("host") or b"").decode()
            far = usual.get("hostaddr", b"").decode()
            if is_here(hosts) and is_here(far):
                mode = given.get("sslmode") or usual.get("sslmode", b"prefer").decode()
            else:
                # libpq's own default, "prefer", is no decision of anybody's; a weaker one that was made is refused.
                mode = given.get("sslmode") or _decided(usual.get("sslmode")) or "verify-full"
                refuse_weak(far or hosts, mode)
        except (ValueError, psycopg.Error) as error:
            what = str(error) if isinstance(error, ValueError) else "is no address that PostgreSQL's library reads"
            raise ConfigurationError(what, where="the database's address", mend="see docs/postgres.md") from None
        port = given.get("port", "")
        shown = f"postgresql://{hosts}{f':{port}' if port else ''}/{given.get('dbname', '')}"
        return cls(tuple({**given, "sslmode": mode}.items()), shown)


def _decided(mode: bytes | None) -> str | None:
    return None if mode in (None, b"prefer") else str(mode, "ascii")


def open_engine(address: Address) -> Engine:
    """A pool of such connections. Nothing is opened before the first use; parameters never show in errors."""
    psycopg = _driver()

    def connect() -> Any:
        return psycopg.connect(**{**dict(address.parameters), **_limits()})

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=8,
        pool_timeout=POOL_S,
        pool_pre_ping=True,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
    )


def reading(engine: Engine) -> Engine:
    """The same connections for who reads: one moment for all statements of a transaction."""
    return engine.execution_options(isolation_level="REPEATABLE READ")


def alone(connection: Connection) -> None:
    """Wait for who else makes or upgrades the tables; until the transaction ends. Raises on time-out (55P03)."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _SETUP_LOCK})
    connection.execute(text(f"SET LOCAL statement_timeout = {round(SETUP_S * 1000)}"))  # a large table is rewritten


def prepare(connection: Connection, where: str) -> None:
    """What must hold before tables are made: UTF-8, and pgvector, which is created if it may. Raises RecordsError."""
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise RecordsError(f"the database is encoded in {encoding}", where=where, mend="make one in UTF8")
    if not _pgvector(connection, where):
        known = text("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")
        if connection.scalar(known) is None:
            raise RecordsError(
                "pgvector is not installed on the database server", where=where, mend="install it there, 0.7 or newer"
            )
        try:
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        except DBAPIError as error:
            raise RecordsError(
                "the role may not create the extension vector",
                where=where,
                mend="run CREATE EXTENSION vector in this database as a superuser",
            ) from error
        _pgvector(connection, where)


def _pgvector(connection: Connection, where: str) -> bool:
    """Whether it is created; refuses one without halfvec."""
    version = connection.scalar(text("SELECT extversion FROM pg_extension WHERE extname = 'vector'"))
    if version is None:
        return False
    if tuple(int(part) for part in str(version).split(".")[:2] if part.isdigit()) < LEAST_PGVECTOR:
        raise RecordsError(
            f"pgvector {version} is too old",
            where=where,
            mend="update it to 0.7 or newer: ALTER EXTENSION vector UPDATE",
        )
    return True


def _limits() -> dict[str, Any]:
    """libpq's parameters that no address may change."""
    options = {
        "statement_timeout": STATEMENT_S,
        "lock_timeout": LOCK_S,
        "idle_in_transaction_session_timeout": PAUSE_S,
    }
    return {
        "connect_timeout": CONNECT_S,
        "options": " ".join(f"-c {name}={round(seconds * 1000)}" for name, seconds in options.items()),
        "tcp_user_timeout": round(DEAD_S * 1000),
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "client_encoding": "UTF8",
        "gssencmode": "disable",  # it would take the place of TLS, and its name check with it
        "fallback_application_name": "kiosk",
    }


def _driver() -> Any:
    try:
        import pgvector.sqlalchemy  # noqa: F401 - asked for here so that the answer is one line
        import psycopg
    except ImportError as error:
        raise ConfigurationError(
            "PostgreSQL needs the packages of the extra 'postgres'", where="database", mend="pip install .[postgres]"
        ) from error
    return psycopg
