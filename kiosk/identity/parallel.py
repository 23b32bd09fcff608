"""Several calls at once, under one deadline.

Each call has a thread of its own that nobody waits for: one that hangs beyond the deadline holds up neither the next
visit nor the end of the program.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from kiosk.errors import MatchError

Answer = TypeVar("Answer")


def at_once(
    calls: Sequence[Callable[[], Answer]],
    until_s: float,
    name: str,
    clock: Callable[[], float] = time.monotonic,
) -> list[Answer]:
    """The answers in the order of ``calls``. Raises MatchError: the first one's, or that the time is over."""
    answers: queue.SimpleQueue[tuple[int, Answer | MatchError]] = queue.SimpleQueue()

    def work(number: int, call: Callable[[], Answer]) -> None:
        told: Answer | MatchError = MatchError("the call broke off", where=name)
        try:
            told = call()
        except MatchError as error:
            told = error
        finally:  # whatever else ends the thread, nobody waits for it until the deadline
            answers.put((number, told))

    for number, call in enumerate(calls):
        threading.Thread(target=work, args=(number, call), name=name, daemon=True).start()
    found: dict[int, Answer] = {}
    while len(found) < len(calls):
        try:
            number, answer = answers.get(timeout=max(0.001, until_s - clock()))
        except queue.Empty as error:
            raise MatchError("no answer in time", where=name) from error
        if isinstance(answer, MatchError):
            raise answer
        found[number] = answer
    return [found[number] for number in range(len(calls))]
