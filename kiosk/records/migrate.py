"""Which schema a database has, and the way up to ours, with Alembic and without its ``env.py``.

Rules: an upgrade is one transaction (SQLite's DDL is transactional, PostgreSQL's too), so a power cut or a failing step
leaves the old schema; a schema that this program does not know is refused, never touched; there is no way down (restore
a backup).
Alembic is imported only when there is something to do: a warm start does not pay for it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from kiosk.errors import RecordsError

KNOWN = ("0001", "0002", "0003", "0004", "0005")
"""Every revision, oldest first. A test compares it with the scripts."""
HEAD = KNOWN[-1]
SCRIPTS = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """The schema revision; None for a database without any table. Raises RecordsError for somebody else's tables."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise RecordsError("this is some other program's database", mend="name the kiosk's own file")
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if revision is None:
        raise RecordsError("the database does not say its schema", mend="restore a backup")
    return str(revision)


def refuse_newer(revision: str | None) -> None:
    """Raise RecordsError for a revision that is not ours."""
    if revision is not None and revision not in KNOWN:
        raise RecordsError(
            f"the database has schema {revision!a}, this program knows up to {HEAD}",
            mend="it was opened by a newer version: update this kiosk",
        )


def upgrade(connection: Connection, *, scripts: Path = SCRIPTS, target: str = "head") -> None:
    """Bring the database up to ``target`` inside the caller's transaction.

    SQLite's connection must have been opened with foreign keys off (a rebuilt table would cascade); they are checked
    here before the caller commits (PostgreSQL always does). Raises RecordsError when they do not hold.
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    directory = ScriptDirectory(str(scripts))

    def steps(revision: object, _context: object) -> object:
        # The same call that alembic.command.upgrade makes; there is no public name for it.
        return directory._upgrade_revs(target, revision)  # type: ignore[arg-type]

    context = MigrationContext.configure(connection, opts={"fn": steps, "render_as_batch": True})
    with Operations.context(context):
        context.run_migrations()
    if connection.dialect.name != "sqlite":
        return
    if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
        raise RecordsError("the upgraded tables do not refer to each other correctly", mend="nothing was changed")
