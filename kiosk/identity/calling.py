"""boto3's client for one endpoint: explicit time-outs, no retries of its own, credentials from the usual chain."""

from __future__ import annotations

from typing import Any

from kiosk.config.engines import EndpointSettings
from kiosk.errors import ConfigurationError


def open_client(endpoint: EndpointSettings, deadline_s: float) -> Any:
    """The client (untyped library), to be closed with ``close``; no request is made yet.

    Retries are the engine's: only it knows the visit's deadline. Raises ConfigurationError: boto3 is missing, or the
    settings name a profile, a certificate or an address that cannot be used.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        mend = "pip install 'door-kiosk[cloud]'"
        raise ConfigurationError("boto3 is missing", where="rekognition", mend=mend) from error
    if endpoint.ca_bundle is not None and not endpoint.ca_bundle.is_file():
        raise ConfigurationError(
            "no such certificate", where=str(endpoint.ca_bundle), mend="see rekognition.*.ca_bundle"
        )
    config = Config(
        connect_timeout=endpoint.connect_s,
        read_timeout=deadline_s,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=max(4, 2 * endpoint.shards),
        tcp_keepalive=True,
        ignore_configured_endpoint_urls=True,  # faces go where the kiosk's own configuration says, and nowhere else
    )
    try:
        return boto3.session.Session(profile_name=endpoint.profile).client(
            "rekognition",
            region_name=endpoint.region,
            endpoint_url=endpoint.endpoint_url,
            verify=None if endpoint.ca_bundle is None else str(endpoint.ca_bundle),
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"cannot be used ({error})", where="rekognition", mend="see its settings") from error
