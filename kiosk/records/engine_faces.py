"""Faces of people in other engines, and tasks there, inside a caller's transaction.

Rules: whoever is removed here, leaves a task for each of their faces elsewhere in the same transaction; a task goes
away only when it is done, or with the transaction that writes down what it was about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from kiosk.enrollment.book import Picture, Task, TaskKind
from kiosk.records import texts
from kiosk.records.schema import EngineFaceRow, EngineTaskRow, PictureRow
from kiosk.values import IndexedFace

KINDS: dict[str, TaskKind] = {"LOOK": "LOOK", "SWEEP": "SWEEP", "ERASE": "ERASE"}


def faces_of(connection: Connection, person_id: str) -> list[IndexedFace]:
    """In the order of their ids."""
    row = EngineFaceRow
    wanted = select(row.engine, row.collection, row.face_id, row.model_version)
    found = connection.execute(wanted.where(row.person_id == person_id).order_by(row.engine, row.face_id))
    return [IndexedFace(*one) for one in found]


def places_of(connection: Connection, person_id: str) -> frozenset[tuple[str, str, str]]:
    """(engine, collection, address) of a person's faces."""
    row = EngineFaceRow
    wanted = select(row.engine, row.collection, row.address).where(row.person_id == person_id)
    return frozenset((engine, collection, address) for engine, collection, address in connection.execute(wanted))


def add_faces(
    connection: Connection, person_id: str, faces: Iterable[IndexedFace], now: str, addresses: Mapping[str, str]
) -> None:
    """Faces that were indexed for this person; ``addresses``: of the engines."""
    rows = [
        {
            "engine": face.engine,
            "collection": face.collection,
            "face_id": face.face_id,
            "address": addresses.get(face.engine, ""),
            "person_id": person_id,
            "model_version": face.model_version,
            "created": now,
        }
        for face in faces
    ]
    if rows:
        connection.execute(insert(EngineFaceRow), rows)


def owe_faces(connection: Connection, person_id: str, now: str) -> list[IndexedFace]:
    """The person's faces become tasks; which they were."""
    faces = faces_of(connection, person_id)
    owe(connection, person_id, faces, now)
    return faces


def owe(connection: Connection, person_id: str, faces: Sequence[IndexedFace], now: str) -> int:
    """These faces become tasks; how many."""
    row = EngineFaceRow
    for face in faces:
        one = row.engine == face.engine, row.collection == face.collection, row.face_id == face.face_id
        address = connection.scalar(select(row.address).where(*one)) or ""
        place = face.engine, face.collection
        add_task(connection, "ERASE", person_id, place, now, face_id=face.face_id, address=address)
        connection.execute(delete(row).where(*one))
    return len(faces)


def add_task(
    connection: Connection,
    kind: TaskKind,
    person_id: str,
    place: tuple[str, str],
    now: str,
    *,
    face_id: str | None = None,
    owner: str = "",
    address: str = "",
) -> int:
    """``place``: (engine, collection). The task's id."""
    row = {"kind": kind, "person_id": person_id, "engine": place[0], "collection": place[1], "face_id": face_id}
    made = connection.execute(insert(EngineTaskRow).values(**row, owner=owner, address=address, created=now))
    return int(made.inserted_primary_key[0])  # type: ignore[index]  # one row was inserted


def tasks(connection: Connection, person_id: str | None = None) -> list[Task]:
    """The oldest first."""
    row = EngineTaskRow
    wanted = select(row).order_by(row.task_id)
    if person_id is not None:
        wanted = wanted.where(row.person_id == person_id)
    return [
        Task(
            task_id=one.task_id,
            kind=KINDS[one.kind],
            person_id=one.person_id,
            engine=one.engine,
            collection=one.collection,
            face_id=one.face_id or "",
            owner=one.owner,
            address=one.address,
            created=texts.utc_time(one.created),
        )
        for one in connection.execute(wanted)
    ]


def end_tasks(connection: Connection, task_ids: Sequence[int]) -> None:
    """Those that are done; one that is gone already is no fault."""
    connection.execute(delete(EngineTaskRow).where(EngineTaskRow.task_id.in_(task_ids)))


def disown(connection: Connection, task_ids: Sequence[int]) -> None:
    """Nobody is at these any more."""
    row = EngineTaskRow
    connection.execute(update(row).where(row.task_id.in_(task_ids)).values(owner=""))


def pictures_of(connection: Connection, person_id: str) -> list[Picture]:
    """As far as pictures are kept."""
    wanted = select(PictureRow.sha256, PictureRow.content).where(PictureRow.person_id == person_id)
    return [Picture(sha256, content) for sha256, content in connection.execute(wanted.order_by(PictureRow.sha256))]


def add_pictures(connection: Connection, person_id: str, pictures: Iterable[Picture], now: str) -> None:
    """Pictures that the site keeps."""
    rows = [
        {"person_id": person_id, "sha256": texts.tidy_sha256(one.sha256), "content": one.content, "created": now}
        for one in pictures
    ]
    if rows:
        connection.execute(insert(PictureRow), rows)


def remove_pictures(connection: Connection, person_id: str) -> int:
    """How many there were."""
    return connection.execute(delete(PictureRow).where(PictureRow.person_id == person_id)).rowcount
