"""CloudWatch gets what was counted, a broken network costs nobody anything, and what is lost is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.kpi import CloudWatchSettings
from kiosk.errors import ConfigurationError
from kiosk.kpi import cloudwatch_client, gathered
from kiosk.kpi.catalogue import METRICS, Series, tidied
from kiosk.kpi.cloudwatch import CloudWatch
from kiosk.kpi.cloudwatch_client import open_client
from kiosk.kpi.gathered import Gathered, requests
from kiosk.kpi.sinks import Board
from kiosk.kpi.waiting import Waiting
from tests.support.metering import KEYS, LIMIT_S, FaultyEndpoint, moto, told

AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
FACES = ("kiosk_faces_total", {"what": "indexed", "engine": "site"})


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """A CloudWatch of this module's own."""
    with moto() as url:
        yield url


class Kiosk:
    """A board over CloudWatch at ``url``, its journal and its losses; ``name`` keeps the tests' series apart."""

    def __init__(self, url: str, name: str, **more: Any) -> None:
        self.journal: list[tuple[str, str]] = []
        self.lost = 0
        self.name = name
        self.sent: list[dict[str, Any]] = []
        """What was handed to botocore."""
        settings = CloudWatchSettings(enabled=True, endpoint_url=url, kiosk=name)
        self.client = open_client(settings)
        event = "provide-client-params.cloudwatch.PutMetricData"
        self.client.meta.events.register(event, lambda params, **_: self.sent.append(params))
        self.cloud = CloudWatch(self.client, settings, self._journal, self._lost, **more)
        self.board = Board([self.cloud])

    def _journal(self, event: str, **keys: object) -> None:
        self.journal.append((event, str(keys.get("cause", ""))))

    def _lost(self, points: int) -> None:
        self.lost += points

    def index(self, faces: int = 1) -> None:
        """Faces were indexed at the site."""
        self.board.count(FACES[0], faces, **FACES[1])

    def told(self, aws: str) -> float:
        """How many faces CloudWatch knows of."""
        return told(aws, FACES[0], **FACES[1], kiosk=self.name)[0]

    def __enter__(self) -> Kiosk:
        return self

    def __exit__(self, *_: object) -> None:
        self.cloud.close()
        self.client.close()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of nobody."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def test_what_was_counted_arrives(aws: str) -> None:
    """Counts as sums, observed values one by one, under the kiosk's name; a second sending adds nothing."""
    with Kiosk(aws, "whole") as kiosk:
        kiosk.index(2)
        kiosk.index(3)
        for tenth in range(800):
            kiosk.board.observe("kiosk_similarity", 20.0 + tenth / 10, outcome="failed", engine="local")
        kiosk.board.count("kiosk_authentications_total", outcome="failed", reason="NOT_LIVE", engine="Ada Lovelace")
        kiosk.cloud.send()
        kiosk.cloud.send()
        assert kiosk.told(aws) == 5
        total, number = told(aws, "kiosk_similarity", outcome="failed", engine="local", kiosk="whole")
        assert (round(total, 3), number) == (round(sum(20.0 + tenth / 10 for tenth in range(800)), 3), 800)
        labels = {"outcome": "failed", "reason": "NOT_LIVE", "engine": "other", "kiosk": "whole"}
        assert told(aws, "kiosk_authentications_total", **labels) == (1, 1)
        assert (kiosk.journal, kiosk.lost) == ([], 0)


def test_without_a_name_there_is_no_such_dimension(aws: str) -> None:
    """An empty value would be refused."""
    with Kiosk(aws, "") as kiosk:
        kiosk.index()
        kiosk.cloud.send()
    (sent,) = kiosk.sent
    assert sent["MetricData"][0]["Dimensions"] == [
        {"Name": "what", "Value": "indexed"},
        {"Name": "engine", "Value": "site"},
    ]


def test_a_full_table_goes_in_requests_that_cloudwatch_takes(aws: str) -> None:
    """Every series that a program could ever make, compressed as botocore wants it."""
    with Kiosk(aws, "full") as kiosk:
        for engine in ("aws", "site", "local"):
            for operation in METRICS[7].labels["operation"]:
                for outcome in METRICS[7].labels["outcome"]:
                    labels = {"engine": engine, "operation": operation, "outcome": outcome}
                    kiosk.board.count("kiosk_engine_calls_total", **labels)
        kiosk.cloud.send()
        assert kiosk.lost == 0
        labels = {"engine": "site", "operation": "PutItem", "outcome": "late", "kiosk": "full"}
        assert told(aws, "kiosk_engine_calls_total", **labels) == (1, 1)


@pytest.mark.parametrize("word", ["throttle", "deny", "crash", "html", "cut"])
def test_what_may_be_mended_is_sent_again(aws: str, word: str) -> None:
    """Later, with everything since; the journal hears of the change, not of each try."""
    with FaultyEndpoint(aws) as endpoint, Kiosk(endpoint.url, f"mended-{word}") as kiosk:
        endpoint.plan = [word, word]
        for _ in range(4):
            kiosk.index()
            kiosk.cloud.send()
        assert kiosk.told(aws) == 4
        assert kiosk.lost == 0
        assert [event for event, _ in kiosk.journal] == ["KPI_LOST", "KPI_BACK"]


def test_nobody_listens(aws: str) -> None:
    """The usual state of a network that is away: kept, and told once."""
    with FaultyEndpoint(aws) as gone:
        url = gone.url
    with Kiosk(url, "nobody") as kiosk:
        kiosk.index()
        kiosk.cloud.send()
        kiosk.cloud.send()
        assert kiosk.journal == [("KPI_LOST", "EndpointConnectionError")]
        assert kiosk.lost == 0


def test_without_credentials_it_waits_for_them(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is made, nothing raised, nothing lost."""
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with Kiosk(aws, "keyless") as kiosk:
        kiosk.index()
        kiosk.cloud.send()
        assert kiosk.journal == [("KPI_LOST", "NoCredentialsError")]
        assert kiosk.lost == 0


def test_what_is_refused_for_good_does_not_hold_up_the_rest(aws: str) -> None:
    """It is given up and counted, and what came after it arrives."""
    with FaultyEndpoint(aws) as endpoint, Kiosk(endpoint.url, "poison") as kiosk:
        endpoint.plan = ["refuse"]
        kiosk.index()
        kiosk.cloud.send()
        kiosk.index(7)
        kiosk.cloud.send()
        assert (kiosk.told(aws), kiosk.lost) == (7, 1)


def test_an_answer_that_is_lost_may_count_twice(aws: str) -> None:
    """At least once is what is promised: the kiosk cannot know that the request was carried out."""
    with FaultyEndpoint(aws) as endpoint, Kiosk(endpoint.url, "twice") as kiosk:
        endpoint.plan = ["lost"]
        kiosk.index()
        kiosk.cloud.send()
        kiosk.cloud.send()
        assert kiosk.told(aws) == 2


def test_beyond_the_bound_the_oldest_are_lost_and_counted(aws: str) -> None:
    """Ten intervals without a network and room for four: the last four arrive."""
    with FaultyEndpoint(aws) as endpoint, Kiosk(endpoint.url, "bound", most_numbers=4) as kiosk:
        endpoint.plan = ["cut"] * 10
        for number in range(10):
            kiosk.index(10**number)
            kiosk.cloud.send()
        assert kiosk.lost == 6
        kiosk.cloud.send()
        assert kiosk.told(aws) == 1_111_000_000
        assert kiosk.lost == 6


def test_more_series_than_there_is_room_for_are_lost_and_counted(monkeypatch: pytest.MonkeyPatch, aws: str) -> None:
    """Memory is bounded within an interval too; series that are there go on counting."""
    monkeypatch.setattr(gathered, "MOST_SERIES", 1)
    with Kiosk(aws, "crowded") as kiosk:
        kiosk.index()
        kiosk.board.count("kiosk_people_removed_total")
        kiosk.board.observe("kiosk_similarity", 99.0, outcome="approved", engine="local")
        kiosk.index()
        kiosk.cloud.send()
        assert (kiosk.told(aws), kiosk.lost) == (2, 2)


def test_nobody_waits_for_a_request_that_hangs(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting goes on while the sending thread stands at the gate; then all of it arrives."""
    monkeypatch.setattr(cloudwatch_client, "READ_S", 2 * LIMIT_S)
    with FaultyEndpoint(aws) as endpoint, Kiosk(endpoint.url, "hangs") as kiosk:
        endpoint.plan = ["hang"]
        kiosk.index()
        sender = threading.Thread(target=kiosk.cloud.send)
        sender.start()
        assert endpoint.reached.wait(LIMIT_S)
        for _ in range(500):  # each returns, or this test does: the gate opens only behind them
            kiosk.index()
            kiosk.board.observe("kiosk_similarity", 99.0, outcome="approved", engine="local")
        assert not endpoint.gate.is_set()
        assert sender.is_alive()
        endpoint.gate.set()
        sender.join(LIMIT_S)
        kiosk.cloud.send()
        assert kiosk.told(aws) == 501


def test_the_end_sends_what_is_left(aws: str) -> None:
    """By the thread itself, long before its next interval."""
    with Kiosk(aws, "end") as kiosk:
        with kiosk.cloud:
            kiosk.index(4)
        kiosk.cloud.close()
        assert kiosk.told(aws) == 4


def test_the_end_does_not_wait_for_a_network_that_hangs(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends while the request still stands at the gate."""
    monkeypatch.setattr(cloudwatch_client, "READ_S", 2 * LIMIT_S)
    with FaultyEndpoint(aws) as endpoint, Kiosk(endpoint.url, "stuck", close_s=0.01) as kiosk:
        endpoint.plan = ["hang"]
        with kiosk.cloud:
            kiosk.index()
        assert endpoint.reached.wait(LIMIT_S)
        assert [thread.is_alive() for thread in threading.enumerate() if thread.name == "cloudwatch"] == [True]


def test_time_stamps_are_those_of_the_interval(aws: str) -> None:
    """What is sent an hour late belongs to the hour before; only what was counted is sent."""
    now = datetime.now(UTC)
    times = iter([now - timedelta(hours=1), now])
    with FaultyEndpoint(aws) as endpoint, Kiosk(endpoint.url, "late", clock=lambda: next(times)) as kiosk:
        endpoint.plan = ["crash"]
        kiosk.index()
        kiosk.cloud.send()
        kiosk.cloud.send()
    first, again = kiosk.sent
    assert first == again
    assert again["MetricData"][0]["Timestamp"] == now - timedelta(hours=1)


@given(st.lists(st.floats(0.0, 2.0**53), min_size=1, max_size=400))
def test_requests_keep_to_the_limits_and_lose_no_value(values: list[float]) -> None:
    """150 values a data point, and as many counted as observed; a value is off by half of its third digit at most."""
    kept = Gathered()
    series = tidied("kiosk_engine_seconds", {"engine": "aws", "operation": "IndexFaces"}, "histogram")
    for value in values:
        assert kept.observe(series, value)
    data = kept.data(AT, "north")
    assert sum(sum(datum["Counts"]) for datum in data) == len(values)
    assert all(0 < len(datum["Values"]) == len(datum["Counts"]) <= 150 for datum in data)
    found = sorted(value for datum in data for value in datum["Values"])
    assert found[0] == pytest.approx(min(values), rel=0.006)
    assert found[-1] == pytest.approx(max(values), rel=0.006)


def test_values_beyond_the_bound_join_their_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    """No count is lost when there are too many different ones."""
    monkeypatch.setattr(gathered, "MOST_VALUES", 2)
    kept = Gathered()
    series = tidied("kiosk_similarity", {"outcome": "failed", "engine": "aws"}, "histogram")
    for value in (10.0, 90.0, 80.0, 20.0):
        kept.observe(series, value)
    (datum,) = kept.data(AT, "")
    assert dict(zip(datum["Values"], datum["Counts"], strict=True)) == {10.0: 2, 90.0: 2}


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=40), st.integers(1, 30))
def test_what_waits_is_bounded_and_accounted_for(steps: list[tuple[int, bool]], most: int) -> None:
    """Whatever comes and goes: each data point is sent, waits, or was told as lost; the oldest go first."""
    names = sorted(METRICS[7].labels["operation"])
    waiting = Waiting("", most)
    pushed, sent, lost = [], [], 0
    for number, (series, sends) in enumerate(steps):
        kept = Gathered()
        at = AT + timedelta(minutes=number)
        for operation in names[:series]:
            kept.add(tidied("kiosk_engine_throttles_total", {"operation": operation}, "counter"), 1.0)
        pushed += [at] * series
        lost += waiting.push(at, kept)
        portion = waiting.first() if sends else None
        if portion is not None:
            sent += [datum["Timestamp"] for datum in portion]
            waiting.pop()
    left = []
    while (portion := waiting.first()) is not None:
        left += [datum["Timestamp"] for datum in portion]
        waiting.pop()
    assert len(left) <= most
    assert sent == sorted(sent)
    assert left == pushed[len(pushed) - len(left) :], "the newest are kept"
    assert len(sent) + len(left) + lost == len(pushed)


@given(st.lists(st.integers(0, 150), max_size=1500))
def test_portions_are_small_whole_and_in_order(sizes: list[int]) -> None:
    """Whatever their sizes, no data point is left out or too many in a request."""
    data = [{"MetricName": str(number), "Values": [1.0] * size} for number, size in enumerate(sizes)]
    portions = list(requests(data))
    assert [datum for portion in portions for datum in portion] == data
    assert all(0 < len(portion) <= 1000 for portion in portions)
    for portion in portions:
        assert len(portion) == 1 or sum(1200 + 90 * len(datum["Values"]) for datum in portion) <= 500_000


def test_the_estimate_of_a_request_is_above_its_size() -> None:
    """By botocore's own writing, for the longest names and values there are."""
    metric = max(METRICS, key=lambda one: len(one.name) + len(one.labels))
    values = tuple(max(words, key=len) for words in metric.words)
    kept = Gathered()
    histogram = tidied("kiosk_similarity", {"outcome": "approved", "engine": "local"}, "histogram")
    for number in range(150):
        kept.observe(histogram, 1.23456e-300 * (1 + number))
    kept.add(Series(metric, values), 2.0**53)
    counted, observed = kept.data(AT, "k" * 64)
    assert len(json.dumps(counted, default=str)) < gathered.DATUM_BYTES
    assert len(json.dumps(observed, default=str)) < gathered.DATUM_BYTES + 150 * gathered.VALUE_BYTES


def test_a_client_that_cannot_be_made_is_one_line() -> None:
    """A profile that is not there."""
    with pytest.raises(ConfigurationError, match=r"kpi\.cloudwatch: cannot be used"):
        open_client(CloudWatchSettings(enabled=True, profile="no-such-profile"))
