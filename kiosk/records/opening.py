"""Making a database, and opening one that is there.

Rules: a database is built under another name and appears complete or not at all, so a file that is there but empty is
damage and never a reason to start afresh; making and migrating happen under a lock on the directory; what a failed
making began is removed again.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from kiosk.errors import RecordsError
from kiosk.records import migrate
from kiosk.records.cipher import open_engine
from kiosk.records.faults import not_opened, translated
from kiosk.records.key import Key, KeySource, sync_directory

LOCK_TIMEOUT_S = 30.0
_SUFFIXES = ("", "-wal", "-shm", "-journal")


def opened(path: Path, source: KeySource, *, create: bool) -> Engine:
    """An engine on a database of our schema. Raises the RecordsError family; leaves nothing half-made."""
    with translated(path, opening=True):
        if not path.exists():
            if not create:
                raise RecordsError("there is no database", where=str(path), mend="enroll somebody first")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with directory_lock(path.parent):
                if not path.exists():
                    _make(path, source)
        if path.is_file() and not path.stat().st_size:
            raise not_opened(path)
        key = source.read()
        engine = open_engine(path, key)
        try:
            if not _is_current(engine, path):
                engine.dispose()
                with directory_lock(path.parent):
                    _bring_up(path, key)
        except BaseException:
            engine.dispose()
            raise
        return engine


@contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """One maker or migrator at a time, across processes; ends with the process. Raises RecordsError on time-out."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        give_up = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise RecordsError(
                        "another program is preparing the database", where=str(directory), mend="try again"
                    ) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _make(path: Path, source: KeySource) -> None:
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        raise RecordsError("the write-ahead log is here, its database is gone", where=str(wal), mend="restore a backup")
    fresh = path.with_name(path.name + ".new")
    _remove(fresh)
    source.forget_half()
    made_key = False
    try:
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        if not source.exists() and not source.credential:
            source.make()
            made_key = True
        _bring_up(fresh, source.read())
        fresh.rename(path)
        sync_directory(path.parent)
    except BaseException:
        _remove(fresh)
        if made_key and not path.exists():
            source.path.unlink(missing_ok=True)
        raise


def _bring_up(path: Path, key: Key) -> None:
    engine = open_engine(path, key, foreign_keys=False)
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            migrate.refuse_newer(migrate.revision_of(connection))
            migrate.upgrade(connection)
    finally:
        engine.dispose()


def _is_current(engine: Engine, path: Path) -> bool:
    with engine.connect() as connection:
        revision = migrate.revision_of(connection)
    if revision is None:
        raise RecordsError("the database has no tables", where=str(path), mend="restore a backup")
    migrate.refuse_newer(revision)
    return revision == migrate.HEAD


def _remove(path: Path) -> None:
    for suffix in _SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
