"""SIGINT and SIGTERM as a request to end in order.

As an exception, Python's own answer to SIGINT, they would be lost where exceptions are: in a finalizer, a callback of
the garbage collector.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def on_signals(stop: Callable[[], object]) -> Iterator[None]:
    """``stop`` is called for each while the block lasts, in the main thread; a second SIGINT does not wait."""
    before = {int(number): signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def end(number: int, _frame: object) -> None:
        stop()
        if number == signal.SIGINT:
            signal.signal(number, before[number])

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
