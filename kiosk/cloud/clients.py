"""boto3's clients for the services beside Rekognition: DynamoDB, S3, and whatever else a site uses of AWS.

Rules:
- Where requests go, the kiosk's own configuration says and nothing else (``ignore_configured_endpoint_urls``).
- Credentials come from boto3's usual chain, never from the configuration.
- Everything ends: a call makes at most ATTEMPTS requests, none of which connects longer than CONNECT_S or pauses
  longer than READ_S: with botocore's waits (at most 1, 2 and 4 s between them, 2 s before each after throttling) 43 s.
  The door waits for none of this; registering does.
"""

from __future__ import annotations

from typing import Any

from kiosk.calling import Line, connect
from kiosk.config.cloud import ServiceSettings

CONNECT_S = 2.0
READ_S = 5.0
ATTEMPTS = 4


def open_service(service: str, settings: ServiceSettings) -> Any:
    """The client (untyped library) of ``dynamodb``, ``s3``, ``cloudwatch``, ``textract`` ..., closed with ``close``.

    Safe from several threads; no request is made yet. Raises ConfigurationError: boto3 is missing, or the settings
    name a profile or an address that cannot be used.
    """
    line = Line(CONNECT_S, READ_S, attempts=ATTEMPTS, retry_mode="adaptive")
    return connect(service, settings, line, where=service)
