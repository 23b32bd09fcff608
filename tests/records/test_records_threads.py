"""One store, many threads: nothing is lost, readers see whole states, everything ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kiosk.errors import RecordsConflict
from tests.support.records_kit import MODEL, open_store, record, template, tokens

PATIENCE_S = 60.0


def together(*jobs: Callable[[], None]) -> None:
    """Run jobs at the same time; the first error of any is raised here."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        for future in [pool.submit(job) for job in jobs]:
            future.result(PATIENCE_S)


def test_writers_of_many_threads_lose_nothing(tmp_path: Path) -> None:
    """More threads than pooled connections; one chain."""
    with open_store(tmp_path) as store:

        def write(who: int) -> Callable[[], None]:
            return lambda: [record(store, f"{who}-{number}") for number in range(25)] and None

        together(*[write(who) for who in range(12)])
        assert tokens(store) == {f"{who}-{number}" for who in range(12) for number in range(25)}
        assert store.verify_chain().ok


def test_readers_see_whole_people_only(tmp_path: Path) -> None:
    """While people come and go, each has two templates or none, in every look."""
    with open_store(tmp_path) as store:
        over = threading.Event()
        looks = []

        def come_and_go() -> None:
            try:
                for number in range(15):
                    store.add_person(f"P{number}", f"B{number}", [template(f"{number}a"), template(f"{number}b")])
                    if number % 3 == 2:
                        store.remove_person(f"P{number}")
            finally:
                over.set()

        def look() -> None:
            while not over.is_set():
                ids, matrix = store.template_matrix(MODEL)
                assert len(ids) == 2 * len(set(ids)) == len(matrix)
                assert all(it.templates == {MODEL: 2} for it in store.people())
                looks.append(len(ids))

        together(come_and_go, look, look)
        assert len(set(looks)) > 1
        assert store.check().ok


def test_of_two_equal_names_one_wins(tmp_path: Path) -> None:
    """The check for a taken name and the insertion are one transaction, across stores on one file."""
    with open_store(tmp_path) as first, open_store(tmp_path) as second:
        refused = []
        gate = threading.Barrier(2, timeout=PATIENCE_S)

        def enroll(store: object) -> Callable[[], None]:
            def job() -> None:
                for number in range(15):
                    gate.wait()
                    try:
                        store.add_person(f"P{number}", None, [template(number)])  # type: ignore[attr-defined]
                    except RecordsConflict:
                        refused.append(number)

            return job

        together(enroll(first), enroll(second))
        assert sorted(refused) == list(range(15))
        assert len(first.people()) == 15
        assert first.check().ok


def test_two_openers_of_nothing_make_one_store(tmp_path: Path) -> None:
    """The making is done once; both get the same database."""
    gate = threading.Barrier(4, timeout=PATIENCE_S)

    def open_and_record(who: int) -> Callable[[], None]:
        def job() -> None:
            gate.wait()
            with open_store(tmp_path) as store:
                record(store, str(who))

        return job

    together(*[open_and_record(who) for who in range(4)])
    with open_store(tmp_path, create=False) as store:
        assert tokens(store) == {"0", "1", "2", "3"}
        assert store.check().ok
