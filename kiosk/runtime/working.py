"""Whether the process that began something is still at it: a lock that the kernel drops when the process ends."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.errors import RecordsError

FOLDER = "enrolling"


@contextmanager
def owner(data: Path) -> Iterator[str]:
    """A name of this process that is alive (``is_alive``) until the block or the process ends. Raises RecordsError."""
    name = str(uuid.uuid4())
    folder = data / FOLDER
    path = folder / name
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RecordsError(f"cannot be written ({error.strerror})", where=str(folder)) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RecordsError(f"cannot be locked ({error.strerror})", where=str(folder)) from error
        yield name
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def is_alive(data: Path, name: str) -> bool:
    """Whether the process of this name still works; the file of one that is gone is removed."""
    if not name or Path(name).name != name:
        return False
    path = data / FOLDER / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # what cannot be looked at is left alone
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
