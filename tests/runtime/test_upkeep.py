"""A kiosk that runs takes in who was enrolled elsewhere, and prunes old events."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kiosk.identity.galleries import Galleries
from kiosk.identity.gallery import Gallery
from kiosk.kpi.sinks import Board, Memory
from kiosk.kpi.tail import EventTail
from kiosk.records.store import KeySource, Store
from kiosk.runtime.journal import no_journal
from kiosk.runtime.upkeep import LOOK_S, Upkeep
from kiosk.runtime.worker import InlineWorker
from kiosk.values import Embedding, NewTemplate
from tests.support.parts import VERSION, unit

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def template(number: int) -> NewTemplate:
    """A template like no other, 16 long."""
    vector = unit(1.0, float(number))
    return NewTemplate(
        Embedding(vector.repeat(2) / vector.repeat(2).dot(vector.repeat(2)) ** 0.5, VERSION), f"{number:064x}"
    )


def test_people_come_and_go_without_a_restart(tmp_path: Path) -> None:
    """Enrolled, suspended, removed by another process: the gallery follows at the next look."""
    journal: list[str] = []
    worker = InlineWorker()
    with Store.in_directory(tmp_path, create=True) as store, Store.in_directory(tmp_path, create=False) as desk:
        gallery = Galleries(Gallery(VERSION))
        upkeep = Upkeep(worker, store, gallery, lambda event, **_: journal.append(event), keep_events_days=90)
        at_s = 0.0

        def looked() -> int:
            nonlocal at_s
            at_s += LOOK_S
            upkeep.look(at_s, lambda: NOW)
            return gallery.people

        assert looked() == 0
        ana = desk.add_person("Ana", templates=[template(1)])
        assert looked() == 1
        desk.add_person("Bo", templates=[template(2), template(3)])
        assert looked() == 2
        assert len(gallery) == 3
        desk.set_active(ana.person_id, False)
        assert looked() == 1
        desk.set_active(ana.person_id, True)
        assert looked() == 2
        desk.remove_person("Bo")
        assert looked() == 1
    assert [answer for _key, answer in worker.drain() if answer is not None] == []


def test_during_a_change_of_models_both_galleries_follow(tmp_path: Path) -> None:
    """Whoever gets a template of the present model leaves the older gallery; the journal tells how many are left."""
    journal: list[tuple[str, dict[str, object]]] = []
    old = Embedding(template(1).embedding.vector, "before-1")
    with Store.in_directory(tmp_path, create=True) as store:
        known = Galleries(Gallery(VERSION), Gallery("before-1"))
        upkeep = Upkeep(
            InlineWorker(), store, known, lambda event, **keys: journal.append((event, keys)), keep_events_days=90
        )
        ana = store.add_person("Ana", templates=[NewTemplate(old, f"{1:064x}")])
        upkeep.look(LOOK_S, lambda: NOW)
        assert (known.people, known.waiting) == (1, 1)
        store.add_templates(ana.person_id, [template(1)])
        upkeep.look(2 * LOOK_S, lambda: NOW)
        assert (known.people, known.waiting, len(known)) == (1, 0, 1)
    assert journal[0] == ("GALLERY_LOADED", {"people": 1, "templates": 1, "waiting": 1})


def test_the_figures_follow_the_events_of_other_programs(tmp_path: Path) -> None:
    """At every look, also when nobody was enrolled: a refusal changes no gallery."""
    memory = Memory()
    with Store.in_directory(tmp_path, create=True) as store, Store.in_directory(tmp_path, create=False) as desk:
        tail = EventTail(store, Board([memory])).look
        gallery = Galleries(Gallery(VERSION))
        upkeep = Upkeep(InlineWorker(), store, gallery, no_journal, keep_events_days=90, tail=tail)
        desk.record_event(
            utc=NOW.isoformat(),
            kind="REGISTRATION_REFUSED",
            reason="TOO_DARK",
            person_id=None,
            details={"step": "quality", "source": "photo"},
        )
        for number in range(1, 4):
            upkeep.look(number * LOOK_S, lambda: NOW)
    assert memory.counts["kiosk_registrations_total", "failed", "quality", "TOO_DARK", "photo"] == 1


def test_nothing_is_reloaded_when_nobody_changed(tmp_path: Path) -> None:
    """One load, however often it looks."""
    journal: list[str] = []
    with Store.in_directory(tmp_path, create=True) as store:
        store.add_person("Ana", templates=[template(1)])
        upkeep = Upkeep(
            InlineWorker(),
            store,
            Galleries(Gallery(VERSION)),
            lambda event, **_: journal.append(event),
            keep_events_days=90,
        )
        for number in range(1, 20):
            upkeep.look(number * LOOK_S, lambda: NOW)
            store.record_event(utc=NOW.isoformat(), kind="DENIED", reason="", person_id=None, details={})
    assert journal.count("GALLERY_LOADED") == 1


def test_what_was_loaded_at_the_start_is_not_loaded_again(tmp_path: Path) -> None:
    """The first look finds nothing new; a change after the stamp is still seen."""
    with Store.in_directory(tmp_path, create=True) as store:
        store.add_person("Ana", templates=[template(1)])
        stamp = store.people_stamp()
        gallery = Galleries(Gallery(VERSION))
        gallery.fill(store.templates)
        journal: list[str] = []
        upkeep = Upkeep(
            InlineWorker(), store, gallery, lambda event, **_: journal.append(event), keep_events_days=90, loaded=stamp
        )
        upkeep.look(LOOK_S, lambda: NOW)
        assert "GALLERY_LOADED" not in journal
        store.add_person("Bo", templates=[template(2)])
        upkeep.look(2 * LOOK_S, lambda: NOW)
        assert gallery.people == 2


def test_one_suspended_and_another_resumed_at_once_is_a_change(tmp_path: Path) -> None:
    """As many people, as many active, at the same second of a clock that stands: a suspended one must not get in."""
    with Store.open(tmp_path / "kiosk.db", KeySource.find(tmp_path), create=True, clock=lambda: NOW) as store:
        ana = store.add_person("Ana", templates=[template(1)])
        bo = store.add_person("Bo", templates=[template(2)])
        store.set_active(bo.person_id, False)
        gallery = Galleries(Gallery(VERSION))
        upkeep = Upkeep(InlineWorker(), store, gallery, lambda *_a, **_k: None, keep_events_days=90)
        upkeep.look(LOOK_S, lambda: NOW)
        store.set_active(ana.person_id, False)
        store.set_active(bo.person_id, True)
        upkeep.look(2 * LOOK_S, lambda: NOW)
        probe = template(1).embedding
        assert gallery.present.compare(probe, ana.person_id) is None
        assert gallery.present.compare(probe, bo.person_id) is not None


def test_old_events_are_pruned(tmp_path: Path) -> None:
    """By the configured number of days."""
    with Store.in_directory(
        tmp_path,
        create=True,
    ) as store:
        store.record_event(utc="2029-06-01T00:00:00+00:00", kind="DENIED", reason="", person_id=None, details={})
        store.record_event(utc=NOW.isoformat(), kind="DENIED", reason="", person_id=None, details={})
        Upkeep(InlineWorker(), store, Galleries(Gallery(VERSION)), lambda *_a, **_k: None, keep_events_days=90).look(
            1.0, lambda: NOW
        )
        assert sum(event.kind == "DENIED" for event in store.events()) == 1
