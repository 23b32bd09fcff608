"""The table of figures is closed: whatever is passed in, nothing that names a person comes out."""

from __future__ import annotations

import math
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.kpi.catalogue import BY_NAME, METRICS, UNKNOWN, tidied
from kiosk.kpi.sinks import NOTHING, Board, Memory
from kiosk.kpi.words import NONE, OTHER, PROVEN, QUALITY_CHECKS, UNPROVEN
from kiosk.reasons import Reason

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "kpi.md"
LABELS = sorted({label for metric in METRICS for label in metric.labels})
PRIVATE = st.one_of(
    st.text(),
    st.sampled_from(["Ada Lovelace", "4711", "ada@example.org", "D4711-99", "NOT_LIVE\nname", "local;Ada"]),
    st.uuids(version=4).map(str),
    st.sampled_from(sorted(Reason)).map(lambda reason: f"{reason} {uuid.UUID(int=7)}"),
)
ANYTHING: Any = st.one_of(PRIVATE, st.none(), st.integers(), st.binary(), st.lists(st.text()))


@given(
    st.sampled_from([metric.name for metric in METRICS]) | PRIVATE, st.dictionaries(st.sampled_from(LABELS), ANYTHING)
)
def test_only_words_of_the_table_become_labels(name: str, labels: dict[str, Any]) -> None:
    """Names, badges, ids, and anything else that is passed by mistake, become ``other``."""
    for kind in ("counter", "histogram"):
        series = tidied(name, labels, kind)
        assert series.metric in METRICS
        for value, words in zip(series.values, series.metric.words, strict=True):
            assert value in words


@given(PRIVATE, PRIVATE)
def test_labels_that_a_metric_does_not_have_are_dropped(label: str, value: str) -> None:
    """A label's name says nothing of anybody either."""
    memory = Memory()
    labels: dict[str, Any] = {} if label in {"name", "value", "self", *LABELS} else {label: value}
    Board([memory]).count("kiosk_people_removed_total", **labels)
    assert dict(memory.counts) == {("kiosk_people_removed_total",): 1}


@given(st.floats() | st.integers() | ANYTHING)
def test_counting_never_raises(amount: Any) -> None:
    """Whatever the amount is: what cannot be counted is left out."""
    memory = Memory()
    board = Board([memory])
    board.count("kiosk_people_removed_total", amount)
    board.observe("kiosk_similarity", amount, outcome="approved", engine="local")
    board.count(amount)
    NOTHING.count("kiosk_people_removed_total", amount)
    assert all(number >= 0 for number in memory.counts.values())
    assert all(math.isfinite(value) and value >= 0 for values in memory.values.values() for value in values)


def test_a_name_of_no_metric_is_counted_as_that() -> None:
    """Also a histogram's name at a counter, so that a slip in the code shows."""
    memory = Memory()
    board = Board([memory])
    board.count("kiosk_registrations")
    board.count("kiosk_similarity")
    board.observe("kiosk_faces_total", 1.0)
    assert dict(memory.counts) == {(UNKNOWN.name,): 3}


def test_missing_labels_are_none_and_known_words_stay() -> None:
    """In the catalogue's order, however they are passed."""
    memory = Memory()
    Board([memory]).count("kiosk_authentications_total", engine="local", outcome="failed", reason=Reason.NOT_LIVE)
    Board([memory]).count("kiosk_authentications_total", engine="the moon")
    assert dict(memory.counts) == {
        ("kiosk_authentications_total", "failed", "NOT_LIVE", "local"): 1,
        ("kiosk_authentications_total", NONE, NONE, OTHER): 1,
    }


def test_the_table_follows_the_customs_of_both_places() -> None:
    """Prometheus' names, CloudWatch's limits, and buckets that grow."""
    assert len(BY_NAME) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"kiosk_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert list(metric.bounds) == sorted(set(metric.bounds))
        assert bool(metric.bounds) == (metric.kind == "histogram")
        assert len(metric.labels) <= 29, "CloudWatch takes 30 dimensions, one is the kiosk's name"
        for words in metric.words:
            assert all(re.fullmatch(r"[A-Za-z_]{1,40}", word) for word in words)


def test_every_refusal_is_judged_once() -> None:
    """Failed or incomplete, never both; and quality words are reasons."""
    assert not PROVEN & UNPROVEN
    assert {*PROVEN, *UNPROVEN, *QUALITY_CHECKS} <= set(Reason)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_documented(metric: Any) -> None:
    """With its labels, in a row of docs/kpi.md."""
    (row,) = [
        line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{metric.name}`")
    ]
    named = set(re.findall(r"`([a-z]+)`", row.split("|")[2]))
    assert named == set(metric.labels)


def test_the_document_names_no_other_metric() -> None:
    """Of those a kiosk publishes; the server's are named as the server's."""
    text = DOCUMENT.read_text(encoding="utf-8")
    known = {*BY_NAME, *(f"{metric.name}_bucket" for metric in METRICS if metric.bounds)}
    found = set(re.findall(r"\bkiosk_[a-z_]+", text))
    assert {name for name in found if not name.startswith("kiosk_rekognition")} <= known
