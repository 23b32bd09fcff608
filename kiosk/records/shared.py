"""The Rekognition server's records in PostgreSQL, for several servers at once.

Rules: as ``Store``'s, but that the database is not encrypted as a whole: access-key secrets and liveness outcomes are
sealed one by one under the kiosk's records key (``sealing``), vectors and ids are not. All servers of one database have
the same key file; the database bears a mark of it, and a server with another key, or none, is refused at its start.
Tables are made and upgraded by one server at a time, in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select

from kiosk.closing import Closing
from kiosk.config.server import ServerSettings
from kiosk.config.tree import RecordsSettings
from kiosk.errors import RecordsError, RecordsLocked
from kiosk.records import migrate, postgres, texts
from kiosk.records.halves_search import HalvesSearch
from kiosk.records.key import KeySource
from kiosk.records.postgres import Address
from kiosk.records.postgres_faults import translated
from kiosk.records.schema import MetaRow
from kiosk.records.sealing import Sealed, Sealer, mark_of
from kiosk.records.shelf import Shelf
from kiosk.records.store import Store, utc_now

_MARK = "sealing_mark"


class SharedStore(Closing):
    """A database that is connected to. Use it as a context manager."""

    def __init__(self, where: str, engine: Engine, sealer: Sealer, clock: Callable[[], datetime]) -> None:
        self._where = where
        self._engine = engine
        self._reading = postgres.reading(engine)
        self._sealer = sealer
        self._clock = clock

    @classmethod
    def open(
        cls, url: str, key_source: KeySource, *, create: bool, clock: Callable[[], datetime] = utc_now
    ) -> SharedStore:
        """Connect; with ``create`` make the tables (and the key) in an empty database. An older schema is upgraded.

        Raises ConfigurationError (address, packages), RecordsLocked (password, certificate, key), RecordsError (not
        reached, no such database, no pgvector, a newer schema, another program's tables).
        """
        address = Address.of(url)
        engine = postgres.open_engine(address)
        try:
            with translated(address.shown):
                mark = _mark_of_current(engine, address.shown)
                if mark is None:
                    mark = _set_up(engine, key_source, address.shown, create=create)
            if not key_source.exists():
                raise _no_key(address.shown)
            key = key_source.read()
            if mark_of(key) != mark:
                raise RecordsLocked(
                    "the database is of another records key",
                    where=address.shown,
                    mend=f"copy the key of its other servers to {key_source.path}",
                )
            store = cls(address.shown, engine, Sealed(key), clock)
            store.shelf().tidy()
        except BaseException:
            engine.dispose()
            raise
        return store

    def close(self) -> None:
        """Close the connections. May be called again."""
        self._engine.dispose()

    def shelf(self) -> Shelf:
        """Collections, sessions and access keys."""
        return Shelf(self._read, self._write, self._now, _forget, self._sealer)

    def search(self) -> HalvesSearch:
        """The search among faces that are too many for this machine's memory."""
        return HalvesSearch(self._read)

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with translated(self._where), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with translated(self._where), self._engine.begin() as connection:
            yield connection

    def _now(self) -> str:
        return texts.utc_text(self._clock())


@contextmanager
def open_shelf(
    data: Path, records: RecordsSettings, server: ServerSettings, *, create: bool
) -> Iterator[tuple[Shelf, HalvesSearch | None]]:
    """The server's records and, where they can search themselves, their search: PostgreSQL, or the embedded database.

    Raises ConfigurationError, RecordsError.
    """
    if server.database is None:
        with Store.in_directory(data, key_file=records.key_file, create=create) as store:
            yield store.shelf(), None
        return
    source = KeySource.find(data, key_file=server.key_file or records.key_file)
    with SharedStore.open(server.database, source, create=create) as shared:
        yield shared.shelf(), shared.search()


def _forget(_wanted: bool = True) -> None:
    """Deleted rows are PostgreSQL's to overwrite (its autovacuum; see docs/postgres.md)."""


def _mark_of_current(engine: Engine, where: str) -> str | None:
    """The mark of a database that needs nothing done; None for one that must be made or upgraded."""
    with engine.begin() as connection:
        revision = _revision(connection, where)
        return None if revision != migrate.HEAD else _mark(connection)


def _set_up(engine: Engine, source: KeySource, where: str, *, create: bool) -> str:
    """Make or upgrade the tables, and note whose key it is. Others wait meanwhile."""
    with engine.begin() as connection:
        postgres.alone(connection)
        revision = _revision(connection, where)
        if revision is None and not create:
            raise RecordsError("the database is empty", where=where, mend="start the server first, or make a key")
        postgres.prepare(connection, where)
        if revision != migrate.HEAD:
            migrate.upgrade(connection)
        mark = _mark(connection)
        if mark is None:
            if not source.exists() and not source.credential:
                source.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                source.make()  # it stays if the commit fails: the next start takes it
            mark = mark_of(source.read())
            connection.execute(insert(MetaRow), {"key": _MARK, "value": mark})
        return mark


def _revision(connection: Connection, where: str) -> str | None:
    try:
        revision = migrate.revision_of(connection)
        migrate.refuse_newer(revision)
    except RecordsError as error:
        raise RecordsError(error.what, where=where, mend=error.mend) from error
    return revision


def _mark(connection: Connection) -> str | None:
    return connection.scalar(select(MetaRow.value).where(MetaRow.key == _MARK))


def _no_key(where: str) -> RecordsLocked:
    return RecordsLocked(
        "the database is of a records key that is not here", where=where, mend="copy it from another of its servers"
    )
