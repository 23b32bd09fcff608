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
from kiosk.rekognition.faults import internal
from kiosk.rekognition.limits import Limiter
from kiosk.rekognition.metrics import Metrics
from kiosk.rekognition.operations.site import Site
from kiosk.rekognition.operations.table import TABLE
from kiosk.rekognition.repeats import Repeats

Facts = dict[str, str | int | float]
MISTAKES = (
    *(ArithmeticError, AssertionError, AttributeError, BufferError, LookupError, MemoryError, OSError, RuntimeError),
    *(TypeError, ValueError),
)
"""What a mistake in an operation raises; anything else is answered by ``broken``."""
OWN_TOKENS = frozenset({"CreateFaceLivenessSession"})
"""Operations that keep their tokens themselves."""
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
        *,
        peers: Limiter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``limiter`` bounds each key, ``peers`` each address, known or not."""
        model.service()
        self._site = site
        self._keys = keys
        self._limiter = limiter
        self._now = now
        self._log = log
        self._metrics = metrics
        self._peers = peers
        self._repeats = Repeats(clock)

    def foreseen(self, headers: Mapping[str, str], peer: str) -> Reply | None:
        """The refusal of a request that no body could mend: unsigned, out of date, or one too many of this peer."""
        try:
            if self._peers is not None:
                self._peers.take(peer)
            sigv4.claimed(headers, self._now())
        except RekognitionFault as fault:
            return self.refuse(fault, peer)
        return None

    def refuse(self, fault: RekognitionFault, peer: str) -> Reply:
        """A refusal from outside of here, noted like any other."""
        return self._noted(_refused(fault), {"error": fault.code, "peer": peer}, 0, 0.0)

    def broken(self, error: BaseException) -> Reply:
        """The answer to a mistake of ours that nobody foresaw."""
        facts: Facts = {"error": "InternalServerError", "cause": type(error).__name__}
        return self._noted(_refused(internal()), facts, 0, 0.0)

    def answer(self, headers: Mapping[str, str], body: bytes, url: str, peer: str = "") -> Reply:
        """The reply to a POST of ``body``; ``headers`` by lower-case names."""
        began_s = time.perf_counter()
        facts: Facts = {"peer": peer}
        try:
            reply = Reply(200, self._answered(headers, body, url, facts))
        except RekognitionFault as fault:
            facts["error"] = fault.code
            reply = _refused(fault)
        except (KioskError, *MISTAKES) as error:
            # Of ours, in an operation: the client is told so, and the door of the next request stays open.
            facts |= {"error": "InternalServerError", "cause": type(error).__name__}
            reply = _refused(internal())
        return self._noted(reply, facts, len(body), time.perf_counter() - began_s)

    def _noted(self, reply: Reply, facts: Facts, size: int, passed_s: float) -> Reply:
        told: Facts = {"operation": "", "key": "", **facts}
        if self._metrics is not None:
            self._metrics.answered(str(told["operation"]), str(told.get("error", "")), passed_s)
        passed_ms = round(1000.0 * passed_s, 1)
        self._log("REKOGNITION_ANSWERED", **told, status=reply.status, request_bytes=size, ms=passed_ms)
        return reply

    def _answered(self, headers: Mapping[str, str], body: bytes, url: str, facts: Facts) -> bytes:
        now = self._now()
        claim = sigv4.claimed(headers, now)
        facts["key"] = claim.access_key_id
        key = sigv4.verified(claim, headers, body, url, self._keys.access_key(claim.access_key_id))
        self._limiter.take(key.access_key_id)
        operation = model.operation_of(headers.get("x-amz-target", ""))
        facts["operation"] = operation.name
        if operation.name not in TABLE:
            raise RekognitionFault("UnknownOperationException", "this server does not offer the operation")
        access.check_scope(key, operation.name)
        request = model.read_request(operation, body)
        access.check_collection(key, request.get("CollectionId"))
        token = None if operation.name in OWN_TOKENS else request.get("ClientRequestToken")
        if token is not None:
            known = self._repeats.known(key.access_key_id, operation.name, token, body)
            if known is not None:
                return known
        answer = TABLE[operation.name](self._site, key, request)
        written = model.write_answer(operation, answer)
        if self._metrics is not None:
            self._metrics.told(answer)
        if token is not None:
            self._repeats.keep(key.access_key_id, operation.name, token, body, written)
        return written


def _refused(fault: RekognitionFault) -> Reply:
    """A fault in the form that AWS's clients read."""
    return Reply(
        fault.status, json.dumps({"__type": fault.code, "Message": fault.what, "message": fault.what}).encode()
    )
