"""What a kiosk does while nobody stands before it: take in who was enrolled elsewhere, remove what is too old.

Runs in the worker, started by the loop only while the kiosk is idle, so that it never delays a visitor's answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from kiosk.identity.galleries import Galleries
from kiosk.ports import TemplateSource
from kiosk.runtime.journal import Journal
from kiosk.runtime.worker import Worker

LOOK_S = 2.0
"""Somebody who was just enrolled at the desk reaches the door within about this time."""
PRUNE_S = 6 * 3600.0


class KeptRecords(TemplateSource, Protocol):
    """The part of the store that upkeep needs."""

    def people_stamp(self) -> str:
        """Changes whenever somebody is enrolled, changed or removed."""

    def prune_events(self, keep_days: int, now: datetime) -> int:
        """Remove old events; returns how many."""


class Upkeep:
    """Keeps gallery and store in step. The loop calls ``look`` each idle turn."""

    def __init__(
        self,
        worker: Worker,
        records: KeptRecords,
        galleries: Galleries,
        journal: Journal,
        *,
        keep_events_days: int,
        loaded: str | None = None,
        tail: Callable[[], None] | None = None,
    ) -> None:
        """``loaded``: the records' stamp from before ``galleries`` were filled; None: they were not filled yet.

        ``tail``: counts the events that other programs wrote; None: nobody wants the figures.
        """
        self._worker = worker
        self._records = records
        self._galleries = galleries
        self._journal = journal
        self._keep_events_days = keep_events_days
        self._stamp = loaded
        self._tail = tail
        self._look_at_s = 0.0
        self._prune_at_s = 0.0

    def look(self, now_s: float, now: Callable[[], datetime]) -> None:
        """Start what is due."""
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._worker.submit(("gallery", 0), self._reload)
            if self._tail is not None:
                self._worker.submit(("events", 0), self._tail)
        if now_s >= self._prune_at_s:
            self._prune_at_s = now_s + PRUNE_S
            self._worker.submit(("prune", 0), lambda: self._prune(now()))

    def _reload(self) -> None:
        stamp = self._records.people_stamp()
        if stamp == self._stamp:
            return
        self._galleries.fill(self._records.templates)
        self._stamp = stamp
        known = self._galleries
        self._journal("GALLERY_LOADED", people=known.people, templates=len(known), waiting=known.waiting)

    def _prune(self, now: datetime) -> None:
        removed = self._records.prune_events(self._keep_events_days, now)
        if removed:
            self._journal("EVENTS_PRUNED", removed=removed)
