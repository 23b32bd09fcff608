"""boto3's client for CloudWatch: explicit time-outs, no retries of its own, credentials from the usual chain."""

from __future__ import annotations

from typing import Any

from kiosk.calling import Line, connect
from kiosk.config.kpi import CloudWatchSettings

CONNECT_S = 2.0
READ_S = 5.0
"""Nobody waits for it: the sending thread has all the time until the next interval."""


def open_client(settings: CloudWatchSettings) -> Any:
    """The client (untyped library), to be closed with ``close``; no request is made yet.

    Raises ConfigurationError: boto3 is missing, or the settings name a profile or an address that cannot be used.
    """
    line = Line(CONNECT_S, READ_S, connections=1)
    return connect("cloudwatch", settings, line, where="kpi.cloudwatch")
