"""Joins what working with stills needs: models, picture reader, store, matcher. The composition root of the desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hardware.stills import load_image
from kiosk.config.tree import Settings
from kiosk.enrollment.register import Desk
from kiosk.enrollment.stills import StillReader
from kiosk.records.store import Store
from kiosk.runtime.measure import measure_face
from kiosk.runtime.wiring import open_matcher, scale_of
from models.faces import LocalFaceModels, open_models


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """The open desk and what it stands on."""

    desk: Desk
    models: LocalFaceModels
    store: Store


def reader_of(models: LocalFaceModels, settings: Settings) -> StillReader:
    """Reads stills under the enrollment profile."""
    return StillReader(models, load_image, measure_face, settings.quality.enroll)


def desk_of(store: Store, models: LocalFaceModels, settings: Settings) -> Desk:
    """A desk over open parts."""
    matcher = open_matcher(store, models, settings)
    return Desk(reader_of(models, settings), matcher, scale_of(models.embedding_version).between, store)


@contextmanager
def open_desk(settings: Settings, data: Path, *, create: bool) -> Iterator[OpenDesk]:
    """Open models and store; with ``create`` make the database when there is none. Raises ModelError, RecordsError."""
    with ExitStack() as stack:
        models = stack.enter_context(open_models(data))
        store = stack.enter_context(Store.in_directory(data, key_file=settings.records.key_file, create=create))
        yield OpenDesk(desk_of(store, models, settings), models, store)
