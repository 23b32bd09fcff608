"""Asking a Rekognition server: what may be asked again is asked again in time, and every failure is one of ours.

Rules:
- Only what AWS calls retryable is asked again, after a growing, jittered pause, before the deadline. Of a call that
  changes something only refusals from before it began are: asked twice it would be done twice.
- Whatever is no whole answer (a time-out, half an answer, HTML from a captive portal) is ``NoAnswer``: nobody knows
  whether the call was carried out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from kiosk.errors import MatchError

THROTTLES = frozenset({"ThrottlingException", "ProvisionedThroughputExceededException"})
RETRYABLE = THROTTLES | {"InternalServerError"}
PICTURE_FAULTS = frozenset({"InvalidParameterException", "InvalidImageFormatException", "ImageTooLargeException"})
UNDONE = (
    THROTTLES
    | PICTURE_FAULTS
    | {
        *("AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"),
        *("ResourceNotFoundException", "ResourceAlreadyExistsException", "ConflictException", "ValidationException"),
        *("ServiceQuotaExceededException", "LimitExceededException", "IdempotentParameterMismatchException"),
        "ResourceNotReadyException",
    }
)
"""Refusals from before anything is done. Of every other one, as a gateway's 504, nobody knows."""
MENDS = {
    "ResourceNotFoundException": "kiosk engines prepare makes the collections",
    "ResourceNotReadyException": "on the server, the collection's face model as identity.embedder or embedder_before",
}
"""By code."""
PAUSE_S = 0.05
"""Before the second try; doubled before each further one, of which half is chance."""
FOREIGN = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What botocore's parser raises, beside its own errors, for answers that are none."""

_CHANCE = random.SystemRandom()
"""Without a state that threads would share."""


class Unusable(MatchError):
    """The engine is well, but cannot use this picture: no reason to leave it alone."""

    undone = True


class Refused(MatchError):
    """The service answered with an error of this ``code``."""

    def __init__(self, code: str, where: str) -> None:
        told = f"answered {code or 'an error'}"
        super().__init__(told, where=where, mend=MENDS.get(code, ""), reason="ENGINE_REFUSED")
        self.code = code
        self.undone = code in UNDONE


class NoAnswer(MatchError):
    """No whole answer came: what was asked may have been done all the same."""


class Asker:
    """Asks one server through boto3's client ``calls``. Safe from several threads."""

    def __init__(
        self,
        name: str,
        calls: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = _CHANCE.random,
    ) -> None:
        """``name``: the engine's, as in every error and figure. ``clock`` is monotonic, seconds."""
        self.name = name
        self.clock = clock
        self._calls = calls
        self._pause = pause
        self._chance = chance

    def ask(
        self, operation: str, members: Mapping[str, Any], until_s: float, again: frozenset[str] = RETRYABLE
    ) -> Mapping[str, Any]:
        """The answer to boto3's method ``operation``; errors of ``again`` are asked again until ``until_s``.

        Raises Unusable (a picture), Refused, NoAnswer.
        """
        pause_s = PAUSE_S
        while True:
            try:
                return self._asked(operation, members)
            except Refused as error:
                wait_s = pause_s * (0.5 + 0.5 * self._chance())
                if error.code not in again or self.clock() + wait_s >= until_s:
                    raise
            self._pause(wait_s)
            pause_s *= 2.0

    def change(self, operation: str, members: Mapping[str, Any], until_s: float) -> Mapping[str, Any]:
        """As ``ask``, for what must not be done twice: only throttles, which come before anything is done."""
        return self.ask(operation, members, until_s, again=THROTTLES)

    def _asked(self, operation: str, members: Mapping[str, Any]) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            answer = getattr(self._calls, operation)(**members)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in PICTURE_FAULTS and ("Image" in members or "SourceImage" in members):
                why = f"refused the picture ({code})"
                raise Unusable(why, where=self.name, reason="ENGINE_REFUSED_FACE") from error
            raise Refused(code, self.name) from error
        except (BotoCoreError, ResponseParserError, *FOREIGN) as error:
            why = f"no answer ({type(error).__name__})"
            raise NoAnswer(why, where=self.name, reason="ENGINE_UNREACHABLE") from error
        if not isinstance(answer, Mapping):
            raise NoAnswer("no answer (not an object)", where=self.name, reason="ENGINE_UNREACHABLE")
        return answer
