"""Calls of engines are seen from outside: each once, with its operation and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client import generate_latest

from kiosk.config.engines import EndpointSettings
from kiosk.errors import MatchError
from kiosk.identity.calling import open_client
from kiosk.identity.observed import ObservedMatcher, watch_client
from kiosk.kpi.engines import engine_observer
from kiosk.kpi.prometheus import Prometheus
from kiosk.kpi.sinks import Board, Memory
from kiosk.values import Embedding
from tests.support.metering import KEYS, FaultyEndpoint, samples_of
from tests.support.parts import VERSION, FakeMatcher, unit

CALLS = "kiosk_engine_calls_total"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of nobody."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def endpoint() -> Iterator[FaultyEndpoint]:
    """With nothing behind it but an answer that any list operation takes."""
    with FaultyEndpoint("127.0.0.1:9") as opened:
        opened._passed_on = lambda *_: (200, json.dumps({"CollectionIds": []}).encode(), "1")  # type: ignore[method-assign]
        yield opened


def client_of(url: str, read_s: float = 60.0) -> Any:
    """As the door opens it."""
    return open_client(EndpointSettings(enabled=True, endpoint_url=url), read_s)


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("pass", "ok"),
        ("throttle", "throttled"),
        ("deny", "refused"),
        ("crash", "refused"),
        ("cut", "unreachable"),
        ("html", "unreadable"),
    ],
)
def test_what_came_of_a_call(endpoint: FaultyEndpoint, word: str, outcome: str) -> None:
    """By the engine's own answer, or why there is none; the caller sees what it always saw."""
    memory = Memory()
    client = client_of(endpoint.url)
    watch_client(client, "site", engine_observer(Board([memory])))
    endpoint.plan = [word]
    with suppress(BotoCoreError, ClientError):
        client.list_collections()
    client.close()
    throttles = memory.counts.pop(("kiosk_engine_throttles_total", "site", "ListCollections"), 0)
    assert throttles == (outcome == "throttled")
    assert dict(memory.counts) == {(CALLS, "site", "ListCollections", outcome): 1}
    (seconds,) = memory.values["kiosk_engine_seconds", "site", "ListCollections"]
    assert seconds >= 0.0


def test_no_answer_in_time_is_late(endpoint: FaultyEndpoint) -> None:
    """The gate opens when the client has given up; its time is counted with the rest."""
    memory = Memory()
    client = client_of(endpoint.url, 0.05)
    ticks = iter([10.0, 12.5])
    watch_client(client, "aws", engine_observer(Board([memory])), clock=lambda: next(ticks))
    endpoint.plan = ["hang"]
    with pytest.raises(BotoCoreError):
        client.list_collections()
    client.close()
    assert dict(memory.counts) == {(CALLS, "aws", "ListCollections", "late"): 1}
    assert memory.values["kiosk_engine_seconds", "aws", "ListCollections"] == [2.5]


def test_nobody_there_is_unreachable() -> None:
    """Refused by the operating system, not by the engine."""
    memory = Memory()
    client = client_of("http://127.0.0.1:9")
    watch_client(client, "aws", engine_observer(Board([memory])))
    with pytest.raises(BotoCoreError):
        client.describe_collection(CollectionId="Ada")
    client.close()
    assert dict(memory.counts) == {(CALLS, "aws", "DescribeCollection", "unreachable"): 1}


def test_the_local_gallery_is_an_engine_too() -> None:
    """Its answers and errors pass through unchanged."""
    memory, matcher = Memory(), FakeMatcher()
    watched = ObservedMatcher(matcher, engine_observer(Board([memory])))
    probe = Embedding(unit(1.0), VERSION)
    assert watched.model_version == matcher.model_version
    assert watched.search(probe, deadline_s=1.0) is matcher.match
    matcher.error = MatchError("nothing to compare")
    with pytest.raises(MatchError, match="nothing to compare"):
        watched.search(probe, deadline_s=1.0, badge="17")
    assert {key[-1]: value for key, value in memory.counts.items()} == {"ok": 1, "refused": 1}
    assert {key[:-1] for key in memory.counts} == {(CALLS, "local", "SearchFaces")}


def test_nothing_of_a_request_becomes_a_label(endpoint: FaultyEndpoint) -> None:
    """Collections and faces have names; the figures have none."""
    prometheus = Prometheus()
    client = client_of(endpoint.url)
    watch_client(client, "site", engine_observer(Board([prometheus])))
    client.list_faces(CollectionId="secret-lab", FaceIds=["6f9d2f1e-0000-4000-8000-000000000001"])
    client.close()
    found = repr(samples_of(generate_latest(prometheus.registry).decode()))
    assert "ListFaces" in found
    assert not any(word in found for word in ("secret-lab", "6f9d2f1e"))
