"""The records in a real PostgreSQL: made once, of one key, sealed where it matters, sound under several servers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from kiosk.errors import RecordsConflict, RecordsError, RecordsLocked, RecordsReadOnly
from kiosk.records import migrate
from kiosk.records import postgres as connecting
from kiosk.records.key import KeySource
from kiosk.records.schema import Base
from kiosk.records.shared import SharedStore
from kiosk.records.shelf import Shelf
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.sessions import CHALLENGES, Outcome, SessionImage
from kiosk.rekognition.shelf import StoredFace
from tests.support.pgkit import Postgres

LENGTH = 16
BOX = (0.1, 0.2, 0.3, 0.4)
Opened = Callable[..., SharedStore]


@pytest.fixture
def opened(postgres: Postgres, database: str, tmp_path: Path) -> Any:
    """Opens the test's database once more, as another server would: (key file's name) -> store."""
    stores = []

    def another(key: str = "records.key", *, create: bool = True) -> SharedStore:
        stores.append(SharedStore.open(postgres.url(database), KeySource(tmp_path / key), create=create))
        return stores[-1]

    yield another
    for store in stores:
        store.close()


def rows(seed: int, count: int) -> np.ndarray:
    """Random directions in half precision."""
    made = np.random.default_rng(seed).standard_normal((count, LENGTH)).astype(np.float32)
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


def face(number: int, mark: str | None = None) -> StoredFace:
    """Of a made-up picture."""
    return StoredFace(f"{number:08d}-0000-0000-0000-000000000000", "picture", mark, BOX, 99.0)


def test_migrations_build_the_models(opened: Opened) -> None:
    """Autogenerate finds nothing to do in PostgreSQL either."""
    with opened()._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        kinds = connection.execute(
            text(
                "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = 'collection_faces' "
                "AND column_name IN ('number', 'vector') ORDER BY 1"
            )
        ).all()
        assert [tuple(kind) for kind in kinds] == [("number", "int8"), ("vector", "halfvec")]


def test_what_pages_go_by_is_ordered_by_code_points(postgres: Postgres, database: str, opened: Opened) -> None:
    """Whatever the cluster's language: a page's end and the next one's beginning must agree."""
    shelf = opened().shelf()
    found = postgres.sql(
        database,
        "SELECT table_name, column_name FROM information_schema.columns WHERE collation_name = 'C' "
        "AND table_schema = 'public' ORDER BY 1, 2",
    )
    assert found == [
        ("collection_faces", "collection"),
        ("collection_faces", "user_id"),
        ("collection_users", "collection"),
        ("collection_users", "user_id"),
        ("face_collections", "name"),
    ]
    names = ["b", "B", "_", "a-1", "a1", "A.9"]
    for name in names:
        shelf.create_collection(name, "model/1")
    assert [one.name for one in shelf.collections("", 9, None)] == sorted(names)
    assert [one.name for one in shelf.collections("B", 9, None)] == [name for name in sorted(names) if name > "B"]


def test_servers_that_start_at_once_make_one_database(opened: Opened, tmp_path: Path) -> None:
    """Tables, extension and key are made once; all of them open it."""
    gate = threading.Barrier(4)

    def start(_: int) -> None:
        gate.wait()
        opened().shelf().collections("", 1, None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    assert (tmp_path / "records.key").stat().st_mode & 0o777 == 0o600


def test_an_older_database_is_brought_up(postgres: Postgres, database: str, opened: Opened, tmp_path: Path) -> None:
    """And one of a newer program is refused untouched."""
    engine = connecting.open_engine(connecting.Address.of(postgres.url(database)))
    with engine.begin() as connection:
        connecting.prepare(connection, "here")
        migrate.upgrade(connection, target="0001")
        connection.execute(text("INSERT INTO people VALUES ('p', 'Ada', 'ada', true, '', '')"))
    engine.dispose()
    opened().shelf().create_collection("staff", "model/1")
    assert postgres.sql(database, "SELECT no_flash FROM people") == [(False,)]
    assert postgres.sql(database, "SELECT version_num FROM alembic_version") == [(migrate.HEAD,)]
    postgres.sql(database, "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(RecordsError, match=r"test_\d+: the database has schema '0999'.*update this kiosk"):
        opened()
    assert postgres.sql(database, "SELECT version_num FROM alembic_version") == [("0999",)]
    assert not (tmp_path / "other.key").exists()


def test_somebody_elses_tables_are_refused(postgres: Postgres, database: str, opened: Opened) -> None:
    """Nothing is made beside them."""
    postgres.sql(database, "CREATE TABLE orders (id int)")
    with pytest.raises(RecordsError, match="some other program's database"):
        opened()
    assert postgres.sql(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("orders",)]


def test_an_empty_database_is_not_filled_by_who_only_looks(postgres: Postgres, database: str, opened: Opened) -> None:
    """``keys list`` makes no tables."""
    with pytest.raises(RecordsError, match="is empty"):
        opened(create=False)
    assert postgres.sql(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_server_with_another_key_or_none_is_refused(opened: Opened, tmp_path: Path) -> None:
    """And no key is made for a database that has one."""
    opened()
    KeySource(tmp_path / "other.key").make()
    with pytest.raises(RecordsLocked, match=r"is of another records key; copy the key"):
        opened("other.key")
    with pytest.raises(RecordsLocked, match="records key that is not here"):
        opened("missing.key")
    assert not (tmp_path / "missing.key").exists()
    opened(create=False)


def test_secrets_and_pictures_are_sealed(postgres: Postgres, database: str, opened: Opened) -> None:
    """Neither lies in the database; both come back whole, to another server too."""
    shelf = opened().shelf()
    key = AccessKey.fresh("match", frozenset({"staff"}))
    shelf.add_key(key)
    session = shelf.begin_session(key.access_key_id, None, CHALLENGES, 1)
    assert shelf.start_session(session)
    image = SessionImage(b"\xff\xd8 a face", BOX)
    assert shelf.end_session(session, Outcome(CHALLENGES[0], 93.0, (), image, (image,)))
    everything = str(
        [postgres.sql(database, f"SELECT t::text FROM {table} t") for table in ("access_keys", "liveness_sessions")]
    )
    assert key.secret not in everything
    assert "jpeg" not in everything
    assert "93.0" not in everything
    other = opened().shelf()
    assert other.access_key(key.access_key_id) == key
    found = other.session(session)
    assert found is not None
    assert found.outcome is not None
    assert found.outcome.audit == (image,)
    assert other.revoke_key(key.access_key_id)
    assert shelf.access_key(key.access_key_id) is None
    assert postgres.sql(database, "SELECT secret FROM access_keys") == [("",)]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE access_keys SET scope = 'admin' WHERE scope = 'match'",
        "UPDATE access_keys SET collections = NULL",
        "UPDATE access_keys SET secret = (SELECT secret FROM access_keys WHERE scope = 'admin') WHERE scope = 'match'",
        "UPDATE access_keys SET secret = 'chosen by me'",
        "UPDATE access_keys SET secret = 'v1.AAAA'",
        "UPDATE access_keys SET secret = 'v1.####'",
    ],
)
def test_a_key_that_was_tampered_with_opens_nothing(
    postgres: Postgres, database: str, opened: Opened, tampering: str
) -> None:
    """Whoever may write to the database cannot widen a key, swap secrets, or choose one."""
    shelf = opened().shelf()
    weak = AccessKey.fresh("match", frozenset({"staff"}))
    for key in (weak, AccessKey.fresh("admin")):
        shelf.add_key(key)
    assert shelf.access_key(weak.access_key_id) == weak
    postgres.sql(database, tampering)
    with pytest.raises(RecordsLocked, match="does not open"):
        shelf.access_key(weak.access_key_id)


def test_vectors_come_back_bit_by_bit(opened: Opened) -> None:
    """Half precision goes in and out, subnormal numbers and both zeros' values included."""
    shelf = opened().shelf()
    shelf.create_collection("staff", "model/1")
    sent = rows(1, 5)
    sent[0, :4] = (6e-8, -6e-8, 0.0, 65504.0)
    added = shelf.add_faces("staff", [face(at) for at in range(5)], sent)
    found = shelf.content("staff")
    assert found is not None
    assert added is not None
    assert np.array_equal(found.rows, sent)
    assert found.faces == added.faces
    assert shelf.faces("staff", 10**18 - 1, 10) == []  # the largest number that a page's token can bear


def test_servers_that_index_at_once_lose_no_face(opened: Opened) -> None:
    """Every face is there once, numbers are unique and grow with the revisions, revisions are without a gap."""
    stores = [opened(), opened()]
    names, each, at_once = ("staff", "guests"), 12, 6
    begin = {}
    for name in names:
        stores[0].shelf().create_collection(name, "model/1")
        begin[name] = stores[0].shelf().revision(name) or 0
    gate = threading.Barrier(at_once)

    def index(worker: int) -> list[tuple[str, Any]]:
        shelf = stores[worker % 2].shelf()
        gate.wait()
        done = []
        for turn in range(each):
            name = names[turn % 2]
            number = 1000 * worker + 2 * turn
            added = shelf.add_faces(name, [face(number), face(number + 1)], rows(number, 2))
            done.append((name, added))
        return done

    with ThreadPoolExecutor(at_once) as pool:
        done = [one for part in pool.map(index, range(at_once)) for one in part]
    seen: set[int] = set()
    for name in names:
        added = sorted((one for where, one in done if where == name), key=lambda one: one.revision)
        count = at_once * each // 2
        assert [one.revision for one in added] == [begin[name] + at for at in range(1, count + 1)]
        numbers = [stored.number for one in added for stored in one.faces]
        assert numbers == sorted(set(numbers))
        seen |= set(numbers)
        for store in stores:
            content = store.shelf().content(name)
            assert content is not None
            assert content.revision == begin[name] + count
            assert [stored.number for stored in content.faces] == numbers
    assert len(seen) == 2 * at_once * each


def test_servers_that_change_the_same_faces_never_wait_for_each_other(opened: Opened) -> None:
    """Each takes the collection first: no deadlock, whatever the order of the faces."""
    stores = [opened(), opened()]
    shelf = stores[0].shelf()
    shelf.create_collection("staff", "model/1")
    shelf.create_user("staff", "ada")
    shelf.add_faces("staff", [face(at) for at in range(40)], rows(1, 40))
    ids = [face(at).face_id for at in range(40)]

    def change(worker: int) -> None:
        mine, order = stores[worker % 2].shelf(), ids if worker % 2 else ids[::-1]
        for _ in range(6):
            mine.give_faces("staff", "ada", order, 100)
            mine.take_faces("staff", "ada", order)
            mine.delete_faces("staff", order[worker : worker + 1])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(4)))
    content = shelf.content("staff")
    assert content is not None
    assert 36 <= len(content.faces) < 40


def test_a_token_gives_one_session_whichever_server_is_asked(opened: Opened) -> None:
    """Asked at once, the second waits for the first's."""
    shelves = [opened().shelf(), opened().shelf()]
    key = AccessKey.fresh("match")
    shelves[0].add_key(key)
    gate = threading.Barrier(2)

    def begin(at: int) -> list[str]:
        made = []
        for turn in range(8):
            gate.wait()
            made.append(shelves[at].begin_session(key.access_key_id, f"token{turn}", CHALLENGES, 0))
        return made

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(begin, range(2))
    assert first == second


def test_who_reads_sees_one_moment(opened: Opened) -> None:
    """The revision and the faces of a content belong together, whatever is added between two statements."""
    store, other = opened(), opened()
    shelf = store.shelf()
    shelf.create_collection("staff", "model/1")
    with shelf.read() as connection:
        before = connection.execute(text("SELECT revision FROM face_collections")).scalar()
        assert other.shelf().add_faces("staff", [face(1)], rows(1, 1)) is not None
        assert connection.execute(text("SELECT count(*) FROM collection_faces")).scalar() == 0
        assert connection.execute(text("SELECT revision FROM face_collections")).scalar() == before


def test_a_connection_that_is_cut_while_indexing_leaves_nothing(
    postgres: Postgres, database: str, opened: Opened
) -> None:
    """The server's process ends at the second face's insertion; the store works on at once."""
    shelf = opened().shelf()
    shelf.create_collection("staff", "model/1")
    before = shelf.revision("staff")
    postgres.sql(
        database,
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.external_image_id = 'poison' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; "
        "RETURN NEW; END $$",
    )
    postgres.sql(
        database,
        "CREATE TRIGGER cut AFTER INSERT ON collection_faces FOR EACH ROW EXECUTE FUNCTION cut()",
    )
    with pytest.raises(RecordsError, match=r"ended the connection; try again") as caught:
        shelf.add_faces("staff", [face(1), face(2, "poison"), face(3)], rows(1, 3))
    assert "poison" not in str(caught.value)
    assert shelf.revision("staff") == before
    assert shelf.faces("staff", 0, 10) == []
    added = shelf.add_faces("staff", [face(1)], rows(1, 1))
    assert added is not None
    assert added.revision == (before or 0) + 1


def test_idle_connections_that_were_cut_are_replaced(postgres: Postgres, database: str, opened: Opened) -> None:
    """A restart of PostgreSQL between two requests is not noticed."""
    shelf = opened().shelf()
    shelf.create_collection("staff", "model/1")
    for at in range(3):
        postgres.sql(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        assert shelf.revision("staff") is not None
        assert shelf.add_faces("staff", [face(at)], rows(at, 1)) is not None


def test_no_wait_is_without_a_limit(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that somebody holds, and a statement that does not end."""
    monkeypatch.setattr(connecting, "LOCK_S", 0.1)
    monkeypatch.setattr(connecting, "STATEMENT_S", 0.5)
    first, second = opened().shelf(), opened().shelf()
    first.create_collection("staff", "model/1")
    with first.write() as connection:
        connection.execute(text("SELECT 1 FROM face_collections FOR UPDATE"))
        with pytest.raises(RecordsError, match="another server keeps the database busy; try again"):
            second.create_user("staff", "ada")
    with pytest.raises(RecordsError, match="took too long"), first.read() as connection:
        connection.execute(text("SELECT pg_sleep(60)"))
    second.create_user("staff", "ada")


def test_what_is_taken_is_told_without_the_row(opened: Opened) -> None:
    """The server's own message holds the values; ours does not."""
    shelf = opened().shelf()
    shelf.create_collection("staff", "model/1")
    shelf.add_faces("staff", [face(1)], rows(1, 1))
    with pytest.raises(RecordsConflict) as caught:
        shelf.add_faces("staff", [replace(face(1), external_image_id="somebody")], rows(2, 1))
    assert str(caught.value).endswith("the name or id is already taken")
    assert "somebody" not in str(caught.value)


def test_a_read_only_database_says_so(postgres: Postgres, database: str, opened: Opened) -> None:
    """A standby, perhaps."""
    opened()
    postgres.sql("postgres", f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    with pytest.raises(RecordsReadOnly, match="read-only"):
        opened().shelf().create_collection("staff", "model/1")


def count_of(shelf: Shelf, name: str) -> int:
    """How many faces a collection has."""
    found = shelf.collection(name)
    return 0 if found is None else found.faces


def test_a_collection_goes_with_all_that_is_in_it(postgres: Postgres, database: str, opened: Opened) -> None:
    """Faces and users; the others stay."""
    shelf = opened().shelf()
    for name in ("staff", "guests"):
        shelf.create_collection(name, "model/1")
        shelf.create_user(name, "ada")
    shelf.add_faces("staff", [face(1)], rows(1, 1))
    shelf.add_faces("guests", [face(2)], rows(2, 1))
    assert shelf.delete_collection("staff")
    assert count_of(shelf, "guests") == 1
    assert postgres.sql(database, "SELECT collection FROM collection_users") == [("guests",)]
    assert postgres.sql(database, "SELECT collection FROM collection_faces") == [("guests",)]


def test_a_dump_is_a_backup(postgres: Postgres, database: str, opened: Opened, tmp_path: Path) -> None:
    """As docs/postgres.md says: restored elsewhere it serves under the same key, and under no other."""
    shelf = opened().shelf()
    key = AccessKey.fresh("admin")
    shelf.add_key(key)
    shelf.create_collection("staff", "model/1")
    added = shelf.add_faces("staff", [face(1), face(2)], rows(1, 2))
    dump, copy = tmp_path / "kiosk.dump", postgres.fresh()
    postgres.run("pg_dump", "-Fc", "-f", str(dump), postgres.url(database))
    postgres.run("pg_restore", "-d", postgres.url(copy), str(dump))
    with SharedStore.open(postgres.url(copy), KeySource(tmp_path / "records.key"), create=False) as restored:
        assert restored.shelf().access_key(key.access_key_id) == key
        found = restored.shelf().content("staff")
        assert found is not None
        assert added is not None
        assert (found.revision, found.faces) == (added.revision, added.faces)
        more = restored.shelf().add_faces("staff", [face(3)], rows(3, 1))
        assert more is not None
        assert more.faces[0].number > added.faces[-1].number  # the sequence came along
    postgres.drop(copy)
