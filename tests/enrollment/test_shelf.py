"""Whatever is done at a shelf under whatever faults: it never lacks what the book says, and ends with nothing else."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.stills import decode_image
from kiosk.enrollment import reindex as changing
from kiosk.enrollment.register import enroll_images
from kiosk.enrollment.remove import remove_person
from kiosk.enrollment.settle import SETTLE, settle
from kiosk.enrollment.update import update_images
from kiosk.errors import KioskError, RecordsError, RecordsLocked
from tests.support.enrolling import Killed, World, open_world, photo
from tests.support.facekit import VERSION
from tests.support.places import MemoryPictures

SHOTS = (200, 210, 220, 230)


@dataclass
class Cut:
    """A shelf whose nth call from now on fails, before or after it was carried out."""

    whole: MemoryPictures = field(default_factory=MemoryPictures)
    left: int | None = None
    after: bool = False
    error: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            now = self.left == 0
            self.left = None if self.left is None else max(0, self.left - 1)
            if now and (isinstance(self.error, Killed) or not self.after):
                self._fail(name, arguments)
            done = getattr(self.whole, name)(*arguments)
            if now:
                self._fail(name, ())
            return done

        return call

    def _fail(self, name: str, arguments: tuple[Any, ...]) -> None:
        if self.after and arguments:
            getattr(self.whole, name)(*arguments)
        if isinstance(self.error, Killed):  # nothing more gets out
            self.after = False
        else:
            self.left = None
        raise self.error or RecordsError("no answer")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["update", "update", "settle", "remove and enroll", "reindex"]),
        st.sets(st.sampled_from(SHOTS), min_size=1, max_size=2),
        st.sampled_from([{}, {}, {"keeps_pictures": False}, {"shelf": None}]),
        st.one_of(st.none(), st.tuples(st.integers(0, 4), st.booleans(), st.booleans())),
    ),
    min_size=1,
    max_size=5,
)


def held(world: World) -> set[str]:
    """What the book says is to be there, of everybody."""
    ids = (one.person.person_id for one in world.store.people())
    return {one for person_id in ids for one in world.registry.book.shelved(person_id) or ()}


def there(shelf: Cut) -> set[str]:
    """What is there, of everybody."""
    return {one for pictures in shelf.whole.pictures.values() for one in pictures}


def present(world: World) -> set[str]:
    """Of the pictures whose templates the book holds, what is kept of them."""
    found = set()
    for path in (photo(world.data, 1, one) for one in SHOTS):
        if world.registry.book.owner_of(hashlib.sha256(path.read_bytes()).hexdigest(), VERSION):
            found.add(hashlib.sha256(world.desk.reader.read(path).crop).hexdigest())
    return found


def do(world: World, what: str, qualities: set[int]) -> None:
    """One step at the desk."""
    pictures = [photo(world.data, 1, one) for one in sorted(qualities)]
    if what == "update":
        update_images(world.desk, "Ada", pictures)
    elif what == "settle":
        settle(world.registry)
    elif what == "reindex":
        changing.reindex(world.desk, decode_image, changing.Reindexed())
    else:
        with suppress(KioskError):
            remove_person(world.registry, "Ada")
        enroll_images(world.desk, "Ada", pictures)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_in_the_end_the_shelf_has_what_the_book_says(tmp_path_factory: pytest.TempPathFactory, steps: Any) -> None:
    """Also where pictures are kept no more, or the shelf is switched off and on again."""
    shelf = Cut()
    with open_world(tmp_path_factory.mktemp("world"), engines=(), shelf=shelf, keeps_pictures=True) as world:
        enroll_images(world.desk, "Ada", [photo(world.data, 1, SHOTS[0])])
        for number, (what, qualities, changed, fault) in enumerate(steps):
            here = world.restarted(**changed)
            here = replace(here, desk=replace(here.desk, registry=replace(here.registry, owner=f"{number}")))
            if fault is not None:
                shelf.left, shelf.after, dead = fault
                shelf.error = Killed() if dead else None
            with suppress(KioskError, Killed):
                do(here, what, qualities)
            shelf.left = None
            assert held(world) <= there(shelf)
            assert held(world) in (set(), present(world))
        settle(world.restarted().registry)
        assert held(world) <= there(shelf)
        world.later = SETTLE + timedelta(seconds=1)
        assert settle(replace(world.restarted(now=world.now).registry, owner="last")).waiting == 0
        assert there(shelf) == held(world)
        assert world.store.verify_chain().ok


def test_a_reindex_leaves_a_cut_off_updates_pictures_alone(tmp_path: Path) -> None:
    """They are nobody's: the person gets a face of each picture that the book names."""
    shelf = Cut()
    with open_world(tmp_path, shelf=shelf, keeps_pictures=True) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1, 200)])
        shelf.left, shelf.after, shelf.error = 1, True, Killed()
        with pytest.raises(Killed):
            update_images(world.desk, "Ada", [photo(tmp_path, 1, 240), photo(tmp_path, 1, 250)])
        shelf.left = None
        assert len(there(shelf)) == 3
        old: Any = world.registry.engines[0]
        new = type(old)(old._asker, replace(old.place, prefix="next"))
        new.prepare()
        result = changing.Reindexed()
        changing.reindex(world.restarted(engines=(new,)).desk, decode_image, result)
        assert world.faces("next") == {ada.person_id: 1}


@dataclass
class Locked:
    """A book that cannot be read any more once ``last`` was written."""

    book: Any
    last: str
    done: bool = False

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            if self.done and name == "tasks":
                raise RecordsLocked("locked")
            told = getattr(self.book, name)(*arguments, **named)
            self.done = self.done or name == self.last
            return told

        return call


@pytest.mark.parametrize("last", ["change", "remove"])
def test_what_the_book_has_done_is_not_told_as_refused(tmp_path: Path, last: str) -> None:
    """Settling afterwards is locked out: the staff hears that something is left, and not that nothing was changed."""
    with open_world(tmp_path, shelf=MemoryPictures(), keeps_pictures=True) as world:
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        desk = replace(world.desk, registry=replace(world.registry, book=Locked(world.registry.book, last)))
        done: Any = None
        if last == "change":
            done = update_images(desk, "Ada", [photo(tmp_path, 1, 220)])
        else:
            done = remove_person(desk.registry, "Ada")
        assert (done.waiting, done.problems) == (1, ("locked",))
        settle(world.restarted().registry)
        assert world.faces() == ({} if last == "remove" else {done.person.person_id: 1})
