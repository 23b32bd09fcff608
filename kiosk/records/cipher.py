"""Opens SQLCipher connections for SQLAlchemy, every one with the same explicit settings.

Rules: a connection never creates a file; the key is given raw (no derivation to wait for); a commit is on the disk
when it returns (WAL with ``synchronous=FULL``); deleted content is overwritten; temporary tables stay in memory,
because they would not be encrypted on the disk. A transaction begins IMMEDIATE when it means to write, so two
writers queue at its start and never fail half-way.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from kiosk.errors import RecordsError
from kiosk.records.key import Key

BUSY_TIMEOUT_S = 15.0
CACHE_KIB = 4096
_CIPHER = (
    "cipher_compatibility = 4",
    "cipher_page_size = 4096",
    "cipher_hmac_algorithm = HMAC_SHA512",
    "cipher_kdf_algorithm = PBKDF2_HMAC_SHA512",
)
"""The defaults of SQLCipher 4, written out so that a later library cannot change them under an existing file."""
_DURABILITY = (
    "synchronous = FULL",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
    f"cache_size = -{CACHE_KIB}",
)


def connect(path: Path, key: Key, *, foreign_keys: bool = True) -> Any:
    """One raw DBAPI connection (untyped library), keyed and proven to read the file. Raises dbapi2 errors."""
    connection = dbapi2.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,  # transactions are begun by _begin below, not guessed by the driver
        check_same_thread=False,  # the pool hands a connection to one thread at a time
    )
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA cipher_log_level = NONE")  # it would print to stderr; errors arrive as exceptions
        cursor.execute(f"PRAGMA key = \"x'{key.secret.hex()}'\"")
        for pragma in _CIPHER:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()
        mode = cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise RecordsError(f"the file system allows no write-ahead log ({mode})", where=str(path))
        for pragma in (*_DURABILITY, f"foreign_keys = {'ON' if foreign_keys else 'OFF'}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except BaseException:
        connection.close()
        raise
    return connection


def open_engine(path: Path, key: Key, *, foreign_keys: bool = True) -> Engine:
    """A small pool of such connections. Nothing is opened before the first use; parameters never show in errors."""
    engine = create_engine(
        "sqlite://",
        module=dbapi2,
        creator=lambda: connect(path, key, foreign_keys=foreign_keys),
        poolclass=QueuePool,
        pool_size=2,
        max_overflow=6,
        pool_timeout=BUSY_TIMEOUT_S,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    cursor = connection.connection.cursor()
    try:
        if connection.get_execution_options().get("writes", False):
            _begin_to_write(cursor)
        else:
            cursor.execute("BEGIN")
    finally:
        cursor.close()


def _begin_to_write(cursor: Any) -> None:
    # SQLite's own waiting backs off to 100 ms, and a bulk import in another program would win the lock every time:
    # the door's next event would wait for seconds. Asking every millisecond gets its turn.
    give_up = time.monotonic() + BUSY_TIMEOUT_S
    cursor.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                return
            except dbapi2.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > give_up:
                    raise
                time.sleep(0.001)
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
