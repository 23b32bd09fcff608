"""Joins what the Rekognition server works with: models, store, similarity scale. Its composition root."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from hardware.stills import decode_image
from kiosk.config.tree import Settings
from kiosk.errors import RecordsError
from kiosk.records.shared import open_shelf
from kiosk.records.store import utc_now
from kiosk.rekognition.dispatch import Dispatcher
from kiosk.rekognition.limits import Limiter
from kiosk.rekognition.metrics import Metrics
from kiosk.rekognition.operations.site import Site
from kiosk.rekognition.pictures import Looker
from kiosk.rekognition.vectors import Vectors
from kiosk.runtime.journal import Journal, open_journal
from kiosk.runtime.measure import measure_face
from kiosk.runtime.wiring import scale_of
from models.faces import open_models

FORMATS = ("JPEG", "PNG")
MOST_PIXELS = 24_000_000
"""Of a picture, decoded 70 MB: more than a photograph for enrollment has, and two may be looked at at once."""
TIDY_S = 20.0
PEER_SHARE = 4.0
"""A peer may ask so many times as often as one key: several programs may share an address."""


@contextmanager
def open_dispatcher(
    settings: Settings, data: Path, metrics: Metrics, *, per_s: float, burst: int
) -> Iterator[Dispatcher]:
    """The answers over this machine's models and the server's store.

    Raises ModelError, RecordsError, ConfigurationError.
    """
    server = settings.rekognition.server
    with ExitStack() as stack:
        models = stack.enter_context(open_models(data, settings.identity.embedders))
        shelf, search = stack.enter_context(open_shelf(data, settings.records, server, create=True))
        looker = Looker(models, partial(decode_image, formats=FORMATS, most_pixels=MOST_PIXELS), measure_face)
        vectors = Vectors(shelf, search, server.memory_faces)
        site = Site(shelf, shelf, vectors, looker, scale_of)
        journal = open_journal()
        stack.enter_context(_tidied(site, shelf.tidy, journal))
        peers = Limiter(PEER_SHARE * per_s, round(PEER_SHARE * burst), time.monotonic)
        limiter = Limiter(per_s, burst, time.monotonic)
        yield Dispatcher(site, shelf, limiter, utc_now, journal, metrics, peers=peers)


@contextmanager
def _tidied(site: Site, tidy: Callable[[], None], journal: Journal) -> Iterator[None]:
    """Every ``TIDY_S`` what has expired is overwritten, and what is gone is forgotten, until the context ends."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(TIDY_S):
            try:
                tidy()
                site.vectors.sweep()
            except RecordsError as error:
                journal("TIDYING_FAILED", cause=type(error).__name__)

    thread = threading.Thread(target=work, name="tidy", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
