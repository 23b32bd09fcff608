"""Intervals that wait to be sent, oldest first, in bounded memory. Not thread-safe: for the sending thread alone."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

from kiosk.kpi.gathered import Gathered, requests

MOST_NUMBERS = 50_000
"""Counts and different values that are kept: at thirty a minute more than a day, and about ten megabytes at most."""


class Waiting:
    """A queue of intervals that hands out requests; the oldest is given up when there is no room."""

    def __init__(self, kiosk: str, most_numbers: int = MOST_NUMBERS) -> None:
        """``kiosk``: the dimension of every data point, unless empty."""
        self._kiosk = kiosk
        self._most = most_numbers
        self._intervals: deque[tuple[datetime, Gathered]] = deque()
        self._portions: deque[list[dict[str, Any]]] = deque()
        """Of the oldest interval, once its first request was asked for."""
        self._numbers = 0
        """In ``_intervals``, those in ``_portions`` too."""

    def push(self, at: datetime, gathered: Gathered) -> int:
        """Let an interval wait; how many data points were given up for it."""
        if gathered.numbers:
            self._intervals.append((at, gathered))
            self._numbers += gathered.numbers
        lost = 0
        while self._numbers > self._most:
            lost += sum(len(portion) for portion in self._opened())
            self._end_oldest()
        return lost

    def first(self) -> list[dict[str, Any]] | None:
        """The oldest request; None when nothing waits."""
        portions = self._opened()
        return portions[0] if portions else None

    def pop(self) -> None:
        """The oldest request is done."""
        self._portions.popleft()
        if not self._portions:
            self._end_oldest()

    def _opened(self) -> deque[list[dict[str, Any]]]:
        """The requests of the oldest interval: made of it when they are needed, because they are large."""
        if not self._portions and self._intervals:
            at, gathered = self._intervals[0]
            self._portions.extend(requests(gathered.data(at, self._kiosk)))
        return self._portions

    def _end_oldest(self) -> None:
        self._portions.clear()
        _, gathered = self._intervals.popleft()
        self._numbers -= gathered.numbers
