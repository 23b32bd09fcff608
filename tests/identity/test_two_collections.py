"""An engine whose people move to another collection: one search over both, each person by their own face model."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.engines import EndpointSettings, ModelThresholds
from kiosk.errors import MatchError, RecordsReadOnly
from kiosk.identity.answers import Place
from kiosk.identity.asking import Asker, Unusable
from kiosk.identity.calling import open_client
from kiosk.identity.deciding import Hit, decided
from kiosk.identity.rekognition import RekognitionEngine
from kiosk.reasons import Reason
from kiosk.values import IndexedFace, Match
from tests.identity.test_rekognition_engine import as_png, face
from tests.support.awskit import open_bench
from tests.support.facekit import VERSION, someone
from tests.support.painted import PaintedModels, painting

NEXT = "test-model+2"
LIMITS = {VERSION: ModelThresholds(threshold=98.0, margin=1.0), NEXT: ModelThresholds(threshold=99.0, margin=1.0)}
NEW, OLD = Place("site", "door-2", 1, LIMITS), Place("site", "door", 1, LIMITS)


@dataclass
class Wire:
    """boto3's calls by script: collection to person to similarity; a fault is raised instead."""

    old: Mapping[str, float] = field(default_factory=dict)
    new: Mapping[str, float] = field(default_factory=dict)
    fault: MatchError | None = None
    together: threading.Barrier | None = None
    asked: list[str] = field(default_factory=list)

    def search_faces_by_image(self, **members: Any) -> dict[str, Any]:
        """One collection's answer; with ``together`` only when the other one is asked meanwhile."""
        name = members["CollectionId"]
        self.asked.append(name)
        if self.together is not None:
            self.together.wait(30.0)
        if name == "door" and self.fault is not None:
            raise self.fault
        people = self.old if name == "door" else self.new
        matches = [
            {"Similarity": value, "Face": {"FaceId": f"{person}-{name}", "ExternalImageId": person}}
            for person, value in people.items()
        ]
        return {"FaceModelVersion": VERSION if name == "door" else NEXT, "FaceMatches": matches}


def asked(wire: Wire, *moved: str, badge: str | None = None, barred: tuple[str, ...] = (), known: bool = True) -> Match:
    """The answer for a face; ``moved``: who has a face in the new collection by the kiosk's records."""

    def held(person_id: str) -> list[IndexedFace]:
        name, version = ("door-2", NEXT) if person_id in moved else ("door", VERSION)
        return [IndexedFace("site", name, "1", version)] if known else []

    engine = RekognitionEngine(
        Asker("site", wire), NEW, as_png, {"17": "ada"}.get, lambda one: one not in barred, held, before=OLD
    )
    return engine.search(someone(1), deadline_s=60.0, badge=badge, crop=face(1))


@pytest.mark.parametrize(
    ("old", "new", "moved", "named", "reason"),
    [
        pytest.param({"ada": 99.0}, {}, (), "ada", Reason.WELCOME, id="not moved"),
        pytest.param({"ada": 99.0}, {"ada": 99.9}, ("ada",), "ada", Reason.WELCOME, id="moved"),
        pytest.param({"ada": 99.0}, {"ada": 98.5}, ("ada",), None, Reason.UNKNOWN_PERSON, id="the present one alone"),
        pytest.param({"ada": 99.0}, {}, ("ada",), None, Reason.UNKNOWN_PERSON, id="moved, and not found there"),
        pytest.param({"bob": 98.9}, {"ada": 99.1}, ("ada",), None, Reason.AMBIGUOUS_PERSON, id="two are near"),
        pytest.param({"bob": 99.5}, {"ada": 99.1}, ("ada",), "bob", Reason.WELCOME, id="the better one, old"),
        pytest.param({"bob": 98.1}, {"ada": 99.0}, ("ada",), None, Reason.AMBIGUOUS_PERSON, id="no matter who moved"),
        pytest.param({"bob": 97.1}, {"ada": 99.2}, ("ada",), "ada", Reason.WELCOME, id="the better one, new"),
        pytest.param({"bob": 97.9}, {"ada": 99.2}, ("ada",), None, Reason.AMBIGUOUS_PERSON, id="one below, but near"),
        pytest.param({}, {}, (), None, Reason.UNKNOWN_PERSON, id="nobody"),
    ],
)
def test_it_is_one_search(
    old: Mapping[str, float], new: Mapping[str, float], moved: tuple[str, ...], named: str | None, reason: Reason
) -> None:
    """Thresholds 98 (old) and 99 (new): who is further above their own is named, with a margin to the other."""
    found = asked(Wire(old, new), *moved)
    assert (found.person_id, found.reason) == (named, reason)
    if named is not None:
        assert found.model_version == (NEXT if named in moved else VERSION)
        assert found.similarity >= LIMITS[found.model_version].threshold
        assert found.margin >= 1.0


def test_both_are_asked_at_the_same_time() -> None:
    """The deadline is one, and a server answers as fast as it does without a change."""
    wire = Wire({"ada": 99.5}, together=threading.Barrier(2))
    assert asked(wire).person_id == "ada"
    assert sorted(wire.asked) == ["door", "door-2"]


@pytest.mark.parametrize("wire", [Wire({"eve": 99.9}, {"ada": 99.1}), Wire({"ada": 98.0}, {"eve": 100.0})])
def test_whoever_may_not_enter_is_not_taken_for_somebody_else(wire: Wire) -> None:
    """A suspended person's twin in the other collection is not named for them: one collection would not either."""
    moved = ("ada",) if "ada" in wire.new else ("eve",)
    found = asked(wire, *moved, barred=("eve",))
    assert (found.person_id, found.reason) == (None, Reason.UNKNOWN_PERSON)


def test_whoever_moved_and_is_not_shown_there_names_nobody_and_lets_nobody_pass_for_them() -> None:
    """They may be moving just now, or the present collection was lost: no look-alike gets in by that."""
    found = asked(Wire({"ada": 99.5, "bob": 98.2}), "ada")
    assert (found.person_id, found.reason) == (None, Reason.UNKNOWN_PERSON)
    assert asked(Wire({"ada": 99.5, "bob": 98.6}), "ada").reason is Reason.AMBIGUOUS_PERSON
    assert asked(Wire({"ada": 97.2, "bob": 99.5}), "ada").person_id == "bob"
    assert asked(Wire({"ada": 99.5, "bob": 99.0}, {"ada": 97.6}), "ada").person_id == "bob"  # the present model's word


@pytest.mark.parametrize("other", [VERSION, NEXT])
def test_two_who_are_equally_alike_are_nobody(other: str) -> None:
    """Whatever margin is configured: none at all would let the order of the answer decide."""
    limits = {VERSION: ModelThresholds(threshold=98.0, margin=0.0), NEXT: ModelThresholds(threshold=99.0, margin=0.0)}
    top = Hit("ada", 98.5, VERSION, limits[VERSION])
    near = Hit("bob", 98.5 if other == VERSION else 99.5, other, limits[other])
    assert decided([top, near], NEXT, "site", lambda _: True).reason is Reason.AMBIGUOUS_PERSON
    assert decided([top], NEXT, "site", lambda _: True).person_id == "ada"


@pytest.mark.parametrize("badge", [None, "17"])
def test_an_old_collection_that_fails_is_a_failure_not_nobody(badge: str | None) -> None:
    """Another engine must be asked then: the person may be there."""
    with pytest.raises(MatchError, match="gone"):
        asked(Wire(fault=MatchError("gone")), badge=badge)


def test_a_badge_asks_where_its_holder_is() -> None:
    """By the kiosk's records; both where they do not say. Whoever has moved is compared there alone."""
    wire = Wire({"ada": 99.0, "bob": 99.9}, {"ada": 50.0})
    assert asked(wire, badge="17").reason is Reason.WELCOME
    assert wire.asked == ["door"]
    wire.asked.clear()
    assert asked(wire, "ada", badge="17").reason is Reason.BADGE_MISMATCH
    assert wire.asked == ["door-2"]
    assert asked(Wire({"ada": 99.0}), badge="17", known=False).reason is Reason.WELCOME
    assert asked(Wire({}, {"ada": 99.5}), badge="17", known=False).model_version == NEXT
    assert asked(Wire(), badge="17", known=False).reason is Reason.BADGE_MISMATCH


def test_records_that_cannot_be_read_name_nobody() -> None:
    """Who has moved is not guessed."""

    def lost(_person_id: str) -> list[IndexedFace]:
        raise RecordsReadOnly("disk gone")

    wire = Wire({"ada": 99.5})
    engine = RekognitionEngine(Asker("site", wire), NEW, as_png, {}.get, lambda _: True, lost, before=OLD)
    with pytest.raises(MatchError, match="disk gone"):
        engine.search(someone(1), deadline_s=60.0, crop=face(1))


@dataclass
class Limited(Wire):
    """A wire that keeps to the limits of the question, as a server does; everybody has so many faces."""

    faces: int = 1

    def search_faces_by_image(self, **members: Any) -> dict[str, Any]:
        """The best rows from the least similarity on."""
        told = super().search_faces_by_image(**members)
        rows = sorted(told["FaceMatches"] * self.faces, key=lambda row: -row["Similarity"])
        enough = [row for row in rows if row["Similarity"] >= members["FaceMatchThreshold"]]
        return {**told, "FaceMatches": enough[: members["MaxFaces"]]}


def test_a_margin_is_asked_for_against_the_other_model_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """8.5 below what the old model asks for is within 10 of somebody who has just enough of the new one's."""
    monkeypatch.setitem(LIMITS, VERSION, ModelThresholds(threshold=92.0, margin=1.0))
    monkeypatch.setitem(LIMITS, NEXT, ModelThresholds(threshold=99.0, margin=10.0))
    assert asked(Limited({"bob": 83.5}, {"ada": 99.5}), "ada").reason is Reason.AMBIGUOUS_PERSON
    assert asked(Limited({"bob": 80.5}, {"ada": 99.5}), "ada").reason is Reason.WELCOME


def test_those_who_moved_do_not_fill_the_old_answer_for_the_others() -> None:
    """A hundred faces of two people who count elsewhere: nobody knows who would have been next."""
    old = {"ada": 99.9, "bob": 99.85, "cyd": 99.8}
    assert asked(Limited(old, {"ada": 99.1}, faces=50), "ada", "bob").reason is Reason.AMBIGUOUS_PERSON
    assert asked(Limited(old, {"ada": 99.1}, faces=50), "ada").reason is Reason.AMBIGUOUS_PERSON
    apart = {"ada": 99.9, "cyd": 99.8, "bob": 98.0}
    assert asked(Limited(apart, {"ada": 99.1}, faces=30), "ada", "bob").person_id == "cyd"


SIMILARITIES = st.sampled_from([96.0, 97.5, 98.2, 99.0, 99.6])
HITS = st.lists(
    st.tuples(st.sampled_from("abcdef"), SIMILARITIES, st.sampled_from([VERSION, NEXT])), unique_by=lambda hit: hit[0]
)


@given(HITS, st.sets(st.sampled_from("abcdef")))
def test_the_rule_is_the_same_for_one_model_and_for_two(rows: list[tuple[str, float, str]], may: set[str]) -> None:
    """Somebody is named only if they are enough, alone by the margin, and may enter; the answer bears their model."""
    hits = [Hit(person, similarity, version, LIMITS[version]) for person, similarity, version in rows]
    found = decided(hits, NEXT, "site", may.__contains__)
    above = sorted(((hit.similarity - LIMITS[hit.version].threshold, hit.person_id) for hit in hits), reverse=True)
    alone = bool(above) and above[0][0] >= 0.0 and (len(above) == 1 or above[0][0] - above[1][0] >= 1.0 - 1e-9)
    expected = above[0][1] if alone and above[0][1] in may else None
    if len(above) > 1 and abs(above[0][0] - above[1][0] - 1.0) < 1e-6:
        return  # a hair's breadth, where arithmetic decides
    assert found.person_id == expected
    assert (found.reason is Reason.WELCOME) == (expected is not None)


# With a real server of two models


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """``door`` was filled by the first model: persons 1 and 2."""
    with open_bench(tmp_path) as bench:
        aws = bench.client()
        aws.create_collection(CollectionId="door")
        for person in (1, 2):
            picture = {"Bytes": painting((person, (60, 60, 120), 250))}
            aws.index_faces(CollectionId="door", Image=picture, ExternalImageId=f"person-{person}")
    return tmp_path


def test_a_server_of_two_models_serves_both(data: Path) -> None:
    """Person 1 has moved to ``door-2``, person 2 has not; both are named, a third is not."""
    with open_bench(data, models=PaintedModels(NEXT, VERSION)) as bench:
        aws = bench.client()
        aws.create_collection(CollectionId="door-2")
        picture = {"Bytes": painting((1, (60, 60, 120), 250))}
        aws.index_faces(CollectionId="door-2", Image=picture, ExternalImageId="person-1")
        engine = RekognitionEngine(Asker("site", aws), NEW, as_png, {}.get, lambda _: True, before=OLD)
        found = [engine.search(someone(1), deadline_s=60.0, crop=face(person, 240)) for person in (1, 2, 3)]
    assert [(one.person_id, one.model_version) for one in found[:2]] == [("person-1", NEXT), ("person-2", VERSION)]
    assert found[2].reason is Reason.UNKNOWN_PERSON


def test_a_server_that_does_not_run_the_old_model_is_a_failure(data: Path) -> None:
    """Not a bad picture: the door goes on with its own gallery."""
    with open_bench(data, models=PaintedModels(NEXT)) as bench:
        aws = bench.client()
        aws.create_collection(CollectionId="door-2")
        engine = RekognitionEngine(Asker("site", aws), NEW, as_png, {}.get, lambda _: True, before=OLD)
        with pytest.raises(MatchError) as caught:
            engine.search(someone(1), deadline_s=60.0, crop=face(1))
    assert not isinstance(caught.value, Unusable)


@pytest.mark.parametrize(("before", "least"), [(None, 4), ("door", 20)])
def test_every_call_of_a_search_has_a_connection_that_is_kept(before: str | None, least: int) -> None:
    """Two collections and eight older ones are asked at once, for two visitors: no handshake at the door."""
    settings = EndpointSettings(
        collection="door-2", shards=2, collection_before=before, shards_before=8 if before else None
    )
    client = open_client(settings, 1.0)
    assert client.meta.config.max_pool_connections == least
    client.close()
