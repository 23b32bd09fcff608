"""Work beside the loop: submit a function, find its answer in a later drain.

Rules: every submitted key is answered exactly once, with a result or with a KioskError, whatever the function does;
``submit`` never blocks and never raises for a full queue (the refusal is the answer); ``drain`` never waits.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Protocol, Self

from kiosk.closing import Closing
from kiosk.errors import KioskError, MatchError
from kiosk.ports import Closeable

Answer = tuple[Hashable, "object | KioskError"]
"""(key, what the function returned or the error that it raised)."""
CLOSE_S = 2.0
"""Longest wait for the running job at close."""
IDLE_S = 5.0
_Jobs = queue.SimpleQueue["tuple[Hashable, Callable[[], object]] | None"]


class Worker(Closeable, Protocol):
    """Runs functions; the answers are fetched by the loop."""

    def submit(self, key: Hashable, work: Callable[[], object]) -> None:
        """Run ``work`` some time; its answer will carry ``key``."""

    def drain(self) -> list[Answer]:
        """Answers since the last drain, in the order in which they were ready."""


class InlineWorker(Closing):
    """Runs at submit, answers at the next drain: for simulation and tests. KioskErrors are answers, bugs are raised."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []

    def close(self) -> None:
        """Nothing to release."""

    def submit(self, key: Hashable, work: Callable[[], object]) -> None:
        """Run ``work`` now and keep its answer."""
        try:
            self._answers.append((key, work()))
        except KioskError as error:
            self._answers.append((key, error))

    def drain(self) -> list[Answer]:
        """Answers since the last drain."""
        answers, self._answers = self._answers, []
        return answers


class ThreadWorker(Closing):
    """One background thread with a bounded queue.

    ``journal(event, **keys)`` hears of every function that failed with anything but a KioskError: the event
    ``WORK_CRASHED`` with the error's type and place, never its text, which could hold what must not be logged.
    """

    def __init__(self, journal: Callable[..., None], *, capacity: int = 8, name: str = "worker") -> None:
        self._journal = journal
        self._jobs = _Jobs()
        self._capacity = capacity
        self._answers: deque[Answer] = deque()
        self._guard = threading.Lock()
        self._closed = True
        self._name = name
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._thread is None:
            self._closed = False
            self._jobs = _Jobs()
            # A daemon, because a job that hangs in foreign code must not keep the process from ending.
            self._thread = threading.Thread(target=self._run, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()
        return self

    def submit(self, key: Hashable, work: Callable[[], object]) -> None:
        """Queue ``work``; when the queue is full or closed, that refusal is the answer."""
        with self._guard:
            if self._closed:
                self._answers.append((key, MatchError("the worker is closed")))
            elif self._jobs.qsize() >= self._capacity:
                self._answers.append((key, MatchError("too much work is waiting", where=self._name)))
            else:
                self._jobs.put((key, work))

    def drain(self) -> list[Answer]:
        """Answers since the last drain; never waits."""
        answers: list[Answer] = []
        while self._answers:
            answers.append(self._answers.popleft())
        return answers

    def close(self) -> None:
        """Answer what still waits with an error, let the running job end (at most CLOSE_S), stop the thread."""
        with self._guard:
            thread, self._thread = self._thread, None
            self._closed = True
            if thread is None:
                return
            self._refuse_waiting()
            self._jobs.put(None)
        thread.join(CLOSE_S)

    def _refuse_waiting(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                self._answers.append((job[0], MatchError("the worker was closed before this was done")))

    def _run(self, jobs: _Jobs) -> None:
        while True:
            try:
                job = jobs.get(timeout=IDLE_S)
            except queue.Empty:
                continue
            if job is None:
                return
            self._answers.append((job[0], self._answer(job[1])))

    def _answer(self, work: Callable[[], object]) -> object | KioskError:
        try:
            return work()
        except KioskError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a bug in one job must be an answer, not a dead worker: nothing opens
            kind, place = type(error).__name__, _place(error)
            self._journal("WORK_CRASHED", error=kind, where=place)
            return MatchError(f"the work failed unexpectedly ({kind})", where=place)


def _place(error: BaseException) -> str:
    """``module:line`` of the innermost frame, without any value."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
