"""Keeping the database sound: wiping, checking, backing up.

Rules: what was removed is overwritten in the file and in the write-ahead log, and if the power fails in between, the
next opening does it; a backup is complete, checked and encrypted under the same key, or it is not there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, text
from sqlalchemy.dialects.sqlite import insert

from kiosk.errors import RecordsConflict, RecordsError
from kiosk.records import events
from kiosk.records.cipher import BUSY_TIMEOUT_S, open_engine
from kiosk.records.faults import translated
from kiosk.records.key import Key, sync_directory
from kiosk.records.migrate import revision_of
from kiosk.records.schema import EventRow, MetaRow, PersonRow, TemplateRow

_WIPE_OWED = "wipe_owed"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What ``check`` found; figures for the doctor's line."""

    problems: tuple[str, ...]
    schema: str
    people: int
    templates: int
    events: int
    size_bytes: int
    wipe_owed: bool
    """Removed data still waits to be overwritten (the disk was full, or another program was reading)."""

    @property
    def ok(self) -> bool:
        """Whether the database is sound."""
        return not self.problems


def owe_wipe(connection: Connection) -> None:
    """Remember, in the transaction that removes something, that its bytes are still to be overwritten."""
    connection.execute(insert(MetaRow).values(key=_WIPE_OWED, value="1").on_conflict_do_nothing())


def remember(connection: Connection, fact: str) -> None:
    """Something that is true of this database from now on."""
    connection.execute(insert(MetaRow).values(key=fact, value="1").on_conflict_do_nothing())


def remembered(connection: Connection, fact: str) -> bool:
    """Whether it was ever remembered."""
    return connection.scalar(select(MetaRow.key).where(MetaRow.key == fact)) is not None


def wipe_is_owed(connection: Connection) -> bool:
    """Whether a removal was not yet followed by its wipe."""
    return connection.scalar(select(MetaRow.key).where(MetaRow.key == _WIPE_OWED)) is not None


def wipe(engine: Engine) -> bool:
    """Overwrite what was removed; False when a reader elsewhere keeps the old log alive (try again later).

    ``secure_delete`` zeroes deleted cells in the file; the log still holds the old pages until it is emptied, and
    VACUUM rebuilds the file from what is left, so that no copy can stay in a gap of a page that SQLite rebalanced.
    It takes memory of about twice the file.
    """
    _outside_transactions(engine, "VACUUM")
    if not emptied_log(engine):
        return False
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(delete(MetaRow).where(MetaRow.key == _WIPE_OWED))
    return True


def emptied_log(engine: Engine, *, wait: bool = True) -> bool:
    """Move the write-ahead log into the file and cut it to nothing; False when somebody still reads from it.

    Without ``wait`` writers elsewhere are not kept waiting for that reader.
    """
    return not _outside_transactions(engine, "PRAGMA wal_checkpoint(TRUNCATE)", wait=wait)[0][0]


def checked(engine: Engine, path: Path) -> CheckReport:
    """Read everything: the code of every page, the structure, the references and the event chain."""
    problems: list[str] = []
    if _page_damaged(engine):
        problems.append("a page was changed or is damaged")
    with engine.connect() as connection, connection.begin():
        if connection.scalar(text("PRAGMA integrity_check(1)")) != "ok":
            problems.append("the structure is damaged")
        if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
            problems.append("a badge or template has no person")
        chain = events.verified(connection)
        if not chain.ok:
            problems.append(chain.problem)
        return CheckReport(
            problems=tuple(problems),
            schema=revision_of(connection) or "",
            people=_count(connection, PersonRow),
            templates=_count(connection, TemplateRow),
            events=_count(connection, EventRow),
            size_bytes=path.stat().st_size,
            wipe_owed=wipe_is_owed(connection),
        )


def _page_damaged(engine: Engine) -> bool:
    # The check of the pages' codes reads the file and not the log, so it cries wolf about a page that a power cut tore
    # while the log still holds it, or that another program is writing. Then look again at a file that stands still.
    check = text("PRAGMA cipher_integrity_check")
    with engine.connect() as connection:
        if connection.execute(check).first() is None:
            return False
    emptied_log(engine)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        return connection.execute(check).first() is not None


def backed_up(engine: Engine, key: Key, target: Path) -> CheckReport:
    """Copy the database to ``target`` while it is in use, check the copy, then give it its name.

    Raises RecordsConflict when ``target`` exists, RecordsError when the copy is not sound.
    """
    if os.path.lexists(target):
        raise RecordsConflict("the backup's file is already there", where=str(target), mend="name another file")
    half = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with translated(half):
            os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            _outside_transactions(engine, "VACUUM INTO ?", str(half))
            copy = open_engine(half, key)
            try:
                report = checked(copy, half)
            finally:
                copy.dispose()
            if not report.ok:
                raise RecordsError(f"the copy is not sound: {report.problems[0]}", where=str(target))
            _sync_file(half)
            os.link(half, target)  # fails where somebody made the file meanwhile, unlike a rename
            half.unlink()
            sync_directory(target.parent)
    finally:
        for suffix in ("", "-wal", "-shm"):
            half.with_name(half.name + suffix).unlink(missing_ok=True)
    return report


def _outside_transactions(engine: Engine, statement: str, *values: str, wait: bool = True) -> list[Any]:
    # SQLAlchemy begins a transaction with every statement; these must run without one.
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        try:
            if not wait:
                cursor.execute("PRAGMA busy_timeout = 0")
            cursor.execute(statement, values)
            return list(cursor.fetchall())
        finally:
            if not wait:
                cursor.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
            cursor.close()
    finally:
        connection.close()


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _count(connection: Connection, table: type[PersonRow | TemplateRow | EventRow]) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0
