"""Faults that an adversary of this code found by running it: each was real, each has its test."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hardware.stills import decode_image
from kiosk.cli.people import proof_of
from kiosk.enrollment import reindex as changing
from kiosk.enrollment.batch import Batch, BatchRules, Summary
from kiosk.enrollment.register import enroll_images
from kiosk.enrollment.remove import remove_person
from kiosk.enrollment.settle import SETTLE, Settled, settle
from kiosk.enrollment.sources import BatchEntry
from kiosk.enrollment.update import update_images
from kiosk.errors import KioskError, MatchError, RecordsConflict
from tests.support.enrolling import Killed, World, open_world, photo
from tests.support.places import MemoryDirectory, MemoryPictures

NOW = BatchRules(per_s=1e6, pause_s=0.0)


def last(world: World) -> Settled:
    """What a settling long afterwards does."""
    world.later = SETTLE + timedelta(seconds=60)
    return settle(world.restarted(now=world.now).registry)


def agree(world: World, *collections: str) -> bool:
    """Whether book and engine hold the same faces."""
    book = {face.face_id for one in world.store.people() for face in world.registry.book.faces_of(one.person.person_id)}
    shelf = world.bench.store.shelf()
    return book == {face.face_id for name in collections or ("door",) for face in shelf.faces(name, 0, 99)}


def once(world: World, operation: str, then: Any) -> None:
    """Something happens elsewhere right after the first such call."""

    def elsewhere(asked: str) -> None:
        if asked == operation:
            for wire in world.wires.values():
                wire.then = lambda _: None
            then()

    for wire in world.wires.values():
        wire.then = elsewhere


@pytest.mark.parametrize("code", ["504", "502", "ServiceUnavailable", "InternalFailure"])
def test_a_gateway_that_gave_up_does_not_mean_that_nothing_was_done(tmp_path: Path, code: str) -> None:
    """The face that was indexed behind it is taken back, and the person can be enrolled."""
    with open_world(tmp_path) as world:
        world.wires["site"].after["index_faces"] = [code]
        with pytest.raises(MatchError):
            enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        last(world)
        assert agree(world)
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])


def test_what_the_book_holds_is_never_taken_back(tmp_path: Path) -> None:
    """Interrupted after the change was written, while old bytes are overwritten: the new faces stay, the old go."""
    with open_world(tmp_path) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])

        def interrupted() -> None:
            raise KeyboardInterrupt

        book: Any = world.registry.book
        desk = replace(world.desk, registry=replace(world.registry, book=replace(book, wipe=interrupted)))
        with pytest.raises(KeyboardInterrupt):
            update_images(desk, "Ada", [photo(tmp_path, 1, 240)])
        last(world)
        assert world.faces() == {ada.person_id: 1}
        assert agree(world)


def test_settling_elsewhere_takes_nothing_from_a_living_update(tmp_path: Path) -> None:
    """Though an earlier update of the same person was killed and left a task."""
    with open_world(tmp_path) as world:
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        world.wires["site"].before["index_faces"] = ["dead"]
        with pytest.raises(Killed):
            update_images(world.desk, "Ada", [photo(tmp_path, 1, 240)])
        living = world.restarted()
        other = replace(world.restarted(is_alive=lambda owner: owner == "next").registry, owner="third")
        once(world, "index_faces", lambda: settle(other))
        update_images(living.desk, "Ada", [photo(tmp_path, 1, 240)])
        last(world)
        assert agree(world)


def test_an_update_that_commits_while_the_engine_is_listed_loses_nothing(tmp_path: Path) -> None:
    """The book is read after the listing."""
    with open_world(tmp_path) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        world.registry.book.begin(ada.person_id, [("site", "door")], "dead")
        living = world.restarted(is_alive=lambda _: True)
        once(world, "list_faces", lambda: update_images(living.desk, "Ada", [photo(tmp_path, 1, 240)]))
        settle(replace(world.restarted().registry, owner="third"))
        last(world)
        assert agree(world)


def test_a_later_update_does_not_end_the_task_of_a_lost_call(tmp_path: Path) -> None:
    """The call is carried out after the second update: its face goes all the same."""
    with open_world(tmp_path) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        world.wires["site"].before["index_faces"] = ["time-out"]
        with pytest.raises(MatchError):
            update_images(world.desk, "Ada", [photo(tmp_path, 1, 240)])
        update_images(world.restarted().desk, "Ada", [photo(tmp_path, 1, 240)])
        world.registry.engines[0].index(ada.person_id, world.desk.reader.read(photo(tmp_path, 1, 230)).crop)
        last(world)
        assert agree(world)


def test_of_two_updates_at_once_the_loser_takes_its_faces_back(tmp_path: Path) -> None:
    """Though the winner has ended its own task meanwhile."""
    with open_world(tmp_path, engines=("aws", "site")) as world:
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        other = world.restarted(is_alive=lambda owner: owner == "first")

        def elsewhere() -> None:
            update_images(other.desk, "Ada", [photo(tmp_path, 1, 230)])
            world.wires["site"].before["index_faces"] = ["AccessDeniedException"]

        once(world, "index_faces", elsewhere)
        with pytest.raises(KioskError):
            update_images(world.desk, "Ada", [photo(tmp_path, 1, 240)])
        last(world)
        assert agree(world, "door", "cloud")


@pytest.mark.parametrize("off", [{"keeps_pictures": False}, {"shelf": None}, {"directory": None}])
def test_a_place_that_was_switched_off_is_not_forgotten_at_a_removal(tmp_path: Path, off: dict[str, Any]) -> None:
    """Either it is emptied, or the proof says that something is left."""
    shelf, directory = MemoryPictures(), MemoryDirectory()
    with open_world(tmp_path, engines=(), keeps_pictures=True, shelf=shelf, directory=directory) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)], badge="7")
        removed = remove_person(world.restarted(**off).registry, "Ada")
        left = bool(shelf.pictures or directory.entries)
        assert bool(removed.waiting) is left
        assert proof_of(world.store, ada.person_id)["complete"] is not left
        assert settle(world.registry).waiting == 0
        assert (shelf.pictures, directory.entries) == ({}, {})


def test_a_removal_during_an_update_leaves_no_picture_outside(tmp_path: Path) -> None:
    """Removed between the change in the book and the one on the shelf."""
    shelf = MemoryPictures()
    with open_world(tmp_path, engines=(), keeps_pictures=True, shelf=shelf) as world:
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        keep, other = shelf.keep, world.restarted(is_alive=lambda owner: owner == "first")

        def late(*arguments: Any) -> None:
            with suppress(KioskError):
                remove_person(other.registry, "Ada")
            keep(*arguments)

        shelf.keep = late  # type: ignore[method-assign]  # once
        with suppress(KioskError):
            update_images(world.desk, "Ada", [photo(tmp_path, 1, 240)])
        last(world)
        assert (world.store.people(), shelf.pictures) == ([], {})


def test_a_removal_reads_every_shard(tmp_path: Path) -> None:
    """With other shards since, a face that the book does not know lies where the person belonged before."""
    with open_world(tmp_path, shards=2) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        old: Any = world.registry.engines[0]
        other = next(name for name in old.collections if name != old.collection_of(ada.person_id))
        members = {"CollectionId": other, "ExternalImageId": ada.person_id}
        crop = world.desk.reader.read(photo(tmp_path, 1, 230)).crop
        world.bench.client().index_faces(Image={"Bytes": crop}, **members)
        assert remove_person(world.registry, "Ada").waiting == 0
        assert [world.faces(name) for name in old.collections] == [{}, {}]


def test_whoever_is_suspended_is_not_enrolled_again(tmp_path: Path) -> None:
    """Under another name they would be let in."""
    with open_world(tmp_path, engines=()) as world:
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        world.store.set_active("Ada", False)
        with pytest.raises(RecordsConflict, match="enrolled already as Ada"):
            enroll_images(world.restarted().desk, "Countess", [photo(tmp_path, 1, 240)])


def test_no_user_is_left_of_whoever_was_refused_or_removed(tmp_path: Path) -> None:
    """In the second look, by a removal during an update, and after people are users no more."""
    with open_world(tmp_path, users=True) as world:
        site: Any = world.registry.engines[0]
        shelf, ghost = world.bench.store.shelf(), str(uuid.uuid4())
        crop = world.desk.reader.read(photo(tmp_path, 1, 240)).crop
        once(world, "index_faces", lambda: site.index(ghost, crop))
        with pytest.raises(RecordsConflict):
            enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        assert [user.user_id for user in shelf.users("door", "", 9)] == [ghost]
        enroll_images(world.desk, "Bob", [photo(tmp_path, 2)])
        other = world.restarted(is_alive=lambda owner: owner == "first")
        once(world, "search_users_by_image", lambda: remove_person(other.registry, "Bob"))
        with pytest.raises(KioskError):
            update_images(world.desk, "Bob", [photo(tmp_path, 2, 240)])
        last(world)
        assert [user.user_id for user in shelf.users("door", "", 9)] == [ghost]
        enroll_images(world.desk, "Eve", [photo(tmp_path, 3)])
        plain = type(site)(site._asker, replace(site.place, users=False))
        assert remove_person(world.restarted(engines=(plain,)).registry, "Eve").waiting == 0
        assert [user.user_id for user in shelf.users("door", "", 9)] == [ghost]


def test_what_was_enrolled_without_the_network_is_made_up_for(tmp_path: Path) -> None:
    """Pictures from the book though a shelf is configured, the badge claimed, the faces told to the directory."""
    shelf, directory = MemoryPictures(), MemoryDirectory()
    with open_world(tmp_path, keeps_pictures=True, shelf=shelf, directory=directory) as world:
        alone = world.restarted(engines=(), shelf=None, directory=None)
        ada = enroll_images(alone.desk, "Ada", [photo(tmp_path, 1)], badge="7")
        result = changing.Reindexed()
        changing.reindex(world.restarted().desk, decode_image, result)
        assert [one.name for one in result.done] == ["Ada"]
        assert directory.holder("7") == ada.person_id
        assert directory.faces(ada.person_id) == tuple(world.registry.book.faces_of(ada.person_id))


def test_an_update_during_a_reindex_wins(tmp_path: Path) -> None:
    """The replaced photograph's face does not come back."""
    with open_world(tmp_path, keeps_pictures=True) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        old: Any = world.registry.engines[0]
        new = type(old)(old._asker, replace(old.place, prefix="next"))
        new.prepare()
        changed = world.restarted(engines=(new,))
        other = world.restarted(engines=(new,), is_alive=lambda _: True)
        other = replace(other, desk=replace(other.desk, registry=replace(other.registry, owner="other")))
        once(world, "index_faces", lambda: update_images(other.desk, "Ada", [photo(tmp_path, 1, 240)]))
        result = changing.Reindexed()
        changing.reindex(changed.desk, decode_image, result)
        assert len(result.failed) == 1
        last(changed)
        assert world.faces("next") == {ada.person_id: 1}


def test_more_shards_move_only_whom_they_must(tmp_path: Path) -> None:
    """After the end of the change everybody has one face, where they belong."""
    with open_world(tmp_path, shards=2, keeps_pictures=True) as world:
        people = [enroll_images(world.desk, f"P{n}", [photo(tmp_path, n)]) for n in range(1, 8)]
        old: Any = world.registry.engines[0]
        new = type(old)(old._asker, replace(old.place, shards=3))
        new.prepare()
        moved = [one for one in people if new.collection_of(one.person_id) != old.collection_of(one.person_id)]
        changed = world.restarted(engines=(new,))
        result = changing.Reindexed()
        changing.reindex(changed.desk, decode_image, result)
        assert {one.person_id for one in result.done} == {one.person_id for one in moved}
        assert changing.finish(changed.desk) == len(moved)
        assert settle(changed.registry).waiting == 0
        assert [world.faces(new.collection_of(one.person_id))[one.person_id] for one in people] == [1] * 7
        assert sum(sum(world.faces(name).values()) for name in new.collections) == 7


def test_a_batch_does_not_take_its_own_lost_face_for_somebody_else(tmp_path: Path) -> None:
    """The call of the first try is carried out before the second."""
    with open_world(tmp_path) as world:
        world.wires["site"].before["index_faces"] = ["time-out"]
        picture = photo(tmp_path, 1)
        crop = world.desk.reader.read(picture).crop

        def late(_: float) -> None:
            world.registry.engines[0].index(world.registry.book.tasks()[0].person_id, crop)

        summary = Summary()
        Batch(world.desk, NOW, pause=late).run([BatchEntry("x", "Ada", None, (picture,))], summary)
        assert summary.count("enrolled") == 1
        last(world)
        assert agree(world)


def test_an_engine_that_is_down_is_asked_once(tmp_path: Path) -> None:
    """Not once for each of its tasks, before every enrollment."""
    with open_world(tmp_path) as world:
        for _ in range(5):
            world.registry.book.begin(str(uuid.uuid4()), [("site", "door")], "gone")
        wire = world.wires["site"]
        wire.before["list_faces"] = ["time-out"] * 99
        assert settle(world.registry).waiting == 5
        assert wire.asked == ["list_faces"]


def test_another_server_under_the_same_name_is_another_engine(tmp_path: Path) -> None:
    """What the old one holds stays a task, and the proof incomplete, until it can be asked again."""
    with open_world(tmp_path) as world:
        site: Any = world.registry.engines[0]
        old = type(site)(site._asker, site.place, address="https://old.example")
        new = type(site)(site._asker, replace(site.place, prefix="next"), address="https://new.example")
        new.prepare()
        there = world.restarted(engines=(old,), keeps_pictures=True)
        ada = enroll_images(there.desk, "Ada", [photo(tmp_path, 1)])
        same = type(site)(site._asker, new.place, address="https://moved.example")
        for engine, done in ((new, 1), (new, 0), (same, 1)):
            result = changing.Reindexed()
            changing.reindex(world.restarted(engines=(engine,)).desk, decode_image, result)
            assert len(result.done) == done
        removed = remove_person(world.restarted(engines=(new,)).registry, "Ada")
        assert removed.waiting
        assert "is at another address than when" in removed.problems[0]
        assert not proof_of(world.store, ada.person_id)["complete"]
        assert world.faces() == {ada.person_id: 1}
        assert settle(there.registry).waiting
        assert world.faces() == {}
        assert settle(world.restarted(engines=(same,)).registry).waiting == 0
        assert world.faces("next") == {}
        assert proof_of(world.store, ada.person_id)["complete"]
