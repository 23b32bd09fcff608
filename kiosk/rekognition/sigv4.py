"""Who is asking: AWS's Signature Version 4 of a request, checked.

Rules: the signature covers method, path, query, body and at least the headers in ``MUST_SIGN``; the clock may differ by
fifteen minutes; the comparison takes the same time wherever two signatures differ; an unknown key costs as much as a
wrong secret. The arithmetic is botocore's own. Source: AWS General Reference, "Signing AWS API requests".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kiosk.errors import RekognitionFault
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.model import SERVICE

SKEW = timedelta(minutes=15)
MUST_SIGN = frozenset({"host", "x-amz-date", "x-amz-target"})
"""Unsigned, another request could be made of these: another operation, another server, another day."""
_FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[A-Za-z0-9_-]{1,128})/(?P<date>\d{8})/(?P<region>[a-z0-9-]{1,64})"
    r"/(?P<service>[a-z0-9-]{1,64})/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9;_-]{1,2000}), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_NOBODY = AccessKey("nobody", "0" * 40, "read-only", frozenset())


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of who signed it; nothing of it is proven."""

    access_key_id: str
    region: str
    signed: tuple[str, ...]
    """Lower-case names of the headers that the signature covers."""
    signature: str


def claimed(headers: Mapping[str, str], now: datetime) -> Claim:
    """The claim of a request; ``headers`` by lower-case names. It needs no body and no key.

    Raises RekognitionFault with AWS's own names: not signed, not readable, too little signed, of another time.
    """
    told = headers.get("authorization")
    if not told:
        raise RekognitionFault("MissingAuthenticationTokenException", "the request is not signed")
    form = _FORM.fullmatch(told)
    if form is None:
        raise RekognitionFault("IncompleteSignatureException", "the Authorization header cannot be read")
    signed = tuple(form["headers"].split(";"))
    unsigned = MUST_SIGN.difference(signed)
    if unsigned:
        names = ", ".join(sorted(unsigned))
        raise RekognitionFault("IncompleteSignatureException", f"these headers must be signed: {names}")
    _check_time(headers.get("x-amz-date", ""), form["date"], now)
    if form["service"] != SERVICE:
        raise RekognitionFault(
            "InvalidSignatureException", f"the credential is scoped to another service than {SERVICE}"
        )
    return Claim(form["key"], form["region"], signed, form["signature"])


def verified(claim: Claim, headers: Mapping[str, str], body: bytes, url: str, key: AccessKey | None) -> AccessKey:
    """``key`` if it signed this POST of ``body``; ``url`` whole, as the client wrote it. Raises RekognitionFault."""
    digest = headers.get("x-amz-content-sha256")
    right_body = digest is None or hmac.compare_digest(digest.encode(), hashlib.sha256(body).hexdigest().encode())
    expected = _signature(key or _NOBODY, claim, {name: headers.get(name, "") for name in claim.signed}, body, url)
    if key is None:
        raise RekognitionFault("UnrecognizedClientException", "the access key is not known here")
    if not (hmac.compare_digest(expected, claim.signature) and right_body):
        raise RekognitionFault("InvalidSignatureException", "the signature does not match the request")
    return key


def _check_time(stamp: str, date: str, now: datetime) -> None:
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise RekognitionFault("IncompleteSignatureException", "X-Amz-Date cannot be read") from error
    if not stamp.startswith(date):
        raise RekognitionFault("InvalidSignatureException", "the credential is of another day than X-Amz-Date")
    if abs(at - now) > SKEW:
        raise RekognitionFault("InvalidSignatureException", "the request's time is more than 15 minutes from ours")


def _signature(key: AccessKey, claim: Claim, signed: Mapping[str, str], body: bytes, url: str) -> str:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest("POST", url, headers=dict(signed), data=body)
    request.context["timestamp"] = signed["x-amz-date"]
    auth = SigV4Auth(Credentials(key.access_key_id, key.secret), SERVICE, claim.region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return str(auth.signature(text, request))
