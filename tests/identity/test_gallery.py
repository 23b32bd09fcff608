"""The gallery against brute force, and its rules."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import MatchError
from kiosk.identity.gallery import Gallery
from kiosk.values import Embedding
from tests.support.facekit import VERSION, someone, unit

people = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 40)), max_size=30)


def brute(templates: list[tuple[str, Embedding]], probe: Embedding) -> tuple[str, float, float | None] | None:
    """Best template of each person, then the two best people."""
    best: dict[str, float] = {}
    for person, template in templates:
        best[person] = max(best.get(person, -2.0), float(template.vector @ probe.vector))
    ordered = sorted(best.items(), key=lambda pair: -pair[1])
    if not ordered:
        return None
    return ordered[0][0], ordered[0][1], ordered[1][1] if len(ordered) > 1 else None


def same(gallery: Gallery, templates: list[tuple[str, Embedding]], probe: Embedding) -> None:
    """The gallery says what brute force says."""
    found, expected = gallery.search(probe), brute(templates, probe)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found.cosine == pytest.approx(expected[1], abs=1e-5)
        assert (found.runner_up is None) == (expected[2] is None)
        if found.runner_up is not None and expected[2] is not None:
            assert found.runner_up == pytest.approx(expected[2], abs=1e-5)
            if expected[1] - expected[2] > 1e-4:
                assert found.person_id == expected[0]


@given(people, st.integers(0, 60), st.sampled_from("abcdef"))
def test_search_is_exact_through_every_change(rows: list[tuple[str, int]], seed: int, gone: str) -> None:
    """After a load, after single additions, after a removal."""
    templates = [(person, someone(number)) for person, number in rows]
    half = len(templates) // 2
    gallery = Gallery(VERSION)
    gallery.replace(templates[:half])
    for person, template in templates[half:]:
        gallery.add(person, template)
    assert (len(gallery), gallery.people) == (len(templates), len({person for person, _ in templates}))
    same(gallery, templates, someone(seed))
    gallery.remove(gone)
    left = [row for row in templates if row[0] != gone]
    assert len(gallery) == len(left)
    same(gallery, left, someone(seed))
    gallery.add(gone, someone(99))
    same(gallery, [*left, (gone, someone(99))], someone(99))


def test_a_second_template_of_the_best_is_no_runner_up() -> None:
    """The runner-up is always another person."""
    gallery = Gallery(VERSION)
    gallery.replace([("a", someone(1)), ("a", someone(1, noise=0.1)), ("b", someone(2))])
    found = gallery.search(someone(1))
    assert found is not None
    assert found.person_id == "a"
    assert found.runner_up == pytest.approx(float(someone(1).vector @ someone(2).vector), abs=1e-5)


def test_one_to_one() -> None:
    """Best template of that person only; nobody is None."""
    gallery = Gallery(VERSION)
    gallery.replace([("a", someone(1)), ("a", someone(3)), ("b", someone(2))])
    assert gallery.compare(someone(3), "a") == pytest.approx(1.0, abs=1e-5)
    assert gallery.compare(someone(3), "b") == pytest.approx(float(someone(3).vector @ someone(2).vector), abs=1e-5)
    assert gallery.compare(someone(3), "c") is None


def test_versions_never_meet() -> None:
    """Neither as template nor as probe; a refused load changes nothing."""
    gallery = Gallery(VERSION)
    gallery.add("a", someone(1))
    other = someone(1, version="other")
    for attempt in (
        lambda: gallery.add("b", other),
        lambda: gallery.search(other),
        lambda: gallery.compare(other, "a"),
        lambda: gallery.replace([("b", someone(2)), ("c", other)]),
    ):
        with pytest.raises(MatchError, match="other"):
            attempt()
    assert (len(gallery), gallery.people) == (1, 1)


@pytest.mark.parametrize(
    "vector", [np.zeros(64), np.full(64, np.nan), np.ones(64), np.ones((2, 32)) / 8, np.full(64, np.inf)]
)
def test_unusable_vectors_are_refused(vector: np.ndarray) -> None:
    """A vector that is not of unit length could win by being long."""
    gallery = Gallery(VERSION)
    gallery.add("a", someone(1))
    with pytest.raises(MatchError):
        gallery.add("b", Embedding(vector.astype(np.float32), VERSION))
    with pytest.raises(MatchError):
        gallery.search(Embedding(vector.astype(np.float32), VERSION))


def test_another_length_is_refused() -> None:
    """Same version, other length: something is wrong."""
    gallery = Gallery(VERSION)
    gallery.add("a", someone(1))
    short = unit(np.ones(32))
    for attempt in (
        lambda: gallery.add("b", short),
        lambda: gallery.search(short),
        lambda: gallery.replace([("a", someone(1)), ("b", short)]),
    ):
        with pytest.raises(MatchError, match="length"):
            attempt()


def test_readers_see_whole_states_while_writers_write() -> None:
    """Whoever searches while people come and go finds the one who stays."""
    gallery = Gallery(VERSION)
    gallery.add("stays", someone(1))
    wrong: list[str] = []
    done = threading.Event()

    def search() -> None:
        while not done.is_set():
            found = gallery.search(someone(1))
            if found is None or found.person_id != "stays" or not found.cosine > 0.99:
                wrong.append(str(found))

    readers = [threading.Thread(target=search) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(300):
        gallery.add(f"p{number % 7}", someone(10 + number))
        if number % 5 == 4:
            gallery.remove(f"p{number % 7}")
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong


def test_nothing_biometric_is_printed() -> None:
    """The repr holds no vector."""
    gallery = Gallery(VERSION)
    gallery.add("a", unit(np.eye(64)[0]))
    assert "1." not in repr(gallery._snapshot)
