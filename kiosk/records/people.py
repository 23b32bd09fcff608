"""People, badges and templates inside a caller's transaction.

Rules: a person, their badge and their templates come together or not at all; every change leaves an event with the
person's id; names and badges are compared the way the staff reads them (``texts``).
"""

from __future__ import annotations

import difflib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from kiosk.errors import RecordsConflict, RecordsError, UnknownPerson
from kiosk.records import engine_faces, events, texts, vectors
from kiosk.records.schema import BadgeRow, MetaRow, PersonRow, TemplateRow
from kiosk.values import NewTemplate, Person

_CHANGED = "people_changed"


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """All that the store knows of a person, except the vectors."""

    person: Person
    active: bool
    created: str
    """UTC, ISO 8601."""
    updated: str
    templates: Mapping[str, int]
    """How many per model version."""
    no_flash: bool = False
    """The screen must not flash at this person."""


def add(
    connection: Connection,
    name: str,
    badge: str | None,
    templates: Sequence[NewTemplate],
    now: str,
    *,
    person_id: str | None = None,
) -> Person:
    """A new person, of a new id where none is given. Raises RecordsConflict: name, badge or a picture is taken."""
    check_free(connection, name, badge)
    name = texts.tidy_name(name)
    person_id = str(uuid.uuid4()) if person_id is None else texts.tidy_person_id(person_id)
    person = Person(person_id, name, None if badge is None else texts.tidy_badge(badge))
    row = {"person_id": person.person_id, "name": name, "name_key": texts.name_key(name), "active": True}
    connection.execute(insert(PersonRow), {**row, "created": now, "updated": now})
    if person.badge is not None:
        _add_badge(connection, person.person_id, person.badge)
    vectors.insert_all(connection, person.person_id, templates, now)
    _note(connection, now, "PERSON_ADDED", person.person_id, added=len(templates))
    return person


def check_free(connection: Connection, name: str, badge: str | None) -> None:
    """Raises RecordsConflict for a name or badge that somebody has, RecordsError for what is none."""
    name = texts.tidy_name(name)
    if connection.scalar(select(PersonRow.person_id).where(PersonRow.name_key == texts.name_key(name))) is not None:
        mend = "choose a name that tells the two apart"
        raise RecordsConflict(f"{name!r} is already enrolled", mend=mend, reason="NAME_TAKEN")
    if badge is not None:
        number = texts.tidy_badge(badge)
        if connection.scalar(select(BadgeRow.person_id).where(BadgeRow.number_key == number.lower())) is not None:
            mend = "check the number"
            raise RecordsConflict(f"badge {number} belongs to somebody else", mend=mend, reason="BADGE_TAKEN")


def stamp(connection: Connection) -> str:
    """Number of the latest event that changed people, their state or their templates; "" before the first one."""
    return connection.scalar(select(MetaRow.value).where(MetaRow.key == _CHANGED)) or ""


def add_templates(connection: Connection, person_id: str, templates: Sequence[NewTemplate], now: str) -> None:
    """More templates of a known person. Raises UnknownPerson, RecordsConflict."""
    known = texts.tidy_person_id(person_id)
    touched = connection.execute(update(PersonRow).where(PersonRow.person_id == known).values(updated=now))
    if not touched.rowcount:
        raise UnknownPerson("nobody has this id", where=known)
    vectors.insert_all(connection, known, templates, now)
    _note(connection, now, "TEMPLATES_ADDED", known, added=len(templates))


def shelved(connection: Connection, person_id: str) -> frozenset[str] | None:
    """SHA-256 of the pictures that are to lie outside of this database; None: not known, or nobody has this id."""
    kept = connection.scalar(select(PersonRow.shelf_pictures).where(PersonRow.person_id == person_id))
    return None if kept is None else frozenset(json.loads(kept))


def set_shelved(connection: Connection, person_id: str, digests: Iterable[str]) -> None:
    """These are to lie there, and no others."""
    kept = json.dumps(sorted({texts.tidy_sha256(one) for one in digests}))
    connection.execute(update(PersonRow).where(PersonRow.person_id == person_id).values(shelf_pictures=kept))


def remove(connection: Connection, ref: str, now: str) -> Person:
    """Erase a person with badge and templates; faces in other engines become tasks. Raises UnknownPerson."""
    person = find(connection, ref)
    counts = select(func.count()).where(TemplateRow.person_id == person.person_id)
    templates = connection.scalar(counts) or 0
    faces = engine_faces.owe_faces(connection, person.person_id, now)
    connection.execute(delete(PersonRow).where(PersonRow.person_id == person.person_id))
    _note(connection, now, "PERSON_REMOVED", person.person_id, templates=templates, faces=len(faces))
    return person


def is_active(connection: Connection, person_id: str) -> bool:
    """Whether somebody of this id is here and not suspended."""
    return connection.scalar(select(PersonRow.active).where(PersonRow.person_id == person_id)) is True


def set_active(connection: Connection, ref: str, active: bool, now: str) -> Person:
    """Suspend a person (their templates and badge stop counting) or bring them back. Raises UnknownPerson."""
    person = find(connection, ref)
    changed = update(PersonRow).where(PersonRow.person_id == person.person_id).values(active=active, updated=now)
    connection.execute(changed)
    _note(connection, now, "PERSON_RESUMED" if active else "PERSON_SUSPENDED", person.person_id)
    return person


def set_no_flash(connection: Connection, ref: str, no_flash: bool, now: str) -> Person:
    """Forbid the screen to flash at a person, or allow it again. Raises UnknownPerson."""
    person = find(connection, ref)
    changed = update(PersonRow).where(PersonRow.person_id == person.person_id).values(no_flash=no_flash, updated=now)
    connection.execute(changed)
    _note(connection, now, "FLASH_FORBIDDEN" if no_flash else "FLASH_ALLOWED", person.person_id)
    return person


def find(connection: Connection, ref: str) -> Person:
    """One person by id, name or badge. Raises UnknownPerson with the nearest names, or RecordsConflict for two."""
    ref = ref.encode("utf-8", "replace").decode("utf-8")  # a shell may pass bytes that are no text
    matches = {_person_by_id(connection, ref), _person_by_name(connection, ref), _person_by_badge(connection, ref)}
    found = sorted(matches - {None}, key=str)
    if len(found) > 1:
        raise RecordsConflict(f"{ref!r} is the name of one and the badge of another", mend="use the person's id")
    if not found:
        raise UnknownPerson(f"nobody is called {ref!r}", mend=_nearest(connection, ref))
    return listing(connection, only=found[0])[0].person


def listing(connection: Connection, *, only: str | None = None, part: str = "") -> list[PersonDetails]:
    """People by name; ``part`` keeps those whose name or badge contains it."""
    rows = select(PersonRow).order_by(PersonRow.name_key)
    counts = select(TemplateRow.person_id, TemplateRow.model_version, func.count()).group_by(
        TemplateRow.person_id, TemplateRow.model_version
    )
    badges = select(BadgeRow.person_id, BadgeRow.number).where(BadgeRow.active)
    if only is not None:
        rows, counts = rows.where(PersonRow.person_id == only), counts.where(TemplateRow.person_id == only)
        badges = badges.where(BadgeRow.person_id == only)
    templates: dict[str, dict[str, int]] = {}
    for person_id, version, count in connection.execute(counts):
        templates.setdefault(person_id, {})[version] = count
    numbers = {row.person_id: row.number for row in connection.execute(badges)}
    listed = [
        PersonDetails(
            Person(row.person_id, row.name, numbers.get(row.person_id)),
            row.active,
            row.created,
            row.updated,
            templates.get(row.person_id, {}),
            row.no_flash,
        )
        for row in connection.execute(rows)
    ]
    key = texts.name_key(part)
    return [it for it in listed if key in texts.name_key(it.person.name) or key in (it.person.badge or "").lower()]


def badge_holder(connection: Connection, badge: str) -> str | None:
    """person_id of the active holder of an active badge; None for any other text."""
    holder = (
        select(BadgeRow.person_id)
        .join(PersonRow, PersonRow.person_id == BadgeRow.person_id)
        .where(BadgeRow.number_key == badge.strip().lower(), BadgeRow.active, PersonRow.active)
    )
    return connection.scalar(holder) if texts.looks_like_badge(badge) else None


def no_flash(connection: Connection, badge: str) -> bool:
    """Whether the screen must not flash at the active holder of this badge."""
    holder = badge_holder(connection, badge)
    return bool(connection.scalar(select(PersonRow.no_flash).where(PersonRow.person_id == holder)))


def _add_badge(connection: Connection, person_id: str, number: str) -> None:
    values = {"number_key": number.lower(), "number": number, "person_id": person_id, "active": True}
    connection.execute(insert(BadgeRow), values)


def _note(connection: Connection, now: str, kind: str, person_id: str, **details: int) -> None:
    """Every change of people passes here: its event is its number, which never comes twice and needs no clock."""
    number = events.append(connection, utc=now, kind=kind, reason="", person_id=person_id, details=details)
    changed = upsert(MetaRow).values(key=_CHANGED, value=str(number))
    connection.execute(changed.on_conflict_do_update(index_elements=[MetaRow.key], set_={"value": str(number)}))


def _person_by_id(connection: Connection, ref: str) -> str | None:
    try:
        wanted = texts.tidy_person_id(ref)
    except RecordsError:
        return None
    return connection.scalar(select(PersonRow.person_id).where(PersonRow.person_id == wanted))


def _person_by_name(connection: Connection, ref: str) -> str | None:
    return connection.scalar(select(PersonRow.person_id).where(PersonRow.name_key == texts.name_key(ref)))


def _person_by_badge(connection: Connection, ref: str) -> str | None:
    return connection.scalar(select(BadgeRow.person_id).where(BadgeRow.number_key == ref.strip().lower()))


def _nearest(connection: Connection, ref: str) -> str:
    names = {row.name_key: row.name for row in connection.execute(select(PersonRow.name_key, PersonRow.name))}
    near = difflib.get_close_matches(texts.name_key(ref), names, n=3)
    if not near:
        return "kiosk people list shows who is enrolled"
    return "did you mean " + " or ".join(repr(names[key]) for key in near) + "?"
