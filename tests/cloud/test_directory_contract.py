"""One contract for every Directory: in memory, and in DynamoDB (moto's server, boto3's client)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from kiosk.cloud.directory import DynamoDirectory
from kiosk.cloud.table import prepare
from kiosk.enrollment.places import LEASE, Directory, IndexedFace
from kiosk.errors import RecordsConflict, RecordsError, UnknownPerson
from kiosk.records.texts import tidy_badge
from tests.support.motokit import fresh
from tests.support.places import MemoryDirectory

ADA, BOB, EVE = (str(uuid.UUID(int=number, version=4)) for number in (1, 2, 3))
FACES = (IndexedFace("aws", "door-0", "face-1", "7.0"), IndexedFace("site", "door", "face-2", "sface+1"))
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["memory", "dynamodb"])
def directory(request: pytest.FixtureRequest, now: Any) -> Directory:
    """An empty one, whose clock is ``now``."""
    if request.param == "memory":
        return MemoryDirectory(now)
    client, table = request.getfixturevalue("dynamodb"), fresh("table")
    prepare(client, table)
    return DynamoDirectory(client, table, tidy_badge, clock=now)


def test_a_claim_holds_the_badge_before_there_is_a_face(directory: Directory) -> None:
    """Unknown, claimed, confirmed: nothing known, no faces, faces."""
    assert (directory.holder("17"), directory.faces(ADA)) == (None, None)
    directory.claim(ADA, "17")
    assert (directory.holder("17"), directory.faces(ADA)) == (ADA, ())
    directory.confirm(ADA, FACES)
    assert (directory.holder("17"), tuple(directory.faces(ADA) or ())) == (ADA, FACES)


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_badge_has_one_holder(directory: Directory, confirmed: bool) -> None:
    """In whatever case it is typed; the second is told so and leaves nothing behind."""
    directory.claim(ADA, "ab-17")
    if confirmed:
        directory.confirm(ADA, FACES)
    with pytest.raises(RecordsConflict, match="badge AB-17"):
        directory.claim(BOB, " AB-17 ")
    assert (directory.holder("Ab-17"), directory.faces(BOB)) == (ADA, None)
    with pytest.raises(UnknownPerson):
        directory.confirm(BOB, FACES)
    directory.claim(BOB, "ab-18")
    assert directory.holder("AB-18") == BOB


def test_the_same_claim_again_is_no_error(directory: Directory) -> None:
    """Before and after it was confirmed; the faces stay."""
    for _ in range(2):
        directory.claim(ADA, "17")
    directory.confirm(ADA, FACES)
    directory.claim(ADA, "17")
    assert tuple(directory.faces(ADA) or ()) == FACES


@pytest.mark.parametrize(("first", "second"), [("17", "18"), ("17", None), (None, "17")])
def test_a_person_has_one_badge(directory: Directory, first: str | None, second: str | None) -> None:
    """Another is refused, and is not reserved."""
    directory.claim(ADA, first)
    with pytest.raises(RecordsConflict, match="another badge"):
        directory.claim(ADA, second)
    if second is not None:
        assert directory.holder(second) is None
    if first is not None:
        assert directory.holder(first) == ADA


def test_people_without_a_badge_are_people(directory: Directory) -> None:
    """Any number of them."""
    for person in (ADA, BOB):
        directory.claim(person, None)
        directory.confirm(person, FACES[:1])
    directory.release(ADA)
    assert directory.faces(ADA) is None
    assert tuple(directory.faces(BOB) or ()) == FACES[:1]


def test_faces_are_replaced_not_added(directory: Directory) -> None:
    """A photo update says all there are, and may say none."""
    directory.claim(ADA, "17")
    for faces in (FACES, FACES[1:], ()):
        directory.confirm(ADA, faces)
        assert tuple(directory.faces(ADA) or ()) == faces


def test_nothing_is_confirmed_that_was_not_claimed(directory: Directory) -> None:
    """And nobody comes to be by the attempt."""
    with pytest.raises(UnknownPerson):
        directory.confirm(ADA, FACES)
    assert directory.faces(ADA) is None


def test_release_forgets_everything_and_may_be_repeated(directory: Directory) -> None:
    """The badge is free at once; who is not there is no error."""
    directory.release(ADA)
    directory.claim(ADA, "17")
    directory.confirm(ADA, FACES)
    for _ in range(2):
        directory.release(ADA)
        assert (directory.holder("17"), directory.faces(ADA)) == (None, None)
    directory.claim(BOB, "17")
    directory.release(ADA)
    assert directory.holder("17") == BOB


def test_a_kiosk_that_died_holds_a_badge_for_an_hour(directory: Directory, now: Any) -> None:
    """Not for ever: then another may have it, and the dead one's claim is gone when it comes back."""
    directory.claim(ADA, "17")
    now.pass_(LEASE)
    with pytest.raises(RecordsConflict):
        directory.claim(BOB, "17")
    now.pass_(SECOND)
    directory.claim(BOB, "17")
    assert (directory.holder("17"), directory.faces(ADA)) == (BOB, None)
    with pytest.raises(UnknownPerson):
        directory.confirm(ADA, FACES)
    directory.release(ADA)  # the dead one tidies up: not the other's badge
    directory.confirm(BOB, FACES)
    assert directory.holder("17") == BOB


def test_who_was_only_slow_is_not_robbed(directory: Directory, now: Any) -> None:
    """Late, but before anybody else: confirmed. A confirmed claim never lapses, whatever the clocks say."""
    directory.claim(ADA, "17")
    now.pass_(3 * LEASE)
    assert directory.holder("17") == ADA
    directory.confirm(ADA, FACES)
    now.pass_(1000 * LEASE)
    with pytest.raises(RecordsConflict):
        directory.claim(BOB, "17")
    now.pass_(-5000 * LEASE)
    with pytest.raises(RecordsConflict):
        directory.claim(EVE, "17")


@pytest.mark.parametrize("name", ["Ada Lovelace", "", "17", "../x", "PERSON#1"])
def test_a_name_never_gets_there(directory: Directory, name: str) -> None:
    """Only a UUID names a person, in every call."""
    for call in (
        lambda: directory.claim(name, None),
        lambda: directory.confirm(name, ()),
        lambda: directory.release(name),
        lambda: directory.faces(name),
    ):
        with pytest.raises(RecordsError, match="UUID"):
            call()


def test_a_uuid_has_one_spelling(directory: Directory) -> None:
    """Upper case is the same person."""
    directory.claim(ADA.upper(), "17")
    directory.confirm(ADA, FACES)
    assert directory.holder("17") == ADA
    directory.release(ADA.upper())
    assert directory.faces(ADA) is None


@pytest.mark.parametrize("badge", ["", "two words", "x" * 65, "#1", "ü"])
def test_what_is_no_badge_number_is_refused(directory: Directory, badge: str) -> None:
    """When it is claimed; nobody holds it."""
    with pytest.raises(RecordsError, match="badge number"):
        directory.claim(ADA, badge)
    assert (directory.holder(badge), directory.faces(ADA)) == (None, None)
