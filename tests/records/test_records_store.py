"""People, badges and templates: all or nothing, found the way the staff looks for them."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kiosk.errors import RecordsConflict, RecordsError, UnknownPerson
from kiosk.ports import EventRecorder, TemplateSource
from kiosk.records.people import NewTemplate
from kiosk.records.store import Store
from kiosk.values import Embedding, Person
from tests.support.records_kit import MODEL, NOW_TEXT, open_store, template


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh store."""
    with open_store(tmp_path) as opened:
        yield opened


def test_the_store_is_both_ports(store: Store) -> None:
    """mypy checks the shapes; this line makes it do so."""
    recorder: EventRecorder = store
    source: TemplateSource = store
    assert recorder is source


def test_a_person_survives_closing(tmp_path: Path) -> None:
    """Name, badge and vectors come back bit for bit."""
    added = template(1)
    with open_store(tmp_path) as store:
        person = store.add_person("  Ada  Lovelace ", " B-17 ", [added])
    assert person == Person(person.person_id, "Ada Lovelace", "B-17")
    assert uuid.UUID(person.person_id).version == 4
    with open_store(tmp_path, create=False) as store:
        for ref in (person.person_id, person.person_id.upper(), "ada lovelace", "b-17", " B-17"):
            assert store.person(ref) == person
        ((owner, embedding),) = store.templates(MODEL)
        assert owner == person.person_id
        assert embedding.vector.tobytes() == added.embedding.vector.tobytes()
        details = store.details("Ada Lovelace")
        assert (details.active, details.created, details.templates) == (True, NOW_TEXT, {MODEL: 1})
        assert store.badge_holder("b-17") == person.person_id


@pytest.mark.parametrize(
    ("name", "badge", "seed"),
    [("ADA", None, 2), ("Bob", "b1", 2), ("Bob", "B2", 1), ("Bob", "no good", 2), ("", "B2", 2)],
)
def test_a_refused_person_leaves_nothing(store: Store, name: str, badge: str | None, seed: int) -> None:
    """Taken name, badge or picture, or unfit text: the store is as before, down to the last event."""
    store.add_person("Ada", "B1", [template(1)])
    before = (store.people(), store.events(), store.template_matrix(MODEL)[0], store.chain_head())
    with pytest.raises(RecordsError) as caught:
        store.add_person(name, badge, [template("fresh"), template(seed)])
    assert "\n" not in str(caught.value)
    assert (store.people(), store.events(), store.template_matrix(MODEL)[0], store.chain_head()) == before
    store.add_person("Bob", "B2", [template("fresh")])


def test_the_same_picture_twice_in_one_call_is_refused(store: Store) -> None:
    """The first of the two must not stay."""
    with pytest.raises(RecordsConflict, match="already a template"):
        store.add_person("Ada", None, [template(1), template(1)])
    assert store.people() == []


BAD_VECTORS = [
    np.zeros(128, np.float32),
    np.full(128, np.nan, np.float32),
    np.ones(128, np.float32),
    np.ones((1, 128), np.float32) / np.float32(np.sqrt(128)),
    np.ones(8, np.float32) / np.float32(np.sqrt(8)),
]


@pytest.mark.parametrize("vector", BAD_VECTORS, ids=["zero", "nan", "long", "matrix", "short"])
def test_only_unit_vectors_are_kept(store: Store, vector: np.ndarray) -> None:
    """A vector that no similarity could be computed with is refused with its person."""
    with pytest.raises(RecordsError):
        store.add_person("Ada", None, [NewTemplate(Embedding(vector, MODEL), "0" * 64)])
    assert store.people() == []


def test_model_versions_never_mix(store: Store) -> None:
    """Each call returns one version; the same picture may have a template of each."""
    store.add_person("Ada", None, [template(1), template(1, dimensions=512, model="other/2")])
    ids, matrix = store.template_matrix("other/2")
    assert (len(ids), matrix.shape, matrix.dtype) == (1, (1, 512), np.float32)
    assert store.template_matrix(MODEL)[1].shape == (1, 128)
    assert store.template_matrix("third/1")[1].shape == (0, 0)
    assert store.templates("third/1") == []


def test_the_matrix_is_in_order_of_enrollment(store: Store) -> None:
    """Row i belongs to id i, over several people and several templates each."""
    expected = []
    for number in range(20):
        person = store.add_person(f"P{number}", None, [template(f"{number}a")])
        expected.append((person.person_id, template(f"{number}a")))
        store.add_templates(person.person_id, [template(f"{number}b")])
        expected.append((person.person_id, template(f"{number}b")))
    ids, matrix = store.template_matrix(MODEL)
    assert ids == [person_id for person_id, _ in expected]
    assert np.array_equal(matrix, np.stack([it.embedding.vector for _, it in expected]))
    assert matrix.flags.c_contiguous


def test_suspended_people_do_not_count(store: Store) -> None:
    """Neither their templates nor their badge; and they come back."""
    ada = store.add_person("Ada", "B1", [template(1)])
    bob = store.add_person("Bob", "B2", [template(2)])
    store.set_active("Ada", False)
    assert store.template_matrix(MODEL)[0] == [bob.person_id]
    assert store.badge_holder("B1") is None
    assert store.details("Ada").active is False
    store.set_active("Ada", True)
    assert store.template_matrix(MODEL)[0] == [ada.person_id, bob.person_id]
    assert [event.kind for event in store.events()][-2:] == ["PERSON_SUSPENDED", "PERSON_RESUMED"]


def test_a_flash_can_be_forbidden_for_a_person(store: Store) -> None:
    """Known by the badge, before anybody is recognised; an event says that it was changed, not why."""
    store.add_person("Ada", "B1", [template(1)])
    store.add_person("Bob", "B2", [template(2)])
    store.set_no_flash("Ada", True)
    assert (store.no_flash("B1"), store.no_flash("b1"), store.no_flash("B2")) == (True, True, False)
    assert store.details("Ada").no_flash is True
    assert store.no_flash("nobody's") is False
    store.set_active("Ada", False)
    assert store.no_flash("B1") is False, "a suspended badge is no badge"
    store.set_active("Ada", True)
    store.set_no_flash("B1", False)
    assert store.no_flash("B1") is False
    told = [event.kind for event in store.events() if event.kind.startswith("FLASH")]
    assert told == ["FLASH_FORBIDDEN", "FLASH_ALLOWED"]
    with pytest.raises(UnknownPerson):
        store.set_no_flash("Carl", True)


def test_unknown_people_are_named_with_their_neighbours(store: Store) -> None:
    """A slip of the finger is answered with the nearest names, in one line."""
    store.add_person("Ada Lovelace", None, [])
    with pytest.raises(UnknownPerson, match=r"'Ada Lovelcae'; did you mean 'Ada Lovelace'\?"):
        store.person("Ada Lovelcae")
    with pytest.raises(UnknownPerson, match="people list"):
        store.remove_person("Zorro")
    with pytest.raises(UnknownPerson):
        store.add_templates(str(uuid.uuid4()), [template(1)])
    with pytest.raises(UnknownPerson):
        store.set_active("Zorro", True)
    assert store.template_matrix(MODEL)[0] == []


def test_a_name_that_is_also_a_badge_is_not_guessed(store: Store) -> None:
    """Removing the wrong one of two would be worse than asking."""
    store.add_person("1234", "9", [])
    ada = store.add_person("Ada", "1234", [])
    with pytest.raises(RecordsConflict, match="use the person's id"):
        store.remove_person("1234")
    assert store.person(ada.person_id) == ada


def test_listing_finds_parts_of_names_and_badges(store: Store) -> None:
    """Sorted by name, whatever the case."""
    for name, badge in (("bob", "X-7"), ("Ada", None), ("Émile", "X-8")):
        store.add_person(name, badge, [])
    assert [it.person.name for it in store.people()] == ["Ada", "bob", "Émile"]
    assert [it.person.name for it in store.people("x-")] == ["bob", "Émile"]
    assert [it.person.name for it in store.people("ÉM")] == ["Émile"]
    assert store.people("zz") == []


@pytest.mark.parametrize("badge", ["", "nope", "a b", "\x00", "'; DROP TABLE people; --", "9" * 1000, "é"])
def test_unknown_badges_are_none(store: Store, badge: str) -> None:
    """Whatever a reader sends, the answer is a value."""
    store.add_person("Ada", "B1", [])
    assert store.badge_holder(badge) is None


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """Closing twice is fine; using it afterwards is an error, not a reopening."""
    store = open_store(tmp_path)
    store.close()
    store.close()
    for use in (store.people, store.check, store.verify_chain, lambda: store.add_person("Ada")):
        with pytest.raises(RecordsError, match="closed"):
            use()
    assert sorted(it.name for it in tmp_path.iterdir()) == ["kiosk.db", "records.key"]


def test_a_warm_start_does_not_load_alembic(tmp_path: Path) -> None:
    """Migrations cost nothing where there is nothing to migrate."""
    open_store(tmp_path).close()
    program = (
        "import sys; from pathlib import Path; from tests.support.records_kit import open_store;"
        "open_store(Path(sys.argv[1]), create=False).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 0
