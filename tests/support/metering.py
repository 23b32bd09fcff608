"""What the tests of the figures share: CloudWatch by moto, an endpoint before it that fails as told, samples read."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client.parser import text_string_to_metric_families as families

from kiosk.config.kpi import CloudWatchSettings
from kiosk.kpi.cloudwatch_client import open_client
from tests.support.motokit import moto_server

LIMIT_S = 60.0
"""Longest wait for another thread; nothing is judged by it."""
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
NAMESPACE = "DoorKiosk"
JSON = "application/x-amz-json-1.0"


def samples_of(text: str) -> dict[tuple[str, ...], float]:
    """Every sample of a Prometheus text by its name and ``label=value`` in the labels' order of the alphabet."""
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in families(text)
        for sample in family.samples
    }


def fetched(url: str) -> dict[tuple[str, ...], float]:
    """The samples at an address."""
    with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
        return samples_of(answer.read().decode())


@contextmanager
def moto() -> Iterator[str]:
    """The address of a CloudWatch that remembers; it forgets at the end."""
    with moto_server() as url:
        yield url
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()


def told(url: str, metric: str, **labels: str) -> tuple[float, float]:
    """(sum, number of values) that CloudWatch has of one series within a day."""
    now = datetime.now(UTC)
    client = open_client(CloudWatchSettings(endpoint_url=url))
    try:
        points = client.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in labels.items()],
            StartTime=now - timedelta(days=1),
            EndTime=now + timedelta(days=1),
            Period=172_800,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
    finally:
        client.close()
    return sum(one["Sum"] for one in points), sum(one["SampleCount"] for one in points)


class FaultyEndpoint:
    """Passes requests on to ``behind``, or does what ``plan`` says for the next ones: a word each, in order.

    ``throttle``, ``refuse`` (for good), ``deny``, ``crash`` (500), ``html``, ``cut`` (no answer), ``lost`` (done, but
    the answer never comes), ``hang`` (until ``gate`` is set, then passed on).
    """

    def __init__(self, behind: str) -> None:
        self.behind = behind.removeprefix("http://")
        self.plan: list[str] = []
        self.seen: list[str] = []
        self.gate = threading.Event()
        self.reached = threading.Event()
        """A request hangs at the gate."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_POST(self) -> None:
                endpoint.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> FaultyEndpoint:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """As planned."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        word = self.plan.pop(0) if self.plan else "pass"
        self.seen.append(word)
        refusals = {
            "throttle": (400, "ThrottlingException"),
            "refuse": (400, "InvalidParameterValueException"),
            "deny": (403, "AccessDeniedException"),
            "crash": (500, "InternalServiceFault"),
        }
        if word == "hang":
            self.reached.set()
            self.gate.wait(LIMIT_S)
        if word in refusals:
            status, code = refusals[word]
            _reply(request, status, json.dumps({"__type": code, "message": "planted"}).encode())
        elif word == "html":
            _reply(request, 200, b"<html>please log in</html>", kind="text/html")
        elif word == "cut":
            request.close_connection = True
        else:
            status, content, request_id = self._passed_on(request, body)
            if word == "lost":
                request.close_connection = True
            else:
                _reply(request, status, content, request_id)

    def _passed_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection(self.behind, timeout=LIMIT_S)
        try:
            connection.request("POST", request.path, body, dict(request.headers.items()))
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("x-amzn-requestid", "")
        finally:
            connection.close()


def _reply(
    request: BaseHTTPRequestHandler, status: int, content: bytes, request_id: str = "", *, kind: str = JSON
) -> None:
    try:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        if request_id:
            request.send_header("x-amzn-requestid", request_id)
        request.end_headers()
        request.wfile.write(content)
    except OSError:
        pass  # whoever asked is gone, which is what some tests are about
