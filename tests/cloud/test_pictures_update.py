"""New photographs for somebody whose pictures lie in S3: cut off anywhere, those of the present faces are left.

The bucket has versions. Faults are injected between boto3 and the services, engine and S3 alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.cloud.pictures import S3Pictures
from kiosk.config.cloud import PicturesSettings
from kiosk.enrollment import settle as settling
from kiosk.enrollment.register import Adding, enroll_images
from kiosk.enrollment.remove import remove_person
from kiosk.enrollment.settle import SETTLE, Settled, settle
from kiosk.enrollment.update import update_images
from kiosk.errors import InputError, KioskError, RecordsError, RecordsMoved
from tests.support.enrolling import Faulty, Killed, World, open_world, photo
from tests.support.facekit import VERSION

OLD, NEW, OTHER = (200,), (240, 250), (230,)
"""Shots of one person."""
CUTS = [
    (wire, operation, nth, where, code)
    for wire, operation, calls in (
        ("site", "index_faces", 2),
        ("s3", "put_object", 2),
        ("s3", "list_object_versions", 2),
        ("s3", "delete_objects", 1),
        ("site", "delete_faces", 1),
    )
    for nth in range(calls)
    for where in ("before", "after")
    for code in ("AccessDenied", "time-out", "dead")
    if (where, code) != ("after", "AccessDenied")  # refused is not done
]


@pytest.fixture
def world(tmp_path: Path, s3: Any, bucket: str) -> Iterator[World]:
    """A kiosk with an engine and a shelf in S3, Ada enrolled by one picture."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    wire = Faulty(s3)
    shelf = S3Pictures(wire, PicturesSettings(enabled=True, bucket=bucket))
    with open_world(tmp_path, shelf=shelf, keeps_pictures=True) as opened:
        wire.dead = opened.wires["site"].dead
        opened.wires["s3"] = wire
        enroll_images(opened.desk, "Ada", shots(opened, *OLD))
        yield opened


def shots(world: World, *qualities: int) -> list[Path]:
    """Pictures of Ada."""
    return [photo(world.data, 1, quality) for quality in qualities]


def update(world: World, *qualities: int) -> None:
    """Put these in the place of the old ones."""
    update_images(world.desk, "Ada", shots(world, *qualities))


def crops(world: World, *qualities: int) -> set[str]:
    """SHA-256 of what is kept of these."""
    read = world.desk.reader.read
    return {hashlib.sha256(read(path).crop).hexdigest() for path in shots(world, *qualities)}


def present(world: World) -> set[str]:
    """What is to be kept: of the pictures whose templates the book holds."""
    known = {photo(world.data, 1, one): one for one in (*OLD, *NEW, *OTHER)}
    owner = world.registry.book.owner_of
    return crops(
        world, *(one for path, one in known.items() if owner(hashlib.sha256(path.read_bytes()).hexdigest(), VERSION))
    )


def there(world: World) -> set[str]:
    """What lies in the bucket of anybody, in any version; behind all wires."""
    wire = world.wires["s3"]
    shelf: Any = world.registry.shelf
    page = wire.calls.list_object_versions(Bucket=shelf._place["Bucket"])
    marked = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    return {one["Key"].rpartition("/")[2].partition(".")[0] for one in marked}


def later(world: World) -> Settled:
    """Settled by a new process at once, and by another when no call can be on its way any more."""
    settle(world.restarted().registry)
    assert present(world) <= there(world)
    world.later = SETTLE + timedelta(seconds=60)
    return settle(replace(world.restarted(now=world.now).registry, owner="last"))


def settled(world: World) -> None:
    """Nothing is left to do, and the shelf has exactly the pictures of the present faces."""
    assert later(world).waiting == 0
    assert there(world) == present(world) != set()
    assert set(world.registry.book.shelved(world.store.person("Ada").person_id) or ()) == present(world)
    assert sum(world.faces().values()) == len(present(world))


def another(world: World, owner: str, alive: str) -> World:
    """Another process at the same book and bucket while ``alive`` works; its own wires are well."""
    shelf: Any = world.registry.shelf
    plain = S3Pictures(world.wires["s3"].calls, PicturesSettings(enabled=True, bucket=shelf._place["Bucket"]))
    other = world.restarted(is_alive=lambda one: one == alive, shelf=plain)
    return replace(other, desk=replace(other.desk, registry=replace(other.registry, owner=owner)))


def once(wire: Faulty, operation: str, then: Callable[[], object]) -> None:
    """Something happens elsewhere right after the first such call."""

    def elsewhere(asked: str) -> None:
        if asked == operation:
            wire.then = lambda _: None
            then()

    wire.then = elsewhere


def test_the_shelf_has_the_new_pictures_and_no_others(world: World) -> None:
    """Nothing is left to be done, and the same pictures given again may be enrolled after others."""
    for qualities in (NEW, OLD, OTHER):
        update(world, *qualities)
        assert there(world) == crops(world, *qualities)
        assert world.registry.book.tasks() == []
    settled(world)


@pytest.mark.parametrize(("wire", "operation", "nth", "where", "code"), CUTS)
def test_cut_off_anywhere_the_shelf_ends_right(
    world: World, wire: str, operation: str, nth: int, where: str, code: str
) -> None:
    """At no moment without the present faces' pictures, in the end with no others; then a next update goes well."""
    getattr(world.wires[wire], where)[operation] = ["ok"] * nth + [code]
    with suppress(KioskError, Killed):
        update(world, *NEW)
    assert present(world) <= there(world)
    settled(world)
    update(world.restarted(), *OTHER)
    assert there(world) == crops(world, *OTHER)


@pytest.mark.parametrize("code", ["AccessDenied", "time-out", "dead"])
def test_cut_off_twice_the_shelf_ends_right(world: World, code: str) -> None:
    """The first update dies with its pictures on the shelf, the second when it takes away what is too many."""
    world.wires["s3"].after["put_object"] = ["ok", "dead"]
    with pytest.raises(Killed):
        update(world, *NEW)
    assert there(world) == crops(world, *OLD, *NEW)
    second = world.restarted()
    world.wires["s3"].before["delete_objects"] = [code] * 2
    with suppress(Killed):
        update(second, *OTHER)
    assert present(world) == crops(world, *OTHER)
    settled(world)


def test_a_shelf_that_does_not_answer_refuses_the_update(world: World) -> None:
    """Before anything is changed: the old face and picture stay, and it is told."""
    world.wires["s3"].before["put_object"] = ["time-out"]
    with pytest.raises(RecordsError):
        update(world, *NEW)
    assert world.events("PHOTO_UPDATED") == []
    assert (present(world), there(world)) == (crops(world, *OLD), crops(world, *OLD))
    settled(world)


def test_old_pictures_that_cannot_be_removed_are_told_and_removed_later(world: World) -> None:
    """The change stands; the command says what lags behind."""
    world.wires["s3"].before["delete_objects"] = ["AccessDenied"]
    done = update_images(world.desk, "Ada", shots(world, *NEW))
    assert "AccessDenied" in done.problems[0]
    assert done.waiting == 1
    assert there(world) == crops(world, *OLD, *NEW)
    settled(world)


def test_the_old_order_would_be_found_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Emptied first and filled then: cut off in between there is nothing."""
    keep = Adding.keep

    def emptied(adding: Adding, stills: Any) -> None:
        adding._desk.registry.shelf.forget(adding._person_id)  # type: ignore[union-attr]  # there is one
        keep(adding, stills)

    monkeypatch.setattr(Adding, "keep", emptied)
    world.wires["s3"].before["put_object"] = ["dead"]
    with suppress(KioskError, Killed):
        update(world, *NEW)
    assert not present(world) <= there(world)


def test_the_old_bookkeeping_would_be_found_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A settling that leaves alone whatever is of somebody who exists leaves the old face's picture for ever."""
    monkeypatch.setattr(settling, "_tidy", lambda *_: 0)
    update(world, *NEW)
    later(world)
    assert there(world) - present(world) == crops(world, *OLD)


# Two processes


MOMENTS = [
    ("site", "index_faces"),
    ("s3", "put_object"),
    ("s3", "list_object_versions"),
    ("s3", "delete_objects"),
    ("site", "delete_faces"),
]


@pytest.mark.parametrize(("wire", "operation"), MOMENTS)
def test_settling_elsewhere_takes_nothing_from_a_living_update(world: World, wire: str, operation: str) -> None:
    """Though an earlier one was killed and left one of the same pictures and a task."""
    world.wires["s3"].after["put_object"] = ["dead"]
    with pytest.raises(Killed):
        update(world, *NEW)
    living = world.restarted()
    ran = []
    once(world.wires[wire], operation, lambda: ran.append(settle(another(world, "third", "next").registry)))
    update(living, *NEW)
    assert ran
    assert present(world) == crops(world, *NEW)
    assert present(world) <= there(world)
    settled(world)


@pytest.mark.parametrize(("wire", "operation"), MOMENTS[:-1])
def test_of_two_updates_at_once_the_later_is_refused(world: World, wire: str, operation: str) -> None:
    """It changes nothing, leaves no task, and may be tried again."""
    refused = []

    def other() -> None:
        with pytest.raises(RecordsMoved, match="another process is at this person's pictures") as caught:
            update(another(world, "third", "first"), *OTHER)
        assert not [task for task in world.registry.book.tasks() if task.owner == "third"]
        refused.append(caught.value.reason)

    once(world.wires[wire], operation, other)
    update(world, *NEW)
    assert refused == ["MOVED"]
    assert there(world) == crops(world, *NEW)
    update(another(world, "third", "nobody"), *OTHER)
    settled(world)


def at_the_same_picture(world: World) -> list[bool]:
    """A picture that a killed update left is settled away just when it is given again; whether that was refused."""
    world.wires["s3"].after["put_object"] = ["ok", "dead"]
    with pytest.raises(Killed):
        update(world, *NEW)
    settler, refused = world.restarted(), list[bool]()

    def again() -> None:
        try:
            update(another(world, "third", "next"), *NEW)
        except RecordsMoved:
            refused.append(True)

    once(world.wires["s3"], "list_object_versions", again)
    settle(settler.registry)
    return refused


def test_a_picture_that_is_given_again_while_it_is_taken_away_is_not_lost(world: World) -> None:
    """Its name is the same: the update is refused until the settling is through."""
    assert at_the_same_picture(world) == [True]
    assert there(world) == present(world) == crops(world, *OLD)
    update(another(world, "third", "nobody"), *NEW)
    settled(world)


def test_without_a_turn_a_picture_would_be_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the rule is for."""
    monkeypatch.setattr("kiosk.enrollment.register.is_taken", lambda *_: False)
    assert at_the_same_picture(world) == []
    assert not present(world) <= there(world)


@pytest.mark.parametrize("operation", ["put_object", "list_object_versions", "delete_objects"])
def test_a_removal_during_an_update_leaves_no_picture(world: World, operation: str) -> None:
    """Whichever of the two comes first to the shelf."""
    other = another(world, "third", "first")
    once(world.wires["s3"], operation, lambda: remove_person(other.registry, "Ada"))
    with suppress(KioskError):
        update(world, *NEW)
    assert later(world).waiting == 0
    assert (world.store.people(), there(world), world.faces()) == ([], set(), {})


def test_a_settler_that_died_keeps_nobody_waiting(world: World) -> None:
    """Its task is one more to be done."""
    ada = world.store.person("Ada").person_id
    world.registry.book.begin(ada, [("pictures", "")], "dead settler")
    update(world, *NEW)
    assert there(world) == crops(world, *NEW)
    settled(world)


# What was there before, and what is switched off


def forgetful(world: World) -> None:
    """The book as it was before it noted what is on the shelf."""
    with world.store._engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.exec_driver_sql("UPDATE people SET shelf_pictures = NULL")


@pytest.mark.parametrize("code", ["ok", "dead"])
def test_whoever_was_enrolled_before_it_was_noted_loses_no_picture(world: World, code: str) -> None:
    """Settling leaves theirs alone; a first update, cut off or not, is as any other."""
    forgetful(world)
    world.registry.book.begin(world.store.person("Ada").person_id, [("pictures", "")], "dead")
    world.later = SETTLE + timedelta(seconds=60)
    assert settle(world.registry).waiting == 0
    assert there(world) == crops(world, *OLD)
    world.wires["s3"].after["put_object"] = [code]
    with suppress(Killed):
        update(world, *NEW)
    assert present(world) == crops(world, *(OLD if code == "dead" else NEW))
    settled(world)


@pytest.mark.parametrize("before", [True, False])
def test_pictures_of_a_shelf_that_was_switched_off_are_not_forgotten(world: World, before: bool) -> None:
    """An update without it says that something is left; with it again, the old face's picture goes."""
    if before:
        forgetful(world)
    off = world.restarted(shelf=None, keeps_pictures=False)
    done = update_images(off.desk, "Ada", shots(world, *NEW))
    assert done.waiting == 1
    assert "are not configured here any more" in done.problems[0]
    assert there(world) == crops(world, *OLD)
    assert settle(world.restarted().registry).waiting == 0
    assert there(world) == set()
    assert update_images(off.desk, "Ada", shots(world, *OLD)).waiting == 0


def test_where_pictures_are_kept_no_more_an_update_takes_the_old_ones_away(world: World) -> None:
    """Cut off or not."""
    careful = world.restarted(keeps_pictures=False)
    world.wires["s3"].before["delete_objects"] = ["dead"]
    with pytest.raises(Killed):
        update(careful, *NEW)
    assert there(world) == crops(world, *OLD)
    settle(world.restarted(keeps_pictures=False).registry)
    assert there(world) == set()
    assert update_images(world.restarted().desk, "Ada", shots(world, *OLD)).problems == ()
    assert there(world) == crops(world, *OLD)
    update(world.restarted(keeps_pictures=False), *NEW)
    assert there(world) == set()


def test_a_picture_of_somebody_else_changes_nothing_on_the_shelf(world: World) -> None:
    """It is not even asked."""
    asked = len(world.wires["s3"].asked)
    with pytest.raises(InputError, match="does not show the person"):
        update_images(world.desk, "Ada", [photo(world.data, 2)])
    assert len(world.wires["s3"].asked) == asked
    settled(world)
