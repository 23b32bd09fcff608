"""Watches calls of engines from outside: how long each took and what came of it. Changes no call and no answer.

A boto3 client is watched through its own events, so that every operation is seen, whoever calls it. What an answer is
worth is not judged here: one that can be parsed is ``ok``, though the engine may refuse its content afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from kiosk.kpi.engines import THROTTLED, EngineObserver
from kiosk.ports import Matcher
from kiosk.values import LOCAL, Embedding, Match, Pixels

BEGAN = "kiosk_began_s"
TOO_MANY_REQUESTS = 429
FIRST_REFUSAL = 300
"""Statuses from here on are no success."""


def watch_client(
    client: Any, engine: str, observe: EngineObserver, *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Tell ``observe`` of every call of a boto3 client; ``engine`` is aws or site."""

    def began(model: Any, context: dict[str, Any], **_rest: Any) -> None:
        context[BEGAN] = (str(model.name), clock())

    def told(context: Mapping[str, Any], outcome: str) -> None:
        now_s = clock()
        operation, began_s = context.get(BEGAN, ("", now_s))
        observe(engine, operation, outcome, max(0.0, now_s - began_s))

    def answered(http_response: Any, parsed: Any, context: dict[str, Any], **_rest: Any) -> None:
        page = "html" in str(http_response.headers.get("content-type", "")).lower()
        told(context, outcome_of(int(http_response.status_code), parsed, page=page))

    def failed(exception: BaseException, context: dict[str, Any], **_rest: Any) -> None:
        told(context, failure_of(exception))

    events = client.meta.events
    events.register("before-call", began)
    events.register("after-call", answered)
    events.register("after-call-error", failed)


def outcome_of(status: int, parsed: Any, *, page: bool = False) -> str:
    """ok, throttled, refused or unreadable (a web page, by somebody on the way), of an answer with this status."""
    if page:
        return "unreadable"
    if status < FIRST_REFUSAL:
        return "ok"
    error = parsed.get("Error", {}) if isinstance(parsed, Mapping) else {}
    throttled = status == TOO_MANY_REQUESTS or str(error.get("Code", "")) in THROTTLED
    return "throttled" if throttled else "refused"


def failure_of(error: BaseException) -> str:
    """late, unreachable or unreadable, of a call without an answer."""
    from botocore.exceptions import BotoCoreError, ReadTimeoutError
    from botocore.parsers import ResponseParserError

    if isinstance(error, ReadTimeoutError):
        return "late"
    if isinstance(error, ResponseParserError):
        return "unreadable"
    return "unreachable" if isinstance(error, (BotoCoreError, OSError)) else "unreadable"


class ObservedMatcher:
    """The local matcher, its searches told to ``observe`` as ``SearchFaces`` of the engine ``local``."""

    def __init__(
        self, matcher: Matcher, observe: EngineObserver, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._matcher = matcher
        self._observe = observe
        self._clock = clock

    @property
    def model_version(self) -> str:
        """The matcher's."""
        return self._matcher.model_version

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """The matcher's answer. Raises what it raises."""
        began_s = self._clock()
        outcome = "refused"
        try:
            found = self._matcher.search(probe, deadline_s=deadline_s, badge=badge, crop=crop)
            outcome = "ok"
            return found
        finally:
            self._observe(LOCAL, "SearchFaces", outcome, max(0.0, self._clock() - began_s))
