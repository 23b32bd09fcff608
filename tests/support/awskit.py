"""The unmodified AWS client against this project's answers, without a socket.

Requests are signed, serialised and parsed by botocore itself, and handed to the dispatcher where they would have gone
to the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from hardware.stills import decode_image
from kiosk.identity.scale import Scale
from kiosk.records.shared import SharedStore
from kiosk.records.store import DATABASE, KeySource, Store
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.dispatch import Dispatcher, Reply
from kiosk.rekognition.limits import Limiter
from kiosk.rekognition.metrics import Metrics
from kiosk.rekognition.operations.site import Site
from kiosk.rekognition.pictures import Looker
from kiosk.rekognition.vectors import Vectors
from tests.support.facekit import VERSION
from tests.support.painted import PaintedModels, measure
from tests.support.storekit import empty_store

SCALE = Scale.from_anchors(VERSION, (0.25, 0.35, 0.5, 0.6))
URL = "http://rekognition.test/"


@dataclass
class Bench:
    """A server without its socket."""

    store: Store | SharedStore
    dispatcher: Dispatcher
    admin: AccessKey
    metrics: Metrics
    again: Callable[[], Store | SharedStore]
    """Opens the same store once more, as a second server would."""
    log: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    clock_s: float = 0.0
    now: datetime | None = None
    """The server's time where it is not the client's."""
    later: timedelta = timedelta()
    """How much later it is for the store."""
    change: Callable[[AWSPreparedRequest], None] = lambda _request: None
    """What happens to a request on its way."""

    def client(self, key: AccessKey | None = None, **settings: Any) -> Any:
        """boto3's own client, whose requests are answered here."""
        key = self.admin if key is None else key
        config = Config(retries={"max_attempts": 0}, parameter_validation=settings.pop("checked", True))
        made = _session().client(
            "rekognition",
            region_name="eu-central-1",
            endpoint_url=URL,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=settings.pop("secret", key.secret),
            config=config,
        )
        made.meta.events.register("before-send.rekognition", self._carried)
        return made

    def key(self, scope: Any, *collections: str) -> AccessKey:
        """A further key."""
        made = AccessKey.fresh(scope, frozenset(collections) if collections else None)
        self.store.shelf().add_key(made)
        return made

    def _carried(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.change(request)
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        headers.setdefault("host", "rekognition.test")
        body = request.body or b""
        reply = self.dispatcher.answer(headers, body if isinstance(body, bytes) else body.encode(), request.url)
        return AWSResponse(request.url, reply.status, {"content-type": "application/x-amz-json-1.1"}, _Raw(reply))


def scale_of(version: str) -> Scale:
    """The same cosines whatever the version."""
    return replace(SCALE, model_version=version)


@cache
def _session() -> boto3.session.Session:
    """One for all tests: it reads the services' descriptions once."""
    return boto3.session.Session()


class _Raw:
    """What urllib3 would have given."""

    def __init__(self, reply: Reply) -> None:
        self._body = reply.body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """The body, once."""
        yield self._body


@contextmanager
def open_bench(
    data: Path,
    *,
    per_s: float = 1e6,
    burst: int = 1_000_000,
    database: str | None = None,
    memory_faces: int = 1_000_000,
    models: PaintedModels | None = None,
) -> Iterator[Bench]:
    """A server over a fresh store in ``data``, or in the ``database`` of this address, with painted faces."""
    source = KeySource(data / "records.key") if database is not None else empty_store(data)
    bench: Bench | None = None

    def kept_at() -> datetime:
        return datetime.now(UTC) + (timedelta() if bench is None else bench.later)

    def opened() -> Store | SharedStore:
        if database is None:
            return Store.open(data / DATABASE, source, create=False, clock=kept_at)
        return SharedStore.open(database, source, create=True, clock=kept_at)

    with opened() as store:
        shelf = store.shelf()
        vectors = Vectors(shelf, store.search() if isinstance(store, SharedStore) else None, memory_faces)
        site = Site(shelf, shelf, vectors, Looker(models or PaintedModels(), decode_image, measure), scale_of)
        admin = AccessKey.fresh("admin")
        shelf.add_key(admin)

        def now() -> datetime:
            return (bench and bench.now) or datetime.now(UTC)

        def log(event: str, **keys: object) -> None:
            if bench is not None:
                bench.log.append((event, keys))

        limiter = Limiter(per_s, burst, lambda: 0.0 if bench is None else bench.clock_s)
        metrics = Metrics()
        bench = Bench(
            store,
            Dispatcher(site, shelf, limiter, now, log, metrics, clock=lambda: 0.0 if bench is None else bench.clock_s),
            admin,
            metrics,
            opened,
        )
        yield bench
