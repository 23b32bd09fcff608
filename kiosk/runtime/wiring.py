"""The composition root: the only place that joins the application to its adapters.

``assemble`` joins any set of adapters (the simulated world's too); ``open_kiosk`` opens the configured ones.
A memory or simulated adapter comes in only because a setting or a caller named it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from hardware.cameras import open_camera
from hardware.clock import PlaybackClock, SystemClock
from hardware.displays.screen import open_display
from hardware.doors import open_door
from hardware.notify import Notifier
from hardware.stills import encode_jpeg
from kiosk.config.load import replaced
from kiosk.config.tree import Settings
from kiosk.errors import ConfigurationError
from kiosk.identity.galleries import Galleries
from kiosk.identity.gallery import Gallery
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.scale import Scale
from kiosk.kpi.engines import EngineObserver, engine_observer
from kiosk.kpi.opening import open_kpis
from kiosk.kpi.tail import EventTail
from kiosk.ports import Camera, Clock, Display, Door, EventRecorder, FaceModels, Matcher
from kiosk.reasons import Reason
from kiosk.records.store import Store
from kiosk.runtime import calibration
from kiosk.runtime.attempt import Site
from kiosk.runtime.attempts import Attempts
from kiosk.runtime.badges import Badges
from kiosk.runtime.calibration import Calibration
from kiosk.runtime.engines import open_engines
from kiosk.runtime.extract import Extractor
from kiosk.runtime.feed import CameraFeed, Feed, InlineFeed
from kiosk.runtime.health import Health
from kiosk.runtime.journal import Journal
from kiosk.runtime.kpis import DoorKpis
from kiosk.runtime.loop import Loop, Parts, Watcher
from kiosk.runtime.perceive import Perceiver
from kiosk.runtime.perform import Performer
from kiosk.runtime.reopen import Backoff
from kiosk.runtime.upkeep import Upkeep
from kiosk.runtime.watchdog import Watchdog
from kiosk.runtime.worker import ThreadWorker, Worker
from kiosk.values import Panel
from kiosk.visit.challenge import draw
from kiosk.visit.geometry import focal_px
from kiosk.visit.reflection import judge
from kiosk.visit.rules import Rules
from models import manifest
from models.faces import open_models

MOST_CROP_BYTES = 200_000
"""Of a face that is sent to another engine: AWS looks at no more of it."""


@dataclass(frozen=True, slots=True)
class Adapters:
    """What an assembly stands on. All are open; whoever opened them closes them."""

    clock: Clock
    feed: Feed
    display: Display
    door: Door
    models: FaceModels
    matcher: Matcher
    recorder: EventRecorder
    worker: Worker
    journal: Journal
    feed_watchdog: Callable[[], None] = lambda: None
    upkeep: Upkeep | None = None
    badges: Badges | None = None
    """A reader and the records; None: there is no reader, and nobody is ever asked for a badge."""
    calibration: Calibration | None = None
    """As measured at this installation; used for the camera and the screen that it is of."""


@cache
def scale_of(model_version: str) -> Scale:
    """The calibrated similarity scale of an embedding version. Raises ModelError for an unknown one."""
    return Scale.from_tables(model_version, manifest.similarity_tables())


def empty_galleries(models: FaceModels) -> Galleries:
    """Nobody yet, by the models in use."""
    before = models.version_before
    return Galleries(Gallery(models.embedding_version), None if before is None else Gallery(before))


def open_galleries(store: Store, models: FaceModels) -> Galleries:
    """The galleries in memory, built from the store's templates of the models in use."""
    galleries = empty_galleries(models)
    galleries.fill(store.templates)
    return galleries


def open_matcher(
    store: Store, models: FaceModels, settings: Settings, galleries: Galleries | None = None
) -> LocalMatcher:
    """The local matcher over ``galleries`` (the store's people when None)."""
    if galleries is None:
        galleries = open_galleries(store, models)
    return LocalMatcher(galleries, scale_of, settings.identity, store.badge_holder)


def rules_of(settings: Settings, panel: Panel, *, badges: bool = False) -> Rules:
    """What the pure core needs of an installation; ``badges``: there is a badge reader."""
    return Rules(
        visit=settings.visit,
        guidance=settings.guidance,
        liveness=settings.liveness,
        identity=settings.identity,
        panel=panel,
        focal_px=focal_px(settings.camera.hfov_deg, settings.camera.width_px),
        draw=lambda nonce: draw(nonce, settings.liveness),
        badges=badges,
    )


def assemble(settings: Settings, adapters: Adapters, watchers: tuple[Watcher, ...] = ()) -> Loop:
    """Join the application to open adapters. Raises ModelError where no calibration fits the embedder."""
    rules = rules_of(settings, adapters.display.panel, badges=adapters.badges is not None)
    health = _health(adapters)
    lag_s = calibration.lag_of(settings, adapters.calibration, rules.panel, lambda: adapters.clock.now().utc)
    site = Site(lambda: adapters.feed.name, rules.panel, settings.camera.hfov_deg, lag_s)
    attempts = Attempts(
        adapters.worker,
        adapters.models,
        adapters.matcher,
        Extractor(),
        judge,
        scale_of(adapters.models.embedding_version),
        site,
        settings.liveness,
        settings.identity,
        adapters.journal,
    )
    parts = Parts(
        clock=adapters.clock,
        feed=adapters.feed,
        perceiver=Perceiver(
            adapters.models,
            guidance=settings.guidance,
            profile=settings.quality.door,
            hfov_deg=settings.camera.hfov_deg,
        ),
        display=adapters.display,
        attempts=attempts,
        performer=Performer(
            adapters.clock,
            attempts,
            adapters.door,
            adapters.recorder,
            health,
            adapters.journal,
            pulse_s=settings.door.pulse_s,
        ),
        health=health,
        watchdog=Watchdog(adapters.clock, adapters.feed_watchdog, tries=lambda: adapters.feed.tries),
        badges=adapters.badges,
        upkeep=adapters.upkeep,
    )
    return Loop(parts, rules, (settings.camera.width_px, settings.camera.height_px), watchers)


def _health(adapters: Adapters) -> Health:
    health = Health(adapters.journal)

    health.watch(Reason.CAMERA_LOST, lambda: adapters.feed.fault)
    health.watch(Reason.DOOR_LOST, lambda: adapters.door.fault)
    return health


@dataclass(frozen=True, slots=True)
class Kiosk:
    """An assembled kiosk and the adapters that its caller may look at."""

    loop: Loop
    adapters: Adapters
    notifier: Notifier


@contextmanager
def open_kiosk(
    settings: Settings,
    data: Path,
    journal: Journal,
    watchers: tuple[Watcher, ...] = (),
    *,
    paced: bool = True,
) -> Iterator[Kiosk]:
    """Open every configured adapter, assemble, and close them all in the end: the door first to open, last to close.

    Only the figures are closed after the door: what is still being sent keeps nothing unlocked.

    ``paced``: files play at their own speed; False takes every frame as fast as it can be perceived, on a clock that
    follows the file. Such a clock must not time a real relay: ConfigurationError unless the door is named ``memory``.
    """
    if not paced and settings.door.kind != "memory":
        raise ConfigurationError("a file as fast as possible cannot drive a real door", mend="add --door memory")
    clock: Clock = SystemClock() if paced else PlaybackClock()
    notifier = Notifier()
    with ExitStack() as last, ExitStack() as stack:
        door = stack.enter_context(open_door(settings.door))
        kpis = last.enter_context(open_kpis(settings.kpi, journal))  # what is still to be sent delays no door
        models = stack.enter_context(open_models(data, settings.identity.embedders))
        # After the weights: a kiosk that cannot start leaves no empty database behind.
        store = stack.enter_context(Store.in_directory(data, key_file=settings.records.key_file, create=True))
        display = stack.enter_context(open_display(settings.display))
        worker = stack.enter_context(ThreadWorker(journal))
        feed = stack.enter_context(_feed(settings, clock, paced))
        observer = None if kpis is None else engine_observer(kpis)
        tail = None if kpis is None else EventTail(store, kpis).look
        keep_days = settings.records.keep_events_days
        stamp = store.people_stamp()  # before the load: whoever comes in between is loaded once more, never missed
        galleries = open_galleries(store, models)
        local = open_matcher(store, models, settings, galleries)
        matcher = stack.enter_context(_matcher(settings, store, local, journal, observer))
        adapters = Adapters(
            clock=clock,
            feed=feed,
            display=display,
            door=door,
            models=models,
            matcher=matcher,
            recorder=store,
            worker=worker,
            journal=journal,
            feed_watchdog=notifier.watchdog,
            upkeep=Upkeep(worker, store, galleries, journal, keep_events_days=keep_days, loaded=stamp, tail=tail),
            calibration=calibration.load_or_none(data / calibration.FILE, journal),
        )
        if kpis is not None:
            watchers = (*watchers, stack.enter_context(DoorKpis(kpis)))
        yield Kiosk(assemble(settings, adapters, watchers), adapters, notifier)


def _matcher(
    settings: Settings, store: Store, local: LocalMatcher, journal: Journal, observer: EngineObserver | None
) -> AbstractContextManager[Matcher]:
    encode = partial(encode_jpeg, most_bytes=MOST_CROP_BYTES)
    held = store.enrollments().faces_of
    return open_engines(settings, local, encode, store.badge_holder, store.is_enrolled, journal, observer, held)


def _feed(settings: Settings, clock: Clock, paced: bool) -> Feed:
    camera = settings.camera
    backoff = Backoff(stall_s=camera.stall_s, first_s=camera.reopen_first_s, max_s=camera.reopen_max_s)

    def factory() -> Camera:
        return open_camera(camera, clock=clock)

    return CameraFeed(factory, clock, backoff) if paced else InlineFeed(factory, clock, backoff)


def with_overrides(
    settings: Settings, *, camera: str | None = None, display: str | None = None, door: str | None = None
) -> Settings:
    """Settings with the adapters named on the command line instead of the configured ones.

    Raises ConfigurationError that names the option and its choices.
    """
    named = (("camera", "source", camera), ("display", "kind", display), ("door", "kind", door))
    for group, key, value in named:
        if value is not None:
            settings = replaced(settings, (group, key), value, where=f"--{group}")
    return settings


__all__ = ["Adapters", "Kiosk", "assemble", "open_kiosk", "rules_of", "scale_of", "with_overrides"]
