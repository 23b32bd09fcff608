"""Secrets that lie in a database which is not encrypted as a whole: sealed one by one under the kiosk's own key.

Rules: AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits; the key is derived from the records key with
HKDF-SHA-256 (RFC 5869), never that key itself; what a value belongs to is authenticated with it, so that whoever may
write to the database cannot move it to another row, nor change what stands beside it. A value that does not open is an
error, never an empty one. The embedded database is encrypted as a whole and keeps its values plain.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from typing import Protocol

from kiosk.errors import RecordsLocked
from kiosk.records.key import Key

FORM = "v1."
NONCE_BYTES = 12
_PURPOSE = b"door-kiosk postgresql values v1"
_MARK_PURPOSE = b"door-kiosk postgresql mark v1"
MARK_BYTES = 16


class Sealer(Protocol):
    """How a secret text is kept. ``about`` names the column and all that must not change beside it."""

    def seal(self, text: str, about: Sequence[str]) -> str:
        """What is written to the row."""

    def unseal(self, kept: str, about: Sequence[str]) -> str:
        """What was sealed. Raises RecordsLocked: another key, or another row's, or changed."""


class Plain:
    """For a database that is encrypted as a whole."""

    def seal(self, text: str, about: Sequence[str]) -> str:  # noqa: ARG002 - the port has it
        """The text itself."""
        return text

    def unseal(self, kept: str, about: Sequence[str]) -> str:  # noqa: ARG002 - the port has it
        """The text itself."""
        return kept


class Sealed:
    """For PostgreSQL. Safe from several threads."""

    def __init__(self, key: Key) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(_derived(key, _PURPOSE, 32))

    def seal(self, text: str, about: Sequence[str]) -> str:
        """``v1.`` and base64 of nonce, ciphertext and tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), _bound(about))
        return FORM + base64.b64encode(nonce + sealed).decode()

    def unseal(self, kept: str, about: Sequence[str]) -> str:
        """Raises RecordsLocked."""
        from cryptography.exceptions import InvalidTag

        try:
            if not kept.startswith(FORM):
                raise ValueError("not sealed")
            raw = base64.b64decode(kept.removeprefix(FORM), validate=True)
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(about)).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise RecordsLocked(
                "a sealed value does not open: it was changed, or is another kiosk's", mend="make a new key or session"
            ) from error


def mark_of(key: Key) -> str:
    """What tells, in the database, under which key its values are sealed; it leads back to no key."""
    return _derived(key, _MARK_PURPOSE, MARK_BYTES).hex()


def _derived(key: Key, purpose: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(key.secret)


def _bound(about: Sequence[str]) -> bytes:
    """All of it, each part with its length before it: no two lists give the same bytes."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in about)
