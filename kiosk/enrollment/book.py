"""What enrolling writes down, as a port: people with their faces everywhere, and what is still to be done elsewhere.

Rules for every book: a method is done whole or not at all, and durable when it returns; every change leaves an event
with the person's id, never a name. A *task* is written before another engine is asked, and taken away when it is sure
what is there: whatever is cut off in between is found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, Protocol

from kiosk.values import Embedding, IndexedFace, NewTemplate, Person

DIRECTORY, SHELF = ASIDE = "directory", "pictures"
"""Stand for an engine in tasks about what is kept outside of the book and of all engines."""
NOWHERE: Mapping[str, str] = MappingProxyType({})
"""Of no engine is the address known."""
TaskKind = Literal["LOOK", "SWEEP", "ERASE"]
"""LOOK: faces may have been added that the book does not hold, or are just being added; they are to go. SWEEP: whoever
added some, they are to go. ERASE: one face is to go. Of the shelf, LOOK and SWEEP are about pictures: those that the
book does not hold are to go."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is to be done in another engine."""

    task_id: int
    kind: TaskKind
    person_id: str
    engine: str
    collection: str
    face_id: str
    """Of ERASE, else empty."""
    owner: str
    """The process that is at it; empty: nobody."""
    created: datetime
    address: str = ""
    """Of the engine when the task was made; empty: not known."""


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """A picture that somebody was enrolled by. Biometric data: never logged."""

    sha256: str
    """Of the file."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """Somebody as they are to be written down."""

    person_id: str
    templates: Sequence[NewTemplate]
    faces: Sequence[IndexedFace] = ()
    pictures: Sequence[Picture] = ()
    """Only where the site keeps them."""
    shelved: Sequence[str] | None = None
    """SHA-256 of those that are kept on the shelf, and no others are to be there; None: no shelf is used here."""
    looks: Sequence[int] = ()
    """Tasks of ``begin`` that are over once this is written."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Of the engines, by name."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What was taken out of the book, and where that stands in the audit chain."""

    person: Person
    templates: int
    pictures: int
    faces: Sequence[IndexedFace]
    """Which are still to be erased."""


class Book(Protocol):
    """The records, for enrolling. Every method may raise RecordsError; safe from several threads."""

    def stamp(self) -> str:
        """Changes whenever somebody is enrolled, changed or removed."""

    def begin(
        self, person_id: str, places: Sequence[tuple[str, str]], owner: str, addresses: Mapping[str, str] = NOWHERE
    ) -> Sequence[int]:
        """A LOOK for each (engine, collection) that is about to be asked to index this person; their ids."""

    def register(self, entry: Entry, name: str, badge: str | None, stamp: str, source: str) -> tuple[Person, str]:
        """Write a new person down and end ``entry.looks``; who it is, and the new stamp.

        Raises RecordsMoved when the book is not as of ``stamp``, RecordsConflict for a taken name, badge or picture.
        """

    def change(self, entry: Entry, stamp: str) -> None:
        """Put templates, faces and pictures in the place of the person's old ones, which are to be erased elsewhere.

        Where pictures lie on a shelf that is not used any more, a SWEEP of it is left.
        Raises RecordsMoved, RecordsConflict, UnknownPerson.
        """

    def age(self, person_id: str) -> str:
        """Changes whenever the person's templates, state or badge do. Raises UnknownPerson."""

    def add(self, entry: Entry, age: str) -> None:
        """Templates and faces beside the person's others, and end ``entry.looks``.

        Raises UnknownPerson, RecordsMoved when the person is not as of ``age``.
        """

    def retire(self, person_id: str, model_version: str, places: frozenset[tuple[str, str]]) -> int:
        """End a change of models for somebody: templates of other models go, faces outside of ``places`` become tasks.

        How many templates and faces. Whoever has nothing of the new models is left as they are. Raises UnknownPerson.
        """

    def remove(self, ref: str, places: Sequence[tuple[str, str]], addresses: Mapping[str, str] = NOWHERE) -> Removal:
        """Erase somebody here; their faces elsewhere, and a SWEEP of each of ``places``, become tasks.

        ``places`` are collections by (engine, collection); what does not concern this person is the caller's mistake.
        Raises UnknownPerson.
        """

    def find(self, ref: str) -> Person:
        """By id, name or badge. Raises UnknownPerson."""

    def everybody(self) -> Sequence[Person]:
        """All people, by name."""

    def faces_of(self, person_id: str) -> Sequence[IndexedFace]:
        """In other engines."""

    def places_of(self, person_id: str) -> frozenset[tuple[str, str, str]]:
        """(engine, collection, address) of the person's faces in other engines."""

    def templates_of(self, person_id: str, model_version: str) -> Sequence[Embedding]:
        """On this machine."""

    def pictures_of(self, person_id: str) -> Sequence[Picture]:
        """As far as pictures are kept."""

    def shelved(self, person_id: str) -> frozenset[str] | None:
        """SHA-256 of the pictures that are to be on the shelf; None: nobody of this id, or from before it was noted."""

    def adopt(self, person_id: str, shelved: Sequence[str]) -> None:
        """Note what is on the shelf of somebody of whom ``shelved`` knows nothing; else nothing is changed."""

    def owner_of(self, sha256: str, model_version: str) -> str | None:
        """Whose template was made from this file; None: nobody's."""

    def check_free(self, name: str, badge: str | None) -> None:
        """Raises RecordsConflict for a name or badge that somebody has."""

    def tasks(self, person_id: str | None = None) -> Sequence[Task]:
        """What is still to be done, the oldest first."""

    def looked(self, tasks: Sequence[Task]) -> None:
        """Nobody is at these any more: they were looked at once, and wait for the last look."""

    def done(self, tasks: Sequence[Task], erased: int, person_id: str, engine: str) -> None:
        """These tasks of one person in one engine are over; ``erased`` faces are gone and were looked for."""

    def note(self, kind: str, reason: str, step: str, source: str, person_id: str | None = None) -> None:
        """Write down that somebody was not enrolled or changed."""
