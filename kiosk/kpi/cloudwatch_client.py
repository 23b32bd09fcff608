"""boto3's client for CloudWatch: explicit time-outs, no retries of its own, credentials from the usual chain."""

from __future__ import annotations

from typing import Any

from kiosk.config.kpi import CloudWatchSettings
from kiosk.errors import ConfigurationError

CONNECT_S = 2.0
READ_S = 5.0
"""Nobody waits for it: the sending thread has all the time until the next interval."""
MEND = "pip install 'door-kiosk[cloud]'"


def open_client(settings: CloudWatchSettings) -> Any:
    """The client (untyped library), to be closed with ``close``; no request is made yet.

    Raises ConfigurationError: boto3 is missing, or the settings name a profile or an address that cannot be used.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise ConfigurationError("boto3 is missing", where="kpi.cloudwatch", mend=MEND) from error
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=1,
        ignore_configured_endpoint_urls=True,  # figures go where the kiosk's own configuration says
    )
    try:
        return boto3.session.Session(profile_name=settings.profile).client(
            "cloudwatch", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(
            f"cannot be used ({error})", where="kpi.cloudwatch", mend="see its settings"
        ) from error
