"""Where faces, badges and pictures may be sent: the one rule for every address in the configuration."""

from __future__ import annotations

import re

_PRIVATE = re.compile(r"(https://[^/@\s:]+|https://\[[0-9a-fA-F:]+\]|http://127\.0\.0\.1|http://\[::1\])(:\d{1,5})?/?")


def private_endpoint(url: str | None) -> str | None:
    """``url`` itself. Raises ValueError unless it is TLS, or this machine: answers are not signed, only TLS proves
    whose they are."""
    if url is not None and not _PRIVATE.fullmatch(url):
        raise ValueError("endpoint_url must be https://HOST, without a user; http only to 127.0.0.1 or [::1]")
    return url
