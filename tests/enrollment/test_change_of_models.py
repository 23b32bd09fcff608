"""The face model of this machine changes: nobody is lost, doubled or compared by the wrong model on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.stills import decode_image
from kiosk.enrollment import reindex as changing
from kiosk.enrollment.batch import Batch, BatchRules, Summary
from kiosk.enrollment.register import enroll_images, identify_image
from kiosk.enrollment.sources import entries
from kiosk.enrollment.update import update_images
from kiosk.errors import InputError, RecordsConflict
from kiosk.reasons import Reason
from tests.support.enrolling import World, open_world, photo
from tests.support.facekit import VERSION
from tests.support.painted import PaintedModels

NEXT = "test-model+2"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A kiosk without engines that keeps pictures; Ada and Bob are enrolled by the first model, Poor's are not kept."""
    with open_world(tmp_path, engines=(), keeps_pictures=True) as opened:
        enroll_images(opened.desk, "Ada", [photo(tmp_path, 1)])
        enroll_images(opened.desk, "Bob", [photo(tmp_path, 2), photo(tmp_path, 2, 220)])
        poor = replace(opened.desk, registry=replace(opened.registry, keeps_pictures=False))
        enroll_images(poor, "Poor", [photo(tmp_path, 3)])
        yield opened


def changed(world: World, *, before: str | None = VERSION) -> World:
    """The kiosk started again with the next model."""
    return world.restarted(models=PaintedModels(NEXT, before))


def who(world: World, person: int, folder: Path) -> tuple[str | None, str]:
    """(name, model that decided)."""
    match = identify_image(world.desk, photo(folder, person, 240))
    names = {one.person.person_id: one.person.name for one in world.store.people()}
    return names.get(match.person_id or ""), match.model_version


def reindexed(world: World) -> changing.Reindexed:
    """Everybody from kept pictures."""
    result = changing.Reindexed()
    changing.reindex(world.desk, decode_image, result)
    assert result.failed == []
    return result


def test_both_models_serve_until_everybody_has_moved(world: World, tmp_path: Path) -> None:
    """From the first model to the second: each person is named all the time, by the model that knows them."""
    now = changed(world)
    assert [who(now, person, tmp_path) for person in (1, 2, 3)] == [
        ("Ada", VERSION), ("Bob", VERSION), ("Poor", VERSION),
    ]  # fmt: skip
    assert who(now, 9, tmp_path)[0] is None
    result = reindexed(now)
    assert ([one.name for one in result.done], [one.name for one in result.come_by]) == (["Ada", "Bob"], ["Poor"])
    now = changed(world)
    assert [who(now, person, tmp_path) for person in (1, 2, 3)] == [
        ("Ada", NEXT), ("Bob", NEXT), ("Poor", VERSION),
    ]  # fmt: skip
    assert changing.finish(now.desk) == 3
    held = {one.person.name: one.templates for one in world.store.people()}
    assert held == {"Ada": {NEXT: 1}, "Bob": {NEXT: 2}, "Poor": {VERSION: 1}}  # the last one has nothing else
    after = changed(world, before=None)
    assert [who(after, person, tmp_path)[0] for person in (1, 2, 3)] == ["Ada", "Bob", None]


def test_without_the_model_of_before_nobody_is_taken_for_somebody(world: World, tmp_path: Path) -> None:
    """A model that is changed without more ado knows nobody, and says so; old templates are never compared by it."""
    bare = changed(world, before=None)
    match = identify_image(bare.desk, photo(tmp_path, 1, 240))
    assert (match.person_id, match.reason, match.similarity) == (None, Reason.UNKNOWN_PERSON, 0.0)


def test_nobody_is_enrolled_twice_while_the_model_changes(world: World, tmp_path: Path) -> None:
    """Whoever has not moved is known as a duplicate, suspended or not; whoever is new is of the new model only."""
    now = changed(world)
    with pytest.raises(RecordsConflict, match="enrolled already as Ada"):
        enroll_images(now.desk, "Twice", [photo(tmp_path, 1, 230)])
    world.store.set_active("Bob", False)
    with pytest.raises(RecordsConflict, match="enrolled already as Bob"):
        enroll_images(now.desk, "Thrice", [photo(tmp_path, 2, 230)])
    enroll_images(now.desk, "New", [photo(tmp_path, 7)])
    assert {one.person.name: one.templates for one in world.store.people()}["New"] == {NEXT: 1}
    with pytest.raises(RecordsConflict, match="enrolled already as New"):
        enroll_images(now.desk, "New too", [photo(tmp_path, 7, 230)])


def test_without_the_model_of_before_nobody_new_is_enrolled(world: World, tmp_path: Path) -> None:
    """Who could tell that they are not one of those that are known by no model in use? Unless staff insists."""
    bare = changed(world, before=None)
    with pytest.raises(RecordsConflict, match="3 people are known by no face model in use"):
        enroll_images(bare.desk, "New", [photo(tmp_path, 7)])
    assert bare.events("REGISTRATION_REFUSED") == [("REGISTRATION_REFUSED", "UNKNOWN_MODEL")]
    enroll_images(bare.desk, "New", [photo(tmp_path, 7)], allow_duplicate=True)
    update_images(bare.desk, "New", [photo(tmp_path, 7, 220)])  # makes nobody new
    enroll_images(changed(world).desk, "Newer", [photo(tmp_path, 8)])


def test_engines_are_not_asked_in_vain(tmp_path: Path) -> None:
    """Who is refused for the sake of others is not searched, indexed and erased first, which costs by the call."""
    with open_world(tmp_path) as opened:
        enroll_images(opened.desk, "Ada", [photo(tmp_path, 1)])
        bare = changed(opened, before=None)
        opened.wires["site"].asked.clear()
        with pytest.raises(RecordsConflict, match="1 people are known by no face model in use"):
            enroll_images(bare.desk, "New", [photo(tmp_path, 7)])
        assert opened.wires["site"].asked == []
        opened.store.remove_person("Ada")
        enroll_images(bare.desk, "New", [photo(tmp_path, 7)])  # the same desk, once the reason is gone


def test_new_pictures_move_a_person(world: World, tmp_path: Path) -> None:
    """The old face is compared by its own model; afterwards only the new one is there. This is how one comes by."""
    now = changed(world)
    with pytest.raises(InputError, match="does not show the person"):
        update_images(now.desk, "Poor", [photo(tmp_path, 1, 230)], allow_duplicate=True)
    update_images(now.desk, "Poor", [photo(tmp_path, 3, 230)])
    assert {one.person.name: one.templates for one in world.store.people()}["Poor"] == {NEXT: 1}
    assert who(changed(world), 3, tmp_path) == ("Poor", NEXT)


def test_an_update_without_the_model_of_before_says_what_is_missing(world: World, tmp_path: Path) -> None:
    """It cannot know whether it is the same face, and does not guess."""
    with pytest.raises(InputError, match=r"set identity\.embedder_before"):
        update_images(changed(world, before=None).desk, "Poor", [photo(tmp_path, 3, 230)])


def test_a_batch_that_is_given_again_knows_its_people(world: World, tmp_path: Path) -> None:
    """By the model they were enrolled by: neither enrolled anew nor refused."""
    source = tmp_path / "batch"
    source.mkdir()
    (source / "people.csv").write_text(f"name,badge,path\nDee,,{photo(source, 8)}\n")
    for opened, ended in ((world, "enrolled"), (changed(world), "already")):
        summary = Summary()
        Batch(opened.desk, BatchRules(100.0, 1)).run(entries(source / "people.csv"), summary, lambda *_: None)
        assert [end.ended for end in summary.ends] == [ended]


def test_cut_off_in_the_middle_it_goes_on(world: World, tmp_path: Path) -> None:
    """Ctrl-C between two people: both kinds are known, and the next run does the rest only."""
    now = changed(world)

    def stop(_what: str, done: int, _total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        changing.reindex(now.desk, decode_image, changing.Reindexed(), progress=stop)
    half = changed(world)
    assert [who(half, person, tmp_path) for person in (1, 2)] == [("Ada", NEXT), ("Bob", VERSION)]
    result = reindexed(half)
    assert ([one.name for one in result.done], result.current) == (["Bob"], 1)
