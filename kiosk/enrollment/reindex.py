"""When the face model changes, here or in an engine: everybody gets a face of the new one, from kept pictures.

Rules: the old faces stay until the staff ends the change, and serve as long; whoever has no kept picture is listed and
must come by. It may be cut off anywhere and started again: whoever has faces of every model in use is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kiosk.enrollment.book import Picture
from kiosk.enrollment.desk import Desk, Progress, silent, told
from kiosk.enrollment.places import FaceEngine
from kiosk.enrollment.register import Adding, entry_of
from kiosk.enrollment.stills import Still
from kiosk.errors import InputError, KioskError, ModelError, RecordsFull, RecordsLocked, RecordsReadOnly
from kiosk.values import Person, Pixels

KINDS = "REINDEX_REFUSED", "REINDEX_INCOMPLETE"


@dataclass(slots=True)
class Reindexed:
    """Who was done, and who was not."""

    done: list[Person] = field(default_factory=list)
    current: int = 0
    """People who had faces of every model in use."""
    come_by: list[Person] = field(default_factory=list)
    """People without a kept picture."""
    failed: list[tuple[Person, str]] = field(default_factory=list)
    """With the reason, in a line."""


def needs(desk: Desk, person: Person) -> tuple[bool, list[FaceEngine]]:
    """(whether a template of this machine's model is missing, engines in whose present collections no face is)."""
    held = desk.registry.book.places_of(person.person_id)
    missing = []
    for engine in desk.registry.engines:
        home = engine.name, engine.collection_of(person.person_id)
        if not held & {(*home, engine.address), (*home, "")}:
            missing.append(engine)
    version = desk.reader.models.embedding_version
    return not desk.registry.book.templates_of(person.person_id, version), missing


def reindex(
    desk: Desk,
    decode: Callable[[bytes], Pixels],
    result: Reindexed,
    *,
    dry_run: bool = False,
    progress: Progress = silent,
) -> None:
    """Everybody who needs it; ``result`` fills as it goes. Raises RecordsError (nothing can be written), ModelError."""
    people = desk.registry.book.everybody()
    for number, person in enumerate(people, 1):
        try:
            _one(desk, decode, person, result, dry_run=dry_run)
        except (ModelError, RecordsFull, RecordsLocked, RecordsReadOnly):
            raise
        except KioskError as error:
            result.failed.append((person, str(error)))
        progress("people", number, len(people))


def _kept(desk: Desk, person_id: str) -> Sequence[Picture]:
    """On the shelf, or in the book: who was enrolled while the shelf could not be reached has them there."""
    shelf = desk.registry.shelf
    held = desk.registry.book.shelved(person_id)  # others may lie there, of an update that was cut off
    found = () if shelf is None else shelf.kept(person_id)
    kept = [Picture(sha256, content) for sha256, content in found if held is None or sha256 in held]
    return kept or desk.registry.book.pictures_of(person_id)


def _one(desk: Desk, decode: Callable[[bytes], Pixels], person: Person, result: Reindexed, *, dry_run: bool) -> None:
    registry, known = desk.registry, person.person_id
    age = registry.book.age(known)
    here, engines = needs(desk, person)
    if not here and not engines:
        result.current += 1
        return
    kept = _kept(desk, known)
    if not kept:
        result.come_by.append(person)
        return
    if dry_run:
        result.done.append(person)
        return
    with told(desk, KINDS, "photo", known) as steps:
        stills = [_still(desk, decode, picture) for picture in kept]
        with Adding(desk, known, steps, new=False) as adding:
            if registry.directory is not None:
                registry.directory.claim(known, person.badge)
            adding.index(stills, engines)
            steps.step = "store"
            whole = entry_of(desk, known, stills, adding.faces)
            looks = [*adding.looks, *adding.aside]
            entry = replace(whole, templates=whole.templates if here else (), pictures=(), looks=looks)
            registry.book.add(entry, age)
            adding.done = True
        if registry.directory is not None:
            registry.directory.confirm(known, registry.book.faces_of(known))
    result.done.append(person)


def _still(desk: Desk, decode: Callable[[bytes], Pixels], picture: Picture) -> Still:
    """The picture was good enough when the person was enrolled: it is not judged again."""
    try:
        pixels = decode(picture.content)
    except InputError as error:
        raise InputError(f"a kept picture cannot be read ({error.what})", reason="UNUSABLE_PICTURE") from error
    where = Path(f"picture {picture.sha256[:12]}")
    return desk.reader.read_pixels(pixels, where, picture.sha256, quality="none", face="largest")


def finish(desk: Desk) -> int:
    """End the change: what is of older models goes, of everybody who has something of the new one; how many faces.

    Raises RecordsError. Faces in engines are erased by the next ``settle``.
    """
    version, book = desk.reader.models.embedding_version, desk.registry.book
    gone = 0
    for person in book.everybody():
        homes = ((engine.name, engine.collection_of(person.person_id)) for engine in desk.registry.engines)
        gone += book.retire(person.person_id, version, frozenset(homes))
        if desk.registry.directory is not None and desk.registry.directory.faces(person.person_id) is not None:
            desk.registry.directory.confirm(person.person_id, book.faces_of(person.person_id))
    return gone
