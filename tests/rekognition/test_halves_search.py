"""PostgreSQL's own search gives the answers of the search in memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.records.key import KeySource
from kiosk.records.shared import SharedStore
from kiosk.rekognition.shelf import StoredFace
from kiosk.rekognition.vectors import Vectors
from tests.support.pgkit import Postgres

BOX = (0.1, 0.2, 0.3, 0.4)
NEAR = 1e-3
"""A tenth of what two similarities must differ by to be told apart in an answer."""


@pytest.fixture(scope="module")
def store(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedStore]:
    """One for the module: every example has a collection of its own."""
    name = postgres.fresh()
    source = KeySource(tmp_path_factory.mktemp("key") / "records.key")
    with SharedStore.open(postgres.url(name), source, create=True) as opened:
        yield opened
    postgres.drop(name)


def filled(store: SharedStore, seed: int, count: int, length: int, twins: bool, users: int) -> tuple[str, np.ndarray]:
    """A fresh collection of random faces, some of them in pairs; its name and a probe."""
    random = np.random.default_rng(seed)
    rows = random.standard_normal((count, length)).astype(np.float32)
    if twins:
        rows[1::2] = rows[: 2 * (count // 2) : 2]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    name, shelf = f"random-{uuid.uuid4()}", store.shelf()
    shelf.create_collection(name, "model/1")
    ids = [str(uuid.uuid4()) for _ in range(count)]
    shelf.add_faces(name, [StoredFace(one, "picture", None, BOX, 99.0) for one in ids], rows.astype(np.float16))
    for at in range(users):
        shelf.create_user(name, f"user{at}")
        shelf.give_faces(name, f"user{at}", ids[at::users], 100)
    probe = random.standard_normal(length).astype(np.float32) + 2.0 * rows[0]
    return name, probe / np.linalg.norm(probe)


def alike(mine: list[tuple[object, float]], other: list[tuple[object, float]]) -> None:
    """The same, in the same order, but for those that are equal within single precision."""
    assert len(mine) == len(other)
    assert np.allclose([one[1] for one in mine], [one[1] for one in other], atol=NEAR)
    for (left, cosine), (right, other_cosine) in zip(mine, other, strict=True):
        assert left == right or abs(cosine - other_cosine) < 1e-6, (left, right)


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 80),
    length=st.sampled_from([2, 16, 128, 512]),
    twins=st.booleans(),
    limit=st.integers(1, 60),
    least=st.floats(-1.0, 0.9),
)
@settings(max_examples=40)
def test_the_same_faces_in_the_same_order(
    store: SharedStore, seed: int, count: int, length: int, twins: bool, limit: int, least: float
) -> None:
    """Of random collections, of equal faces, of faces at the threshold."""
    name, probe = filled(store, seed, count, length, twins, 0)
    memory, beyond = Vectors(store.shelf()), Vectors(store.shelf(), store.search(), 0)
    found = memory.faces_like(name, probe, least, limit)
    alike([*beyond.faces_like(name, probe, least, limit)], [*found])
    for face, _ in found[:2]:
        alike(
            [*beyond.faces_like(name, probe, least, limit, without=face.face_id)],
            [*memory.faces_like(name, probe, least, limit, without=face.face_id)],
        )
        mine, other = memory.face(name, face.face_id), beyond.face(name, face.face_id)
        assert mine is not None
        assert other is not None
        assert mine[0] == other[0]
        assert np.array_equal(mine[1], other[1])


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(2, 60),
    users=st.integers(1, 12),
    limit=st.integers(1, 8),
    least=st.floats(-1.0, 0.5),
)
@settings(max_examples=20)
def test_the_same_users_in_the_same_order(
    store: SharedStore, seed: int, count: int, users: int, limit: int, least: float
) -> None:
    """By the mean of their faces; a user without a face is in neither."""
    name, probe = filled(store, seed, count, 128, False, users)
    memory, beyond = Vectors(store.shelf()), Vectors(store.shelf(), store.search(), 0)
    found = memory.users_like(name, probe, least, limit)
    alike([*beyond.users_like(name, probe, least, limit)], [*found])
    mine, other = memory.user(name, "user0"), beyond.user(name, "user0")
    assert mine is not None
    assert other is not None
    assert np.array_equal(mine, other)
    assert beyond.user(name, "nobody") is None
    if found:
        without = found[0][0]
        alike(
            [*beyond.users_like(name, probe, least, limit, without=without)],
            [*memory.users_like(name, probe, least, limit, without=without)],
        )


def test_faces_that_half_precision_cannot_tell_apart_are_told_apart(store: SharedStore) -> None:
    """The probe's rounding shuffles PostgreSQL's order; more are asked for until nobody can be missing."""
    random = np.random.default_rng(7)
    rows = np.tile(random.standard_normal(128).astype(np.float32), (300, 1))
    rows += 1e-3 * random.standard_normal(rows.shape).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    shelf = store.shelf()
    shelf.create_collection("crowd", "model/1")
    faces = [StoredFace(f"{at:036d}", "picture", None, BOX, 99.0) for at in range(300)]
    shelf.add_faces("crowd", faces, rows.astype(np.float16))
    probe = rows.mean(axis=0)
    probe /= np.linalg.norm(probe)
    memory, beyond = Vectors(shelf), Vectors(shelf, store.search(), 0)
    alike([*beyond.faces_like("crowd", probe, 0.9, 5)], [*memory.faces_like("crowd", probe, 0.9, 5)])


def test_the_limit_decides_who_searches(store: SharedStore) -> None:
    """Up to it memory, above it PostgreSQL, and what was held is dropped; below it again, memory."""
    shelf = store.shelf()
    shelf.create_collection("staff", "model/1")
    rows = np.eye(4, 16, dtype=np.float16)
    faces = [StoredFace(f"{at:035d}s", "picture", None, BOX, 99.0) for at in range(4)]
    shelf.add_faces("staff", faces[:2], rows[:2])
    vectors = Vectors(shelf, store.search(), 2)
    probe = rows[1].astype(np.float32)
    assert [face.face_id for face, _ in vectors.faces_like("staff", probe, 0.9, 3)] == [faces[1].face_id]
    assert "staff" in vectors._held
    added = shelf.add_faces("staff", faces[2:], rows[2:])
    assert added is not None
    vectors.added("staff", added)
    assert [face.face_id for face, _ in vectors.faces_like("staff", probe, 0.9, 3)] == [faces[1].face_id]
    assert "staff" not in vectors._held
    shelf.delete_faces("staff", [face.face_id for face in faces[2:]])
    assert [face.face_id for face, _ in vectors.faces_like("staff", probe, 0.9, 3)] == [faces[1].face_id]
    assert "staff" in vectors._held
    shelf.delete_collection("staff")
    assert vectors.faces_like("staff", probe, 0.9, 3) == []
    assert vectors.face("staff", faces[1].face_id) is None


def test_a_second_server_sees_what_the_first_did(store: SharedStore) -> None:
    """In memory and in PostgreSQL: the revision is asked at every search."""
    shelf, rows = store.shelf(), np.eye(3, 16, dtype=np.float16)
    shelf.create_collection("door", "model/1")
    faces = [StoredFace(f"{at:035d}d", "picture", None, BOX, 99.0) for at in range(3)]
    readers = [Vectors(shelf), Vectors(shelf, store.search(), 1)]
    for at in range(3):
        shelf.add_faces("door", [faces[at]], rows[at : at + 1])
        for reader in readers:
            found = reader.faces_like("door", rows[at].astype(np.float32), 0.9, 3)
            assert [face.face_id for face, _ in found] == [faces[at].face_id]
    shelf.delete_faces("door", [faces[0].face_id])
    for reader in readers:
        assert reader.faces_like("door", rows[0].astype(np.float32), 0.9, 3) == []
