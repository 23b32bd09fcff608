"""Joins what working with stills needs: models, picture reader, store, matcher. The composition root of the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hardware.cards.reader import CardReader
from hardware.stills import load_image
from kiosk.config.tree import Settings
from kiosk.enrollment.cards.fields import CardFields
from kiosk.enrollment.register import Desk
from kiosk.enrollment.stills import StillReader
from kiosk.errors import ModelError
from kiosk.records.store import Store
from kiosk.records.texts import looks_like_badge
from kiosk.runtime.measure import measure_face
from kiosk.runtime.wiring import open_matcher, scale_of
from kiosk.values import Pixels
from models.faces import LocalFaceModels, open_models
from models.textline import TextLineModel


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


def open_card_reader(
    settings: Settings, data: Path, *, textract: Callable[[Pixels], CardFields] | None = None
) -> CardReader:
    """Reads pictures of cards with all that is here; what is wanted and missing is told with every reading.

    ``textract``: ``TextractReader.read`` over a client, where ``[enrollment.textract]`` is enabled. Raises
    ConfigurationError.
    """
    lines, absent = None, []
    if settings.enrollment.cards.zone:
        try:
            lines = TextLineModel(data).scores
        except ModelError as error:
            absent.append(f"machine-readable zones are not read: {error}")
    if settings.enrollment.textract.enabled and textract is None:
        absent.append("textract is enabled, but no client was made for it")
    return CardReader(
        settings.enrollment.cards, looks_like_badge, date.today, lines=lines, textract=textract, absent=absent
    )
