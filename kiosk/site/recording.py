"""Record visits: turn the loop until enough attempts were judged, and put each on the shelf."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.ports import Clock
from kiosk.runtime.loop import Loop
from kiosk.site.keeping import Keeper
from kiosk.site.shelf import Shelf, Written

LAST_WAIT_S = 120.0
"""Longest wait for the disk in the end."""
Told = Callable[[Written], None]


def record(
    loop: Loop, keeper: Keeper, shelf: Shelf, clock: Clock, *, count: int, stop: Callable[[], bool], told: Told
) -> None:
    """Until ``count`` recordings are begun, ``stop()``, or the loop fails; what was begun is written whatever happens.

    ``told`` hears of each that was written. Raises InputError when the disk refuses, DisplayClosed.
    """
    try:
        while shelf.done < count and not stop():
            loop.turn()
            for kept in keeper.take():
                if shelf.done < count:
                    shelf.put(kept)
            _look(shelf, told)
    finally:
        began_s = clock.now().monotonic_s
        while shelf.waiting and clock.now().monotonic_s - began_s < LAST_WAIT_S:
            _look(shelf, told)
            clock.wait(0.02)


def _look(shelf: Shelf, told: Told) -> None:
    for written in shelf.look():
        told(written)
