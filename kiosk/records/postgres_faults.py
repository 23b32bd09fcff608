"""PostgreSQL's errors in the words of ``kiosk.errors``, one line each.

Rules: no message of the driver or the server is repeated: it may hold values, addresses or somebody's words. What
matters is told by SQLSTATE (PostgreSQL, appendix A). A refused connection has none, only a text, which is English
where the server's ``lc_messages`` is; one that is not understood is still told as a refused connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kiosk.errors import RecordsConflict, RecordsError, RecordsFull, RecordsLocked, RecordsReadOnly

_AGAIN = "try again"
_SEE_PASSWORD = "see PGPASSWORD, ~/.pgpass, PGSERVICE"  # noqa: S105 - words, no secret
_SEE_HBA = "see pg_hba.conf on the server"
_BY_STATE: tuple[tuple[str, type[RecordsError], str, str], ...] = (
    ("23", RecordsConflict, "the name or id is already taken", ""),
    ("25006", RecordsReadOnly, "the database is read-only, a standby perhaps", "name the primary server"),
    ("28P01", RecordsLocked, "the role or its password is wrong", _SEE_PASSWORD),
    ("28", RecordsLocked, "the role may not log in", _SEE_HBA),
    ("3D000", RecordsError, "there is no such database", "create it: docs/postgres.md"),
    ("40", RecordsError, "another server changed the same thing", _AGAIN),
    ("42501", RecordsReadOnly, "the role may not do this", "make it the owner of the database"),
    ("53100", RecordsFull, "the database server's disk is full", "free some space; nothing was changed"),
    ("53300", RecordsError, "the database server has no connection left", "raise its max_connections"),
    ("55P03", RecordsError, "another server keeps the database busy", _AGAIN),
    ("57014", RecordsError, "the database took too long", _AGAIN),
    ("57P01", RecordsError, "the database server ended the connection", _AGAIN),
    ("57P", RecordsError, "the database server is going down or starting", _AGAIN),
    ("08", RecordsError, "the connection to the database was lost", _AGAIN),
    ("58P01", RecordsError, "the database server lacks a file, of pgvector perhaps", "install pgvector there"),
)
"""Beginning of a SQLSTATE, kind, what, mend; the first that fits."""

_BY_WORDS: tuple[tuple[str, type[RecordsError], str, str], ...] = (
    (r"password|authentication failed", RecordsLocked, "the role or its password is wrong", _SEE_PASSWORD),
    (r"role .* does not exist|pg_hba", RecordsLocked, "the role may not log in", _SEE_HBA),
    (r"database .* does not exist", RecordsError, "there is no such database", "create it: docs/postgres.md"),
    (r"root certificate|certificate verify|does not match host|SSL error|certificate present", RecordsLocked,
     "the server's certificate is not trusted", "name its authority in sslrootcert"),
    (r"does not support SSL", RecordsLocked, "the server speaks no TLS", "switch ssl on there"),
    (r"definition of service|service file", RecordsError, "the service of PGSERVICE is not known",
     "see pg_service.conf"),
    (r"too many (clients|connections)|slots are reserved", RecordsError, "the database server has no connection left",
     "raise its max_connections"),
    (r"starting up|shutting down", RecordsError, "the database server is going down or starting", _AGAIN),
    (r"refused|timeout|timed out|translate host|resolve|No such file|unreachable|no route|closed the connection",
     RecordsError, "the database server cannot be reached", "check its address, and that it runs"),
)  # fmt: skip
"""Pattern of what a refused connection says, kind, what, mend."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Run a block; whatever SQLAlchemy or the driver raises leaves as a RecordsError about ``where``."""
    try:
        yield
    except PoolTimeout as error:
        raise RecordsError("all connections to the database are in use", where=where, mend=_AGAIN) from error
    except DBAPIError as error:
        raise _explained(error, where) from error
    except SQLAlchemyError as error:
        raise RecordsError(f"the database failed ({type(error).__name__})", where=where) from error
    except OSError as error:
        raise RecordsError((error.strerror or "input/output error").lower(), where=error.filename or where) from error


def _explained(error: DBAPIError, where: str) -> RecordsError:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    for begin, kind, what, mend in _BY_STATE:
        if state.startswith(begin):
            return kind(what, where=where, mend=mend)
    if state:
        return RecordsError(f"the database failed (SQLSTATE {state})", where=where, mend="see its server's log")
    if error.connection_invalidated:
        return RecordsError("the connection to the database was lost", where=where, mend=_AGAIN)
    return refused(str(error.orig), where)


def refused(words: str, where: str) -> RecordsError:
    """Why there is no connection, by what libpq said; it is not repeated."""
    for pattern, kind, what, mend in _BY_WORDS:
        if re.search(pattern, words, re.IGNORECASE):
            return kind(what, where=where, mend=mend)
    return RecordsError("the database server takes no connection", where=where, mend="see its log")
