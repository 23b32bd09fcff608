"""boto3's client for one endpoint: explicit time-outs, no retries of its own, credentials from the usual chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.config.engines import EndpointSettings
from kiosk.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Line:
    """How one service is reached."""

    region: str
    endpoint_url: str | None
    profile: str | None
    connect_s: float
    read_s: float
    """Longest pause within an answer."""
    attempts: int = 1
    """Requests in all for one call; 1: no retries."""
    retry_mode: str = "standard"
    connections: int = 4
    ca_bundle: Path | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of botocore's Config."""


def open_client(endpoint: EndpointSettings, deadline_s: float) -> Any:
    """The client (untyped library), to be closed with ``close``; no request is made yet.

    Retries are the engine's: only it knows the visit's deadline. Raises ConfigurationError: boto3 is missing, or the
    settings name a profile, a certificate or an address that cannot be used.
    """
    if endpoint.ca_bundle is not None and not endpoint.ca_bundle.is_file():
        raise ConfigurationError(
            "no such certificate", where=str(endpoint.ca_bundle), mend="see rekognition.*.ca_bundle"
        )
    line = Line(
        endpoint.region,
        endpoint.endpoint_url,
        endpoint.profile,
        connect_s=endpoint.connect_s,
        read_s=deadline_s,
        connections=max(4, 2 * endpoint.shards),
        ca_bundle=endpoint.ca_bundle,
    )
    return connect("rekognition", line, where="rekognition")


def connect(service: str, line: Line, *, where: str) -> Any:
    """boto3's client of any service; no request is made yet. Raises ConfigurationError, which names ``where``."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        mend = "pip install 'door-kiosk[cloud]'"
        raise ConfigurationError("boto3 is missing", where=where, mend=mend) from error
    config = Config(
        connect_timeout=line.connect_s,
        read_timeout=line.read_s,
        retries={"total_max_attempts": line.attempts, "mode": line.retry_mode},
        max_pool_connections=line.connections,
        tcp_keepalive=True,
        ignore_configured_endpoint_urls=True,  # faces go where the kiosk's own configuration says, and nowhere else
        **line.more,
    )
    try:
        return boto3.session.Session(profile_name=line.profile).client(
            service,
            region_name=line.region,
            endpoint_url=line.endpoint_url,
            verify=None if line.ca_bundle is None else str(line.ca_bundle),
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"cannot be used ({error})", where=where, mend="see its settings") from error
