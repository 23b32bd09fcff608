"""boto3's client of any service: explicit time-outs, tries as asked for, credentials from the usual chain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.config.cloud import ServiceSettings
from kiosk.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Line:
    """How one service is asked."""

    connect_s: float
    read_s: float
    """Longest pause within an answer."""
    attempts: int = 1
    """Requests in all for one call; 1: no retries."""
    retry_mode: str = "standard"
    connections: int = 4
    ca_bundle: Path | None = None


def connect(service: str, settings: ServiceSettings, line: Line, *, where: str) -> Any:
    """The client (untyped library), to be closed with ``close``; no request is made yet.

    Raises ConfigurationError, which names ``where``: boto3 is missing, or the settings cannot be used.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        mend = "pip install 'door-kiosk[cloud]'; on a device sudo ./setup.sh install"
        raise ConfigurationError("boto3 is missing", where=where, mend=mend) from error
    config = Config(
        connect_timeout=line.connect_s,
        read_timeout=line.read_s,
        retries={"total_max_attempts": line.attempts, "mode": line.retry_mode},
        max_pool_connections=line.connections,
        tcp_keepalive=True,
        ignore_configured_endpoint_urls=True,  # requests go where the kiosk says, and nowhere else
    )
    try:
        return boto3.session.Session(profile_name=settings.profile).client(
            service,
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            verify=None if line.ca_bundle is None else str(line.ca_bundle),
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"cannot be used ({error})", where=where, mend="see its settings") from error
