"""Migrations: they build exactly the models, all or nothing, and never touch a newer database."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from kiosk.errors import RecordsError
from kiosk.records import migrate, opening
from kiosk.records.cipher import open_engine
from kiosk.records.key import KeySource
from kiosk.records.schema import Base
from kiosk.records.store import Store
from tests.support.records_kit import open_store, record, template, tokens

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade():
    op.create_table("doors", sa.Column("door_id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("floor", sa.Integer(), nullable=True))
    {last_line}
"""


def sql(store: Store, statement: str) -> None:
    """Change a database behind its back."""
    with store._engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text(statement))


def with_next_version(monkeypatch: pytest.MonkeyPatch, folder: Path, last_line: str) -> None:
    """Pretend that the program has one more migration."""
    shutil.copytree(migrate.SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "r0006_doors.py").write_text(NEXT.format(last_line=last_line))
    upgrade = migrate.upgrade

    def longer(connection: Connection) -> None:
        upgrade(connection, scripts=folder)

    monkeypatch.setattr(migrate, "KNOWN", ("0001", "0002", "0003", "0004", "0005", "0006"))
    monkeypatch.setattr(migrate, "HEAD", "0006")
    monkeypatch.setattr(opening.migrate, "upgrade", longer)


def test_migrations_build_the_models(tmp_path: Path) -> None:
    """Autogenerate finds nothing to do."""
    with open_store(tmp_path) as store, store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        names = {(it["name"], tuple(it["column_names"])) for it in inspect(connection).get_unique_constraints("people")}
        assert names == {("uq_people_name_key", ("name_key",))}


def test_the_known_revisions_are_the_scripts() -> None:
    """One line, no branches."""
    scripts = ScriptDirectory(str(migrate.SCRIPTS))
    assert [it.revision for it in scripts.walk_revisions()][::-1] == list(migrate.KNOWN)
    assert scripts.get_heads() == [migrate.HEAD]


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    """An old program must not guess at new tables."""
    with open_store(tmp_path) as store:
        sql(store, "UPDATE alembic_version SET version_num = '0099'")
    before = (tmp_path / "kiosk.db").read_bytes()
    for create in (True, False):
        with pytest.raises(RecordsError, match=r"schema '0099'.*up to 0005; .*newer version: update"):
            open_store(tmp_path, create=create)
    assert (tmp_path / "kiosk.db").read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "words"),
    [("DROP TABLE alembic_version", "some other program"), ("DELETE FROM alembic_version", "does not say its schema")],
)
def test_a_database_without_a_revision_is_refused(tmp_path: Path, statement: str, words: str) -> None:
    """Somebody else's tables, or a damaged head."""
    with open_store(tmp_path) as store:
        sql(store, statement)
    with pytest.raises(RecordsError, match=words):
        open_store(tmp_path)


def test_an_older_database_is_brought_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in it stays, also through a rebuilt table with cascading references."""
    with open_store(tmp_path) as store:
        ada = store.add_person("Ada", "B1", [template(1)])
        record(store, "kept")
    with_next_version(monkeypatch, tmp_path / "scripts", "pass")
    with open_store(tmp_path, create=False) as store:
        assert store.person("B1") == ada
        assert store.check().ok
        assert store.check().schema == "0006"
        assert (store.check().templates, tokens(store)) == (1, {"kept"})
        sql(store, "UPDATE people SET floor = 3")


def test_people_of_the_first_schema_may_see_flashes(tmp_path: Path) -> None:
    """The mark is new: whoever was enrolled before it has none."""
    with open_store(tmp_path) as store:
        ada = store.add_person("Ada", "B1", [template(1)])
        for table in ("engine_faces", "engine_tasks", "pictures"):
            sql(store, f"DROP TABLE {table}")
        for table in ("collection_faces", "collection_users", "face_collections", "liveness_sessions", "access_keys"):
            sql(store, f"DROP TABLE {table}")
        sql(store, "ALTER TABLE people DROP COLUMN no_flash")
        sql(store, "ALTER TABLE people DROP COLUMN shelf_pictures")
        sql(store, "UPDATE alembic_version SET version_num = '0001'")
    with open_store(tmp_path, create=False) as store:
        assert store.person("B1") == ada
        assert store.details("Ada").no_flash is False
        assert store.no_flash("B1") is False
        store.set_no_flash("Ada", True)
        assert store.no_flash("B1") is True
        assert store.check().ok


def test_of_the_fourth_schema_it_is_not_known_what_is_on_the_shelf(tmp_path: Path) -> None:
    """Which is not the same as nothing; what is noted once stays."""
    with open_store(tmp_path) as store:
        ada = store.add_person("Ada", "B1", [template(1)])
        sql(store, "ALTER TABLE people DROP COLUMN shelf_pictures")
        sql(store, "UPDATE alembic_version SET version_num = '0004'")
    with open_store(tmp_path, create=False) as store:
        book = store.enrollments()
        assert book.shelved(ada.person_id) is None
        for digests in ([], ["a" * 64]):
            book.adopt(ada.person_id, digests)
            assert book.shelved(ada.person_id) == frozenset()
        assert store.check().ok


@pytest.mark.parametrize("last_line", ["raise ValueError('a bug')", "op.execute('INSERT INTO nowhere VALUES (1)')"])
def test_a_failed_upgrade_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last_line: str) -> None:
    """Tables made before the failing line are gone again."""
    with open_store(tmp_path) as store:
        store.add_person("Ada", "B1", [template(1)])
    with monkeypatch.context() as patch:
        with_next_version(patch, tmp_path / "scripts", last_line)
        with pytest.raises((ValueError, RecordsError)):
            open_store(tmp_path)
    with open_store(tmp_path) as store, store._engine.connect() as connection:
        assert "doors" not in inspect(connection).get_table_names()
        assert "floor" not in {it["name"] for it in inspect(connection).get_columns("people")}
        assert store.check().ok


def test_a_broken_reference_stops_an_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Foreign keys are off while tables are rebuilt, so they are checked before the commit."""
    with open_store(tmp_path) as store:
        store.add_person("Ada", "B1", [template(1)])
    with_next_version(monkeypatch, tmp_path / "scripts", "op.execute('DELETE FROM people')")
    with pytest.raises(RecordsError, match="do not refer"):
        open_store(tmp_path)
    engine = open_engine(tmp_path / "kiosk.db", KeySource(tmp_path / "records.key").read())
    with engine.connect() as connection:
        assert migrate.revision_of(connection) == "0005"
        assert connection.scalar(text("SELECT count(*) FROM people")) == 1
    engine.dispose()


def test_connections_are_set_as_promised(tmp_path: Path) -> None:
    """WAL, full synchronisation, references, overwriting, memory for temporary tables: on every connection."""
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "temp_store": 2}
    with open_store(tmp_path) as store:
        first, second = store._engine.connect(), store._engine.connect()
        for connection in (first, second):
            for pragma, value in wanted.items():
                assert connection.scalar(text(f"PRAGMA {pragma}")) == value
            assert connection.scalar(text("PRAGMA busy_timeout")) == 15_000
            assert connection.scalar(text("PRAGMA cipher_page_size")) == "4096"
            connection.close()
