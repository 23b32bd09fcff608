"""Where the database key comes from: a configured file, a systemd credential, or ``records.key`` beside the data.

Rules: the key is 32 random bytes, kept raw or as 64 hex digits; a key file that others may read is refused; a key is
made once, together with the database, and never again (a fresh key beside an old database would only hide the loss).
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.errors import RecordsError, RecordsLocked, RecordsReadOnly

KEY_BYTES = 32
FILE_NAME = "records.key"


@dataclass(frozen=True, slots=True)
class KeySource:
    """One place of the key. Build it with ``find``."""

    path: Path
    credential: bool = False
    """Handed over by systemd: read-only, and its group bits are an ACL mask, not a group's permission."""

    @classmethod
    def find(cls, data: Path, *, key_file: Path | None = None, environ: Mapping[str, str] | None = None) -> KeySource:
        """``key_file`` when configured, else ``$CREDENTIALS_DIRECTORY/records.key``, else ``data/records.key``."""
        if key_file is not None:
            return cls(key_file)
        directory = (os.environ if environ is None else environ).get("CREDENTIALS_DIRECTORY")
        if directory and (Path(directory) / FILE_NAME).exists():
            return cls(Path(directory) / FILE_NAME, credential=True)
        return cls(data / FILE_NAME)

    def exists(self) -> bool:
        """Whether there is a key here."""
        return os.path.lexists(self.path)

    def read(self) -> Key:
        """The key. Raises RecordsLocked: missing, unreadable, readable by others, or of the wrong length."""
        where = str(self.path)
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise RecordsLocked("the key is missing", where=where, mend="restore it from its safe copy") from None
        except OSError as error:
            raise RecordsLocked(f"the key cannot be read ({error.strerror})", where=where) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise RecordsLocked("the key is not a regular file", where=where)
            if status.st_mode & (0o037 if self.credential else 0o077):
                mode = stat.S_IMODE(status.st_mode)
                raise RecordsLocked(f"others may read the key (mode {mode:04o})", where=where, mend="chmod 600 it")
            content = os.read(descriptor, 4 * KEY_BYTES)
        finally:
            os.close(descriptor)
        return Key(_decoded(content, where))

    @property
    def _half(self) -> Path:
        return self.path.with_name(f".{self.path.name}.new")

    def forget_half(self) -> None:
        """Remove what a killed ``make`` left: maybe half a key, maybe a second name of the whole one."""
        if not self.credential and os.path.lexists(self._half):
            self._half.unlink()

    def make(self) -> None:
        """Write a fresh key, complete or not at all. Raises RecordsReadOnly or RecordsError; never overwrites."""
        half = self._half
        try:
            self.forget_half()
            descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                os.link(half, self.path)  # fails where a key exists, unlike a rename
            finally:
                half.unlink(missing_ok=True)
            sync_directory(self.path.parent)
        except FileExistsError:
            raise RecordsError("a key is already here", where=str(self.path), mend="run the command again") from None
        except PermissionError as error:
            raise RecordsReadOnly("no key can be written here", where=str(self.path), mend="check the owner") from error


@dataclass(frozen=True, slots=True)
class Key:
    """The secret; its text form says nothing."""

    secret: bytes = field(repr=False)


def sync_directory(path: Path) -> None:
    """Make new names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _decoded(content: bytes, where: str) -> bytes:
    if len(content) == KEY_BYTES:
        return content
    try:
        secret = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise RecordsLocked(
            f"the key holds {len(content)} bytes", where=where, mend="it must be 32 raw bytes or 64 hex digits"
        )
    return secret
