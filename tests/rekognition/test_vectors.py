"""The search in memory: exact, in order, of the shelf's present revision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.records.shelf import Shelf
from kiosk.rekognition.shelf import StoredFace
from kiosk.rekognition.vectors import Vectors, cosines_of
from tests.support.records_kit import open_store

BOX = (0.1, 0.2, 0.3, 0.4)


def unit_rows(seed: int, count: int, length: int = 64) -> np.ndarray:
    """Random directions."""
    rows = np.random.default_rng(seed).standard_normal((count, length)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def face(number: int) -> StoredFace:
    """Of a made-up picture."""
    return StoredFace(f"{number:08d}-0000-0000-0000-000000000000", "picture", None, BOX, 99.0)


def fill(shelf: Shelf, rows: np.ndarray, first: int = 0) -> None:
    """Into the collection ``staff``."""
    faces = [face(first + at) for at in range(len(rows))]
    assert shelf.add_faces("staff", faces, rows.astype(np.float16)) is not None


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 10), st.floats(-1.0, 1.0))
def test_the_best_are_found_in_order(seed: int, count: int, limit: int, least: float) -> None:
    """As a plain sort of all of them would."""
    rows = unit_rows(seed, count).astype(np.float16)
    probe = unit_rows(seed + 1, 1)[0]
    cosines = cosines_of(rows, probe)
    expected = [at for at in np.argsort(-cosines, kind="stable") if cosines[at] >= least][:limit]

    class Fixed:
        """A shelf that never changes."""

        def revision(self, _name: str) -> int:
            return 1

        def content(self, _name: str) -> object:
            from kiosk.rekognition.shelf import Content

            return Content(1, tuple(face(at) for at in range(count)), rows)

    found = Vectors(Fixed()).faces_like("staff", probe, least, limit)  # type: ignore[arg-type]  # what is asked of it
    assert [one.face_id for one, _ in found] == [face(int(at)).face_id for at in expected]


def test_half_precision_moves_a_cosine_by_less_than_a_thousandth() -> None:
    """Far less than two pictures of one person differ."""
    rows, probe = unit_rows(1, 5000, 128), unit_rows(2, 1, 128)[0]
    assert np.abs(cosines_of(rows.astype(np.float16), probe) - rows @ probe).max() < 1e-3


def test_what_another_process_changed_is_seen(tmp_path: Path) -> None:
    """Added, deleted, gone as a whole: the memory follows the shelf, not only its own doings."""
    rows = unit_rows(3, 6)
    with open_store(tmp_path) as store, open_store(tmp_path) as other:
        shelf, foreign = store.shelf(), other.shelf()
        shelf.create_collection("staff", "model/1")
        vectors = Vectors(shelf)
        assert vectors.faces_like("staff", rows[0], 0.9, 5) == []
        fill(foreign, rows[:3])
        assert vectors.faces_like("staff", rows[0], 0.9, 5)[0][0].face_id == face(0).face_id
        foreign.delete_faces("staff", [face(0).face_id])
        assert vectors.faces_like("staff", rows[0], 0.9, 5) == []
        fill(foreign, rows[3:5], first=3)
        assert vectors.faces_like("staff", rows[3], 0.9, 5)[0][0].face_id == face(3).face_id
        foreign.delete_collection("staff")  # made anew before anybody looked, with as many changes
        foreign.create_collection("staff", "model/1")
        for at in range(4):
            fill(foreign, rows[at : at + 1], first=10 + at)
        assert vectors.faces_like("staff", rows[3], 0.9, 5)[0][0].face_id == face(13).face_id
        foreign.delete_collection("staff")
        assert vectors.content("staff") is None
        foreign.create_collection("staff", "model/1")
        assert vectors.faces_like("staff", rows[1], 0.9, 5) == []


def test_what_was_added_here_is_taken_in_without_reading_the_rest(tmp_path: Path) -> None:
    """And only when nothing else happened in between."""
    rows = unit_rows(4, 4)
    with open_store(tmp_path) as store:
        shelf = store.shelf()
        shelf.create_collection("staff", "model/1")
        vectors = Vectors(shelf)
        fill(shelf, rows[:1])
        held = vectors.content("staff")
        added = shelf.add_faces("staff", [face(1)], rows[1:2].astype(np.float16))
        assert held is not None
        assert added is not None
        vectors.added("staff", added)
        now = vectors.content("staff")
        assert now is not None
        assert [one.face_id for one in now.faces] == [face(0).face_id, face(1).face_id]
        assert now.faces[0] is held.faces[0]  # not read anew
        fill(shelf, rows[2:3], first=2)
        late = shelf.add_faces("staff", [face(3)], rows[3:4].astype(np.float16))
        assert late is not None
        vectors.added("staff", late)  # one revision was missed: everything is read again
        again = vectors.content("staff")
        assert again is not None
        assert len(again.faces) == 4


def test_a_collection_that_vanished_takes_no_face(tmp_path: Path) -> None:
    """Deleted under us: nothing half-written."""
    with open_store(tmp_path) as store:
        shelf = store.shelf()
        assert shelf.add_faces("gone", [face(1)], unit_rows(1, 1).astype(np.float16)) is None
        assert shelf.faces("gone", 0, 10) == []


def test_a_taken_face_id_writes_nothing(tmp_path: Path) -> None:
    """All or none of one picture's faces."""
    from kiosk.errors import RecordsConflict

    rows = unit_rows(5, 3).astype(np.float16)
    with open_store(tmp_path) as store:
        shelf = store.shelf()
        shelf.create_collection("staff", "model/1")
        fill(shelf, rows[:1])
        before = shelf.revision("staff")
        with pytest.raises(RecordsConflict):
            shelf.add_faces("staff", [face(7), face(0)], rows[1:])
        assert shelf.revision("staff") == before
        assert [one.face_id for one in shelf.faces("staff", 0, 10)] == [face(0).face_id]
