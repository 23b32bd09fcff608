"""Bad files, wrong keys, full and read-only disks: one plain line, nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlcipher3 import dbapi2

from kiosk.errors import KioskError, RecordsConflict, RecordsError, RecordsFull, RecordsLocked, RecordsReadOnly
from kiosk.records import opening
from kiosk.records.key import KeySource
from kiosk.records.store import Store
from tests.support.records_kit import open_store, record, template, tokens


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with one person and one event."""
    with open_store(tmp_path) as store:
        store.add_person("Ada", "B1", [template(1)])
        record(store, "first")
    return tmp_path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB of its own (needs root)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(it.name for it in folder.iterdir())


def one_line(error: KioskError) -> bool:
    """As it is printed for a person."""
    return "\n" not in str(error) and "Traceback" not in str(error) and len(str(error)) < 400


def plain_sqlite(path: Path) -> None:
    """An unencrypted database."""
    connection = dbapi2.connect(str(path))
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()


def complaint(data: Path) -> str:
    """What opening and checking have to say; empty when all is well."""
    try:
        with open_store(data, create=False) as store:
            return "; ".join(store.check().problems)
    except RecordsError as error:
        return str(error) if one_line(error) else ""


def fill(store: Store, written: set[str]) -> None:
    """Record events until it fails, noting what was confirmed."""
    for number in range(10_000):
        record(store, f"n{number}")
        written.add(f"n{number}")


def cut(path: Path, size: int) -> None:
    """Shorten a file."""
    os.truncate(path, size)


def test_a_sound_database_has_no_complaint(data: Path) -> None:
    """The control of the damage tests."""
    assert complaint(data) == ""


DAMAGES = [
    (lambda path: path.write_bytes(b""), RecordsError, "not a database, or only a piece"),
    (lambda path: path.write_text("hello\n" * 5000), RecordsError, "not a database, or only a piece"),
    (lambda path: path.write_bytes(bytes(8192)), RecordsError, "not a database, or only a piece"),
    (lambda path: cut(path, 1000), RecordsError, "not a database, or only a piece"),
    (lambda path: (path.unlink(), plain_sqlite(path)), RecordsError, "not encrypted"),
    (lambda path: (path.unlink(), path.mkdir()), RecordsError, "directory"),
    (lambda path: path.with_name("records.key").write_bytes(b"z" * 32), RecordsLocked, "the key does not open"),
    (lambda path: path.with_name("records.key").write_bytes(b"short"), RecordsLocked, "5 bytes"),
]


@pytest.mark.parametrize(("damage", "kind", "words"), DAMAGES, ids=[words for _, _, words in DAMAGES])
def test_what_cannot_be_opened(data: Path, damage: object, kind: type[KioskError], words: str) -> None:
    """Said in one line; the file is left as it was, and no other file appears."""
    damage(data / "kiosk.db")  # type: ignore[operator]
    before = (names(data), (data / "kiosk.db").read_bytes() if (data / "kiosk.db").is_file() else None)
    for create in (True, False):
        with pytest.raises(RecordsError, match=words) as caught:
            open_store(data, create=create)
        assert type(caught.value) is kind
        assert one_line(caught.value)
    assert (names(data), (data / "kiosk.db").read_bytes() if (data / "kiosk.db").is_file() else None) == before


def test_nothing_prints_to_the_terminal(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """SQLCipher would log to stderr on a wrong key."""
    (data / "records.key").write_bytes(b"z" * 32)
    with pytest.raises(RecordsLocked):
        open_store(data)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("keep", [4096, 4096 * 5 + 100, 4096 * 9])
def test_a_database_cut_short(data: Path, keep: int) -> None:
    """Wherever the cut is, opening or checking says so, in one line, and does not crash."""
    cut(data / "kiosk.db", keep)
    assert complaint(data)


def test_every_damaged_page_is_found(data: Path) -> None:
    """One flipped bit anywhere: refused at opening, or named by the check; never silently read."""
    sound = (data / "kiosk.db").read_bytes()
    for page in range(len(sound) // 4096):
        spoilt = bytearray(sound)
        spoilt[page * 4096 + 2000] ^= 1
        (data / "kiosk.db").write_bytes(spoilt)
        assert complaint(data), page


def test_no_database_is_said(tmp_path: Path) -> None:
    """Reading commands do not create one."""
    with pytest.raises(RecordsError, match="there is no database; enroll"):
        open_store(tmp_path / "nowhere", create=False)
    assert names(tmp_path) == []


def test_a_connection_never_makes_a_file(data: Path) -> None:
    """A database that vanishes under an open store stays missed."""
    with open_store(data) as store:
        store._engine.dispose()
        (data / "kiosk.db").unlink()
        with pytest.raises(RecordsError, match="there is no database"):
            record(store, "lost")
    assert names(data) == ["records.key"]


def test_a_log_without_its_database_is_not_buried(data: Path) -> None:
    """A write-ahead log may hold confirmed events: a fresh database must not be put over it."""
    (data / "kiosk.db").rename(data / "elsewhere")
    (data / "kiosk.db-wal").write_bytes(b"x" * 5000)
    with pytest.raises(RecordsError, match="its database is gone"):
        open_store(data)
    assert names(data) == ["elsewhere", "kiosk.db-wal", "records.key"]


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    """A wrong data directory in the settings."""
    (tmp_path / "data").write_text("x")
    with pytest.raises(RecordsError) as caught:
        open_store(tmp_path / "data")
    assert one_line(caught.value)


def test_a_failed_making_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the database, nor its side files, nor the key that was made for it; and then it works."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(opening.migrate, "upgrade", fail)
        with pytest.raises(RecordsFull):
            open_store(tmp_path)
        assert names(tmp_path) == []
    (tmp_path / "kiosk.db.new").write_text("left by a power cut")
    (tmp_path / "kiosk.db.new-wal").write_text("left by a power cut")
    open_store(tmp_path).close()
    assert names(tmp_path) == ["kiosk.db", "records.key"]


def test_two_makers_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second gives up with a line after the time-out instead of waiting for ever."""
    monkeypatch.setattr(opening, "LOCK_TIMEOUT_S", 0.05)
    with opening.directory_lock(tmp_path), pytest.raises(RecordsError, match="preparing the database"):
        open_store(tmp_path)
    open_store(tmp_path).close()


def test_a_full_database_loses_nothing(data: Path) -> None:
    """The write that does not fit is refused whole; afterwards the same store goes on."""
    with open_store(data) as store:
        pages = store._engine.connect().scalar(text("PRAGMA page_count"))
        limit = [pages]

        def restrict(connection: object, _record: object, _proxy: object) -> None:
            connection.cursor().execute(f"PRAGMA max_page_count = {limit[0]}")  # type: ignore[attr-defined]

        event.listen(store._engine, "checkout", restrict)
        written = {"first"}
        with pytest.raises(RecordsFull, match="disk is full") as caught:
            fill(store, written)
        assert one_line(caught.value)
        with pytest.raises(RecordsFull):
            store.add_person("Bob", "B2", [template(f"bob{number}", dimensions=512) for number in range(50)])
        assert tokens(store) == written
        assert [it.person.name for it in store.people()] == ["Ada"]
        assert store.check().ok
        limit[0] = 100_000
        record(store, "afterwards")
        assert store.verify_chain().ok


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    """The same with a real disk, where the log and the shared memory must grow too."""
    written: set[str] = set()
    with open_store(small_disk) as store:
        with pytest.raises(RecordsFull, match="disk is full") as caught:
            fill(store, written)
        assert one_line(caught.value)
        assert tokens(store) == written
        assert store.verify_chain().ok
        subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
        record(store, "afterwards")
    with open_store(small_disk, create=False) as store:
        assert tokens(store) == written | {"afterwards"}
        assert store.check().ok


@pytest.mark.parametrize("left", [0, 4096, 8192, 40_000, 100_000])
def test_a_store_is_not_made_on_a_full_disk(small_disk: Path, left: int) -> None:
    """Nothing stays behind, however much of it fitted."""
    (small_disk / "ballast").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - left))
    with pytest.raises(RecordsFull) as caught:
        open_store(small_disk)
    assert one_line(caught.value)
    assert names(small_disk) == ["ballast"]
    (small_disk / "ballast").unlink()
    open_store(small_disk).close()


def test_a_backup_onto_a_full_disk_leaves_nothing(data: Path, small_disk: Path) -> None:
    """Half a backup is worse than none."""
    (small_disk / "ballast").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - 20_000))
    with open_store(data) as store:
        with pytest.raises(RecordsFull):
            store.backup(small_disk / "copy.db")
        assert store.check().ok
    assert names(small_disk) == ["ballast"]


def test_a_read_only_disk_is_said(small_disk: Path) -> None:
    """The kiosk cannot run without recording, so it does not open."""
    with open_store(small_disk) as store:
        record(store, "before")
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    with pytest.raises(RecordsReadOnly) as caught:
        open_store(small_disk)
    assert one_line(caught.value)
    with pytest.raises(RecordsReadOnly):
        open_store(small_disk / "new")
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    with open_store(small_disk) as store:
        assert tokens(store) == {"before"}


def test_a_read_only_directory_is_said(data: Path) -> None:
    """The same by permission."""
    data.chmod(0o500)
    if os.access(data, os.W_OK):
        data.chmod(0o700)
        pytest.skip("this user may write everywhere; test_a_read_only_disk_is_said runs instead")
    try:
        with pytest.raises(RecordsReadOnly):
            open_store(data)
    finally:
        data.chmod(0o700)


def test_a_busy_database_is_said(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait is without an end."""
    monkeypatch.setattr("kiosk.records.cipher.BUSY_TIMEOUT_S", 0.05)
    with open_store(data) as store, open_store(data) as other:
        with other._engine.connect().execution_options(writes=True) as connection, connection.begin():
            with pytest.raises(RecordsError, match="keeps the database busy"):
                record(store, "late")
            assert tokens(store) == {"first"}
        record(store, "now")


def test_a_backup_is_whole_and_locked(data: Path, tmp_path: Path) -> None:
    """It opens with the key only, holds everything, and never replaces a file."""
    target = tmp_path / "backup" / "kiosk.db"
    target.parent.mkdir()
    with open_store(data) as store:
        report = store.backup(target)
        assert (report.ok, report.people, report.events) == (True, 1, 2)
        record(store, "later")
        with pytest.raises(RecordsConflict, match="already there"):
            store.backup(target)
        with pytest.raises(RecordsError):
            store.backup(tmp_path / "nowhere" / "copy.db")
    assert names(target.parent) == ["kiosk.db"]
    assert target.stat().st_mode & 0o777 == 0o600
    content = target.read_bytes()
    # Long words only: three letters stand in a hundred kilobytes of ciphertext by chance once in a hundred runs.
    assert not any(word in content for word in (b"SQLite format 3", b"PERSON_ADDED", b"alembic_version"))
    with Store.open(target, KeySource(data / "records.key"), create=False) as copy:
        assert copy.person("B1").name == "Ada"
        assert tokens(copy) == {"first"}
        assert copy.check().ok
        record(copy, "goes on")


def test_errors_hold_no_secrets(data: Path) -> None:
    """Neither the key nor a value of a statement, in the message or in what it was caused by."""
    secret = KeySource(data / "records.key").read().secret.hex()
    with open_store(data) as store, store._engine.connect().execution_options(writes=True) as connection:
        with connection.begin():
            connection.execute(text("DROP TABLE badges"))
        with pytest.raises(RecordsError) as caught:
            store.add_person("Grace Hopper", "B2", [])
    chain: BaseException | None = caught.value
    while chain is not None:
        assert secret not in str(chain)
        assert "Grace" not in str(chain)
        assert "b2" not in str(chain)
        chain = chain.__cause__ or chain.__context__
