"""Foreign errors (botocore, the network) in the words of ``kiosk.errors``, one line each.

Rules: nothing foreign leaves ``kiosk.cloud``; a message tells the service's code, never its text, which may hold
account numbers, keys of objects or parts of a request; what cannot be read whole is a failure, never "nothing there".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kiosk.errors import RecordsError

FOREIGN = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What botocore's parsers raise, beside its own errors, for answers that are none."""
MENDS: Mapping[str, str] = {
    "AccessDenied": "the kiosk's role lacks a permission, see docs/cloud.md",
    "AccessDeniedException": "the kiosk's role lacks a permission, see docs/cloud.md",
    "ExpiredToken": "renew the credentials",
    "ExpiredTokenException": "renew the credentials",
    "UnrecognizedClientException": "check the credentials",
    "InvalidAccessKeyId": "check the credentials",
    "InvalidSignatureException": "check the secret key and the clock",
    "SignatureDoesNotMatch": "check the secret key",
    "RequestTimeTooSkewed": "set the clock",
    "RequestExpired": "set the clock",
    "ResourceNotFoundException": "there is no such table; make it, see docs/cloud.md",
    "NoSuchBucket": "there is no such bucket",
    "ThrottlingException": "try again later",
    "SlowDown": "try again later",
}
_CODE = re.compile(r"[A-Za-z0-9.]{1,64}")


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Run a block; whatever foreign error it raises leaves as a RecordsError about ``where``."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise refused(code_of(error), where) from error
    except (BotoCoreError, ResponseParserError, *FOREIGN) as error:
        raise RecordsError(
            f"no answer ({type(error).__name__})", where=where, mend="nothing is known to be done"
        ) from error


def code_of(error: Any) -> str:
    """The service's own name for what went wrong, as far as it is one (a proxy's page is not)."""
    answer = error.response.get("Error", {})
    return sane(answer.get("Code") if isinstance(answer, Mapping) else None)


def sane(code: object) -> str:
    """``code`` if it looks like one."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "an error"


def refused(code: str, where: str) -> RecordsError:
    """The service answered with this code."""
    return RecordsError(f"answered {code}", where=where, mend=MENDS.get(code, ""))


def unreadable(where: str) -> RecordsError:
    """The answer is not the service's: a captive portal, a proxy, or a part of one."""
    return RecordsError("the answer cannot be read", where=where, mend="check the network and the address")
