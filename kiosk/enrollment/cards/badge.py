"""Which text of a barcode is a badge number.

Rules:
- With a pattern of the site (one group named ``badge``, matched against the whole text) only that group is.
- Without one, the whole text is, unless it is an address, a contact card, or another thing that phones open.
- What the records would refuse is never a badge number: their rule is given from outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kiosk.errors import ConfigurationError

GROUP = "badge"
_NEVER = rf"(?!)(?P<{GROUP}>)"
LONGEST = 512
"""Of a text that a pattern is tried on."""
_FOR_PHONES = re.compile(
    r"\s*(?:[a-z][a-z0-9+.-]*://|www\.|begin:|mecard:|bizcard:|mailto:|matmsg:|tel:|sms(?:to)?:|geo:|wifi:|otpauth:"
    r"|urn:|data:|http|(?:[\w-]+\.)+[a-z]{2,}/)",
    re.IGNORECASE,
)


def compiled(pattern: str, where: str = "enrollment.cards.badge_pattern") -> re.Pattern[str] | None:
    """The site's pattern; None for "". Raises ConfigurationError: no regular expression, or without its one group."""
    if not pattern:
        return None
    try:
        made = re.compile(_NEVER if pattern == "none" else pattern)
    except re.error as error:
        raise ConfigurationError(f"no regular expression ({error})", where=where) from error
    if set(made.groupindex) != {GROUP}:
        raise ConfigurationError("needs one named group", where=where, mend=r"for example ^EMP-(?P<badge>\d+)$")
    return made


def badge_number(text: str, looks_like_badge: Callable[[str], bool], pattern: re.Pattern[str] | None) -> str | None:
    """The badge number in a barcode's text, or None."""
    if len(text) > LONGEST:
        return None
    found = text.strip()
    if pattern is not None:
        match = pattern.fullmatch(found)
        found = (match[GROUP] or "") if match else ""
    elif _FOR_PHONES.match(found):
        return None
    return found if looks_like_badge(found) else None
