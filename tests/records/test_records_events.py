"""Events: what may be kept, in which order, for how long, and that the chain says so."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from kiosk.errors import RecordsError
from kiosk.records.store import Store
from tests.support.records_kit import NOW, NOW_TEXT, open_store, record, template, tokens


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh store."""
    with open_store(tmp_path) as opened:
        yield opened


def tamper(store: Store, statement: str) -> None:
    """What somebody with the key could do behind our back."""
    with store._engine.connect().execution_options(writes=True) as connection, connection.begin():
        assert connection.execute(text(statement)).rowcount == 1


def test_an_event_comes_back_as_it_was(store: Store) -> None:
    """Times in one form, details as given."""
    person_id = str(uuid.uuid4())
    details = {"attempt": 3, "similarity": 99.25, "source": "löcal", "lux": None}
    store.record_event(
        utc="2026-03-01T13:00:00+01:00", kind="GRANTED", reason="WELCOME", person_id=person_id, details=details
    )
    (event,) = store.events()
    assert (event.utc, event.kind, event.reason) == (NOW_TEXT, "GRANTED", "WELCOME")
    assert (event.person_id, event.details) == (person_id, details)


REFUSED = [
    {"kind": "granted"},
    {"kind": ""},
    {"kind": "X" * 33},
    {"reason": "two words"},
    {"utc": "2026-03-01T13:00:00"},
    {"person_id": "Ada Lovelace"},
    {"details": {"name": "Ada"}},
    {"details": {"person.name": "Ada"}},
    {"details": {"face_embedding": "0.1 0.2"}},
    {"details": {"vector": [0.1]}},
    {"details": {"x": [0.1]}},
    {"details": {"x": b"pixels"}},
    {"details": {"x": float("nan")}},
    {"details": {"x": "y" * 5000}},
    {"details": {"With Space": 1}},
]


@pytest.mark.parametrize("wrong", REFUSED, ids=str)
def test_what_events_must_not_hold(store: Store, wrong: dict[str, object]) -> None:
    """Names, biometrics, free text as kind, local time: refused, and the chain does not move."""
    fine = {"utc": NOW_TEXT, "kind": "GRANTED", "reason": "", "person_id": None, "details": {}}
    with pytest.raises(RecordsError) as caught:
        store.record_event(**{**fine, **wrong})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert store.events() == []
    store.record_event(**fine)  # type: ignore[arg-type]
    assert store.verify_chain().ok


def test_the_newest_come_oldest_first(store: Store) -> None:
    """``limit`` keeps the newest, ``since`` the later ones."""
    for minute in range(6):
        record(store, str(minute), utc=(NOW + timedelta(minutes=minute)).isoformat())
    assert [it.details["token"] for it in store.events(limit=2)] == ["4", "5"]
    assert [it.details["token"] for it in store.events(since=NOW + timedelta(minutes=4))] == ["4", "5"]
    assert [it.event_id for it in store.events()] == [1, 2, 3, 4, 5, 6]


def test_changes_of_people_are_events(store: Store) -> None:
    """Every act of the staff is in the trail, by id."""
    person = store.add_person("Ada", None, [template(1)])
    store.add_templates(person.person_id, [template(2)])
    store.remove_person("Ada")
    kinds = [(it.kind, it.person_id) for it in store.events()]
    assert kinds == [(kind, person.person_id) for kind in ("PERSON_ADDED", "TEMPLATES_ADDED", "PERSON_REMOVED")]
    assert "Ada" not in "".join(it.details_text for it in store.events())


TAMPERINGS = [
    "UPDATE events SET kind = 'GRANTED' WHERE event_id = 3",
    "UPDATE events SET utc = '2020-01-01T00:00:00.000000Z' WHERE event_id = 3",
    "UPDATE events SET details = '{}' WHERE event_id = 3",
    "UPDATE events SET hash = zeroblob(32) WHERE event_id = 3",
    "UPDATE events SET event_id = 99 WHERE event_id = 5",
    "DELETE FROM events WHERE event_id = 1",
    "DELETE FROM events WHERE event_id = 3",
    "DELETE FROM events WHERE event_id = 5",
    "UPDATE meta SET value = replace(value, '5:', '4:') WHERE key = 'chain_head'",
]


@pytest.mark.parametrize("statement", TAMPERINGS)
def test_tampering_is_found(store: Store, statement: str) -> None:
    """Also by the doctor's check."""
    for number in range(5):
        record(store, str(number))
    assert store.verify_chain().ok
    tamper(store, statement)
    report = store.verify_chain()
    assert not report.ok
    assert report.problem in store.check().problems


def test_an_unreadable_head_stops_everything(store: Store) -> None:
    """Nothing is appended to a chain whose end is not known."""
    record(store)
    tamper(store, "UPDATE meta SET value = 'junk' WHERE key = 'chain_head'")
    for use in (store.verify_chain, store.check, lambda: record(store), lambda: store.add_person("Ada")):
        with pytest.raises(RecordsError, match="end of the event chain"):
            use()
    assert store.people() == []


def test_pruning_keeps_the_chain(store: Store) -> None:
    """Old events go, the young stay, the trail says how many went."""
    for days in (200, 100, 91, 89, 1):
        record(store, str(days), utc=(NOW - timedelta(days=days)).isoformat())
    assert store.prune_events(90, NOW) == 3
    assert tokens(store) == {"89", "1"}
    last = store.events()[-1]
    assert (last.kind, last.details["removed"], last.details["through"]) == ("EVENTS_PRUNED", 3, 3)
    assert store.verify_chain().ok
    assert store.prune_events(90, NOW) == 0
    tamper(store, "DELETE FROM events WHERE event_id = 4")
    assert not store.verify_chain().ok


def test_pruning_everything_leaves_a_chain(store: Store) -> None:
    """A kiosk that slept for a year goes on from its anchor."""
    record(store, "old", utc=(NOW - timedelta(days=400)).isoformat())
    assert store.prune_events(90, NOW) == 1
    assert [event.kind for event in store.events()] == ["EVENTS_PRUNED"]
    record(store, "new")
    assert store.verify_chain().ok
    assert store.check().ok


def test_a_clock_that_went_back_prunes_nothing(store: Store) -> None:
    """Time before the newest event is no time to forget by."""
    record(store, "a", utc=(NOW - timedelta(days=400)).isoformat())
    record(store, "b")
    assert store.prune_events(90, NOW - timedelta(days=2)) == 0
    assert store.prune_events(90, NOW - timedelta(days=5000)) == 0
    assert tokens(store) == {"a", "b"}


def test_an_event_from_the_future_does_not_keep_the_past(store: Store) -> None:
    """One boot with a wild clock must not suspend retention for years."""
    record(store, "wild", utc=(NOW + timedelta(days=3000)).isoformat())
    record(store, "old", utc=(NOW - timedelta(days=100)).isoformat())
    record(store, "young")
    assert store.prune_events(90, NOW) == 2
    assert tokens(store) == {"young"}
    assert store.verify_chain().ok


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(-300, 5), st.booleans()), max_size=12))
def test_no_young_event_is_ever_pruned(store: Store, steps: list[tuple[int, bool]]) -> None:
    """Whatever the order of the clocks: what is younger than the limit stays, and the chain holds."""
    for days, prune in steps:
        token = str(uuid.uuid4())
        record(store, token, utc=(NOW + timedelta(days=days)).isoformat())
        if prune:
            recent = store.events(since=NOW - timedelta(days=90), limit=10_000)
            young_before = {it.event_id for it in recent if it.utc <= NOW_TEXT}
            store.prune_events(90, NOW)
            assert young_before <= {it.event_id for it in store.events(limit=10_000)}
            assert store.verify_chain().ok


def test_the_head_moves_with_every_event(store: Store) -> None:
    """Noted elsewhere, it fixes the whole past."""
    heads = {store.chain_head()}
    for number in range(3):
        record(store, str(number))
        heads.add(store.chain_head())
    assert len(heads) == 4
    assert store.chain_head() == store.verify_chain().head.text
