"""Enrolling into other engines: all or nothing, whatever breaks, and nothing left behind.

boto3 speaks to the real dispatcher without a socket; faults are injected between the two.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.enrollment.register import enroll_images
from kiosk.enrollment.remove import remove_person
from kiosk.enrollment.settle import SETTLE, settle
from kiosk.enrollment.update import update_images
from kiosk.errors import InputError, KioskError, MatchError, RecordsConflict, RecordsError, UnknownPerson
from kiosk.values import Face, Pixels
from kiosk.visit.quality import FaceMeasures
from tests.support.enrolling import Killed, World, open_world, photo
from tests.support.painted import HIDDEN, measure

BOTH = ("aws", "site")


CUTS = [
    (operation, where, code)
    for operation in ("index_faces", "delete_faces", "list_faces")
    for where in ("before", "after")
    for code in ("AccessDeniedException", "time-out", "dead")
    if (where, code) != ("after", "AccessDeniedException")  # refused is not done
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A kiosk with two engines, each of two shards."""
    with open_world(tmp_path, engines=BOTH, shards=2) as opened:
        yield opened


def everywhere(world: World) -> dict[str, int]:
    """Person id to number of faces over all collections."""
    found: dict[str, int] = {}
    for collection in ("door-0", "door-1", "cloud-0", "cloud-1"):
        for person_id, count in world.faces(collection).items():
            found[person_id] = found.get(person_id, 0) + count
    return found


def consistent(world: World) -> None:
    """Every face in an engine is in the book, and every face of the book in its engine."""
    book = {
        (face.collection, face.face_id)
        for one in world.store.people()
        for face in world.registry.book.faces_of(one.person.person_id)
    }
    shelf = world.bench.store.shelf()
    there = {
        (name, face.face_id) for name in ("door-0", "door-1", "cloud-0", "cloud-1") for face in shelf.faces(name, 0, 99)
    }
    assert there == book


def test_a_person_is_in_every_engine_by_id_only(world: World, tmp_path: Path) -> None:
    """One face a picture and engine, in the shard of the id; no task is left; no name was sent."""
    sent: list[bytes] = []
    world.bench.change = lambda request: sent.append(bytes(request.body))
    ada = enroll_images(world.desk, "Ada Lovelace", [photo(tmp_path, 1), photo(tmp_path, 1, 240)], badge="4711")
    assert everywhere(world) == {ada.person_id: 4}
    faces = world.registry.book.faces_of(ada.person_id)
    assert {face.collection for face in faces} == {
        engine.collection_of(ada.person_id) for engine in world.registry.engines
    }
    assert world.registry.book.tasks() == []
    assert world.store.events()[-1].details["engines"] == "aws,local,site"
    assert not any(b"Lovelace" in body or b"4711" in body for body in sent)
    consistent(world)


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("before", "AccessDeniedException"),
        ("before", "InternalServerError"),
        ("after", "InternalServerError"),
        ("before", "time-out"),
        ("after", "time-out"),
    ],
)
@pytest.mark.parametrize("operation", ["search_faces_by_image", "index_faces"])
def test_whatever_breaks_nobody_is_half_enrolled(
    world: World, tmp_path: Path, operation: str, code: str, where: str
) -> None:
    """The second engine refuses, or does it and the answer is lost: the first one's face is taken back too."""
    getattr(world.wires["site"], where)[operation] = [code] * 20
    with pytest.raises(MatchError):
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    assert world.store.people() == []
    assert everywhere(world) == {}
    kinds = world.events("REGISTRATION_REFUSED", "REGISTRATION_INCOMPLETE")
    assert [kind for kind, _ in kinds] == ["REGISTRATION_INCOMPLETE"]
    assert world.events("REGISTERED") == []
    world.wires["site"].before.clear()
    world.wires["site"].after.clear()
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    consistent(world)


def test_throttles_are_waited_out(world: World, tmp_path: Path) -> None:
    """Refused before anything was done, IndexFaces may be asked again, and makes one face."""
    world.wires["aws"].before["index_faces"] = ["ThrottlingException", "ProvisionedThroughputExceededException"]
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    assert world.wires["aws"].asked.count("index_faces") == 3
    consistent(world)


def test_a_lost_answer_is_looked_for_until_no_call_can_be_under_way(world: World, tmp_path: Path) -> None:
    """The face of a call that was carried out late, after it was looked for, goes too."""
    wire = world.wires["site"]
    wire.before["index_faces"] = ["time-out"]
    with pytest.raises(MatchError, match="no answer"):
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    (person_id,) = {task.person_id for task in world.registry.book.tasks()}
    (site,) = [engine for engine in world.registry.engines if engine.name == "site"]
    site.index(person_id, world.desk.reader.read(photo(tmp_path, 1)).crop)  # the late call
    assert everywhere(world) == {person_id: 1}
    done = settle(world.registry)
    assert (done.erased, done.waiting) == (0, 2)  # looked at already: of each engine the last look is still to come
    world.later = SETTLE + timedelta(seconds=1)
    assert settle(world.registry).waiting == 0
    assert everywhere(world) == {}
    assert world.events("FACES_ERASED") == [("FACES_ERASED", "")] * 2  # the one of aws, and the late one


def test_an_engine_that_cannot_take_back_is_settled_later(world: World, tmp_path: Path) -> None:
    """The network goes between indexing and taking back: the face stays a task, and goes with the next settling."""
    aws, site = world.wires["aws"], world.wires["site"]
    site.before["index_faces"] = ["AccessDeniedException"]
    aws.before["delete_faces"] = ["InternalServerError"] * 99
    aws.before["list_faces"] = ["AccessDeniedException"] * 99

    with pytest.raises(MatchError):
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    assert len(everywhere(world)) == 1
    left = settle(world.registry)
    assert left.waiting
    assert left.problems
    aws.before.clear()
    world.later = SETTLE + timedelta(seconds=1)
    assert settle(world.registry).waiting == 0
    assert everywhere(world) == {}


@pytest.mark.parametrize(
    ("name", "operation"),
    [("aws", "index_faces"), ("site", "index_faces"), ("aws", "delete_faces"), ("aws", "list_faces")],
)
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_process_that_dies_leaves_nothing(
    world: World, tmp_path: Path, name: str, operation: str, where: str
) -> None:
    """Wherever it was killed, the next process takes back what it had begun, and enrolls the same person."""
    if operation != "index_faces":  # it is just taking back what it did
        world.wires["site"].before["index_faces"] = ["AccessDeniedException"]
    getattr(world.wires[name], where)[operation] = ["dead"]
    with pytest.raises(Killed):
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    after = world.restarted()
    after.later = SETTLE + timedelta(seconds=1)
    settle(after.restarted(now=after.now).registry)
    assert everywhere(world) == {}
    ada = enroll_images(after.desk, "Ada", [photo(tmp_path, 1)])
    assert everywhere(world) == {ada.person_id: 2}


def test_what_a_living_process_is_at_is_left_alone(world: World, tmp_path: Path) -> None:
    """Settling in another process in the middle of a registration takes nothing away from it."""
    other = world.restarted(is_alive=lambda owner: owner == "first")
    seen = []

    def elsewhere(operation: str) -> None:
        if operation == "index_faces":
            seen.append(settle(other.registry).erased)

    world.wires["aws"].then = elsewhere
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    assert seen == [0]
    consistent(world)


def test_a_face_that_only_an_engine_knows_is_a_duplicate(world: World, tmp_path: Path) -> None:
    """Another kiosk's people are in the same collections; the refusal names the id and the engine."""
    (site,) = [engine for engine in world.registry.engines if engine.name == "site"]
    site.index("somebody-elsewhere", world.desk.reader.read(photo(tmp_path, 1)).crop)
    with pytest.raises(RecordsConflict, match=r"enrolled already as somebody-elsewhere \(site\)"):
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1, 240)])
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1, 240)], allow_duplicate=True)


def test_two_kiosks_that_enroll_one_face_at_once(world: World, tmp_path: Path) -> None:
    """Both have searched before either indexes: whoever looks again after indexing gives way, both at worst."""
    (site,) = [engine for engine in world.registry.engines if engine.name == "site"]
    crop = world.desk.reader.read(photo(tmp_path, 1, 240)).crop

    def elsewhere(operation: str) -> None:
        if operation == "index_faces" and "of-another-kiosk" not in everywhere(world):
            site.index("of-another-kiosk", crop)

    world.wires["aws"].then = elsewhere
    with pytest.raises(RecordsConflict, match="of-another-kiosk"):
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    assert everywhere(world) == {"of-another-kiosk": 1}
    assert world.store.people() == []


def test_an_engine_that_does_not_take_the_face_says_why(world: World, tmp_path: Path) -> None:
    """Its own reason, from UnindexedFaces, is the event's."""

    def lenient(pixels: Pixels, face: Face, *, faces: int) -> FaceMeasures:
        return replace(measure(pixels, face, faces=faces), covered=0.0)

    desk = replace(world.desk, reader=replace(world.desk.reader, measure=lenient))
    with pytest.raises(MatchError, match="did not take the face"):
        enroll_images(desk, "Ada", [photo(tmp_path, 1, HIDDEN)])
    assert world.events() == [("REGISTRATION_REFUSED", "LOW_FACE_QUALITY")]
    assert everywhere(world) == {}


def test_a_taken_badge_is_refused_before_an_engine_is_asked(world: World, tmp_path: Path) -> None:
    """No picture leaves the machine for somebody who cannot be enrolled."""
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)], badge="17")
    asked = len(world.wires["aws"].asked)
    with pytest.raises(RecordsConflict, match="badge 17"):
        enroll_images(world.desk, "Bob", [photo(tmp_path, 2)], badge="17")
    assert len(world.wires["aws"].asked) == asked
    assert world.events("REGISTRATION_REFUSED") == [("REGISTRATION_REFUSED", "BADGE_TAKEN")]


def test_one_badge_twice_at_once(world: World, tmp_path: Path) -> None:
    """Two threads, one badge, two people: one is enrolled, of the other nothing is left."""
    gate, ended = threading.Barrier(2, timeout=60), []
    other = world.restarted()

    def work(desk: object, name: str, picture: Path) -> None:
        gate.wait()
        try:
            enroll_images(desk, name, [picture], badge="17")  # type: ignore[arg-type]  # a Desk
            ended.append("enrolled")
        except KioskError as error:
            ended.append(error.reason)

    pictures = photo(tmp_path, 1), photo(tmp_path, 2)
    threads = [
        threading.Thread(target=work, args=(one.desk, f"Person {at}", picture))
        for at, (one, picture) in enumerate(zip((world, other), pictures, strict=True))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(ended) == ["BADGE_TAKEN", "enrolled"]
    assert len(world.store.people()) == 1
    consistent(world)


# Photo update


def test_new_pictures_take_the_place_of_the_old_ones(world: World, tmp_path: Path) -> None:
    """Here and in both engines; the old faces are gone."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1), photo(tmp_path, 1, 240)], badge="7")
    old = set(world.registry.book.faces_of(ada.person_id))
    updated = update_images(world.desk, "7", [photo(tmp_path, 1, 230)])
    assert (updated.person, updated.waiting) == (ada, 0)
    assert world.store.details("Ada").templates == {"test-model+1": 1}
    assert not old & set(world.registry.book.faces_of(ada.person_id))
    assert everywhere(world) == {ada.person_id: 2}
    assert world.events("PHOTO_UPDATED") == [("PHOTO_UPDATED", "")]
    consistent(world)


def test_a_photo_of_somebody_else_is_refused(world: World, tmp_path: Path) -> None:
    """The old face must match, whoever asks; nothing is sent anywhere."""
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    asked = len(world.wires["aws"].asked)
    with pytest.raises(InputError, match="does not show the person who is enrolled"):
        update_images(world.desk, "Ada", [photo(tmp_path, 2)])
    assert len(world.wires["aws"].asked) == asked
    assert world.events("PHOTO_UPDATE_REFUSED") == [("PHOTO_UPDATE_REFUSED", "FACE_CHANGED")]
    with pytest.raises(UnknownPerson):
        update_images(world.desk, "Bob", [photo(tmp_path, 2)])


@pytest.mark.parametrize(("operation", "where", "code"), CUTS)
def test_an_update_is_whole_or_not_at_all(world: World, tmp_path: Path, operation: str, where: str, code: str) -> None:
    """At every moment the person has a face in every engine; in the end the book and the engines agree."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    getattr(world.wires["site"], where)[operation] = [code]
    try:
        update_images(world.desk, "Ada", [photo(tmp_path, 1, 240)])
    except (KioskError, Killed):
        assert world.events("PHOTO_UPDATED") == [] or code == "dead"
    held = {face.engine for face in world.registry.book.faces_of(ada.person_id)}
    assert held == set(BOTH)
    after = world.restarted()
    after.later = SETTLE + timedelta(seconds=1)
    assert settle(after.restarted(now=after.now).registry).waiting == 0
    consistent(world)
    assert everywhere(world) == {ada.person_id: 2}


# Removal


def test_a_removed_person_is_nowhere(world: World, tmp_path: Path) -> None:
    """Also faces that somebody else put into the collection under the person's id."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)], badge="7")
    bob = enroll_images(world.desk, "Bob", [photo(tmp_path, 2)])
    for engine in world.registry.engines:
        engine.index(ada.person_id, world.desk.reader.read(photo(tmp_path, 1, 240)).crop)
    removed = remove_person(world.registry, "7")
    assert (removed.removal.person, removed.erased, removed.waiting) == (ada, 4, 0)
    assert everywhere(world) == {bob.person_id: 2}
    told = [(one.kind, one.details) for one in world.store.events_of(ada.person_id)][-3:]
    assert told == [
        ("PERSON_REMOVED", {"templates": 1, "faces": 2}),
        ("FACES_ERASED", {"engine": "aws", "faces": 2}),
        ("FACES_ERASED", {"engine": "site", "faces": 2}),
    ]
    assert world.store.verify_chain().ok
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)], badge="7")


@pytest.mark.parametrize(("operation", "where", "code"), [cut for cut in CUTS if cut[0] != "index_faces"])
def test_a_removal_that_is_cut_off_goes_on(world: World, tmp_path: Path, operation: str, where: str, code: str) -> None:
    """The person is gone here at once; the rest is done by the next process."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    getattr(world.wires["site"], where)[operation] = [code]
    try:
        removed = remove_person(world.registry, "Ada")
        assert removed.waiting
        assert removed.problems
    except Killed:
        assert code == "dead"
    assert world.store.people() == []
    after = world.restarted()
    assert settle(after.registry).waiting == 0
    assert everywhere(world) == {}
    assert {one.details.get("engine") for one in world.store.events_of(ada.person_id)} >= set(BOTH)


def test_an_engine_that_was_switched_off_is_named(world: World, tmp_path: Path) -> None:
    """Its faces stay a task until it is configured again: nothing is called done that is not."""
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    without = world.restarted(engines=world.registry.engines[1:])
    removed = remove_person(without.registry, "Ada")
    assert removed.waiting == 1
    assert "aws: is not configured here any more" in removed.problems[0]
    assert settle(world.registry).waiting == 0
    assert everywhere(world) == {}


def test_a_collection_deleted_under_us(world: World, tmp_path: Path) -> None:
    """Enrolling says so and leaves nothing; removing is done, because nothing is there any more."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    (site,) = [engine for engine in world.registry.engines if engine.name == "site"]
    for name in site.collections:
        world.bench.store.shelf().delete_collection(name)
    with pytest.raises(MatchError, match="ResourceNotFoundException"):
        enroll_images(world.desk, "Bob", [photo(tmp_path, 2)])
    assert remove_person(world.registry, ada.person_id).waiting == 0
    assert everywhere(world) == {}


def test_users_are_made_and_forgotten(tmp_path: Path) -> None:
    """Where people are Rekognition users: one user each, found by all faces, gone with the person."""
    with open_world(tmp_path, users=True) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1), photo(tmp_path, 1, 240)])
        shelf = world.bench.store.shelf()
        assert [(user.user_id, user.status) for user in shelf.users("door", "", 9)] == [(ada.person_id, "ACTIVE")]
        with pytest.raises(RecordsConflict, match=r"\(site\)|enrolled already"):
            enroll_images(world.desk, "Countess", [photo(tmp_path, 1, 230)])
        update_images(world.desk, "Ada", [photo(tmp_path, 1, 220)])
        assert world.faces() == {ada.person_id: 1}
        assert remove_person(world.registry, "Ada").waiting == 0
        assert world.faces() == {}
        assert shelf.users("door", "", 9) == []


FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["index_faces", "delete_faces", "list_faces"]),
        st.sampled_from(["before", "after"]),
        st.sampled_from(["InternalServerError", "time-out", "dead"]),
    ),
    max_size=4,
)
STEPS = st.lists(st.tuples(st.sampled_from(["enroll", "update", "remove"]), st.integers(1, 3), FAULTS), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_in_the_end_book_and_engines_agree(tmp_path_factory: pytest.TempPathFactory, steps: object) -> None:
    """Whatever is done under whatever faults: after one quiet settling every face is in both, and none in one only."""
    folder = tmp_path_factory.mktemp("world")
    with open_world(folder, shards=1) as world:
        for number, (what, person, faults) in enumerate(steps):  # type: ignore[call-overload,var-annotated]
            wire = world.wires["site"]
            for operation, where, code in faults:
                getattr(wire, where).setdefault(operation, []).append(code)
            try:
                picture = photo(folder, person, 250 - number)
                if what == "enroll":
                    enroll_images(world.desk, f"Person {person}", [picture])
                elif what == "update":
                    update_images(world.desk, f"Person {person}", [picture])
                else:
                    remove_person(world.registry, f"Person {person}")
            except Killed:
                world = world.restarted()
            except (KioskError, RecordsError):
                pass
            wire.before.clear()
            wire.after.clear()
        last = world.restarted()
        last.later = SETTLE + timedelta(seconds=1)
        assert settle(last.restarted(now=last.now).registry).waiting == 0
        book = {
            face.face_id for one in world.store.people() for face in world.registry.book.faces_of(one.person.person_id)
        }
        assert {face.face_id for face in world.bench.store.shelf().faces("door", 0, 99)} == book
        assert world.store.verify_chain().ok


def test_users_that_resemble_each_other_are_found_by_a_face(tmp_path: Path) -> None:
    """SearchUsers, for the pass over look-alikes."""
    with open_world(tmp_path, users=True) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        eve = enroll_images(world.desk, "Eve", [photo(tmp_path, 1, 240)], allow_duplicate=True)
        site: Any = world.registry.engines[0]
        (face,) = world.registry.book.faces_of(ada.person_id)
        assert set(site.like_face(face)) - {ada.person_id} == {eve.person_id}
