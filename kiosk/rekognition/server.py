"""The protocol over HTTP: one path, POST only, bounded bodies, answers from a pool of threads.

Rules: without TLS only the loopback is listened to; a request that claims no key is refused before its body is read; a
body is bounded in size and time; only so many requests are worked on at once, some more wait, the rest is told to come
again. Connections are bounded in ``protocol``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.config.address import Address
from kiosk.errors import ConfigurationError, RekognitionFault
from kiosk.rekognition.dispatch import Dispatcher, Reply
from kiosk.rekognition.faults import malformed, throttled
from kiosk.rekognition.model import CONTENT_TYPE
from kiosk.rekognition.protocol import bounded_protocol
from kiosk.stopping import on_signals

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BODY_BYTES = 15 * 2**20
"""Two pictures of 5 MiB in base64, and their names."""
BODY_S = 20.0
"""Longest time for a body to come in."""
AT_ONCE = 8
"""Requests whose bodies are in memory."""
MOST_WAITING = 100
MOST_CONNECTIONS = 800
"""Of all peers: a process may have 1 024 files open."""
KEEP_ALIVE_S = 15
GRACE_S = 10
"""What is being answered when the server is told to stop may end."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The server's TLS certificate and its key, as PEM files."""

    chain: Path
    key: Path


def application(dispatcher: Dispatcher) -> Starlette:
    """The ASGI application."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect
    from starlette.routing import Route

    turns, waiting = asyncio.Semaphore(AT_ONCE), 0

    async def answer(request: Request) -> Response:
        nonlocal waiting
        headers = {name.lower(): value for name, value in request.headers.items()}
        peer = request.client.host if request.client else ""
        early = dispatcher.foreseen(headers, peer)
        if early is not None:
            return _response(early)
        if waiting >= MOST_WAITING:
            return _response(dispatcher.refuse(throttled("too many requests at once"), peer))
        waiting += 1
        try:
            async with turns:
                try:
                    async with asyncio.timeout(BODY_S):
                        body = await _body(request)
                except (ClientDisconnect, TimeoutError):
                    return _response(dispatcher.refuse(malformed("the body did not come in"), peer))
                if body is None:
                    large = RekognitionFault("RequestEntityTooLargeException", "the request is too large", status=413)
                    return _response(dispatcher.refuse(large, peer))
                return _response(await run_in_threadpool(dispatcher.answer, headers, body, str(request.url), peer))
        finally:
            waiting -= 1

    async def broken(_request: Request, error: Exception) -> Response:
        return _response(dispatcher.broken(error))

    return Starlette(routes=[Route("/", answer, methods=["POST"])], exception_handlers={Exception: broken})


async def _body(request: Request) -> bytes | None:
    """The whole body; None when it is larger than allowed. Raises ClientDisconnect."""
    told = request.headers.get("content-length", "0")
    if not (told.isascii() and told.isdigit()) or int(told) > MOST_BODY_BYTES:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY_BYTES:
            return None
    return bytes(body)


def _response(reply: Reply) -> Response:
    from starlette.responses import Response

    return Response(reply.body, reply.status, {"x-amzn-RequestId": str(uuid.uuid4())}, CONTENT_TYPE)


def serve(
    dispatcher: Dispatcher, address: Address, certificate: Certificate | None, ready: Callable[[str], None]
) -> None:
    """Listen until SIGINT or SIGTERM; ``ready`` is told the URL once connections are taken.

    Raises KeyboardInterrupt in the end, when all is closed; ConfigurationError: no certificate on an address that
    others can reach, or an address that is not to be had.
    """
    if certificate is None and not address.loopback:
        raise ConfigurationError(
            f"{address.host} can be reached by others", where="--no-tls", mend="listen on 127.0.0.1, or with TLS"
        )
    import uvicorn

    # What goes wrong is in our own log by its kind; a trace would print what a client sent.
    logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn.error").propagate = False
    config = uvicorn.Config(
        application(dispatcher),
        host=address.host,
        port=address.port,
        ssl_certfile=None if certificate is None else certificate.chain,
        ssl_keyfile=None if certificate is None else certificate.key,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        lifespan="off",
        http=bounded_protocol(),
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    listening = _bound(address)
    server = uvicorn.Server(config)
    ended = threading.Event()

    def end() -> None:
        server.should_exit = True
        ended.set()

    try:
        with on_signals(end):  # from before it runs: as soon as the address is told, somebody may send one
            scheme = "http" if certificate is None else "https"
            ready(f"{scheme}://{address.shown}:{listening.getsockname()[1]}")
            server.run(sockets=[listening])
    finally:
        listening.close()
    if ended.is_set():
        raise KeyboardInterrupt


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # The protocol is named for asyncio, which switches Nagle's algorithm off only then: answers waited 40 ms with it.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address.host, address.port))
        listening.listen()  # from here on nobody is refused: whoever comes before the loop runs, waits
    except OSError as error:
        listening.close()
        where = f"{address.host}:{address.port}"
        raise ConfigurationError(f"cannot be listened on ({error.strerror or error})", where=where) from error
    return listening
