"""The engines that the configuration names, behind one matcher: AWS, the site's own server, the local gallery."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from kiosk.config.engines import EndpointSettings
from kiosk.config.tree import Settings
from kiosk.errors import ConfigurationError
from kiosk.identity.breaker import NEVER, Breaker, BreakerRules
from kiosk.identity.calling import open_client
from kiosk.identity.failover import Candidate, FailoverMatcher
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.observed import ObservedMatcher, watch_client
from kiosk.identity.rekognition import Place, RekognitionEngine, described
from kiosk.kpi.engines import EngineObserver
from kiosk.ports import Matcher
from kiosk.runtime.journal import Journal
from kiosk.values import LOCAL, Pixels


@contextmanager
def open_engines(
    settings: Settings,
    local: LocalMatcher,
    encode: Callable[[Pixels], bytes],
    badge_holder: Callable[[str], str | None],
    enrolled: Callable[[str], bool],
    journal: Journal,
    observe: EngineObserver | None = None,
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
            client = open_client(endpoint, settings.identity.deadline_s)
            stack.callback(client.close)
            if observe is not None:
                watch_client(client, name, observe)
            place = place_of(name, endpoint, settings)
            engine = RekognitionEngine(client, place, encode, badge_holder, enrolled)
            candidates.append(Candidate(name, engine, Breaker(rules, time.monotonic)))
        candidates.append(Candidate(LOCAL, near, Breaker(NEVER, time.monotonic)))
        yield FailoverMatcher(candidates, fallback, local.model_version, journal)


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
    return Place(name, endpoint.collection, endpoint.shards, settings.identity.models)


def examined(settings: Settings) -> str:
    """What there is to be said of the engines, each of which is asked once. Raises ConfigurationError, MatchError."""
    told = []
    for name, endpoint in enabled_endpoints(settings):
        client = open_client(endpoint, settings.identity.deadline_s)
        try:
            told.append(f"{name} knows {described(client, place_of(name, endpoint, settings))} faces")
        finally:
            client.close()
    return ", ".join(told) or "this machine only"
