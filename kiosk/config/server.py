"""Settings of the Rekognition server, and which database addresses are safe to write down.

Rules: no password stands in an address (files are copied, command lines are seen by everybody on the machine); whoever
is not this machine is spoken to over TLS, and only when its certificate bears its name; parameters that could undo
either are refused, as is every parameter that nobody here thought about.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from pydantic import Field, field_validator

from kiosk.config.group import Group
from kiosk.errors import ConfigurationError

_FORM = re.compile(
    r"postgres(?:ql)?://(?:(?P<user>[^\s\x00-\x1f\x7f@/?#]*)@)?(?P<hosts>[^\s\x00-\x1f\x7f@/?#]*)"
    r"(?P<rest>(?:/[^\s\x00-\x1f\x7f?#]*)?(?:\?(?P<query>[^\s\x00-\x1f\x7f#]*))?)"
)
PARAMETERS = frozenset(
    {
        *("host", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"),
        *("application_name", "target_session_attrs"),
    }
)
"""Of libpq's, those that an address may bear: no password, no ``options``, no ``hostaddr`` beside the name."""
_SECRET = frozenset({"password", "sslpassword"})
_NO_PASSWORD = "must not hold a password: use PGPASSWORD, ~/.pgpass or a service file (PGSERVICE)"  # noqa: S105 - words, no secret


def checked_url(url: str) -> str:
    """The address itself, when it may be used. Raises ValueError in words that do not repeat it."""
    parts = _FORM.fullmatch(url)
    if parts is None:
        raise ValueError("must be postgresql://HOST/DATABASE")
    pairs = [one.partition("=")[::2] for one in (parts["query"] or "").split("&") if one]
    given = {name: _plain(value) for name, value in pairs}
    # A password with a slash in it makes of the rest a path.
    if ":" in (parts["user"] or "") or "@" in url[parts.start("rest") :] or _SECRET & set(given):
        raise ValueError(_NO_PASSWORD)
    if len(pairs) != len(given):
        raise ValueError("must not set anything twice")
    unknown = sorted(set(given) - PARAMETERS)
    if unknown:
        raise ValueError(f"must not set {unknown[0][:40]!a}; known here: {', '.join(sorted(PARAMETERS))}")
    hosts = given.get("host") or _plain(",".join(_host(one) for one in parts["hosts"].split(",")))
    mode = given.get("sslmode")
    if mode is not None and hosts:
        refuse_weak(hosts, mode)
    return url


def refuse_weak(hosts: str, mode: str) -> None:
    """Raises ValueError for an ``sslmode`` under which another machine could pass for one of the ``hosts``."""
    if mode != "verify-full" and not is_here(hosts):
        raise ValueError("needs sslmode=verify-full: anything less does not prove which server answers")


def is_here(hosts: str) -> bool:
    """Whether each of libpq's comma-separated hosts is this machine: loopback, or the folder of a Unix socket."""
    return all(_is_loopback(host) for host in hosts.split(","))


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True  # an empty host is libpq's own socket
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(one: str) -> str:
    """``a`` of ``a:1``; without the brackets of an IPv6 address."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](:\d*)?", one)
    return bracketed[1] if bracketed else one.partition(":")[0]


def _plain(text: str) -> str:
    """Without percent signs, as libpq reads it; what is no UTF-8 becomes no host's name."""
    return re.sub(
        r"(?:%[0-9A-Fa-f]{2})+", lambda found: bytes.fromhex(found[0].replace("%", "")).decode(errors="replace"), text
    )


class ServerSettings(Group):
    """[rekognition.server]"""

    database: str | None = Field(
        None,
        examples=["postgresql://kiosk@db.example/kiosk"],
        description="PostgreSQL with pgvector behind `kiosk rekognition serve`, without a password (docs/postgres.md); "
        "unset: the encrypted file in the data directory",
    )
    key_file: Path | None = Field(
        None,
        examples=["/etc/kiosk/shared.key"],
        description="key that secrets in that database are sealed under, mode 0600, the same file for all its servers; "
        "unset: as [records]",
    )
    memory_faces: int = Field(
        1_000_000,
        ge=0,
        description="collections of more faces than this are searched by PostgreSQL, the others in memory",
    )

    @field_validator("database")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    def at(self, url: str | None, where: str) -> ServerSettings:
        """With the database that the option ``where`` names, if it names one. Raises ConfigurationError."""
        if url is None:
            return self
        try:
            return self.model_copy(update={"database": checked_url(url)})
        except ValueError as error:
            raise ConfigurationError(str(error), where=where, mend="see docs/postgres.md") from None
