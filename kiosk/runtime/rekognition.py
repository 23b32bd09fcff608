"""Joins what the Rekognition server works with: models, store, similarity scale. Its composition root."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from hardware.stills import decode_image
from kiosk.config.tree import Settings
from kiosk.records.store import Store, utc_now
from kiosk.rekognition.dispatch import Dispatcher
from kiosk.rekognition.limits import Limiter
from kiosk.rekognition.metrics import Metrics
from kiosk.rekognition.operations.site import Site
from kiosk.rekognition.pictures import Looker
from kiosk.rekognition.vectors import Vectors
from kiosk.runtime.journal import open_journal
from kiosk.runtime.measure import measure_face
from kiosk.runtime.wiring import scale_of
from models.faces import open_models

FORMATS = ("JPEG", "PNG")


@contextmanager
def open_dispatcher(
    settings: Settings, data: Path, metrics: Metrics, *, per_s: float, burst: int
) -> Iterator[Dispatcher]:
    """The answers over this machine's models and store. Raises ModelError, RecordsError, ConfigurationError."""
    with ExitStack() as stack:
        models = stack.enter_context(open_models(data))
        store = stack.enter_context(Store.in_directory(data, key_file=settings.records.key_file, create=True))
        shelf = store.shelf()
        looker = Looker(models, partial(decode_image, formats=FORMATS), measure_face)
        site = Site(shelf, shelf, Vectors(shelf), looker, scale_of(models.embedding_version))
        yield Dispatcher(site, shelf, Limiter(per_s, burst, time.monotonic), utc_now, open_journal(), metrics)
