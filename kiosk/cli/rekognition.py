"""``kiosk rekognition``: this machine answers Amazon Rekognition's protocol; the keys that may ask it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import ConfigOption, JsonOption, emit, say
from kiosk.cli.database import DatabaseOption, server_shelf, with_database
from kiosk.cli.rekognition_check import check
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import ConfigurationError, KioskError
from kiosk.rekognition.access import SCOPES, AccessKey, Scope

if TYPE_CHECKING:
    from kiosk.config.address import Address
    from kiosk.rekognition.server import Certificate

app = typer.Typer(help="Amazon Rekognition's protocol, answered by this machine.", no_args_is_help=True)
keys = typer.Typer(help="Access keys of the server.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.command()(check)

PER_S = 50.0
BURST = 100


@app.command()
def serve(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "127.0.0.1:8765",
    no_tls: Annotated[bool, typer.Option("--no-tls", help="Plain HTTP, on the loopback only.")] = False,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM certificate chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM key of the certificate.")] = None,
    tls_name: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name or address of this machine, for its certificate.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Requests a second for each key.")] = PER_S,
    metrics: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve figures for Prometheus there, in plain HTTP.")
    ] = None,
    database: DatabaseOption = None,
    config: ConfigOption = None,
) -> None:
    """Answer boto3, the AWS CLI and every other client of Rekognition until interrupted."""
    from kiosk.config.address import Address
    from kiosk.kpi.prometheus import published
    from kiosk.rekognition.metrics import Metrics
    from kiosk.rekognition.server import serve as run
    from kiosk.runtime.rekognition import open_dispatcher

    settings, address = with_database(load(config), database), Address.parsed(listen)
    certificate = _certificate(address, tls_cert, tls_key, tls_name or [], no_tls=no_tls)
    counters, burst = Metrics(), max(1, round(rate * BURST / PER_S))
    watched = None if metrics is None else Address.parsed(metrics, "--metrics")
    with (
        open_dispatcher(settings, data_dir(), counters, per_s=rate, burst=burst) as dispatcher,
        published(counters.registry, watched) as figures,
    ):
        if figures is not None:
            say(f"figures at {figures}")
        run(dispatcher, address, certificate, lambda url: say(f"listening on {url}"))


def _certificate(
    address: Address, chain: Path | None, key: Path | None, names: list[str], *, no_tls: bool
) -> Certificate | None:
    from kiosk.rekognition.certificate import fingerprint, own_certificate
    from kiosk.rekognition.server import Certificate

    if no_tls:
        return None
    if (chain is None) != (key is None):
        raise ConfigurationError("belong together", where="--tls-cert, --tls-key", mend="give both or neither")
    if chain is not None and key is not None:
        fingerprint(chain)
        return Certificate(chain, key)
    made, digest = own_certificate(data_dir(), address.host, names)
    say(f"certificate {made.chain}, SHA-256 {digest}")
    return made


@keys.command("add")
def add(
    scope: Annotated[str, typer.Option(help="read-only, match, enroll or admin.")],
    collection: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only for this collection; may be repeated.")
    ] = None,
    database: DatabaseOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key and print it: the secret is shown this once."""
    if scope not in SCOPES:
        raise ConfigurationError(f"{scope!r} is no scope", where="--scope", mend=f"one of {', '.join(SCOPES)}")
    chosen: Scope = next(one for one in SCOPES if one == scope)
    with server_shelf(with_database(load(config), database), create=True) as shelf:
        key = AccessKey.fresh(chosen, frozenset(collection) if collection else None)
        shelf.add_key(key)
    if json:
        emit({"access_key_id": key.access_key_id, "secret_access_key": key.secret})
        return
    say(f"access key id      {key.access_key_id}")
    say(f"secret access key  {key.secret}")
    say(f"scope {scope}, {'all collections' if key.collections is None else ', '.join(sorted(key.collections))}")


@keys.command("list")
def listing(database: DatabaseOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Every key without its secret."""
    with server_shelf(with_database(load(config), database), create=False) as shelf:
        found = shelf.keys()
    if json:
        rows = [
            {
                "access_key_id": one.access_key_id,
                "scope": one.scope,
                "collections": None if one.collections is None else list(one.collections),
                "created": one.created,
                "revoked": one.revoked,
            }
            for one in found
        ]
        emit({"keys": rows})
        return
    for one in found:
        where = "all collections" if one.collections is None else ", ".join(one.collections)
        state = f"revoked {one.revoked}" if one.revoked else f"since {one.created}"
        say(f"{one.access_key_id}  {one.scope:9}  {where}  {state}")


@keys.command("revoke")
def revoke(
    access_key_id: Annotated[str, typer.Argument(metavar="ID", help="The access key's id.")],
    database: DatabaseOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a key useless, for good, from the next request on."""
    with server_shelf(with_database(load(config), database), create=False) as shelf:
        if not shelf.revoke_key(access_key_id):
            raise KioskError("no valid key has this id", where=access_key_id, mend="see kiosk rekognition keys list")
    say(f"revoked {access_key_id}")
