"""Putting other engines in step with the book: what a cut-off enrollment or a removal left there is taken away.

Rules:
- A face in an engine that the book does not hold goes away; one that it holds stays.
- What another living process is at is left alone.
- A LOOK is over only when no call can still be on its way: a signed request is valid for fifteen minutes, so one look
  after that is the last. A SWEEP and an ERASE are over when they are done.
- Everything may be cut off anywhere and done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from kiosk.enrollment.book import Task
from kiosk.enrollment.desk import DIRECTORY, SHELF, Registry
from kiosk.enrollment.places import FaceEngine
from kiosk.errors import KioskError, RecordsError, UnknownPerson
from kiosk.values import IndexedFace

SETTLE = timedelta(minutes=16)
"""Signature Version 4 allows a difference of fifteen minutes; a call itself takes less than one."""


@dataclass(frozen=True, slots=True)
class Settled:
    """How far it went."""

    erased: int = 0
    """Faces taken away and looked for."""
    waiting: int = 0
    """Tasks that are not over: too young, another process's, or their engine did not answer."""
    problems: tuple[str, ...] = ()
    """Why engines could not be asked, a line each."""


def settle(registry: Registry, person_id: str | None = None) -> Settled:
    """Do what is due, of one person or of everybody. Engines that fail are told, not raised; raises RecordsError."""
    engines = {engine.name: engine for engine in registry.engines}
    erased, problems = 0, []
    ordered = sorted(registry.book.tasks(person_id), key=lambda task: (task.person_id, task.engine, task.task_id))
    for (who, name), found in groupby(ordered, key=lambda task: (task.person_id, task.engine)):
        tasks = [
            task
            for task in found
            if not (task.owner and task.owner != registry.owner and registry.is_alive(task.owner))
        ]
        if not tasks:
            continue
        if name in (DIRECTORY, SHELF):
            problem = _forget(registry, name, who, tasks)
            problems += [problem] if problem else []
            continue
        if name not in engines:
            problems.append(f"{name}: is not configured here any more, and still has faces of {who}")
            continue
        try:
            gone = _erase(registry, engines[name], who, tasks)
        except KioskError as error:
            problems.append(str(error))
            continue
        erased += gone
        over = [task for task in tasks if _is_over(registry, task)]
        if over or gone:
            registry.book.done(over, gone, who, name)
    return Settled(erased, len(registry.book.tasks(person_id)), tuple(dict.fromkeys(problems)))


def _erase(registry: Registry, engine: FaceEngine, person_id: str, tasks: Sequence[Task]) -> int:
    """Take away what the tasks are about; how many faces. Raises KioskError."""
    held = set(registry.book.faces_of(person_id))
    faces = {
        (task.collection, task.face_id): IndexedFace(engine.name, task.collection, task.face_id, "")
        for task in tasks
        if task.kind == "ERASE"
    }
    known = {(face.collection, face.face_id) for face in held}
    for collection in dict.fromkeys(task.collection for task in tasks if task.kind != "ERASE"):
        for face in engine.of_person(person_id, collection):
            if (face.collection, face.face_id) not in known:
                faces[face.collection, face.face_id] = face
    engine.erase(list(faces.values()))
    if not _exists(registry, person_id):
        for collection in dict.fromkeys(task.collection for task in tasks):
            engine.forget_user(person_id, collection)
    return len(faces)


def _forget(registry: Registry, name: str, person_id: str, tasks: Sequence[Task]) -> str:
    """What is kept of somebody outside of the book goes, unless the book holds them; why it cannot."""
    gone = 0
    if not _exists(registry, person_id):
        try:
            if name == DIRECTORY:
                if registry.directory is None:
                    return f"{name}: is not configured here any more, and may still know {person_id}"
                registry.directory.release(person_id)
            else:
                if registry.shelf is None:
                    return f"{name}: are not configured here any more, and may still be there of {person_id}"
                gone = registry.shelf.forget(person_id)
        except RecordsError as error:
            return str(error)
    registry.book.done([task for task in tasks if _is_over(registry, task)], gone, person_id, name)
    return ""


def _is_over(registry: Registry, task: Task) -> bool:
    return task.kind != "LOOK" or registry.now() - task.created >= SETTLE


def _exists(registry: Registry, person_id: str) -> bool:
    try:
        registry.book.find(person_id)
    except UnknownPerson:
        return False
    return True


def undo(registry: Registry, person_id: str, faces: Sequence[IndexedFace], *, sure: bool) -> None:
    """Take back what a failed enrollment added: ``faces``, and when that is not ``sure`` to be all, whatever is there.

    What cannot be taken back now stays a task. Raises nothing but RecordsError.
    """
    engines = {engine.name: engine for engine in registry.engines}
    if not sure:
        settle(registry, person_id)
        return
    for name in dict.fromkeys(task.engine for task in registry.book.tasks(person_id)):
        if name not in engines:  # directory and shelf: asking them again does no harm
            settle(registry, person_id)
            continue
        theirs = [face for face in faces if face.engine == name]
        mine = [task for task in registry.book.tasks(person_id) if task.engine == name and task.owner == registry.owner]
        try:
            if theirs:
                engines[name].erase(theirs)
        except KioskError:
            continue  # the LOOK stays: the next settling finds the faces
        registry.book.done([task for task in mine if task.kind == "LOOK"], len(theirs), person_id, name)
