"""Registrations are counted from the store's events, whoever wrote them: each once, those after the start only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.kpi import tail
from kiosk.kpi.catalogue import METRICS
from kiosk.kpi.sinks import Board, Memory
from kiosk.kpi.tail import EventTail, count_event
from kiosk.records.chain import EMPTY_HASH, StoredEvent
from kiosk.records.store import Store
from tests.support.records_kit import NOW, NOW_TEXT, open_store

PERSON = "6f9d2f1e-0000-4000-8000-000000000001"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty one."""
    with open_store(tmp_path) as opened:
        yield opened


def write(store: Store, kind: str, reason: str = "", **details: Any) -> None:
    """One event of a workflow."""
    store.record_event(utc=NOW_TEXT, kind=kind, reason=reason, person_id=PERSON, details=details)


def test_each_kind_adds_its_figures(store: Store) -> None:
    """Written by another process's commands, read by the kiosk that runs."""
    memory = Memory()
    reader = EventTail(store, Board([memory]))
    write(store, "REGISTERED", step="", source="photo", pictures=2, engines="local,site")
    write(store, "REGISTERED", step="", source="card", pictures=1, engines="local")
    write(store, "REGISTRATION_REFUSED", "TOO_DARK", step="quality", source="photo")
    write(store, "REGISTRATION_REFUSED", "DUPLICATE_FACE", step="duplicate", source="batch")
    write(store, "REGISTRATION_INCOMPLETE", "RECORDS_LOST", step="store", source="batch")
    write(store, "PHOTO_UPDATED", pictures=1, engines="aws")
    write(store, "PHOTO_UPDATE_REFUSED", "BLURRED", step="quality")
    write(store, "PHOTO_UPDATE_INCOMPLETE", "MATCH_LATE", step="index")
    write(store, "PERSON_REMOVED")
    write(store, "FACES_ERASED", engine="site", faces=3)
    write(store, "GRANTED", "WELCOME", similarity=99.9)
    reader.look()
    registrations = "kiosk_registrations_total"
    assert dict(memory.counts) == {
        (registrations, "approved", "none", "none", "photo"): 1,
        (registrations, "approved", "none", "none", "card"): 1,
        (registrations, "failed", "quality", "TOO_DARK", "photo"): 1,
        (registrations, "failed", "duplicate", "DUPLICATE_FACE", "batch"): 1,
        (registrations, "incomplete", "store", "RECORDS_LOST", "batch"): 1,
        ("kiosk_registration_duplicates_total", "batch"): 1,
        ("kiosk_quality_failures_total", "TOO_DARK", "registration"): 1,
        ("kiosk_quality_failures_total", "BLURRED", "registration"): 1,
        ("kiosk_photo_updates_total", "approved", "none", "none"): 1,
        ("kiosk_photo_updates_total", "failed", "quality", "BLURRED"): 1,
        ("kiosk_photo_updates_total", "incomplete", "index", "MATCH_LATE"): 1,
        ("kiosk_people_removed_total",): 1,
        ("kiosk_faces_total", "indexed", "local"): 3,
        ("kiosk_faces_total", "indexed", "site"): 2,
        ("kiosk_faces_total", "updated", "aws"): 1,
        ("kiosk_faces_total", "deleted", "site"): 3,
    }


def test_only_what_comes_after_the_start_counts_and_only_once(store: Store) -> None:
    """History is the audit's; a second look finds nothing new."""
    write(store, "PERSON_REMOVED")
    memory = Memory()
    reader = EventTail(store, Board([memory]))
    reader.look()
    assert not memory.counts
    write(store, "PERSON_REMOVED")
    reader.look()
    reader.look()
    assert memory.counts["kiosk_people_removed_total",] == 1


def test_more_than_a_page_is_read_in_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And more than a look may take, at the next ones: nothing is left out, nothing doubled."""
    monkeypatch.setattr(tail, "PAGE", 3)
    monkeypatch.setattr(tail, "PAGES_A_LOOK", 2)
    memory = Memory()
    reader = EventTail(store, Board([memory]))
    for _ in range(14):
        write(store, "PERSON_REMOVED")
    seen = []
    for _ in range(4):
        reader.look()
        seen.append(memory.counts["kiosk_people_removed_total",])
    assert seen == [6, 12, 14, 14]


def test_pruned_events_are_passed_over(store: Store) -> None:
    """Numbers go on growing when the oldest are removed; an event about pruning counts nothing."""
    memory = Memory()
    reader = EventTail(store, Board([memory]))
    for _ in range(3):
        write(store, "PERSON_REMOVED")
    store.record_event(
        utc=(NOW + timedelta(days=60)).isoformat(), kind="PERSON_REMOVED", reason="", person_id=None, details={}
    )
    assert store.prune_events(30, NOW + timedelta(days=60)) == 3
    reader.look()
    assert dict(memory.counts) == {("kiosk_people_removed_total",): 1}


class Rewound:
    """A store into which an older backup was put."""

    def __init__(self) -> None:
        self.newest = 9

    def newest_event(self) -> int:
        """Of the file that lies there now."""
        return self.newest

    def events_after(self, number: int, limit: int) -> list[StoredEvent]:
        """Those that there are."""
        numbers = range(number + 1, self.newest + 1)
        return [_event(one, "PERSON_REMOVED", "{}") for one in numbers][:limit]


def test_an_older_backup_counts_nothing_anew() -> None:
    """Counting goes on behind the newest event that the older file holds."""
    memory, events = Memory(), Rewound()
    reader = EventTail(events, Board([memory]))
    events.newest = 4
    reader.look()
    assert not memory.counts
    events.newest = 6
    reader.look()
    assert memory.counts["kiosk_people_removed_total",] == 2


def _event(number: int, kind: str, details: str, reason: str = "") -> StoredEvent:
    return StoredEvent(number, NOW_TEXT, kind, reason, None, details, EMPTY_HASH, EMPTY_HASH)


DETAIL = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.none(), st.booleans(), st.lists(st.text()))
KINDS = st.sampled_from(sorted(tail._COUNTS))
KEYS = st.sampled_from(["step", "source", "pictures", "engines", "engine", "faces", "name"])


@given(KINDS, st.text(), st.dictionaries(KEYS, DETAIL))
def test_details_of_any_kind_leak_nothing(kind: str, reason: str, details: dict[str, Any]) -> None:
    """A workflow that writes a name where a word belongs publishes ``other``."""
    memory = Memory()
    count_event(_event(1, kind, json.dumps(details), reason), Board([memory]))
    words = set().union(*(allowed for metric in METRICS for allowed in metric.words))
    for _name, *values in memory.counts:
        assert set(values) <= words


@pytest.mark.parametrize("details", ["", "[]", "{", "null", '"text"', "7"])
def test_damaged_details_do_not_stop_the_count(details: str) -> None:
    """The chain's check reports them; here the event still is one."""
    memory = Memory()
    count_event(_event(1, "PERSON_REMOVED", details), Board([memory]))
    count_event(_event(2, "REGISTERED", details), Board([memory]))
    assert memory.counts["kiosk_people_removed_total",] == 1
    assert memory.counts["kiosk_registrations_total", "approved", "none", "none", "none"] == 1
