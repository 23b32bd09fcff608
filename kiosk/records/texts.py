"""What people type, made fit to keep: names, badge numbers, hashes, times. Pure.

Rules: names are NFC with single spaces, at most 120 characters, and hold nothing invisible except the two joiners
that some scripts need; two names that differ only in case, width or composition are the same name. Badge numbers
are ASCII; their case does not matter. Times are UTC in one fixed width, so that text order is time order.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from datetime import UTC, datetime

from kiosk.errors import RecordsError

NAME_LIMIT = 120
BADGE_LIMIT = 64
VERSION_LIMIT = 128
_JOINERS = "\u200c\u200d"  # ZWNJ and ZWJ are part of the spelling in Persian and several Indic scripts
_BADGE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:/-]{{0,{BADGE_LIMIT - 1}}}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def tidy_name(name: str) -> str:
    """The name as it is kept. Raises RecordsError when it is empty, too long or holds invisible characters."""
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    if not tidy.strip(_JOINERS + " "):
        raise RecordsError("the name is empty", mend="give at least one letter", reason="UNUSABLE_NAME")
    if len(tidy) > NAME_LIMIT:
        raise RecordsError(
            f"the name has {len(tidy)} characters", mend=f"at most {NAME_LIMIT} are kept", reason="UNUSABLE_NAME"
        )
    for character in tidy:
        if unicodedata.category(character).startswith("C") and character not in _JOINERS:
            raise RecordsError(
                f"the name holds the invisible character U+{ord(character):04X}",
                mend="remove it",
                reason="UNUSABLE_NAME",
            )
    return tidy


def name_key(name: str) -> str:
    """What two spellings of one name have in common (Unicode compatibility caseless matching, UAX 15 and D146)."""
    folded = unicodedata.normalize("NFD", name).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", folded).casefold())
    return " ".join(folded.split())


def tidy_badge(number: str) -> str:
    """The badge number as it is kept. Raises RecordsError when it is no badge number."""
    tidy = number.strip()
    if not _BADGE.fullmatch(tidy):
        raise RecordsError(
            f"{tidy[: BADGE_LIMIT + 1]!a} is no badge number",
            mend=f"use 1 to {BADGE_LIMIT} of the characters A-Z a-z 0-9 . _ : / -, a letter or digit first",
            reason="UNUSABLE_BADGE",
        )
    return tidy


def looks_like_badge(text: str) -> bool:
    """Whether ``text`` could be a badge number at all."""
    return _BADGE.fullmatch(text.strip()) is not None


def tidy_sha256(digest: str) -> str:
    """A SHA-256 as 64 lower-case hex digits. Raises RecordsError otherwise."""
    tidy = digest.strip().lower()
    if not _SHA256.fullmatch(tidy):
        raise RecordsError("the source of a template needs a SHA-256 of 64 hex digits")
    return tidy


def tidy_model_version(version: str) -> str:
    """A face-model version. Raises RecordsError when it is empty, too long or not printable ASCII."""
    if not (0 < len(version) <= VERSION_LIMIT and version.isascii() and version.isprintable()):
        raise RecordsError(f"a model version is 1 to {VERSION_LIMIT} printable ASCII characters")
    return version


def tidy_person_id(person_id: str) -> str:
    """A person's UUID in its one spelling. Raises RecordsError for anything else: a name must never pass as an id."""
    try:
        return str(uuid.UUID(person_id))
    except ValueError:
        raise RecordsError("a person is named in events by the UUID only") from None


def utc_text(moment: datetime) -> str:
    """``2026-01-31T08:15:00.000000Z``. Raises RecordsError for a time without a zone."""
    if moment.tzinfo is None:
        raise RecordsError("a time without a zone cannot be kept", mend="give UTC")
    return moment.astimezone(UTC).strftime(_TIME_FORMAT).rjust(27, "0")


def tidy_utc(text: str) -> str:
    """Any ISO 8601 time with a zone, in the fixed form of ``utc_text``. Raises RecordsError."""
    try:
        moment = datetime.fromisoformat(text)
        return utc_text(moment)
    except (ValueError, OverflowError):
        raise RecordsError(f"{text[:40]!a} is no ISO 8601 time") from None


def utc_time(text: str) -> datetime:
    """The time that ``utc_text`` wrote."""
    return datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)
