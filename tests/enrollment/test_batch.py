"""Many people at once: sources, resuming, rates, faults, rejects, look-alikes, and a change of models."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.stills import decode_image
from kiosk.config.engines import EndpointSettings
from kiosk.enrollment import reindex as changing
from kiosk.enrollment.batch import Batch, BatchRules, Rate, Summary, estimate_s
from kiosk.enrollment.lookalikes import pairs_elsewhere, pairs_here
from kiosk.enrollment.register import enroll_images
from kiosk.enrollment.settle import settle
from kiosk.enrollment.sources import BatchEntry, entries, from_keys
from kiosk.enrollment.update import update_images
from kiosk.errors import InputError, MatchError, RecordsConflict, RecordsError, RecordsFull
from kiosk.identity.collection import FaceCollections
from kiosk.kpi.words import REGISTRATION_REASONS
from kiosk.runtime.engines import place_before
from tests.support.enrolling import LIMITS, Killed, World, open_world, photo
from tests.support.facekit import VERSION
from tests.support.painted import BLURRED
from tests.support.sources import ROOT

NOW = BatchRules(per_s=1e6, pause_s=0.0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A kiosk with one engine of two shards."""
    with open_world(tmp_path, shards=2, keeps_pictures=True) as opened:
        yield opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Six people; Person 2 with two pictures and a badge."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (1, 3, 4, 5, 6):
        photo(folder, number, name=f"Person {number}.png")
    (folder / "Person 2__B2").mkdir()
    photo(folder / "Person 2__B2", 2)
    photo(folder / "Person 2__B2", 2, 240)
    (folder / "readme.txt").write_text("no picture")
    return folder


def run(world: World, found: list[BatchEntry], rules: BatchRules = NOW) -> Summary:
    """One batch without waiting."""
    summary = Summary()
    Batch(world.desk, rules, pause=lambda _: None).run(found, summary)
    return summary


def faces(world: World) -> int:
    """In all shards."""
    return sum(sum(world.faces(name).values()) for name in ("door-0", "door-1"))


# Sources


def test_a_folder_is_people(source: Path) -> None:
    """A picture or a folder each, the badge after two underscores; other files are nobody."""
    found = entries(source)
    assert [(one.name, one.badge, len(one.paths)) for one in found] == [
        ("Person 1", None, 1),
        ("Person 2", "B2", 2),
        *((f"Person {number}", None, 1) for number in (3, 4, 5, 6)),
    ]


def test_a_table_is_people(tmp_path: Path) -> None:
    """Lines of one name and badge are one person, paths are from the table's folder, faults are entries."""
    table = tmp_path / "people.csv"
    table.write_text("\ufeffBadge;Name;Path;Floor\n7;Ada;a.jpg;1\n7;Ada;b.jpg;1\n;Bob;c.jpg;2\n;;d.jpg;\n9;Eve;;\n")
    found = entries(table)
    assert [(one.name, one.badge, [path.name for path in one.paths], one.fault) for one in found] == [
        ("Ada", "7", ["a.jpg", "b.jpg"], ""),
        ("Bob", None, ["c.jpg"], ""),
        ("", None, ["d.jpg"], "has no name"),
        ("Eve", "9", [tmp_path.name], "has no path"),
    ]
    assert found[0].paths[0] == tmp_path / "a.jpg"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no table of people"),
        (b"who,picture\nAda,a.jpg\n", "its first line must name the columns"),
        (b"name,path\n", "holds nobody"),
        (b"name,path\n\xff\xfe,a.jpg\n", "cannot be read"),
        (b"\x89PNG\r\n\0\0", "cannot be read|is no table"),
        (b'name,path\n"Ada,a.jpg\n', "cannot be read"),
    ],
)
def test_a_table_that_is_none_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    """Whatever it is instead."""
    table = tmp_path / "people.csv"
    table.write_bytes(content)
    with pytest.raises(InputError, match=words):
        entries(table)
    with pytest.raises(InputError, match="no such folder or table"):
        entries(tmp_path / "absent")


# Running


def test_a_batch_enrolls_everybody_once(world: World, source: Path) -> None:
    """And again it enrolls nobody."""
    assert run(world, entries(source)).count("enrolled") == 6
    assert faces(world) == 7
    assert world.store.person("B2").name == "Person 2"
    again = run(world, entries(source))
    assert (again.count("already"), again.count("enrolled")) == (6, 0)
    assert faces(world) == 7


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", [1, 3, 6])
def test_a_killed_batch_goes_on(world: World, source: Path, where: str, at: int) -> None:
    """Killed in the middle of the n-th IndexFaces, started again: everybody is enrolled, each with the right faces."""
    one = replace(NOW, workers=1)
    getattr(world.wires["site"], where)["index_faces"] = [*["ok"] * (at - 1), "dead"]
    with pytest.raises(Killed):
        run(world, entries(source), one)
    after = world.restarted()
    settle(after.registry)
    summary = run(after, entries(source), one)
    assert summary.count("enrolled") + summary.count("already") == 6
    assert len(world.store.people()) == 6
    assert faces(world) == 7


def test_refusals_have_reasons_and_stop_nobody(world: World, source: Path) -> None:
    """A blurred picture, a face that is there twice, a taken badge, a missing file: the others are enrolled."""
    photo(source, 7, BLURRED, name="Blurred.png")
    photo(source, 1, 240, name="Person 1z.png")
    photo(source, 8, name="Zoe__B2.png")
    missing = BatchEntry("people.csv:9", "Missing", None, (source / "absent.png",))
    faulty = BatchEntry("people.csv:10", "Faulty", None, (source / "x.png",), "has no name")
    summary = run(world, [*entries(source), missing, faulty])
    assert summary.count("enrolled") == 6
    told = {end.entry.name: (end.ended, end.step, end.reason) for end in summary.ends if end.ended == "refused"}
    assert told == {
        "Blurred": ("refused", "quality", "BLURRED"),
        "Person 1z": ("refused", "duplicate", "DUPLICATE_FACE"),
        "Zoe": ("refused", "badge", "BADGE_TAKEN"),
        "Missing": ("refused", "quality", "UNUSABLE_PICTURE"),
        "Faulty": ("refused", "quality", "UNUSABLE_LINE"),
    }
    assert len(world.events("REGISTRATION_REFUSED")) == 5
    assert world.events("REGISTRATION_INCOMPLETE") == []


def test_two_entries_of_one_face_next_to_each_other(world: World, source: Path) -> None:
    """On their way at the same time they would refuse each other: the first one is enrolled."""
    found = [
        BatchEntry(name, name, None, (photo(source, 9, quality),)) for name, quality in (("One", 250), ("Two", 240))
    ]
    summary = run(world, found)
    assert {end.entry.name: end.ended for end in summary.ends} == {"One": "enrolled", "Two": "refused"}


def test_a_storm_of_throttles_and_errors_is_weathered(world: World, source: Path) -> None:
    """Every kind of failure a few times, at every call: everybody is enrolled in the end, nobody twice."""
    wire = world.wires["site"]
    wire.before["search_faces_by_image"] = ["ThrottlingException", "InternalServerError", "ThrottlingException"] * 3
    wire.before["index_faces"] = ["ProvisionedThroughputExceededException", "InternalServerError"] * 2
    wire.after["index_faces"] = ["time-out", "InternalServerError"]
    summary = run(world, entries(source), replace(NOW, tries=8))
    assert summary.count("enrolled") == 6
    assert faces(world) == 7


def test_an_engine_that_stays_away_fails_everybody_and_leaves_nothing(world: World, source: Path) -> None:
    """Failed, not refused: given again later, they may be enrolled."""
    world.wires["site"].before["search_faces_by_image"] = ["AccessDeniedException"] * 999
    summary = run(world, entries(source), replace(NOW, tries=2))
    assert summary.count("failed") == 6
    assert summary.reasons == {"ENGINE_REFUSED": 6}
    assert (world.store.people(), faces(world)) == ([], 0)
    assert len(world.events("REGISTRATION_INCOMPLETE")) == 6


def test_a_full_disk_ends_the_batch(world: World, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one error, not one for each of ten thousand."""

    def full(*_: object, **__: object) -> None:
        raise RecordsFull("the disk is full")

    monkeypatch.setattr(type(world.registry.book), "register", full)
    with pytest.raises(RecordsFull):
        run(world, entries(source))
    assert faces(world) == 0


def test_a_dry_run_writes_nothing_and_sees_the_same(world: World, source: Path) -> None:
    """Duplicates within the batch included."""
    photo(source, 1, 240, name="Person 1 again.png")
    summary = run(world, entries(source), replace(NOW, dry_run=True))
    assert (summary.count("usable"), summary.count("refused")) == (6, 1)
    assert summary.reasons == {"DUPLICATE_FACE": 1}
    assert (world.store.people(), faces(world)) == ([], 0)


def test_the_rate_is_held_by_all_workers_together() -> None:
    """Of any calls by any threads, none comes before its turn; time that nobody used is not saved up."""
    now, passed, guard = [0.0], [], threading.Lock()

    def pause(seconds: float) -> None:
        with guard:
            now[0] += seconds

    rate = Rate(10.0, lambda: now[0], pause)
    for count in (1, 3, 1):
        rate.wait(count)
        passed.append(round(now[0], 3))
    assert passed == [0.0, 0.1, 0.4]
    now[0] = 100.0
    rate.wait()
    rate.wait()
    assert round(now[0], 3) == 100.1


def test_the_estimate_is_of_whatever_takes_longer() -> None:
    """Reading here, or asking there at the rate; then the look-alikes, who are sought at the rate as well."""
    assert estimate_s(100, 0, NOW, 0.2) == pytest.approx(20.0)
    assert estimate_s(100, 2, replace(NOW, per_s=10.0), 0.2) == pytest.approx(30.0 + 10.0)
    assert estimate_s(100, 2, replace(NOW, per_s=1000.0), 0.2) == pytest.approx(20.0 + 0.1)
    assert estimate_s(100, 2, replace(NOW, per_s=10.0, dry_run=True), 0.2) == pytest.approx(30.0)


# Look-alikes


@given(st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_pairs_are_those_that_everybody_with_everybody_gives(count: int, seed: int) -> None:
    """The blockwise search against the plain double loop."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ids = [f"p{int(one)}" for one in rng.integers(0, max(2, count // 2), count)]
    least = 0.3
    plain: dict[tuple[str, str], float] = {}
    for one in range(count):
        for other in range(one + 1, count):
            cosine = float(rows[one] @ rows[other])
            if ids[one] != ids[other] and cosine >= least:
                first, second = sorted((ids[one], ids[other]))
                plain[first, second] = max(cosine, plain.get((first, second), -1.0))
    found = list(pairs_here(ids, rows, least))
    assert {pair[:2] for pair in found} == set(plain)
    assert all(abs(cosine - plain[one, other]) < 1e-5 for one, other, cosine in found)
    some = frozenset(ids[:1])
    assert {pair[:2] for pair in pairs_here(ids, rows, least, some)} == {pair for pair in plain if set(pair) & some}


def test_an_engine_names_pairs_too(world: World, tmp_path: Path) -> None:
    """Somebody whom another kiosk enrolled under another id."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    (site,) = world.registry.engines
    (face,) = world.registry.book.faces_of(ada.person_id)
    elsewhere = next(name for name in map(str, range(99)) if site.collection_of(name) == face.collection)
    site.index(elsewhere, world.desk.reader.read(photo(tmp_path, 1, 240)).crop)
    (pair,), faults = pairs_elsewhere([site], {ada.person_id: [face]}, lambda: None)  # type: ignore[list-item]  # as above
    assert faults == {}
    assert {pair.one, pair.other} == {ada.person_id, elsewhere}
    assert pair.engine == "site"


def test_look_alikes_are_sought_at_the_rate_of_the_batch(tmp_path: Path) -> None:
    """Beginning where the batch ended, no engine is asked sooner than its turn; two of them share the turns."""
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    with open_world(tmp_path, engines=("site", "aws")) as world:
        work = Batch(world.desk, BatchRules(per_s=10.0, workers=1), clock=lambda: now[0], pause=pause)
        found = [
            BatchEntry("1", "Ada", None, (photo(tmp_path, 1), photo(tmp_path, 1, 240))),
            BatchEntry("2", "Bob", None, (photo(tmp_path, 2),)),
        ]
        summary = Summary()
        work.run(found, summary)
        asked: dict[str, list[float]] = {"site": [], "aws": []}
        for name, wire in world.wires.items():
            wire.then = lambda _operation, name=name: asked[name].append(round(now[0], 3))  # type: ignore[misc]
        faces = {end.person_id: world.registry.book.faces_of(end.person_id) for end in summary.ends}
        pairs, faults = pairs_elsewhere(list(world.registry.engines), faces, work.rate.wait)  # type: ignore[arg-type]
    assert (pairs, faults) == ([], {})
    assert asked == {"site": [0.9, 1.0, 1.1], "aws": [0.9, 1.0, 1.1]}  # three pictures of three calls before


def test_an_engine_that_does_not_answer_is_asked_for_look_alikes_once(tmp_path: Path) -> None:
    """The other one is asked for everybody; no turn is waited for in vain."""
    with open_world(tmp_path, engines=("site", "aws")) as world:
        people = [enroll_images(world.desk, str(number), [photo(tmp_path, number)]) for number in (1, 2, 3)]
        faces = {one.person_id: world.registry.book.faces_of(one.person_id) for one in people}
        site, aws = (world.wires[name] for name in ("site", "aws"))
        site.before["search_faces"] = ["AccessDeniedException"]
        for wire in (site, aws):
            wire.asked.clear()
        waits: list[None] = []
        engines = list(world.registry.engines)
        _pairs, faults = pairs_elsewhere(engines, faces, lambda: waits.append(None))  # type: ignore[arg-type]
        assert {name: "AccessDenied" in str(error) for name, error in faults.items()} == {"site": True}
        assert (len(site.asked), len(aws.asked), len(waits)) == (1, 3, 3)
        pairs_elsewhere(engines[:1], {"nobody": []}, lambda: waits.append(None))  # type: ignore[arg-type]
        assert len(waits) == 3


# A change of models


def test_another_collection_is_filled_from_kept_pictures(world: World, source: Path) -> None:
    """The old faces serve until the end of the change; who has no picture is named; started again it does nothing."""
    run(world, entries(source))
    without = replace(world.registry, keeps_pictures=False)
    poor = replace(world, desk=replace(world.desk, registry=without))
    enroll_images(poor.desk, "Poor", [photo(source, 9)])
    (old,) = world.registry.engines
    place = replace(old.place, prefix="next")  # type: ignore[attr-defined]  # FaceCollections
    new = type(old)(old._asker, place, before=old.place)  # type: ignore[attr-defined,call-arg]  # as above
    new.prepare()
    changed = world.restarted(engines=(new,))
    with pytest.raises(RecordsConflict, match=r"\(site\)"):  # who has not moved yet is known all the same
        enroll_images(changed.desk, "Twice", [photo(source, 1, 220)])
    result = changing.Reindexed()
    changing.reindex(changed.desk, decode_image, result, dry_run=True)
    assert (len(result.done), [one.name for one in result.come_by]) == (6, ["Poor"])
    result = changing.Reindexed()
    changing.reindex(changed.desk, decode_image, result)
    assert (len(result.done), result.failed) == (6, [])
    assert (new.described()[1], old.described()[1]) == (7, 8)
    again = changing.Reindexed()
    changing.reindex(changed.desk, decode_image, again)
    assert (again.current, again.done) == (6, [])
    assert changing.finish(changed.desk) == 7
    assert settle(changed.registry).waiting == 0
    assert (new.described()[1], old.described()[1]) == (7, 1)


def test_one_collection_is_divided_while_it_serves(tmp_path: Path) -> None:
    """As the doctor advises: the single collection is asked beside the shards until they are filled."""
    with open_world(tmp_path, keeps_pictures=True) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
        (old,) = world.registry.engines
        endpoint = EndpointSettings(collection="door", shards=2, collection_before="door", shards_before=1)
        place = replace(old.place, shards=2)  # type: ignore[attr-defined]  # FaceCollections
        new = FaceCollections(old._asker, place, before=place_before(place, endpoint))  # type: ignore[attr-defined]
        alone = FaceCollections(old._asker, place)  # type: ignore[attr-defined]  # as above
        new.prepare()
        picture = world.desk.reader.read(photo(tmp_path, 1, 240)).crop
        assert [list(one.alike(picture)) for one in (old, new, alone)] == [[ada.person_id], [ada.person_id], []]
        copy = world.restarted(engines=(new,))
        changing.reindex(copy.desk, decode_image, changing.Reindexed())
        assert [list(one.alike(picture)) for one in (old, new, alone)] == [[ada.person_id]] * 3
        assert changing.finish(copy.desk) == 1
        assert settle(copy.registry).waiting == 0
        assert [list(one.alike(picture)) for one in (old, new, alone)] == [[], [ada.person_id], [ada.person_id]]


def test_an_old_collection_that_cannot_be_asked_is_told(tmp_path: Path) -> None:
    """Every search asks it and would fail: doctor and a batch say so before, and not that the engine is well."""
    with open_world(tmp_path) as world:
        (engine,) = world.registry.engines
        for before, thresholds, told in (
            ("gone", engine.place.thresholds, "collection gone: answered"),  # type: ignore[attr-defined]
            ("older", {"newest+1": LIMITS[VERSION]}, "has no thresholds"),
        ):
            place = replace(engine.place, prefix=before, thresholds=thresholds)  # type: ignore[attr-defined]
            if before == "older":
                FaceCollections(engine._asker, place).prepare()  # type: ignore[attr-defined]
            changed = FaceCollections(engine._asker, engine.place, before=place)  # type: ignore[attr-defined]
            with pytest.raises(MatchError, match=told):
                changed.described()


def test_faces_become_users_by_another_collection(tmp_path: Path) -> None:
    """As shards, collections of faces and of users are both asked during the change; then the faces go."""
    with open_world(tmp_path, keeps_pictures=True) as world:
        ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1), photo(tmp_path, 1, 240)])
        (old,) = world.registry.engines
        endpoint = EndpointSettings(collection="staff", users=True, collection_before="door", users_before=False)
        place = replace(old.place, prefix="staff", users=True)  # type: ignore[attr-defined]  # FaceCollections
        new = FaceCollections(old._asker, place, before=place_before(place, endpoint))  # type: ignore[attr-defined]
        new.prepare()
        picture = world.desk.reader.read(photo(tmp_path, 1, 230)).crop
        assert list(new.alike(picture)) == [ada.person_id]
        changed = world.restarted(engines=(new,))
        changing.reindex(changed.desk, decode_image, changing.Reindexed())
        assert changing.finish(changed.desk) == 2
        assert settle(changed.registry).waiting == 0
        assert (list(old.alike(picture)), list(new.alike(picture))) == ([], [ada.person_id])
        assert new.of_person(ada.person_id, "door") == []
        assert len(new.of_person(ada.person_id, "staff")) == 2


def test_pictures_are_kept_only_where_the_policy_says(world: World, tmp_path: Path) -> None:
    """One a template, replaced with the photo, gone with the person."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    (first,) = world.registry.book.pictures_of(ada.person_id)
    assert decode_image(first.content).shape[2] == 3
    update_images(world.desk, "Ada", [photo(tmp_path, 1, 240)])
    (second,) = world.registry.book.pictures_of(ada.person_id)
    assert first.sha256 != second.sha256
    assert "content" not in repr(second)
    world.store.remove_person("Ada")
    assert world.registry.book.pictures_of(ada.person_id) == []


def test_every_word_of_a_refusal_can_be_counted() -> None:
    """A word that the figures do not know would be published as "other"."""
    words = set()
    for folder in ("kiosk/enrollment", "kiosk/identity", "kiosk/records"):
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.keyword) and node.arg == "reason" and isinstance(node.value, ast.Constant):
                    words.add(str(node.value.value))
    text = (ROOT / "kiosk/enrollment/desk.py").read_text(encoding="utf-8")
    words |= set(re.findall(r'"([A-Z_]{3,}[A-Z])"', text))
    assert len(words) > 12
    assert words - {""} <= REGISTRATION_REASONS


def test_pictures_of_somebody_else_are_no_reason_to_pass_over_a_person(world: World, tmp_path: Path) -> None:
    """Under another name or badge the entry is refused and told, not counted as enrolled before."""
    picture = photo(tmp_path, 1)
    assert run(world, [BatchEntry("1", "Ada", "7", (picture,))]).count("enrolled") == 1
    for name, badge in (("Bob", None), ("Ada", "8")):
        (end,) = run(world, [BatchEntry("2", name, badge, (picture,))]).ends
        assert (end.ended, end.step, end.reason) == ("refused", "duplicate", "PICTURE_TAKEN")
        assert "already of Ada with badge 7" in end.told
    assert run(world, [BatchEntry("3", "ADA", "7", (picture,))]).count("already") == 1


@pytest.mark.parametrize(
    ("name", "badge", "reason"), [("Ada", "no 12", "UNUSABLE_BADGE"), ("x" * 200, None, "UNUSABLE_NAME")]
)
def test_a_name_or_badge_that_is_none_is_refused_at_once(
    world: World, tmp_path: Path, name: str, badge: str | None, reason: str
) -> None:
    """Asking again would not help."""
    paused: list[float] = []
    summary = Summary()
    Batch(world.desk, BatchRules(), pause=paused.append).run(
        [BatchEntry("x", name, badge, (photo(tmp_path, 1),))], summary
    )
    assert [(end.ended, end.step, end.reason) for end in summary.ends] == [("refused", "badge", reason)]
    assert [seconds for seconds in paused if seconds >= 1.0] == []


def test_a_dry_run_leaves_no_event(world: World, tmp_path: Path) -> None:
    """It enrolls nobody and refuses nobody."""
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    before = world.events()
    run(world, [BatchEntry("x", "Bob", None, (photo(tmp_path, 1, 240),))], replace(NOW, dry_run=True))
    assert world.events() == before


def test_what_cannot_be_brought_stops_nobody_else(world: World, tmp_path: Path) -> None:
    """An object of a bucket that is too large, or does not come."""

    @contextmanager
    def bring(entry: BatchEntry) -> Iterator[BatchEntry]:
        if entry.name == "Large":
            raise InputError("is larger than 15 MiB")
        if entry.name == "Late":
            raise RecordsError("no answer")
        yield entry

    found = [BatchEntry(name, name, None, (photo(tmp_path, n),)) for n, name in enumerate(("Large", "Late", "Ada"), 1)]
    summary = Summary()
    Batch(world.desk, NOW, bring=bring, pause=lambda _: None).run(found, summary)
    assert {end.entry.name: end.ended for end in summary.ends} == {
        "Large": "refused",
        "Late": "failed",
        "Ada": "enrolled",
    }


def test_keys_of_a_bucket_are_people() -> None:
    """Below the prefix only, and named as in a folder; what no folder could hold is left out."""
    keys = ["people/Ada__7.jpg", "people/Bob/1.png", "people/Bob/2.png", "people-old/X.jpg", "people//odd.jpg",
            "people/deep/er/1.jpg", "people/notes.txt"]  # fmt: skip
    for prefix in ("people", "people/"):
        found = from_keys(keys, prefix, "bucket")
        assert [(one.name, one.badge, len(one.paths)) for one in found] == [("Ada", "7", 1), ("Bob", None, 2)]
        assert found[0].place == "s3://bucket/people/Ada__7.jpg"
    with pytest.raises(InputError, match="holds nobody"):
        from_keys(["else.txt"], "", "bucket")


def test_an_interruption_loses_nobody(world: World, source: Path) -> None:
    """Results of those who were on their way are told; the rest is what the summary does not name."""
    summary = Summary()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Batch(world.desk, NOW, pause=lambda _: None).run(entries(source), summary, interrupted)
    enrolled = {end.entry.name for end in summary.ends if end.ended == "enrolled"}
    assert enrolled == {one.person.name for one in world.store.people()}
