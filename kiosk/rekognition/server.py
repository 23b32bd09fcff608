"""The protocol over HTTP: one path, POST only, bounded bodies, answers from a pool of threads.

Rules: without TLS only the loopback is listened to; a body is bounded before it is read; requests that cannot be
answered now wait in a short queue and are refused when it is full.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.errors import ConfigurationError, RekognitionFault
from kiosk.rekognition.address import Address
from kiosk.rekognition.dispatch import Dispatcher, Reply, refused
from kiosk.rekognition.model import CONTENT_TYPE

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BODY_BYTES = 15 * 2**20
"""Two pictures of 5 MiB in base64, and their names."""
MOST_WAITING = 64
KEEP_ALIVE_S = 15


@dataclass(frozen=True, slots=True)
class Certificate:
    """The server's TLS certificate and its key, as PEM files."""

    chain: Path
    key: Path


def application(dispatcher: Dispatcher) -> Starlette:
    """The ASGI application."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            fault = RekognitionFault("RequestEntityTooLargeException", "the request is too large", status=413)
            return _response(refused(fault))
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _response(await run_in_threadpool(dispatcher.answer, headers, body, str(request.url)))

    return Starlette(routes=[Route("/", answer, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    """The whole body; None when it is larger than allowed."""
    told = request.headers.get("content-length", "0")
    if not (told.isascii() and told.isdigit()) or int(told) > MOST_BODY_BYTES:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _response(reply: Reply) -> Response:
    from starlette.responses import Response

    return Response(reply.body, reply.status, {"x-amzn-RequestId": str(uuid.uuid4())}, CONTENT_TYPE)


def serve(
    dispatcher: Dispatcher, address: Address, certificate: Certificate | None, ready: Callable[[str], None]
) -> None:
    """Listen until interrupted; ``ready`` is told the URL once connections are taken.

    Raises ConfigurationError: no certificate on an address that others can reach, or an address that is not to be had.
    """
    if certificate is None and not address.loopback:
        raise ConfigurationError(
            f"{address.host} can be reached by others", where="--no-tls", mend="listen on 127.0.0.1, or with TLS"
        )
    import uvicorn

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
        limit_concurrency=MOST_WAITING,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    listening = _bound(address)
    scheme = "http" if certificate is None else "https"
    ready(f"{scheme}://{address.host}:{listening.getsockname()[1]}")
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


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
