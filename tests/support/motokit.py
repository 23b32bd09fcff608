"""DynamoDB and S3 on this machine: moto's server, boto3's own clients, and a wire between the two that misbehaves."""

from __future__ import annotations

import http.client
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from kiosk.cloud.clients import open_service
from kiosk.config.cloud import ServiceSettings

KEY_ID, SECRET = "TESTKEYTESTKEYTESTKEY", "secret-that-no-message-tells"


class OneAtATime(ThreadedMotoServer):
    """Moto's server, whose requests are carried out one after the other.

    DynamoDB's transactions are serialisable. Moto's are not: it copies the table, changes it in place, and puts the
    copy back when a condition fails, together with whatever another thread wrote in between.
    """

    def start(self) -> None:
        """Serve; returns when the port is open."""
        super().start()
        server = self._server
        assert server is not None
        inner, lock = server.app, threading.Lock()

        def app(environ: Any, start_response: Any) -> Any:
            with lock:
                return inner(environ, start_response)

        server.app = app


@contextmanager
def moto_server() -> Iterator[str]:
    """Its address, on a port of its own."""
    server = OneAtATime(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as moto takes, and no others."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def service(name: str, url: str) -> Iterator[Any]:
    """boto3's client, as the kiosk opens it."""
    client = open_service(name, ServiceSettings(endpoint_url=url))
    try:
        yield client
    finally:
        client.close()


def fresh(kind: str) -> str:
    """A name that no other test has."""
    return f"{kind}-{uuid.uuid4().hex}"


def put_many(bucket: str, objects: Mapping[str, bytes]) -> None:
    """Into moto's memory, without a request for each."""
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for key, content in objects.items():
        backend.put_object(bucket, key, content)


@dataclass
class Reply:
    """What the wire answers by itself."""

    status: int
    body: bytes = b""
    kind: str = "application/x-amz-json-1.0"
    lost: bool = False
    """The request goes on to the service, and its answer gets lost."""
    about: bytes = b""
    """Only to requests whose body holds this; others are not answered by it."""
    short: int = 0
    """So many bytes fewer come than are promised."""


@dataclass
class Wire:
    """Between client and service."""

    url: str = ""
    script: list[Reply] = field(default_factory=list)
    """Answers to the next requests, first one first; then requests go on to the service."""
    always: Reply | None = None
    """Answer to every request."""
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """Method and path, headers, body of each request."""
    left: int | None = None
    """So many further requests arrive, then the wire is cut; None: it is not."""
    deaf: bool = False
    """The last request before the cut arrives, and its answer does not."""

    def next(self, body: bytes) -> Reply | None:
        """The answer to a request; None: the service's own."""
        if self.always is not None:
            return self.always if self.always.about in body else None
        return self.script.pop(0) if self.script and self.script[0].about in body else None


@contextmanager
def wire(upstream: str) -> Iterator[Wire]:
    """A wire to ``upstream`` (``http://127.0.0.1:PORT``)."""
    the = Wire()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        """One request a connection."""

        protocol_version = "HTTP/1.1"  # and with it the "100 Continue" that S3's clients wait for

        def answer(self) -> None:
            """By the script, or by the service."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                the.seen.append((f"{self.command} {self.path}", dict(self.headers.items()), body))
                reply = the.next(body)
                if the.left is not None and the.left <= 0:
                    self.close_connection = True
                    return
                the.left = None if the.left is None else the.left - 1
                if the.left == 0 and the.deaf:
                    reply = Reply(0, lost=True)
            if reply is not None and not reply.lost:
                headers = (
                    [("Content-Type", reply.kind), ("ETag", '"1"')] if reply.short else [("Content-Type", reply.kind)]
                )
                self.send(reply.status, headers, reply.body, reply.short)
                return
            far = http.client.HTTPConnection(upstream.removeprefix("http://"), timeout=60)
            far.request(self.command, self.path, body, dict(self.headers.items()))
            told = far.getresponse()
            content = told.read()
            far.close()
            if reply is None:
                hop = {"content-length", "transfer-encoding", "connection", "date", "server"}
                self.send(told.status, [one for one in told.getheaders() if one[0].lower() not in hop], content)
            else:
                self.close_connection = True

        def send(self, status: int, headers: list[tuple[str, str]], body: bytes, short: int = 0) -> None:
            """One answer, then the end."""
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + short))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    the.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield the
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
