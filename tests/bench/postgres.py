"""Searching among many faces: in memory, and in PostgreSQL with pgvector.

``python -m tests.bench.postgres [--faces N] [--searches N]`` starts the tests' PostgreSQL with its usual settings (see
``tests.support.pgkit``), fills one collection with random vectors of the face model's length and searches it with
random probes. The same machine runs both. Printed are the median and the 95th percentile, how long a restarted server
needs until it has everything in memory, and how much that is.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kiosk.records.key import KeySource
from kiosk.records.shared import SharedStore
from kiosk.records.shelf import Shelf
from kiosk.rekognition.shelf import StoredFace
from kiosk.rekognition.vectors import Vectors
from tests.bench.rekognition import COLLECTION, LENGTH, say, spread, timed
from tests.support.pgkit import Postgres, running

PORTION = 1000
ONE_OF = 10
"""Of so many faces one belongs to a user, two to each."""
LEAST_COSINE = 0.4
MOST = 10


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length one."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def fill(shelf: Shelf, count: int) -> float:
    """A collection of ``count`` random faces; faces a second, in requests of a thousand."""
    random = np.random.default_rng(1)
    shelf.create_collection(COLLECTION, "model/1")
    began = time.perf_counter()
    for begin in range(0, count, PORTION):
        rows = unit(random.standard_normal((min(PORTION, count - begin), LENGTH)).astype(np.float32))
        ids = [f"{begin + at:036d}" for at in range(len(rows))]
        faces = [StoredFace(one, "picture", one, (0.1, 0.2, 0.3, 0.4), 99.0) for one in ids]
        shelf.add_faces(COLLECTION, faces, rows.astype(np.float16))
    return count / (time.perf_counter() - began)


def give_users(shelf: Shelf, count: int) -> None:
    """Two faces to each of some users."""
    for at in range(0, count - 1, 2 * ONE_OF):
        shelf.create_user(COLLECTION, f"user{at}")
        shelf.give_faces(COLLECTION, f"user{at}", [f"{at:036d}", f"{at + 1:036d}"], 100)


def compare(store: SharedStore, faces: int, searches: int) -> None:
    """Each kind of search, here and there."""
    shelf, random = store.shelf(), np.random.default_rng(2)
    probes = unit(random.standard_normal((searches, LENGTH)).astype(np.float32))

    def each(search: Any) -> list[float]:
        left = iter(probes)
        search(probes[0])
        return timed(lambda: search(next(left)), searches)

    for name, vectors in (("PostgreSQL", Vectors(shelf, store.search(), 0)), ("memory", Vectors(shelf))):
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        (first_s,) = timed(partial(vectors.faces_like, COLLECTION, probes[0], LEAST_COSINE, MOST), 1)
        held_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
        say(f"{name}: the first search takes {first_s:.2f} s and {held_mib:.0f} MiB of the server's memory")
        spread(
            f"{name}: faces of {faces}",
            each(lambda one, at=vectors: at.faces_like(COLLECTION, one, LEAST_COSINE, MOST)),
        )
        spread(f"{name}: their users", each(lambda one, at=vectors: at.users_like(COLLECTION, one, LEAST_COSINE, MOST)))
        spread(f"{name}: one face by id", timed(lambda at=vectors: at.face(COLLECTION, f"{faces // 2:036d}"), searches))


def measure(postgres: Postgres, folder: Path, faces: int, searches: int) -> None:
    """All of it, in a database of its own."""
    name = postgres.fresh()
    with SharedStore.open(postgres.url(name), KeySource(folder / "records.key"), create=True) as store:
        say(f"filled with {fill(store.shelf(), faces):.0f} faces a second, {PORTION} at a time")
        give_users(store.shelf(), faces)
        postgres.sql(name, "VACUUM ANALYZE")
        compare(store, faces, searches)
        spread("its facts, at every request", timed(partial(store.shelf().collection, COLLECTION), searches))
    ((size,),) = postgres.sql(name, "SELECT pg_total_relation_size('collection_faces')")
    say(f"table and indexes: {size / 2**20:.0f} MiB, {size / faces:.0f} bytes a face")
    postgres.drop(name)


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--searches", type=int, default=50)
    given = parser.parse_args(arguments)
    with running() as postgres, tempfile.TemporaryDirectory() as scratch:
        measure(postgres, Path(scratch), given.faces, given.searches)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
