"""The figures for CloudWatch: gathered in memory, sent by a thread of its own, never in anybody's way.

Rules:
- ``add`` and ``observe`` take a lock that is held for a dictionary's time only, never during a request.
- What could not be sent is kept with its time and sent later, oldest first, as much as ``waiting`` has room for. Beyond
  that the oldest are lost, and so is what CloudWatch refuses for good; both are counted (``kiosk_kpi_lost_total``).
- Sending is at least once: a request whose answer was lost is sent again, and may then count twice.
- ``close`` sends what is left, and waits no longer than ``close_s``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from kiosk.closing import Closing
from kiosk.config.kpi import CloudWatchSettings
from kiosk.kpi.catalogue import Series
from kiosk.kpi.gathered import Gathered
from kiosk.kpi.waiting import MOST_NUMBERS, Waiting

CLOSE_S = 3.0
FOR_GOOD = frozenset(
    {
        *("InvalidParameterValue", "InvalidParameterValueException", "InvalidParameterCombination"),
        *("InvalidParameterCombinationException", "MissingParameter", "MissingRequiredParameterException"),
        *("InvalidFormat", "InvalidFormatFault", "ValidationError", "MalformedQueryString", "413"),
    }
)
"""Refusals that the same request will always meet. Anything else may be mended: a key, a policy, a clock, a cable."""
FOREIGN = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What botocore's parser raises, beside its own errors, for answers that are none."""


class CloudWatchCalls(Protocol):
    """The part of boto3's client that sending needs."""

    def put_metric_data(self, **members: Any) -> Any:
        """Raises botocore's exceptions."""


def utc_now() -> datetime:
    """The wall clock: data points bear it."""
    return datetime.now(UTC)


class CloudWatch(Closing):
    """A sink; ``with`` starts its thread. ``lost`` hears how many data points were given up, ``journal`` of changes."""

    def __init__(
        self,
        calls: CloudWatchCalls,
        settings: CloudWatchSettings,
        journal: Callable[..., None],
        lost: Callable[[int], None],
        *,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        most_numbers: int = MOST_NUMBERS,
        close_s: float = CLOSE_S,
    ) -> None:
        self._calls = calls
        self._settings = settings
        self._journal = journal
        self._lost = lost
        self._clock = clock
        self._monotonic = monotonic
        self._close_s = close_s
        self._guard = threading.Lock()
        self._gathered = Gathered()
        self._crowded = 0
        self._waiting = Waiting(settings.kiosk, most_numbers)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._well = True

    def __enter__(self) -> Self:
        # A daemon: a name server that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="cloudwatch", daemon=True)
        self._thread.start()
        return self

    def add(self, series: Series, amount: float) -> None:
        """A counter grew."""
        with self._guard:
            if not self._gathered.add(series, amount):
                self._crowded += 1

    def observe(self, series: Series, value: float) -> None:
        """One more value of a histogram."""
        with self._guard:
            if not self._gathered.observe(series, value):
                self._crowded += 1

    def close(self) -> None:
        """Send what is left; end after ``close_s`` at the latest, whatever the network does."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._over.set()
        thread.join(self._close_s)

    def send(self, until_s: float | None = None) -> None:
        """Take in what was gathered and send all that waits, oldest first, until one fails or ``until_s`` is past.

        For the sending thread, and tests without one: not to be called from two threads at once.
        """
        self._take()
        while until_s is None or self._monotonic() < until_s:
            portion = self._waiting.first()
            if portion is None:
                return
            problem, for_good = self._put(portion)
            self._note(problem)
            if problem and not for_good:
                return
            self._waiting.pop()
            if problem:
                self._lost(len(portion))

    def _take(self) -> None:
        """What was gathered waits from now on; the oldest beyond the bound are given up."""
        with self._guard:
            gathered, self._gathered = self._gathered, Gathered()
            lost, self._crowded = self._crowded, 0
        lost += self._waiting.push(self._clock(), gathered)
        if lost:
            self._lost(lost)

    def _put(self, portion: list[dict[str, Any]]) -> tuple[str, bool]:
        """(what went wrong, empty when nothing did; whether it always will)."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
        from botocore.parsers import ResponseParserError

        try:
            answer = self._calls.put_metric_data(Namespace=self._settings.namespace, MetricData=portion)
            # The answer is empty, so botocore takes any page with status 200 for it: a proxy's has no request id.
            return ("", False) if answer["ResponseMetadata"].get("RequestId") else ("NoRequestId", False)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "")) or "an error"
            return code, code in FOR_GOOD
        except ParamValidationError:
            return "ParamValidationError", True
        except (BotoCoreError, ResponseParserError, *FOREIGN) as error:
            return type(error).__name__, False

    def _note(self, problem: str) -> None:
        """The journal hears of the change, not of every minute."""
        if problem and self._well:
            self._journal("KPI_LOST", place="cloudwatch", cause=problem)
        elif not problem and not self._well:
            self._journal("KPI_BACK", place="cloudwatch")
        self._well = not problem

    def _run(self) -> None:
        while not self._over.wait(self._settings.every_s):
            self.send()
        self.send(self._monotonic() + self._close_s)
