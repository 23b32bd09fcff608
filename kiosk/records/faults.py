"""Foreign errors (SQLAlchemy, SQLCipher, the operating system) in the words of ``kiosk.errors``, one line each.

Rules: nothing foreign leaves ``kiosk.records``; a message names the file, never a person, a vector or a key.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlcipher3 import dbapi2

from kiosk.errors import RecordsConflict, RecordsError, RecordsFull, RecordsLocked, RecordsReadOnly

PAGE_BYTES = 4096
_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY_ERRNOS = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@contextmanager
def translated(path: Path, *, opening: bool = False) -> Iterator[None]:
    """Run a block; whatever foreign error it raises leaves as a RecordsError about ``path``.

    ``opening`` tells a wrong key (first page unreadable) from a damaged file (a page unreadable later on).
    """
    try:
        yield
    except DBAPIError as error:
        raise _explained(error.orig, path, opening) from error
    except (SQLAlchemyError, dbapi2.Error) as error:
        raise _explained(error, path, opening) from error
    except OSError as error:
        raise explained_os_error(error, path) from error


def explained_os_error(error: OSError, path: Path) -> RecordsError:
    """The operating system's complaint about ``path``."""
    where = str(error.filename or path)
    if error.errno in _FULL_ERRNOS:
        return RecordsFull("the disk is full", where=where, mend="free some space")
    if error.errno in _READ_ONLY_ERRNOS:
        return RecordsReadOnly("nothing can be written here", where=where, mend="check the mount and the owner")
    return RecordsError((error.strerror or "input/output error").lower(), where=where)


def _explained(error: BaseException | None, path: Path, opening: bool) -> RecordsError:
    name = str(getattr(error, "sqlite_errorname", None) or type(error).__name__)
    where = str(path)
    # Extended codes (sqlite.org/rescode.html) begin with the primary one: SQLITE_IOERR_WRITE.
    match name.removeprefix("SQLITE_").split("_")[0]:
        case "NOTADB":
            return not_opened(path) if opening else _damaged(where)
        case "CORRUPT":
            return _damaged(where)
        case "FULL":
            return RecordsFull("the disk is full", where=where, mend="free some space; nothing was changed")
        case "READONLY":
            return RecordsReadOnly("nothing can be written here", where=where, mend="check the mount and the owner")
        case "CANTOPEN":
            return _cannot_open(path)
        case "IOERR":
            return _input_output(path)
        case "BUSY" | "LOCKED":
            return RecordsError(
                "another program keeps the database busy", where=where, mend="try again when it is done"
            )
        case "CONSTRAINT":
            return RecordsConflict("the name, badge or template is already taken", where=where)
        case _:
            return RecordsError(f"the database failed ({name})", where=where, mend="run kiosk doctor")


def _damaged(where: str) -> RecordsError:
    return RecordsError("the database is damaged", where=where, mend="restore a backup")


def not_opened(path: Path) -> RecordsError:
    """Why the first page could not be decrypted: no database at all, or the key of another one.

    Ciphertext has all 256 byte values in a page (fewer than 200 never happens); text and zeroes do not.
    """
    where = str(path)
    with path.open("rb") as file:
        first = file.read(PAGE_BYTES)
    size = path.stat().st_size
    if first.startswith(b"SQLite format 3\0"):
        return RecordsError("the database is not encrypted", where=where, mend="name the kiosk's own file")
    if len(first) < PAGE_BYTES or len(set(first)) < 200:
        return RecordsError("this is not a database, or only a piece of one", where=where, mend="restore a backup")
    if size % PAGE_BYTES:
        return RecordsError("the database is cut short", where=where, mend="restore a backup")
    return RecordsLocked("the key does not open the database", where=where, mend="use the key it was made with")


def _cannot_open(path: Path) -> RecordsError:
    where = str(path)
    if path.is_dir():
        return RecordsError("this is a directory, not a database", where=where)
    if not path.exists():
        return RecordsError("there is no database", where=where, mend="enroll somebody first, or restore a backup")
    if not (os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK)):
        return RecordsReadOnly("nothing can be written here", where=where, mend="check the mount and the owner")
    if _free_bytes(path) < PAGE_BYTES:
        return RecordsFull("the disk is full", where=where, mend="free some space")
    return RecordsError("the database cannot be opened", where=where, mend="check the file and its directory")


def _input_output(path: Path) -> RecordsError:
    # SQLite reports a full disk as FULL for its pages, but as an I/O error for the shared-memory file.
    if _free_bytes(path) < 16 * PAGE_BYTES:
        return RecordsFull("the disk is full", where=str(path), mend="free some space; nothing was changed")
    return RecordsError("the disk failed", where=str(path), mend="check the disk and the kernel's log")


def _free_bytes(path: Path) -> int:
    try:
        status = os.statvfs(path.parent)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize
