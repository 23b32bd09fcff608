"""Several kiosks with one directory of badges, and pictures kept outside of the book; registering with a card."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from hardware.stills import decode_image
from kiosk.enrollment import reindex as changing
from kiosk.enrollment.card import CardRules, read_card, register_with_card
from kiosk.enrollment.cards.fields import CardFields, Conflict, Read
from kiosk.enrollment.living import Reference
from kiosk.enrollment.register import enroll_images
from kiosk.enrollment.remove import remove_person
from kiosk.enrollment.settle import SETTLE, settle
from kiosk.enrollment.update import update_images
from kiosk.errors import InputError, KioskError, RecordsConflict, RecordsError
from kiosk.values import Pixels
from tests.support.enrolling import Killed, World, open_world, photo
from tests.support.painted import painting
from tests.support.places import MemoryDirectory, MemoryPictures

TODAY = date(2026, 11, 28)


@dataclass
class Broken:
    """A place one of whose methods fails: ``before`` it does anything, or ``after``."""

    whole: Any
    method: str
    after: bool = False
    error: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.whole, name)
        if name != self.method:
            return found

        def failing(*arguments: Any) -> Any:
            if self.after:
                found(*arguments)
            raise self.error or RecordsError("no answer from the directory")

        return failing


@pytest.fixture
def shared() -> MemoryDirectory:
    """What both kiosks agree on."""
    return MemoryDirectory()


@pytest.fixture
def kiosks(tmp_path: Path, shared: MemoryDirectory) -> Iterator[tuple[World, World]]:
    """Two kiosks with stores of their own."""
    with ExitStack() as stack:
        opened = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            shelf = MemoryPictures()
            world = open_world(tmp_path / name, directory=shared, shelf=shelf, keeps_pictures=True)
            opened.append(stack.enter_context(world))
        yield opened[0], opened[1]


def test_a_badge_is_one_persons_at_all_kiosks(
    kiosks: tuple[World, World], shared: MemoryDirectory, tmp_path: Path
) -> None:
    """The second kiosk refuses, says why, and nothing of its person is anywhere; freed, the badge can be given."""
    one, two = kiosks
    ada = enroll_images(one.desk, "Ada", [photo(tmp_path, 1)], badge="A-17")
    with pytest.raises(RecordsConflict, match="belongs to somebody else"):
        enroll_images(two.desk, "Bob", [photo(tmp_path, 2)], badge="a-17")
    assert two.events() == [("REGISTRATION_REFUSED", "BADGE_TAKEN")]
    assert (two.store.people(), two.faces(), set(shared.entries)) == ([], {}, {ada.person_id})
    assert shared.faces(ada.person_id) == tuple(one.registry.book.faces_of(ada.person_id))
    assert remove_person(one.registry, "Ada").waiting == 0
    assert shared.entries == {}
    enroll_images(two.desk, "Bob", [photo(tmp_path, 2)], badge="a-17")


@pytest.mark.parametrize("method", ["claim", "confirm"])
@pytest.mark.parametrize("after", [False, True])
def test_a_directory_that_fails_leaves_nothing(
    kiosks: tuple[World, World], shared: MemoryDirectory, tmp_path: Path, method: str, after: bool
) -> None:
    """Whether it did what was asked or not: no person, no face, no claim that stays."""
    one, _ = kiosks
    broken = one.restarted(directory=Broken(shared, method, after))
    with pytest.raises(RecordsError, match="no answer"):
        enroll_images(broken.desk, "Ada", [photo(tmp_path, 1)], badge="17")
    assert (one.store.people(), one.faces(), shared.entries) == ([], {}, {})
    kinds = "REGISTERED", "REGISTRATION_REFUSED", "REGISTRATION_INCOMPLETE"
    assert one.events(*kinds) == [("REGISTRATION_INCOMPLETE", "RECORDS_LOST")]


@pytest.mark.parametrize("method", ["claim", "confirm"])
def test_a_kiosk_that_died_gives_its_claim_back(
    kiosks: tuple[World, World], shared: MemoryDirectory, tmp_path: Path, method: str
) -> None:
    """With the next settling of the same kiosk; pictures outside go too."""
    one, _ = kiosks
    dead = one.restarted(
        directory=Broken(Broken(shared, "release", error=Killed()), method, after=True, error=Killed())
    )
    with pytest.raises(Killed):
        enroll_images(dead.desk, "Ada", [photo(tmp_path, 1)], badge="17")
    assert shared.entries
    after = one.restarted()
    after.later = SETTLE + timedelta(seconds=1)
    assert settle(after.restarted(now=after.now).registry).waiting == 0
    shelf: Any = one.registry.shelf
    assert (shared.entries, one.faces(), shelf.pictures) == ({}, {}, {})


def test_pictures_are_kept_outside_where_a_shelf_is(kiosks: tuple[World, World], tmp_path: Path) -> None:
    """Not in the book; replaced, used for a change of models, and gone with the person."""
    one, _ = kiosks
    shelf: Any = one.registry.shelf
    ada = enroll_images(one.desk, "Ada", [photo(tmp_path, 1)])
    first = dict(shelf.pictures[ada.person_id])
    assert len(first) == 1
    assert one.registry.book.pictures_of(ada.person_id) == []
    update_images(one.desk, "Ada", [photo(tmp_path, 1, 240)])
    assert set(shelf.pictures[ada.person_id]).isdisjoint(first)
    (old,) = one.registry.engines
    new = type(old)(old._asker, replace(old.place, prefix="next"))  # type: ignore[attr-defined]  # FaceCollections
    new.prepare()
    result = changing.Reindexed()
    changing.reindex(one.restarted(engines=(new,)).desk, decode_image, result)
    assert [person.name for person in result.done] == ["Ada"]
    remove_person(one.restarted(engines=(old, new)).registry, "Ada")
    assert shelf.pictures == {}


def test_a_removal_without_the_directory_is_not_complete(
    kiosks: tuple[World, World], shared: MemoryDirectory, tmp_path: Path
) -> None:
    """It stays a task, and is done once the directory answers."""
    one, _ = kiosks
    enroll_images(one.desk, "Ada", [photo(tmp_path, 1)], badge="17")
    removed = remove_person(one.restarted(directory=Broken(shared, "release")).registry, "Ada")
    assert removed.waiting == 1
    assert "no answer from the directory" in removed.problems[0]
    assert shared.entries
    assert settle(one.registry).waiting == 0
    assert shared.entries == {}


# With a card


@dataclass(frozen=True)
class Said:
    """What a card says."""

    fields: CardFields
    conflicts: tuple[Conflict, ...] = ()
    problems: tuple[str, ...] = ()


def says(expiry: date = date(2030, 1, 1)) -> Said:
    """Ada's card."""
    return Said(CardFields(given_names=Read("ADA", "mrz"), expiry_date=Read(expiry, "mrz", confirmed=True)))


def read(said: Said) -> Any:
    """A reader that says this of every picture."""

    def reading(_: Pixels) -> Said:
        return said

    return reading


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A kiosk with one engine."""
    with open_world(tmp_path) as opened:
        yield opened


def test_the_living_face_must_be_the_cards(world: World, tmp_path: Path) -> None:
    """It is; the card's own photograph becomes no template. Another one's card is refused, and nothing is written."""
    card = read_card(world.desk, photo(tmp_path, 1, 200), read(says()))
    ada = register_with_card(world.desk, card, "Ada", [photo(tmp_path, 1)], badge="5", today=TODAY, rules=CardRules())
    assert world.faces() == {ada.person_id: 1}
    assert world.store.events()[-1].details["source"] == "card"
    assert "compare_faces" in world.wires["site"].asked
    with pytest.raises(InputError, match="another face than the card"):
        register_with_card(world.desk, card, "Bob", [photo(tmp_path, 2)], badge=None, today=TODAY, rules=CardRules())
    assert world.events("REGISTRATION_REFUSED") == [("REGISTRATION_REFUSED", "CARD_MISMATCH")]
    assert len(world.store.people()) == 1


def test_an_engine_that_sees_another_face_refuses_too(world: World, tmp_path: Path) -> None:
    """Both must see one person: a weak local model alone is not enough, nor is an engine alone."""
    card = read_card(world.desk, photo(tmp_path, 1, 200), read(says()))
    blind = replace(world.desk, alike=lambda _one, _other: 100.0)
    with pytest.raises(InputError, match=r"another face than the card \(site: similarity"):
        register_with_card(blind, card, "Bob", [photo(tmp_path, 2)], badge=None, today=TODAY, rules=CardRules())


def test_an_expired_card_is_refused_unless_allowed(world: World, tmp_path: Path) -> None:
    """By its own date."""
    card = read_card(world.desk, photo(tmp_path, 1, 200), read(says(date(2026, 11, 27))))
    arguments: dict[str, Any] = {"badge": None, "today": TODAY}
    with pytest.raises(InputError, match="has expired"):
        register_with_card(world.desk, card, "Ada", [photo(tmp_path, 1)], rules=CardRules(), **arguments)
    assert world.events("REGISTRATION_REFUSED") == [("REGISTRATION_REFUSED", "CARD_EXPIRED")]
    rules = CardRules(allow_expired=True)
    register_with_card(world.desk, card, "Ada", [photo(tmp_path, 1)], rules=rules, **arguments)


def test_a_card_without_a_face_is_refused(world: World, tmp_path: Path) -> None:
    """With a word of its own."""
    blank = tmp_path / "blank.png"
    blank.write_bytes(painting(size=(480, 480)))
    with pytest.raises(InputError, match="no face found"):
        read_card(world.desk, blank, read(says()))
    assert world.events() == [("REGISTRATION_REFUSED", "NO_FACE_ON_CARD")]


# With a liveness check


def live(tmp_path: Path, person: int) -> Any:
    """A check that this person passes."""
    pixels = decode_image(photo(tmp_path, person, 230).read_bytes())
    return lambda: Reference(pixels, f"{person:064x}")


def test_who_was_checked_is_who_is_enrolled(world: World, tmp_path: Path) -> None:
    """The check's picture is one more template; a photograph of somebody else beside it is refused."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)], live=live(tmp_path, 1))
    assert world.faces() == {ada.person_id: 2}
    with pytest.raises(InputError, match="shows somebody else than the liveness check"):
        enroll_images(world.desk, "Bob", [photo(tmp_path, 2)], live=live(tmp_path, 3))
    enroll_images(world.desk, "Eve", [], live=live(tmp_path, 4))


def test_who_fails_the_check_is_not_enrolled(world: World, tmp_path: Path) -> None:
    """The step and the word are written down."""

    def failing() -> Reference:
        raise InputError("was not proven live", reason="NOT_LIVE")

    with pytest.raises(KioskError, match="not proven live"):
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)], live=failing)
    assert world.events() == [("REGISTRATION_REFUSED", "NOT_LIVE")]
    assert world.store.events()[0].details["step"] == "liveness"
