"""A desk over a real store and real Rekognition collections (boto3 to dispatcher, without a socket), painted faces.

``Faulty`` stands between the desk and boto3: calls are refused, or carried out and their answer lost.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from PIL import Image

from hardware.stills import load_image
from kiosk.config.engines import ModelThresholds
from kiosk.config.tree import IdentitySettings, QualityProfile
from kiosk.enrollment.desk import Desk, Registry
from kiosk.enrollment.stills import StillReader
from kiosk.identity.answers import Place
from kiosk.identity.asking import Asker
from kiosk.identity.collection import FaceCollections
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.probe import face_crop
from kiosk.records.store import DATABASE, Store
from kiosk.runtime.desk import KnownHere
from kiosk.runtime.wiring import empty_galleries
from kiosk.values import Embedding, Face, Pixels
from tests.support.awskit import Bench, open_bench, scale_of
from tests.support.facekit import VERSION
from tests.support.painted import GOOD, PaintedModels, measure, painting
from tests.support.storekit import empty_store

LIMITS = {VERSION: ModelThresholds(threshold=98.0, margin=1.0)}
IDENTITY = IdentitySettings(threshold=98.0)


def png(pixels: Pixels, face: Face) -> bytes:
    """The face with a little around it, without loss: painted models read colours."""
    file = io.BytesIO()
    Image.fromarray(face_crop(pixels, face.box)).save(file, "PNG")
    return file.getvalue()


def photo(folder: Path, person: int, quality: int = GOOD, *, name: str = "") -> Path:
    """A picture file of one painted person; another ``quality`` above 100 is another shot."""
    path = folder / (name or f"{person}-{quality}.png")
    path.write_bytes(painting((person, (120, 60, 220), quality), size=(480, 480)))
    return path


@dataclass
class Faulty:
    """boto3's client with faults by operation: each is used up by one call."""

    calls: Any
    before: dict[str, list[str]] = field(default_factory=dict)
    """Error codes to refuse with; ``time-out`` and ``dead`` (the process is killed) are no codes."""
    after: dict[str, list[str]] = field(default_factory=dict)
    """As ``before``, once the call was carried out."""
    asked: list[str] = field(default_factory=list)
    then: Callable[[str], None] = lambda _: None
    """What happens elsewhere, right after a call."""
    dead: list[bool] = field(default_factory=list)
    """Shared by all wires of a process: once it holds anything, no call gets out any more."""

    def __getattr__(self, operation: str) -> Any:
        def call(**members: Any) -> Any:
            self.asked.append(operation)
            if self.dead:
                if operation.startswith("search"):  # asked in a thread, whose end nobody sees
                    raise ConnectionError("the process is dead")
                raise Killed
            self._fail(self.before, operation)
            answer = getattr(self.calls, operation)(**members)
            self._fail(self.after, operation)
            self.then(operation)
            return answer

        return call

    def _fail(self, faults: dict[str, list[str]], operation: str) -> None:
        if not faults.get(operation):
            return
        code = faults[operation].pop(0)
        if code == "ok":
            return
        if code == "dead":
            self.dead.append(True)
            raise Killed
        if code == "time-out":
            raise ReadTimeoutError(endpoint_url="http://rekognition.test/")
        raise ClientError({"Error": {"Code": code, "Message": code}}, operation)


class Killed(BaseException):
    """The process ended here: nothing else of it runs. Tests must drop the desk."""


@dataclass
class World:
    """One kiosk's desk, the server beside it, and the wires."""

    desk: Desk
    store: Store
    bench: Bench
    wires: dict[str, Faulty]
    data: Path
    later: timedelta = timedelta()

    @property
    def registry(self) -> Registry:
        """Of the desk."""
        return self.desk.registry

    def now(self) -> datetime:
        """The kiosk's time."""
        return datetime.now(UTC) + self.later

    def faces(self, collection: str = "door") -> dict[str, int]:
        """Person id to number of faces, as the server itself has them."""
        found: dict[str, int] = {}
        for face in self.bench.store.shelf().faces(collection, 0, 10_000):
            found[str(face.external_image_id)] = found.get(str(face.external_image_id), 0) + 1
        return found

    def events(self, *kinds: str) -> list[tuple[str, str]]:
        """(kind, reason) of the book's events of these kinds, or of all."""
        return [(one.kind, one.reason) for one in self.store.events(limit=1000) if not kinds or one.kind in kinds]

    def restarted(self, *, models: PaintedModels | None = None, **changed: Any) -> World:
        """The same kiosk in a new process: another owner, the old one's is dead; the wires are well.

        ``models``: other than those of one version.
        """
        for wire in self.wires.values():
            wire.before.clear()
            wire.after.clear()
            wire.dead.clear()
        registry = replace(self.registry, owner="next", **changed)
        return replace(self, desk=desk_over(self.store, registry, models))


def reader(models: PaintedModels | None = None) -> StillReader:
    """Painted faces."""
    return StillReader(models or PaintedModels(), load_image, measure, QualityProfile(face_px=60.0), png)


def desk_over(store: Store, registry: Registry, models: PaintedModels | None = None) -> Desk:
    """A desk with galleries of its own; ``models``: other than those of one version."""
    models = models or PaintedModels()
    galleries = empty_galleries(models)
    matcher = LocalMatcher(galleries, scale_of, IDENTITY, store.badge_holder)
    known = KnownHere(galleries, matcher, store)
    known.follow()
    return Desk(registry, reader(models), matcher, alike, known, IDENTITY.threshold)


def alike(one: Embedding, other: Embedding) -> float:
    """On the scale of their version."""
    return scale_of(one.model_version).between(one, other)


@contextmanager
def open_world(
    data: Path, *, engines: tuple[str, ...] = ("site",), shards: int = 1, users: bool = False, **registry: Any
) -> Iterator[World]:
    """A kiosk with collections ``door`` (of ``site``) and ``cloud`` (of ``aws``) on one server."""
    with ExitStack() as stack:
        (data / "server").mkdir()
        bench = stack.enter_context(open_bench(data / "server"))
        store = stack.enter_context(Store.open(data / DATABASE, empty_store(data), create=False))
        wires: dict[str, Faulty] = {}
        opened, dead, passed = [], list[bool](), [0.0]

        def wait(seconds: float) -> None:
            passed[0] += seconds

        for name in engines:
            wire = wires[name] = Faulty(bench.client(), dead=dead)
            prefix = {"site": "door", "aws": "cloud"}[name]
            asker = Asker(name, wire, clock=lambda: passed[0], pause=wait)
            opened.append(FaceCollections(asker, Place(name, prefix, shards, LIMITS, users=users)))
            opened[-1].prepare()
            wire.asked.clear()
        world: World | None = None

        def now() -> datetime:
            return datetime.now(UTC) if world is None else world.now()

        book = Registry(store.enrollments(), tuple(opened), owner="first", now=now, **registry)
        world = World(desk_over(store, book), store, bench, wires, data)
        yield world
