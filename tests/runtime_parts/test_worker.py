"""Workers: every key is answered exactly once, whatever the work does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kiosk.errors import KioskError, MatchError, UnknownPerson
from kiosk.runtime.worker import Answer, InlineWorker, ThreadWorker, Worker

LIMIT_S = 5.0


class Notes:
    """A journal that keeps what it heard."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, **keys: Any) -> None:
        """Keep one event."""
        self.events.append((event, keys))


def drained(worker: Worker, count: int) -> list[Answer]:
    """Drain until ``count`` answers came."""
    answers: list[Answer] = []
    ready = threading.Event()
    for _ in range(int(LIMIT_S / 0.01)):
        answers += worker.drain()
        if len(answers) >= count:
            break
        ready.wait(0.01)
    return answers


def fail(error: Exception) -> Callable[[], object]:
    """Work that raises."""

    def work() -> object:
        raise error

    return work


@pytest.fixture(params=["inline", "thread"])
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """Both kinds."""
    made: Worker = InlineWorker() if request.param == "inline" else ThreadWorker(Notes())
    with made as worker:
        yield worker


def test_results_and_errors_are_answers_in_order(worker: Worker) -> None:
    """A KioskError is delivered, not raised."""
    error = UnknownPerson("no such badge")
    worker.submit("a", lambda: 1)
    worker.submit("b", fail(error))
    worker.submit("c", lambda: None)
    assert drained(worker, 3) == [("a", 1), ("b", error), ("c", None)]
    assert worker.drain() == []


def test_a_bug_in_the_work_is_an_answer_and_is_journaled_without_its_text() -> None:
    """Type and place are told; the text, which could hold a name, is not; the thread lives on."""
    notes = Notes()
    with ThreadWorker(notes) as worker:
        worker.submit(1, fail(ValueError("Ada Lovelace")))
        worker.submit(2, lambda: "alive")
        (_, failure), (_, alive) = drained(worker, 2)
    assert isinstance(failure, MatchError)
    assert alive == "alive"
    ((event, keys),) = notes.events
    assert event == "WORK_CRASHED"
    assert keys["error"] == "ValueError"
    assert "Ada" not in f"{notes.events} {failure}"


def test_a_bug_in_inline_work_is_raised() -> None:
    """In tests and simulation a bug shall be seen."""
    with InlineWorker() as worker, pytest.raises(ValueError, match="bug"):
        worker.submit(1, fail(ValueError("bug")))


def test_nothing_is_dropped_when_the_queue_is_full() -> None:
    """The refusal is the answer; what was accepted is done."""
    free = threading.Event()
    busy = threading.Event()

    def hold() -> str:
        busy.set()
        free.wait(LIMIT_S)
        return "done"

    with ThreadWorker(Notes(), capacity=2) as worker:
        worker.submit(0, hold)
        assert busy.wait(LIMIT_S)
        for key in range(1, 5):
            worker.submit(key, lambda: "done")
        free.set()
        answers = dict(drained(worker, 5))
    assert set(answers) == set(range(5))
    refused = [key for key, answer in answers.items() if isinstance(answer, KioskError)]
    assert refused == [3, 4]


def test_closing_answers_what_waits() -> None:
    """Nobody waits for ever on a worker that was closed; submitting after it is refused; closing twice is fine."""
    worker = ThreadWorker(Notes())
    busy = threading.Event()
    refused = threading.Event()

    def hold() -> str:
        busy.set()
        for _ in range(int(LIMIT_S / 0.01)):
            if worker._answers or refused.wait(0.01):
                return "done"
        return "nobody refused the waiting job"

    with worker:
        worker.submit(0, hold)
        assert busy.wait(LIMIT_S)
        worker.submit(1, lambda: "never")
    worker.submit(2, lambda: "never")
    worker.close()
    answers = dict(worker.drain())
    assert answers[0] == "done"
    assert isinstance(answers[1], MatchError)
    assert isinstance(answers[2], MatchError)


def test_a_closed_worker_can_be_opened_again() -> None:
    """The second opening has a thread of its own."""
    worker = ThreadWorker(Notes())
    for _ in range(2):
        with worker:
            worker.submit("k", lambda: 7)
            assert drained(worker, 1) == [("k", 7)]
