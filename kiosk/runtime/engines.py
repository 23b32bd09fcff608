"""The engines that the configuration names: for the door behind one matcher, for the desk one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from kiosk.config.engines import EndpointSettings
from kiosk.config.tree import Settings
from kiosk.errors import ConfigurationError
from kiosk.identity.answers import Place
from kiosk.identity.asking import Asker
from kiosk.identity.breaker import NEVER, Breaker, BreakerRules
from kiosk.identity.calling import open_client
from kiosk.identity.collection import FaceCollections
from kiosk.identity.failover import Candidate, FailoverMatcher
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.observed import ObservedMatcher, watch_client
from kiosk.identity.rekognition import RekognitionEngine
from kiosk.identity.sessions import LivenessSessions
from kiosk.identity.shards import MOST_FACES
from kiosk.kpi.engines import EngineObserver
from kiosk.ports import Matcher
from kiosk.runtime.journal import Journal
from kiosk.values import LOCAL, IndexedFace, Pixels

DESK_S = 20.0
"""Longest wait for one answer at the desk: nobody stands before a closed door."""
NEARLY_FULL = MOST_FACES * 9 // 10
"""Faces in one collection above which it is time to add shards: people have to move while there is still room."""
MORE_SHARDS = (
    "raise rekognition.{}.shards, then kiosk engines prepare, kiosk reindex, kiosk reindex --finish: "
    "docs/rekognition.md"
)
"""The old faces leave a full collection only at the end."""
FIRST_SHARDS = (
    "raise rekognition.{0}.shards, with rekognition.{0}.collection_before as collection is and shards_before = 1, then "
    "kiosk engines prepare, kiosk reindex, kiosk reindex --finish: docs/rekognition.md"
)
"""Shards have other names than a single collection, which must be asked until they are filled."""


@contextmanager
def open_engines(
    settings: Settings,
    local: LocalMatcher,
    encode: Callable[[Pixels], bytes],
    badge_holder: Callable[[str], str | None],
    enrolled: Callable[[str], bool],
    journal: Journal,
    observe: EngineObserver | None = None,
    held: Callable[[str], Sequence[IndexedFace]] = lambda _: (),
) -> Iterator[Matcher]:
    """``local`` itself when no other engine is enabled, else all of them. No request is made yet.

    ``observe`` is told of every call of every engine, the local one's searches too.

    Raises ConfigurationError: an engine without thresholds for any face model, boto3 missing, settings of no use.
    """
    enabled = enabled_endpoints(settings)
    near: Matcher = local if observe is None else ObservedMatcher(local, observe)
    if not enabled:
        yield near
        return
    fallback = settings.rekognition.fallback
    rules = BreakerRules(fallback.failures, fallback.rest_s)
    with ExitStack() as stack:
        candidates = []
        for name, endpoint in enabled:
            asker = _asker(name, endpoint, settings.identity.deadline_s, observe, stack)
            place = place_of(name, endpoint, settings)
            old = place_before(place, endpoint)
            engine = RekognitionEngine(asker, place, encode, badge_holder, enrolled, held, before=old)
            candidates.append(Candidate(name, engine, Breaker(rules, time.monotonic)))
        candidates.append(Candidate(LOCAL, near, Breaker(NEVER, time.monotonic)))
        yield FailoverMatcher(candidates, fallback, local.model_version, journal)


@contextmanager
def open_collections(
    settings: Settings, observe: EngineObserver | None = None
) -> Iterator[tuple[FaceCollections, ...]]:
    """Every enabled engine, to enroll into, in the order of asking. Raises ConfigurationError."""
    with ExitStack() as stack:
        opened = []
        for name, endpoint in enabled_endpoints(settings):
            asker = _asker(name, endpoint, DESK_S, observe, stack)
            place = place_of(name, endpoint, settings)
            before = place_before(place, endpoint)
            address = endpoint.endpoint_url or f"AWS {endpoint.region}"
            opened.append(FaceCollections(asker, place, before=before, address=address, call_s=DESK_S))
        yield tuple(opened)


@contextmanager
def open_sessions(settings: Settings) -> Iterator[LivenessSessions]:
    """Liveness sessions of the first engine. Raises ConfigurationError: none is enabled."""
    enabled = enabled_endpoints(settings)
    if not enabled:
        raise ConfigurationError("no engine is enabled", where="rekognition", mend="sessions are an engine's")
    name, endpoint = enabled[0]
    with ExitStack() as stack:
        yield LivenessSessions(_asker(name, endpoint, DESK_S, None, stack), call_s=DESK_S)


def _asker(
    name: str, endpoint: EndpointSettings, deadline_s: float, observe: EngineObserver | None, stack: ExitStack
) -> Asker:
    """Asks this engine until ``stack`` ends, while ``observe`` is told of every call. Raises ConfigurationError."""
    client = open_client(endpoint, deadline_s)
    stack.callback(client.close)
    if observe is not None:
        watch_client(client, name, observe)
    return Asker(name, client)


def enabled_endpoints(settings: Settings) -> list[tuple[str, EndpointSettings]]:
    """Name and settings of each engine elsewhere, in the order of asking. Raises ConfigurationError."""
    named = (("aws", settings.rekognition.aws), ("site", settings.rekognition.site))
    enabled = [(name, endpoint) for name, endpoint in named if endpoint.enabled]
    if enabled and not settings.identity.models:
        raise ConfigurationError(
            "no thresholds for any face model",
            where="identity.models",
            mend='add [identity.models."VERSION"], as DescribeCollection tells it',
        )
    return enabled


def place_of(name: str, endpoint: EndpointSettings, settings: Settings) -> Place:
    """Where this engine's people are."""
    return Place(name, endpoint.collection, endpoint.shards, settings.identity.models, users=endpoint.users)


def place_before(place: Place, endpoint: EndpointSettings) -> Place | None:
    """Where people are who have not moved yet, during a change of collections."""
    if endpoint.collection_before is None:
        return None
    users = endpoint.users if endpoint.users_before is None else endpoint.users_before
    shards = endpoint.shards_before or endpoint.shards
    return replace(place, prefix=endpoint.collection_before, shards=shards, users=users)


@dataclass(frozen=True, slots=True)
class Examined:
    """What there is to be said of the engines."""

    told: str
    nearly_full: str = ""
    """Collections that will soon take no more faces; empty: there is room in all."""
    mend: str = ""


def examined(settings: Settings) -> Examined:
    """Each engine is asked for each of its collections once. Raises ConfigurationError, MatchError."""
    told, full, mends = [], [], []
    with open_collections(settings) as engines:
        for engine in engines:
            _version, faces = engine.counted()
            told.append(f"{engine.name} knows {sum(faces.values())} faces")
            nearly = [(collection, count) for collection, count in faces.items() if count > NEARLY_FULL]
            full += [f"{engine.name} {one}: {count / 1e6:.1f} of {MOST_FACES / 1e6:g} million" for one, count in nearly]
            if nearly:
                mends.append((FIRST_SHARDS if len(faces) == 1 else MORE_SHARDS).format(engine.name))
    return Examined(", ".join(told) or "this machine only", ", ".join(full), "; ".join(mends))
