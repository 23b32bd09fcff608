"""The store: people, badges, templates and events in one encrypted file.

Rules: when a writing method returns, its change is on the disk; when it raises, nothing changed. Every error is a
RecordsError or UnknownPerson of one line. No method returns or logs a key.

Threads: one Store may be used from any number of threads (and several processes may open the file). Each call takes
a connection of its own from a small pool; writers of this process queue on a lock, writers of other processes on
SQLite's own (up to ``cipher.BUSY_TIMEOUT_S``); readers never wait for writers. Nothing is kept between calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from kiosk.closing import Closing
from kiosk.errors import RecordsError
from kiosk.records import events, people, texts, upkeep, vectors
from kiosk.records.chain import ChainReport, Detail, StoredEvent
from kiosk.records.enrollments import Enrollments
from kiosk.records.faults import translated
from kiosk.records.key import KeySource
from kiosk.records.opening import opened
from kiosk.records.people import PersonDetails
from kiosk.records.sealing import Plain
from kiosk.records.shelf import Shelf
from kiosk.records.upkeep import CheckReport
from kiosk.values import Embedding, Floats, NewTemplate, Person

__all__ = ["CheckReport", "KeySource", "NewTemplate", "PersonDetails", "Store", "StoredEvent"]

DATABASE = "kiosk.db"


def utc_now() -> datetime:
    """The wall clock, for the times of people and templates (events bring their own)."""
    return datetime.now(UTC)


class Store(Closing):
    """An open database. Implements the ports EventRecorder and TemplateSource; use it as a context manager."""

    def __init__(self, path: Path, key_source: KeySource, engine: Engine, clock: Callable[[], datetime]) -> None:
        self.path = path
        self._key_source = key_source
        self._engine = engine
        self._clock = clock
        self._writing = threading.Lock()
        self._closed = False
        self._log_owed = False

    @classmethod
    def open(cls, path: Path, key_source: KeySource, *, create: bool, clock: Callable[[], datetime] = utc_now) -> Store:
        """Open the database at ``path``; with ``create`` make it (and the key) when there is none.

        An older schema is upgraded, a newer one refused. Raises RecordsLocked (key missing, wrong or readable by
        others), RecordsReadOnly, RecordsFull, RecordsError (no database, damaged, another program's).
        """
        store = cls(path, key_source, opened(path, key_source, create=create), clock)
        store._pay_owed_wipe()
        store.shelf().tidy()
        return store

    @classmethod
    def in_directory(cls, data: Path, *, key_file: Path | None = None, create: bool) -> Store:
        """``open`` with the usual names: ``data/kiosk.db`` and the key wherever ``KeySource.find`` finds it."""
        return cls.open(data / DATABASE, KeySource.find(data, key_file=key_file), create=create)

    def close(self) -> None:
        """Close the connections; the last one out tidies the write-ahead log away. May be called again."""
        with self._writing:
            self._closed = True
            with translated(self.path):
                self._engine.dispose()

    # People

    def add_person(self, name: str, badge: str | None = None, templates: Sequence[NewTemplate] = ()) -> Person:
        """Add a person with badge and templates, all or nothing. Raises RecordsConflict when something is taken."""
        with self._write() as connection:
            return people.add(connection, name, badge, templates, self._now())

    def add_templates(self, person_id: str, templates: Sequence[NewTemplate]) -> None:
        """Add templates to a person. Raises UnknownPerson, RecordsConflict."""
        with self._write() as connection:
            people.add_templates(connection, person_id, templates, self._now())

    def people(self, part: str = "") -> list[PersonDetails]:
        """Everybody by name, or those whose name or badge contains ``part``."""
        with self._read() as connection:
            return people.listing(connection, part=part)

    def person(self, ref: str) -> Person:
        """One person by id, name or badge. Raises UnknownPerson with the nearest names."""
        with self._read() as connection:
            return people.find(connection, ref)

    def details(self, ref: str) -> PersonDetails:
        """As ``person``, with times and the number of templates."""
        with self._read() as connection:
            return people.listing(connection, only=people.find(connection, ref).person_id)[0]

    def set_active(self, ref: str, active: bool) -> Person:
        """Suspend a person or bring them back. Raises UnknownPerson."""
        with self._write() as connection:
            return people.set_active(connection, ref, active, self._now())

    def set_no_flash(self, ref: str, no_flash: bool) -> Person:
        """Forbid the screen to flash at a person, or allow it again. Raises UnknownPerson."""
        with self._write() as connection:
            return people.set_no_flash(connection, ref, no_flash, self._now())

    def remove_person(self, ref: str) -> Person:
        """Erase name, badge and templates, in the file and its log; events keep the id. Returns who it was.

        Raises UnknownPerson. If the bytes cannot be overwritten now (disk full, another program reading), the
        person is gone all the same and the wipe is done at the next opening; ``check`` says so until then.
        """
        with self._write() as connection:
            person = people.remove(connection, ref, self._now())
            upkeep.owe_wipe(connection)
        self._pay_owed_wipe()
        return person

    # Templates

    def templates(
        self, model_version: str, *, without: str | None = None, everybody: bool = False
    ) -> Sequence[tuple[str, Embedding]]:
        """(person_id, template) of every active template of this model version; vectors are rows of one matrix.

        ``without``: only of people who have no template of that version; ``everybody``: of suspended people too.
        """
        ids, matrix = self.template_matrix(model_version, without=without, everybody=everybody)
        return [(person_id, Embedding(row, model_version)) for person_id, row in zip(ids, matrix, strict=True)]

    def template_matrix(
        self, model_version: str, *, without: str | None = None, everybody: bool = False
    ) -> tuple[list[str], Floats]:
        """(person ids, ``(N, D) float32`` unit rows) in order of enrollment; ``(0, 0)`` when there are none."""
        with self._read() as connection:
            return vectors.matrix(connection, model_version, without=without, everybody=everybody)

    def people_beside(self, model_versions: frozenset[str]) -> int:
        """How many people have templates, suspended or not, but none of these model versions."""
        with self._read() as connection:
            return vectors.beside(connection, model_versions)

    def people_stamp(self) -> str:
        """Changes whenever somebody is enrolled, changed or removed, by this process or another."""
        with self._read() as connection:
            return people.stamp(connection)

    def badge_holder(self, badge: str) -> str | None:
        """person_id of the active holder, None when the badge is unknown or no badge number at all."""
        with self._read() as connection:
            return people.badge_holder(connection, badge)

    def is_enrolled(self, person_id: str) -> bool:
        """Whether somebody of this id is here and not suspended."""
        with self._read() as connection:
            return people.is_active(connection, person_id)

    def no_flash(self, badge: str) -> bool:
        """Whether the screen must not flash at this badge's holder; False where nobody holds it."""
        with self._read() as connection:
            return people.no_flash(connection, badge)

    # Events

    def record_event(
        self, *, utc: str, kind: str, reason: str, person_id: str | None, details: dict[str, Detail]
    ) -> None:
        """Append one event to the chain; durable when it returns. ``utc`` is ISO 8601 with a zone."""
        with self._write() as connection:
            events.append(connection, utc=utc, kind=kind, reason=reason, person_id=person_id, details=details)

    def events(self, since: datetime | None = None, limit: int = 100) -> list[StoredEvent]:
        """The newest ``limit`` events (at or after ``since``), oldest first."""
        with self._read() as connection:
            return events.latest(connection, since=None if since is None else texts.utc_text(since), limit=limit)

    def events_of(self, person_id: str) -> list[StoredEvent]:
        """Everything that is kept about somebody, the oldest first."""
        with self._read() as connection:
            return events.of_person(connection, person_id)

    def newest_event(self) -> int:
        """The number of the newest event, 0 without any."""
        with self._read() as connection:
            return events.end(connection, events.HEAD).event_id

    def events_after(self, number: int, limit: int = 500) -> list[StoredEvent]:
        """At most ``limit`` events behind this number, oldest first; pruned ones are gone."""
        with self._read() as connection:
            return events.after(connection, number, limit)

    def prune_events(self, keep_days: int, now: datetime) -> int:
        """Remove events older than ``keep_days`` before ``now`` and return how many; the chain stays verifiable."""
        with self._write() as connection:
            removed = events.prune(connection, keep_days=keep_days, now=now)
        if removed:
            self._empty_log()
        return removed

    def verify_chain(self) -> ChainReport:
        """Recompute every hash; ``problem`` names the first event that was changed, moved or taken away."""
        with self._read() as connection:
            return events.verified(connection)

    def chain_head(self) -> str:
        """``number:hash`` of the newest event, to be noted elsewhere: it fixes everything before it."""
        with self._read() as connection:
            return events.end(connection, events.HEAD).text

    # Enrolling, also in other engines

    def enrollments(self) -> Enrollments:
        """People with their faces everywhere, and what is still to be done elsewhere."""
        return Enrollments(self._read, self._write, self._now, self._pay_owed_wipe)

    # The Rekognition server's side

    def shelf(self) -> Shelf:
        """Collections and access keys, in this database."""
        return Shelf(self._read, self._write, self._now, self._empty_log, Plain())

    # Upkeep

    def check(self) -> CheckReport:
        """Read and verify everything (seconds on a large database). Raises when it cannot be read at all."""
        self._refuse_closed()
        with translated(self.path):
            return upkeep.checked(self._engine, self.path)

    def backup(self, path: Path) -> CheckReport:
        """Write a checked copy under the same key while the store is in use. Raises RecordsConflict if it exists."""
        self._refuse_closed()
        with translated(path):
            return upkeep.backed_up(self._engine, self._key_source.read(), path)

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        self._refuse_closed()
        with translated(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._writing:
            self._refuse_closed()
            with translated(self.path), self._engine.connect() as plain:
                connection = plain.execution_options(writes=True)
                with connection.begin():
                    yield connection

    def _empty_log(self, wanted: bool = True) -> None:
        """Without waiting for readers: what they hold back is owed, and tried again the next time."""
        if wanted or self._log_owed:
            self._refuse_closed()
            with self._writing, translated(self.path):
                self._log_owed = not upkeep.emptied_log(self._engine, wait=False)

    def _pay_owed_wipe(self) -> None:
        with self._writing, translated(self.path):
            with self._engine.connect() as connection, connection.begin():
                owed = upkeep.wipe_is_owed(connection)
            if owed:
                try:
                    with translated(self.path):
                        upkeep.wipe(self._engine)
                except RecordsError:
                    return  # the removal stands; the wipe is still owed, and ``check`` says so

    def _refuse_closed(self) -> None:
        if self._closed:
            raise RecordsError("the store is closed", where=str(self.path))

    def _now(self) -> str:
        return texts.utc_text(self._clock())
