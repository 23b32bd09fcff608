"""One request in, one answer out: who asks, what they may, how often, what is meant, what is answered. No sockets here.

Rules: nothing of a request is believed before its signature is; every fault leaves by its exact name; what went wrong
inside is told to the log as a kind, never to the client, and pictures, vectors and secrets to neither.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kiosk.errors import KioskError, RekognitionFault
from kiosk.rekognition import access, model, sigv4
from kiosk.rekognition.faults import denied, internal
from kiosk.rekognition.limits import Limiter
from kiosk.rekognition.metrics import Metrics
from kiosk.rekognition.operations.site import Site
from kiosk.rekognition.operations.table import TABLE

Log = Callable[..., None]
"""``journal(event, **keys)``."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes


class Dispatcher:
    """Answers requests, from any number of threads."""

    def __init__(
        self,
        site: Site,
        keys: access.KeyBook,
        limiter: Limiter,
        now: Callable[[], datetime],
        log: Log,
        metrics: Metrics | None = None,
    ) -> None:
        model.service()
        self._site = site
        self._keys = keys
        self._limiter = limiter
        self._now = now
        self._log = log
        self._metrics = metrics

    def answer(self, headers: Mapping[str, str], body: bytes, url: str) -> Reply:
        """The reply to a POST of ``body``; ``headers`` by lower-case names. Never raises."""
        began_s = time.perf_counter()
        facts: dict[str, str | int | float] = {"operation": "", "key": ""}
        try:
            reply = Reply(200, self._answered(headers, body, url, facts))
        except RekognitionFault as fault:
            facts["error"] = fault.code
            reply = refused(fault)
        except KioskError as error:
            facts |= {"error": "InternalServerError", "cause": type(error).__name__}
            reply = refused(internal())
        except (ValueError, ArithmeticError, LookupError, TypeError, MemoryError) as error:
            # A mistake of ours in an operation: the client is told so, and the door of the next request stays open.
            facts |= {"error": "InternalServerError", "cause": type(error).__name__}
            reply = refused(internal())
        passed_s = time.perf_counter() - began_s
        if self._metrics is not None:
            self._metrics.answered(str(facts["operation"]), str(facts.get("error", "")), passed_s)
        size, passed_ms = len(body), round(1000.0 * passed_s, 1)
        self._log("REKOGNITION_ANSWERED", **facts, status=reply.status, request_bytes=size, ms=passed_ms)
        return reply

    def _answered(
        self, headers: Mapping[str, str], body: bytes, url: str, facts: dict[str, str | int | float]
    ) -> bytes:
        key = sigv4.verified(headers, body, url, self._keys.access_key, self._now())
        facts["key"] = key.access_key_id
        self._limiter.take(key.access_key_id)
        operation = model.operation_of(headers.get("x-amz-target", ""))
        facts["operation"] = operation.name
        if operation.name not in TABLE:
            raise RekognitionFault("UnknownOperationException", "this server does not offer the operation")
        access.check(key, operation.name, None)
        request = model.read_request(operation, body)
        collection = request.get("CollectionId")
        if collection is not None and not key.sees(collection):
            raise denied("this key is not for that collection")
        answer = TABLE[operation.name](self._site, key, request)
        written = model.write_answer(operation, answer)
        if self._metrics is not None:
            self._metrics.told(answer)
        return written


def refused(fault: RekognitionFault) -> Reply:
    """A fault in the form that AWS's clients read."""
    return Reply(
        fault.status, json.dumps({"__type": fault.code, "Message": fault.what, "message": fault.what}).encode()
    )
