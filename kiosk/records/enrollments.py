"""The book of enrolling, in the kiosk's own database. Implements ``kiosk.enrollment.book.Book``.

Rules: one transaction a call; what was removed is overwritten in the file and its log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, func, select

from kiosk.enrollment.book import ASIDE, NOWHERE, SHELF, Entry, Picture, Removal, Task
from kiosk.errors import RecordsMoved
from kiosk.records import engine_faces, events, people, texts, upkeep, vectors
from kiosk.records.chain import Detail
from kiosk.records.schema import PictureRow, TemplateRow
from kiosk.records.shelf import Transaction
from kiosk.values import Embedding, IndexedFace, Person

USED = "used_"
"""Begins the names of facts about where people were ever written down beside the book and the engines."""


@dataclass(frozen=True, slots=True)
class Enrollments:
    """Made by ``Store.enrollments``; lives as long as the store."""

    read: Transaction
    write: Transaction
    now: Callable[[], str]
    wipe: Callable[[], None]
    """Overwrites what was removed."""

    def stamp(self) -> str:
        """Changes whenever somebody is enrolled, changed or removed, by any process."""
        with self.read() as connection:
            return people.stamp(connection)

    def begin(
        self, person_id: str, places: Sequence[tuple[str, str]], owner: str, addresses: Mapping[str, str] = NOWHERE
    ) -> Sequence[int]:
        """A LOOK for each (engine, collection) that is about to be asked; their ids."""
        known, made = texts.tidy_person_id(person_id), []
        with self.write() as connection:
            for place in places:
                address = addresses.get(place[0], "")
                task = engine_faces.add_task(connection, "LOOK", known, place, self.now(), owner=owner, address=address)
                made.append(task)
                if place[0] in ASIDE:
                    upkeep.remember(connection, f"{USED}{place[0]}")
        return made

    def register(self, entry: Entry, name: str, badge: str | None, stamp: str, source: str) -> tuple[Person, str]:
        """A new person. Raises RecordsMoved, RecordsConflict."""
        with self.write() as connection:
            _refuse_moved(connection, stamp)
            now = self.now()
            person = people.add(connection, name, badge, entry.templates, now, person_id=entry.person_id)
            self._filled(connection, entry, now)
            people.set_shelved(connection, person.person_id, entry.shelved or ())
            _event(connection, now, "REGISTERED", person.person_id, {"source": source, **_counts(entry)})
            return person, people.stamp(connection)

    def change(self, entry: Entry, stamp: str) -> None:
        """Templates, faces and pictures in the place of the old ones. Raises RecordsMoved, RecordsConflict."""
        with self.write() as connection:
            _refuse_moved(connection, stamp)
            now = self.now()
            connection.execute(delete(TemplateRow).where(TemplateRow.person_id == entry.person_id))
            engine_faces.owe_faces(connection, entry.person_id, now)
            engine_faces.remove_pictures(connection, entry.person_id)
            people.add_templates(connection, entry.person_id, entry.templates, now)
            self._filled(connection, entry, now)
            if entry.shelved is None and _may_be_shelved(connection, entry.person_id):
                engine_faces.add_task(connection, "SWEEP", entry.person_id, (SHELF, ""), now)
            people.set_shelved(connection, entry.person_id, entry.shelved or ())
            _event(connection, now, "PHOTO_UPDATED", entry.person_id, _counts(entry))
            upkeep.owe_wipe(connection)
        self.wipe()

    def age(self, person_id: str) -> str:
        """When the person was changed last, and what there is of them. Raises UnknownPerson."""
        with self.read() as connection:
            return _age(connection, person_id)

    def add(self, entry: Entry, age: str) -> None:
        """Beside the others. Raises UnknownPerson, RecordsMoved, RecordsConflict."""
        with self.write() as connection:
            now = self.now()
            if _age(connection, entry.person_id) != age:
                raise RecordsMoved("the person was changed meanwhile", mend="try again", reason="MOVED")
            people.add_templates(connection, entry.person_id, entry.templates, now)
            self._filled(connection, entry, now)

    def retire(self, person_id: str, model_version: str, places: frozenset[tuple[str, str]]) -> int:
        """What is of older models, where there is something of the new one. Raises UnknownPerson."""
        gone = 0
        with self.write() as connection:
            now, known = self.now(), people.find(connection, person_id).person_id
            if _count(connection, TemplateRow, known, model_version):
                theirs = TemplateRow.person_id == known, TemplateRow.model_version != model_version
                gone += connection.execute(delete(TemplateRow).where(*theirs)).rowcount
            faces = engine_faces.faces_of(connection, known)
            current = {face.engine for face in faces if (face.engine, face.collection) in places}
            old = [face for face in faces if face.engine in current and (face.engine, face.collection) not in places]
            gone += engine_faces.owe(connection, known, old, now)
            if gone:
                _event(connection, now, "OLD_MODEL_RETIRED", known, {"removed": gone})
                upkeep.owe_wipe(connection)
        if gone:
            self.wipe()
        return gone

    def remove(self, ref: str, places: Sequence[tuple[str, str]], addresses: Mapping[str, str] = NOWHERE) -> Removal:
        """Erase somebody here; the rest becomes tasks. Raises UnknownPerson."""
        with self.write() as connection:
            person = people.find(connection, ref)
            known, now = person.person_id, self.now()
            templates = _count(connection, TemplateRow, known)
            pictures = _count(connection, PictureRow, known)
            faces = engine_faces.faces_of(connection, known)
            used = [(name, "") for name in ASIDE if upkeep.remembered(connection, f"{USED}{name}")]
            for place in dict.fromkeys([*places, *used]):
                address = addresses.get(place[0], "")
                engine_faces.add_task(connection, "SWEEP", known, place, now, address=address)
            people.remove(connection, known, now)
            upkeep.owe_wipe(connection)
        self.wipe()
        return Removal(person, templates, pictures, faces)

    def find(self, ref: str) -> Person:
        """By id, name or badge. Raises UnknownPerson."""
        with self.read() as connection:
            return people.find(connection, ref)

    def everybody(self) -> Sequence[Person]:
        """By name."""
        with self.read() as connection:
            return [one.person for one in people.listing(connection)]

    def faces_of(self, person_id: str) -> Sequence[IndexedFace]:
        """In other engines."""
        with self.read() as connection:
            return engine_faces.faces_of(connection, person_id)

    def places_of(self, person_id: str) -> frozenset[tuple[str, str, str]]:
        """(engine, collection, address) of their faces."""
        with self.read() as connection:
            return engine_faces.places_of(connection, person_id)

    def templates_of(self, person_id: str, model_version: str) -> Sequence[Embedding]:
        """On this machine, in order of enrollment."""
        wanted = select(TemplateRow.vector).where(
            TemplateRow.person_id == person_id, TemplateRow.model_version == model_version
        )
        with self.read() as connection:
            found = connection.scalars(wanted.order_by(TemplateRow.template_id)).all()
        return [
            Embedding(np.frombuffer(vector, vectors.VECTOR_TYPE).astype(np.float32), model_version) for vector in found
        ]

    def pictures_of(self, person_id: str) -> Sequence[Picture]:
        """As far as pictures are kept."""
        with self.read() as connection:
            return engine_faces.pictures_of(connection, person_id)

    def shelved(self, person_id: str) -> frozenset[str] | None:
        """SHA-256 of those on the shelf; None: not known."""
        with self.read() as connection:
            return people.shelved(connection, person_id)

    def adopt(self, person_id: str, shelved: Sequence[str]) -> None:
        """Unless it is known already."""
        with self.write() as connection:
            if people.shelved(connection, person_id) is None:
                people.set_shelved(connection, person_id, shelved)

    def owner_of(self, sha256: str, model_version: str) -> str | None:
        """Whose template was made from this file."""
        wanted = select(TemplateRow.person_id).where(
            TemplateRow.source_sha256 == texts.tidy_sha256(sha256), TemplateRow.model_version == model_version
        )
        with self.read() as connection:
            return connection.scalar(wanted)

    def check_free(self, name: str, badge: str | None) -> None:
        """Raises RecordsConflict for a name or badge that somebody has."""
        with self.read() as connection:
            people.check_free(connection, name, badge)

    def tasks(self, person_id: str | None = None) -> Sequence[Task]:
        """The oldest first."""
        with self.read() as connection:
            return engine_faces.tasks(connection, person_id)

    def looked(self, tasks: Sequence[Task]) -> None:
        """They wait for the last look."""
        if tasks:
            with self.write() as connection:
                engine_faces.disown(connection, [task.task_id for task in tasks])

    def done(self, tasks: Sequence[Task], erased: int, person_id: str, engine: str) -> None:
        """Over, and what came of it in an event."""
        with self.write() as connection:
            engine_faces.end_tasks(connection, [task.task_id for task in tasks])
            if erased or any(task.kind != "LOOK" for task in tasks):
                _event(connection, self.now(), "FACES_ERASED", person_id, {"engine": engine, "faces": erased})

    def note(self, kind: str, reason: str, step: str, source: str, person_id: str | None = None) -> None:
        """What was refused, or broke off."""
        with self.write() as connection:
            details: dict[str, Detail] = {"step": step, "source": source}
            events.append(connection, utc=self.now(), kind=kind, reason=reason, person_id=person_id, details=details)

    @staticmethod
    def _filled(connection: Connection, entry: Entry, now: str) -> None:
        engine_faces.add_faces(connection, entry.person_id, entry.faces, now, entry.addresses)
        engine_faces.add_pictures(connection, entry.person_id, entry.pictures, now)
        engine_faces.end_tasks(connection, entry.looks)


def _age(connection: Connection, person_id: str) -> str:
    (found,) = people.listing(connection, only=people.find(connection, person_id).person_id)
    return f"{found.updated} {sorted(found.templates.items())} {engine_faces.faces_of(connection, person_id)}"


def _may_be_shelved(connection: Connection, person_id: str) -> bool:
    held = people.shelved(connection, person_id)
    return bool(held) or (held is None and upkeep.remembered(connection, f"{USED}{SHELF}"))


def _refuse_moved(connection: Connection, stamp: str) -> None:
    if people.stamp(connection) != stamp:
        raise RecordsMoved("somebody else was enrolled or changed meanwhile", mend="try again", reason="MOVED")


def _counts(entry: Entry) -> dict[str, Detail]:
    """How many pictures went into which engines."""
    engines = ",".join(sorted({"local", *(face.engine for face in entry.faces)}))
    return {"engines": engines, "pictures": len(entry.templates)}


def _event(connection: Connection, now: str, kind: str, person_id: str, details: dict[str, Detail]) -> None:
    events.append(connection, utc=now, kind=kind, reason="", person_id=person_id, details=details)


def _count(
    connection: Connection, table: type[TemplateRow | PictureRow], person_id: str, model_version: str | None = None
) -> int:
    wanted = select(func.count()).select_from(table).where(table.person_id == person_id)
    if model_version is not None:
        wanted = wanted.where(TemplateRow.model_version == model_version)
    return connection.scalar(wanted) or 0
