"""What a configuration needs of the device that it is installed on: packages, and a way out of the sandbox.

``python -m kiosk.config.needs extras|network --config FILE``, for ``setup.sh install``: the extras by name, a line
each; the systemd drop-in that lets the door use the network, empty where it needs none. Rules: what nothing enables
stays out of reach; who only speaks to this machine is let no further. One plain line on standard error and exit code 2
for a configuration that cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from kiosk.config.address import Address
from kiosk.config.load import load
from kiosk.config.tree import Settings
from kiosk.errors import KioskError


def extras(settings: Settings) -> tuple[str, ...]:
    """Extras of the package (pyproject.toml) without which an enabled part says that something is missing."""
    cloud, enrollment = settings.cloud, settings.enrollment
    asked = (
        settings.rekognition.aws,
        settings.rekognition.site,
        cloud.directory,
        cloud.pictures,
        enrollment.textract,
        settings.kpi.cloudwatch,
    )
    wanted = {
        "cloud": any(one.enabled for one in asked),
        "kpi": settings.kpi.prometheus is not None,
        "postgres": settings.rekognition.server.database is not None,
    }
    return tuple(name for name, needed in wanted.items() if needed)


def network(settings: Settings) -> str:
    """The drop-in for kiosk.service; empty: the door needs no network. Desk commands run outside of the unit."""
    asked = settings.rekognition.aws, settings.rekognition.site, settings.kpi.cloudwatch
    calls = [one for one in asked if one.enabled]
    listens = settings.kpi.address
    if not calls and listens is None:
        return ""
    here = all(_is_here(one.endpoint_url) for one in calls) and (listens is None or _is_own(listens.host))
    lines = [
        "# Written by setup.sh install from kiosk.toml, whose engines or figures need a network.",
        "[Service]",
        "PrivateNetwork=no",
        "RestrictAddressFamilies=AF_INET AF_INET6",
        "IPAddressAllow=localhost" if here else "IPAddressDeny=",
    ]
    if listens is not None:
        lines.append(f"SocketBindAllow=tcp:{listens.port}" if listens.port else "SocketBindAllow=tcp")
    return "\n".join(lines) + "\n"


def _is_here(url: str | None) -> bool:
    """Whether an engine's address is this machine's own; AWS itself is not."""
    host = None if url is None else urlsplit(url).hostname
    return host is not None and _is_own(host)


def _is_own(host: str) -> bool:
    """By address, or by the one name that never means another machine (RFC 6761); if it does, the sandbox refuses."""
    return host.lower() == "localhost" or Address(host, 0).loopback


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is needed: 0, or 2 with one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.config.needs", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=("extras", "network"))
    parser.add_argument("--config", type=Path, required=True, help="the kiosk's TOML file")
    options = parser.parse_args(arguments)
    try:
        settings = load(options.config)
    except KioskError as error:
        sys.stderr.write(f"kiosk: {error}\n")
        return 2
    found = network(settings) if options.what == "network" else "".join(f"{name}\n" for name in extras(settings))
    sys.stdout.write(found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
