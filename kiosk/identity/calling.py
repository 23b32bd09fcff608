"""boto3's client for one endpoint: explicit time-outs, no retries of its own, credentials from the usual chain."""

from __future__ import annotations

from typing import Any

from kiosk.calling import Line, connect
from kiosk.config.engines import EndpointSettings
from kiosk.errors import ConfigurationError


def open_client(endpoint: EndpointSettings, deadline_s: float) -> Any:
    """The client (untyped library), to be closed with ``close``; no request is made yet.

    Retries are the engine's: only it knows the visit's deadline. Raises ConfigurationError: boto3 is missing, or the
    settings name a profile, a certificate or an address that cannot be used.
    """
    if endpoint.ca_bundle is not None and not endpoint.ca_bundle.is_file():
        raise ConfigurationError(
            "no such certificate", where=str(endpoint.ca_bundle), mend="see rekognition.*.ca_bundle"
        )
    before = 0 if endpoint.collection_before is None else endpoint.shards_before or endpoint.shards  # asked at once
    line = Line(
        endpoint.connect_s,
        read_s=deadline_s,
        connections=max(4, 2 * (endpoint.shards + before)),
        ca_bundle=endpoint.ca_bundle,
    )
    return connect("rekognition", endpoint, line, where="rekognition")
