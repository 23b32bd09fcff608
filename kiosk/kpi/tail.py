"""Registrations and deletions, counted from the durable events: the commands that make them end before anybody asks.

Rules: only events after the start count (a counter that begins at 0 is what Prometheus expects of a new process); an
event counts once; of its details only words, numbers and engines are read, and the catalogue has the last say on those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from kiosk.kpi.words import DUPLICATE
from kiosk.ports import Kpis

PAGE = 500
PAGES_A_LOOK = 20
"""A look ends after this many, so that an import of thousands does not keep the worker from a visitor."""
Details = Mapping[str, str | float | int | None]


class AuditEvent(Protocol):
    """The part of a stored event that counts."""

    @property
    def event_id(self) -> int:
        """Grows by one with every event."""

    @property
    def kind(self) -> str:
        """``REGISTERED``, ``FACES_ERASED`` ..."""

    @property
    def reason(self) -> str:
        """A word, or empty."""

    @property
    def details(self) -> Details:
        """Raises ValueError where somebody damaged it."""


class AuditEvents(Protocol):
    """The part of the store that the tail reads."""

    def newest_event(self) -> int:
        """Number of the newest event, 0 without any. Raises RecordsError."""

    def events_after(self, number: int, limit: int) -> Sequence[AuditEvent]:
        """At most ``limit`` events behind this number, oldest first. Raises RecordsError."""


class EventTail:
    """Counts what is new at every ``look``. Not for two threads at once."""

    def __init__(self, events: AuditEvents, kpis: Kpis) -> None:
        """Everything before now is history. Raises RecordsError."""
        self._events = events
        self._kpis = kpis
        self._last = events.newest_event()

    def look(self) -> None:
        """Count the events since the last look. Raises RecordsError; nothing is counted twice when asked again."""
        newest = self._events.newest_event()
        if newest < self._last:  # an older backup was put back: its events were counted when they happened, or never
            self._last = newest
        for _ in range(PAGES_A_LOOK):
            if self._last >= newest:
                return
            page = self._events.events_after(self._last, PAGE)
            for event in page:
                self._last = event.event_id
                count_event(event, self._kpis)
            if len(page) < PAGE:
                return


def count_event(event: AuditEvent, kpis: Kpis) -> None:
    """What one event adds; kinds that the door counts itself, or nobody counts, add nothing."""
    counts = _COUNTS.get(event.kind)
    if counts is None:
        return
    try:
        details: object = event.details
    except ValueError:
        details = None
    counts(event.reason, details if isinstance(details, Mapping) else {}, kpis)


def _registered(_reason: str, details: Details, kpis: Kpis) -> None:
    kpis.count("kiosk_registrations_total", outcome="approved", source=_text(details, "source"))
    _faces("indexed", details, kpis)


def _refused(reason: str, details: Details, kpis: Kpis) -> None:
    _ended("kiosk_registrations_total", "failed", reason, details, kpis)
    if reason == DUPLICATE:
        kpis.count("kiosk_registration_duplicates_total", source=_text(details, "source"))


def _incomplete(reason: str, details: Details, kpis: Kpis) -> None:
    _ended("kiosk_registrations_total", "incomplete", reason, details, kpis)


def _updated(_reason: str, details: Details, kpis: Kpis) -> None:
    kpis.count("kiosk_photo_updates_total", outcome="approved")
    _faces("updated", details, kpis)


def _update_refused(reason: str, details: Details, kpis: Kpis) -> None:
    _ended("kiosk_photo_updates_total", "failed", reason, details, kpis)


def _update_incomplete(reason: str, details: Details, kpis: Kpis) -> None:
    _ended("kiosk_photo_updates_total", "incomplete", reason, details, kpis)


def _removed(_reason: str, _details: Details, kpis: Kpis) -> None:
    kpis.count("kiosk_people_removed_total")


def _erased(_reason: str, details: Details, kpis: Kpis) -> None:
    kpis.count("kiosk_faces_total", _number(details, "faces"), what="deleted", engine=_text(details, "engine"))


_COUNTS = {
    "REGISTERED": _registered,
    "REGISTRATION_REFUSED": _refused,
    "REGISTRATION_INCOMPLETE": _incomplete,
    "PHOTO_UPDATED": _updated,
    "PHOTO_UPDATE_REFUSED": _update_refused,
    "PHOTO_UPDATE_INCOMPLETE": _update_incomplete,
    "PERSON_REMOVED": _removed,
    "FACES_ERASED": _erased,
}


def _ended(name: str, outcome: str, reason: str, details: Details, kpis: Kpis) -> None:
    step, source = _text(details, "step"), _text(details, "source")
    kpis.count(name, outcome=outcome, step=step, reason=reason, source=source)
    if step == "quality":
        kpis.count("kiosk_quality_failures_total", check=reason, at="registration")


def _faces(what: str, details: Details, kpis: Kpis) -> None:
    """``pictures`` faces in each of ``engines`` (``local,site``)."""
    for engine in filter(None, (word.strip() for word in _text(details, "engines").split(","))):
        kpis.count("kiosk_faces_total", _number(details, "pictures"), what=what, engine=engine)


def _text(details: Details, key: str) -> str:
    value = details.get(key)
    return value if isinstance(value, str) else ""


def _number(details: Details, key: str) -> int:
    """0 where it is none; one picture is meant where the workflow did not say."""
    value = details.get(key, 1)
    return value if isinstance(value, int) and value > 0 else 0
