"""Joins what working with stills needs: models, picture reader, store, matcher, engines: the composition root."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hardware.cards.reader import CardReader
from hardware.stills import encode_jpeg, load_image
from kiosk.cloud.clients import open_service
from kiosk.cloud.directory import DynamoDirectory
from kiosk.cloud.pictures import S3Pictures
from kiosk.cloud.source import S3Source
from kiosk.cloud.textract import TextractReader
from kiosk.config.cloud import ServiceSettings
from kiosk.config.tree import Settings
from kiosk.enrollment.book import Entry
from kiosk.enrollment.cards.fields import CardFields
from kiosk.enrollment.desk import Desk, Registry
from kiosk.enrollment.places import MOST_PICTURE_BYTES, Directory, PictureShelf
from kiosk.enrollment.sources import BatchEntry, from_keys
from kiosk.enrollment.stills import StillReader
from kiosk.errors import ModelError
from kiosk.identity.collection import FaceCollections
from kiosk.identity.galleries import Galleries
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.probe import face_crop
from kiosk.ports import Matcher
from kiosk.records.store import Store, utc_now
from kiosk.records.texts import looks_like_badge, tidy_badge
from kiosk.runtime import working
from kiosk.runtime.engines import open_collections
from kiosk.runtime.measure import measure_face
from kiosk.runtime.wiring import MOST_CROP_BYTES, empty_galleries, open_matcher, scale_of
from kiosk.values import Embedding, Face, Pixels
from models.faces import LocalFaceModels, open_models
from models.textline import TextLineModel

Bring = Callable[[BatchEntry], AbstractContextManager[BatchEntry]]
"""Has an entry's pictures on this machine while its context lasts."""


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """The open desk and what it stands on."""

    desk: Desk
    models: LocalFaceModels
    store: Store
    engines: tuple[FaceCollections, ...] = ()


class KnownHere:
    """The galleries, kept in step with the store. Implements ``Known``; for one thread at a time."""

    def __init__(self, galleries: Galleries, everybody: Matcher, store: Store) -> None:
        """``everybody`` searches ``galleries``, which are filled by ``follow``, suspended people included."""
        self._everybody = everybody
        self._galleries = galleries
        self._store = store
        self._stamp: str | None = None
        self._unseen = 0

    @property
    def unseen(self) -> int:
        """As of the last ``follow``."""
        return self._unseen

    @property
    def everybody(self) -> Matcher:
        """Suspended people included."""
        return self._everybody

    def follow(self) -> str:
        """Read everybody again when anybody changed."""
        stamp = self._store.people_stamp()
        if stamp != self._stamp:
            self._galleries.fill(partial(self._store.templates, everybody=True))
            self._unseen = self._store.people_beside(self._galleries.versions)
            self._stamp = stamp
        return stamp

    def took(self, entry: Entry, stamp: str) -> None:
        """Add one person without reading the others."""
        for template in entry.templates:
            if template.embedding.model_version == self._galleries.present.model_version:
                self._galleries.add(entry.person_id, template.embedding)
        self._stamp = stamp


def crop_of(pixels: Pixels, face: Face) -> bytes:
    """What is sent to engines and kept of a picture: the face with a little around it, as JPEG. Raises InputError."""
    return encode_jpeg(face_crop(pixels, face.box), MOST_CROP_BYTES)


def reader_of(models: LocalFaceModels, settings: Settings) -> StillReader:
    """Reads stills under the enrollment profile."""
    return StillReader(models, load_image, measure_face, settings.quality.enroll, crop_of)


def similarity_of(one: Embedding, other: Embedding) -> float:
    """0..100, on the scale of the model of both. Raises MatchError for two models, ModelError for one without scale."""
    return scale_of(one.model_version).between(one, other)


def desk_of(store: Store, models: LocalFaceModels, settings: Settings, registry: Registry | None = None) -> Desk:
    """A desk over open parts; without a ``registry`` people are known on this machine only."""
    galleries = empty_galleries(models)
    everybody = LocalMatcher(galleries, scale_of, settings.identity, store.badge_holder)
    known = KnownHere(galleries, everybody, store)
    known.follow()
    return Desk(
        Registry(store.enrollments()) if registry is None else registry,
        reader_of(models, settings),
        open_matcher(store, models, settings),
        similarity_of,
        known,
        settings.identity.threshold,
    )


@contextmanager
def open_registry(settings: Settings, data: Path, store: Store, *, local_only: bool = False) -> Iterator[Registry]:
    """The book with every engine that is enabled; none when ``local_only``. Raises ConfigurationError, RecordsError."""
    with ExitStack() as stack:
        engines = () if local_only else stack.enter_context(open_collections(settings))
        directory = None if local_only else _directory(settings, stack)
        shelf = None if local_only else _shelf(settings, stack)
        elsewhere = bool(engines) or directory is not None or shelf is not None
        yield Registry(
            store.enrollments(),
            engines,
            directory,
            shelf,
            keeps_pictures=settings.enrollment.keep_pictures,
            owner=stack.enter_context(working.owner(data)) if elsewhere else "",
            is_alive=partial(working.is_alive, data),
            now=utc_now,
        )


def _directory(settings: Settings, stack: ExitStack) -> Directory | None:
    where = settings.cloud.directory
    return DynamoDirectory(_service("dynamodb", where, stack), where.table, tidy_badge) if where.enabled else None


def _shelf(settings: Settings, stack: ExitStack) -> PictureShelf | None:
    where = settings.cloud.pictures
    return S3Pictures(_service("s3", where, stack), where) if where.enabled else None


def _service(service: str, where: ServiceSettings, stack: ExitStack) -> Any:
    client = open_service(service, where)
    stack.callback(client.close)
    return client


@contextmanager
def open_bucket(settings: Settings, url: str) -> Iterator[tuple[list[BatchEntry], Bring]]:
    """The people whose pictures lie below ``s3://BUCKET/PREFIX``, and what has an entry's pictures here for a while.

    The service is that of ``[cloud.pictures]``, which need not be enabled. Raises InputError, RecordsError.
    """
    where = settings.cloud.pictures
    with ExitStack() as stack:
        source = S3Source.at(_service("s3", where, stack), url, where.owner)
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        yield from_keys((key for key, _ in source.listed()), prefix, bucket), partial(_brought, source)


@contextmanager
def _brought(source: S3Source, entry: BatchEntry) -> Iterator[BatchEntry]:
    """With the pictures in a folder of our own, which goes with the context."""
    with TemporaryDirectory(prefix="kiosk-batch-") as folder:
        paths = []
        for number, key in enumerate(entry.paths):
            path = Path(folder) / f"{number}{key.suffix}"
            path.write_bytes(source.read(key.as_posix(), MOST_PICTURE_BYTES))
            paths.append(path)
        yield replace(entry, paths=tuple(paths))


@contextmanager
def open_cards(settings: Settings, data: Path, *, local_only: bool = False) -> Iterator[CardReader]:
    """``open_card_reader``, with Textract where the configuration names it. Raises ConfigurationError."""
    with ExitStack() as stack:
        where, textract = settings.enrollment.textract, None
        if where.enabled and not local_only:
            textract = TextractReader(_service("textract", where, stack), where, encode_jpeg).read
        yield open_card_reader(settings, data, textract=textract)


@contextmanager
def open_desk(settings: Settings, data: Path, *, create: bool, local_only: bool = False) -> Iterator[OpenDesk]:
    """Open models, store and engines; with ``create`` make the database when there is none.

    ``local_only``: no engine elsewhere is asked or told. Raises ModelError, RecordsError, ConfigurationError.
    """
    with ExitStack() as stack:
        models = stack.enter_context(open_models(data, settings.identity.embedders))
        store = stack.enter_context(Store.in_directory(data, key_file=settings.records.key_file, create=create))
        registry = stack.enter_context(open_registry(settings, data, store, local_only=local_only))
        engines = tuple(one for one in registry.engines if isinstance(one, FaceCollections))
        yield OpenDesk(desk_of(store, models, settings, registry), models, store, engines)


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
