"""A simulated power cut: what the disk had not been told to keep is torn, zeroed or turned into noise.

The write-ahead log is copied while the store is open. When a write is confirmed, SQLite has synchronised the log up
to its present length; everything behind that point may be anything after a power cut. Likewise a checkpoint
synchronises the log before it touches the database file, so that any sector of the file may be old or new. These
tests tear exactly those bytes, many times, and open what is left.

What it proves: nothing confirmed depends on unsynchronised bytes. What it takes for granted: a disk that keeps what
fsync said it keeps, and sectors of 512 bytes that are not torn inside where they were synchronised before.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.records.store import Store
from tests.support.records_kit import MODEL, open_store, record, template, tokens

SECTOR = 512


@dataclass(frozen=True)
class Disk:
    """The bytes of one moment, and what was confirmed by then."""

    database: bytes
    log: bytes
    tokens: frozenset[str]
    people: frozenset[str]

    @classmethod
    def of(cls, data: Path, store: Store) -> Disk:
        """Copy the files behind the back of an open store."""
        people = frozenset(it.person.person_id for it in store.people())
        return cls(
            (data / "kiosk.db").read_bytes(), (data / "kiosk.db-wal").read_bytes(), frozenset(tokens(store)), people
        )


def holds(folder: Path, key: Path, database: bytes, log: bytes, confirmed: Disk, later: Disk) -> None:
    """Open these bytes: all that was confirmed is there, whatever else is there is whole, and it can be written on."""
    folder.mkdir()
    shutil.copy(key, folder / "records.key")
    (folder / "kiosk.db").write_bytes(database)
    (folder / "kiosk.db-wal").write_bytes(log)
    with open_store(folder, create=False) as store:
        there = {it.person.person_id: it for it in store.people()}
        assert confirmed.people <= set(there) <= later.people
        assert confirmed.tokens <= tokens(store) <= later.tokens
        assert all(it.templates == {MODEL: 2} for it in there.values())
        assert store.check().ok
        record(store, "afterwards")
    with open_store(folder, create=False) as store:
        assert "afterwards" in tokens(store)
        assert store.verify_chain().ok
    shutil.rmtree(folder)


def work(store: Store, seed: int) -> None:
    """A person and a few events."""
    store.add_person(f"P{seed}", f"B{seed}", [template(f"{seed}a"), template(f"{seed}b")])
    for number in range(4):
        record(store, f"{seed}-{number}")


def torn(log: bytes, safe: int, dice: random.Random) -> bytes:
    """The log with everything behind ``safe`` cut, zeroed, or partly lost, sector by sector."""
    tail = bytearray(log[safe:])
    match dice.randrange(3):
        case 0:
            return log[: safe + dice.randrange(len(tail) + 1)]
        case 1:
            start = dice.randrange(len(tail))
            return log[:safe] + bytes(tail[:start]) + bytes(len(tail) - start)
        case _:
            for at in range(0, len(tail), SECTOR):
                if dice.random() < 0.3:
                    size = len(tail[at : at + SECTOR])
                    tail[at : at + SECTOR] = dice.choice([bytes(size), dice.randbytes(size)])
            return log[:safe] + bytes(tail)


def test_a_torn_log_keeps_what_was_confirmed(tmp_path: Path) -> None:
    """Forty tears behind the last confirmed byte."""
    data, dice = tmp_path / "data", random.Random(1)
    with open_store(data) as store:
        for seed in range(6):
            work(store, seed)
        confirmed = Disk.of(data, store)
        for seed in range(6, 10):
            work(store, seed)
        later = Disk.of(data, store)
    assert later.log.startswith(confirmed.log)
    for number in range(40):
        log = torn(later.log, len(confirmed.log), dice)
        holds(tmp_path / f"cut{number}", data / "records.key", later.database, log, confirmed, later)


def test_every_event_is_synchronised_when_it_returns(tmp_path: Path) -> None:
    """Cut exactly at the length that each confirmation left: nothing confirmed lies behind it."""
    data = tmp_path / "data"
    with open_store(data) as store:
        work(store, 0)
        moments = []
        for number in range(8):
            record(store, f"event {number}")
            moments.append(Disk.of(data, store))
        later = Disk.of(data, store)
    for number, moment in enumerate(moments):
        log = later.log[: len(moment.log)]
        holds(tmp_path / f"cut{number}", data / "records.key", later.database, log, moment, later)


def test_a_torn_checkpoint_keeps_everything(tmp_path: Path) -> None:
    """Twenty-five cuts while the log is moved into the file: any mix of old and new sectors."""
    data, dice = tmp_path / "data", random.Random(2)
    with open_store(data) as store:
        for seed in range(8):
            work(store, seed)
        before = Disk.of(data, store)
        assert before.log
    after = (data / "kiosk.db").read_bytes()  # closing moved the log into the file
    assert after != before.database
    assert len(after) >= len(before.database)
    for number in range(25):
        mixed = bytearray(after[: dice.randrange(len(before.database), len(after) + 1, SECTOR)])
        for at in range(0, len(before.database), SECTOR):
            if dice.random() < 0.5:
                mixed[at : at + SECTOR] = before.database[at : at + SECTOR]
        holds(tmp_path / f"cut{number}", data / "records.key", bytes(mixed), before.log, before, before)


def test_the_tear_is_real(tmp_path: Path) -> None:
    """The control: tearing *inside* the confirmed part does lose it, so the tests above can fail."""
    data = tmp_path / "data"
    with open_store(data) as store:
        work(store, 0)
        confirmed = Disk.of(data, store)
    log = confirmed.log[: len(confirmed.log) - 5000]
    with pytest.raises(AssertionError):
        holds(tmp_path / "cut", data / "records.key", confirmed.database, log, confirmed, confirmed)
