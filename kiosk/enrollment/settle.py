"""Putting other engines in step with the book: what a cut-off enrollment or a removal left there is taken away.

Rules:
- A face in an engine that the book does not hold goes away; one that it holds stays. The engine is listed first, then
  it is made sure that nobody is adding faces of this person, then the book is read: whoever adds faces writes a task
  before, and either the task or the book tells of them.
- A LOOK is over only when no call can still be on its way: a signed request is valid for fifteen minutes, and a
  registration takes less than that, so one look half an hour after it began is the last. In between it is looked at
  once. A SWEEP and an ERASE are over when they are done.
- A picture on the shelf that the book does not hold goes away likewise. Its name is its content's: the same one may be
  put there again just when it is taken away. So whoever puts or takes pictures of a person first writes a task, and
  only the first of those at it goes on: a settling leaves the pictures for later, an update is refused.
- An engine that fails is not asked again in the same run. Everything may be cut off anywhere and done again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from kiosk.enrollment.book import DIRECTORY, SHELF, Task
from kiosk.enrollment.desk import Registry
from kiosk.enrollment.places import FaceEngine, PictureShelf
from kiosk.errors import KioskError, RecordsError, UnknownPerson
from kiosk.values import IndexedFace

SETTLE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Settled:
    """How far it went."""

    erased: int = 0
    """Faces taken away and looked for."""
    waiting: int = 0
    """Tasks that are not over: too young, another process's, or their engine did not answer."""
    problems: tuple[str, ...] = ()
    """Why engines could not be asked, a line each."""


def settle(registry: Registry, person_id: str | None = None, *, answered: Sequence[int] = ()) -> Settled:
    """Do what is due, of one person or of everybody. Engines that fail are told, not raised; raises RecordsError.

    ``answered``: tasks that are over once they are done, however young, since none of their calls is on its way.
    """
    engines = {engine.name: engine for engine in registry.engines}
    erased, problems, down = 0, list[str](), set[str]()
    ordered = sorted(registry.book.tasks(person_id), key=lambda task: (task.person_id, task.engine, task.task_id))
    for (who, name), found in groupby(ordered, key=lambda task: (task.person_id, task.engine)):
        tasks = [task for task in found if _is_due(registry, task)]
        if not tasks or name in down:
            continue
        if name in (DIRECTORY, SHELF):
            problem = _forget(registry, name, who, tasks, answered)
            problems += [problem] if problem else []
            continue
        if name not in engines:
            problems.append(f"{name}: is not configured here any more, and still has faces of {who}")
            continue
        here = [task for task in tasks if task.address in ("", engines[name].address)]
        if len(here) < len(tasks):
            problems.append(
                f"{name}: is at another address than when {who} was enrolled, and the old one has the faces"
            )
        if not here:
            continue
        tasks = here
        try:
            gone = _erase(registry, engines[name], who, tasks)
        except KioskError as error:
            problems.append(str(error))
            down.add(name)
            continue
        if gone is not None:
            erased += gone
            _tick_off(registry, tasks, gone, who, name)
    return Settled(erased, len(registry.book.tasks(person_id)), tuple(dict.fromkeys(problems)))


def settle_after(registry: Registry, person_id: str, *, answered: Sequence[int] = ()) -> Settled:
    """``settle`` of somebody whom the book has just changed or removed: that stands, so nothing is raised."""
    try:
        return settle(registry, person_id, answered=answered)
    except RecordsError as error:
        return Settled(waiting=1, problems=(str(error),))  # at least: nobody can tell


def _is_due(registry: Registry, task: Task) -> bool:
    """Not another living process's, and not one that was looked at and now waits for its last look."""
    if task.owner and task.owner != registry.owner and registry.is_alive(task.owner):
        return False
    return bool(task.owner) or _is_over(registry, task)


def _is_over(registry: Registry, task: Task) -> bool:
    """Whether nothing more can come of it once it is done now."""
    return task.kind != "LOOK" or registry.now() - task.created >= SETTLE


def _tick_off(
    registry: Registry, tasks: Sequence[Task], gone: int, person_id: str, name: str, answered: Sequence[int] = ()
) -> None:
    over = [task for task in tasks if task.task_id in answered or _is_over(registry, task)]
    if over or gone:
        registry.book.done(over, gone, person_id, name)
    registry.book.looked([task for task in tasks if task not in over])


def _erase(registry: Registry, engine: FaceEngine, person_id: str, tasks: Sequence[Task]) -> int | None:
    """Take away what the tasks are about; how many faces, None: somebody is adding some. Raises KioskError."""
    listed = [
        face
        for collection in dict.fromkeys(task.collection for task in tasks if task.kind != "ERASE")
        for face in engine.of_person(person_id, collection)
    ]
    if _is_being_added_to(registry, person_id, engine.name):
        return None
    known = {(face.collection, face.face_id) for face in registry.book.faces_of(person_id)}
    ids = [(task.collection, task.face_id) for task in tasks if task.kind == "ERASE"]
    ids += [(face.collection, face.face_id) for face in listed]
    strays = [IndexedFace(engine.name, *one, "") for one in dict.fromkeys(ids) if one not in known]
    engine.erase(strays)
    if not exists(registry, person_id):
        for collection in dict.fromkeys(task.collection for task in tasks):
            engine.forget_user(person_id, collection)
    return len(strays)


def _is_being_added_to(registry: Registry, person_id: str, name: str) -> bool:
    return any(
        task.engine == name and task.kind == "LOOK" and task.owner != registry.owner and registry.is_alive(task.owner)
        for task in registry.book.tasks(person_id)
    )


def _forget(registry: Registry, name: str, person_id: str, tasks: Sequence[Task], answered: Sequence[int]) -> str:
    """What is kept of somebody outside of the book goes, unless the book holds it; why it cannot."""
    gone: int | None = 0
    try:
        if name == SHELF:
            if registry.shelf is None:
                return f"{name}: are not configured here any more, and may still be there of {person_id}"
            gone = _tidy(registry, registry.shelf, person_id, tasks)
        elif not exists(registry, person_id):
            if registry.directory is None:
                return f"{name}: is not configured here any more, and may still know {person_id}"
            registry.directory.release(person_id)
    except RecordsError as error:
        return str(error)
    if gone is not None:
        _tick_off(registry, tasks, gone, person_id, name, answered)
    return ""


def _tidy(registry: Registry, shelf: PictureShelf, person_id: str, tasks: Sequence[Task]) -> int | None:
    """Pictures that the book does not hold go; how many, None: somebody else is at them. Raises RecordsError."""
    with _turn(registry, person_id, tasks) as ours:
        if not ours:
            return None
        held = registry.book.shelved(person_id)
        if held is None and exists(registry, person_id):
            return 0  # from before it was noted: nobody can tell which ones are to go
        return shelf.forget(person_id, held or ())


@contextmanager
def _turn(registry: Registry, person_id: str, tasks: Sequence[Task]) -> Iterator[bool]:
    """Whether this process is the first at the person's pictures; then nobody else begins while the block lasts."""
    mine = [task.task_id for task in tasks if task.owner == registry.owner]
    made = [] if mine else list(registry.book.begin(person_id, [(SHELF, "")], registry.owner))
    try:
        yield not is_taken(registry, person_id, min([*mine, *made]))
    finally:
        if made:
            end(registry, person_id, made)


def is_taken(registry: Registry, person_id: str, before: int) -> bool:
    """Whether another living process has been at the person's pictures since before this task was written."""
    return any(
        task.engine == SHELF
        and task.task_id < before
        and task.owner not in ("", registry.owner)
        and registry.is_alive(task.owner)
        for task in registry.book.tasks(person_id)
    )


def end(registry: Registry, person_id: str, looks: Sequence[int]) -> None:
    """These are over, and nothing came of them."""
    registry.book.done([task for task in registry.book.tasks(person_id) if task.task_id in looks], 0, person_id, SHELF)


def exists(registry: Registry, person_id: str) -> bool:
    """Whether the book holds the person."""
    try:
        registry.book.find(person_id)
    except UnknownPerson:
        return False
    return True


def undo(registry: Registry, person_id: str, faces: Sequence[IndexedFace], looks: Sequence[int], *, sure: bool) -> None:
    """Take back what a failed enrollment added: ``faces``, and when that is not ``sure`` to be all, whatever is there.

    ``looks``: the enrollment's own tasks. What the book holds stays, whatever broke off; what cannot be taken back now
    stays a task. Raises nothing but RecordsError.
    """
    if not sure:
        settle(registry, person_id)
        return
    held = {(face.collection, face.face_id) for face in registry.book.faces_of(person_id)}
    tasks = [task for task in registry.book.tasks(person_id) if task.task_id in looks]
    for engine in registry.engines:
        theirs = [face for face in faces if face.engine == engine.name and (face.collection, face.face_id) not in held]
        try:
            if theirs:
                engine.erase(theirs)
                if not exists(registry, person_id):
                    engine.forget_user(person_id, theirs[0].collection)
        except KioskError:
            continue  # the LOOK stays: the next settling finds the faces
        mine = [task for task in tasks if task.engine == engine.name]
        if mine or theirs:
            registry.book.done(mine, len(theirs), person_id, engine.name)
    if any(task.engine in (DIRECTORY, SHELF) for task in tasks):  # asking them again does no harm
        settle(registry, person_id)
