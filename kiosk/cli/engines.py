"""``kiosk engines``: the Rekognition servers that this kiosk asks and enrolls into."""

from __future__ import annotations

import typer

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, say
from kiosk.config.load import load
from kiosk.errors import MatchError

app = typer.Typer(help="Amazon Rekognition, or servers that speak its protocol, as configured.", no_args_is_help=True)


@app.command("list")
def listing(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Ask every enabled engine which face model it has and how many faces. Exit code 1 when one does not answer."""
    from kiosk.runtime.engines import open_collections

    rows = []
    with open_collections(load(config)) as engines:
        for engine in engines:
            row: dict[str, object] = {"engine": engine.name, "collections": list(engine.collections)}
            try:
                version, faces = engine.described()
                row |= {"face_model": version, "faces": faces, "fault": None}
            except MatchError as error:
                row |= {"face_model": None, "faces": None, "fault": str(error)}
            rows.append(row)
    if json:
        emit({"engines": rows})
    elif not rows:
        say("no engine is enabled: this machine only")
    for row in [] if json else rows:
        if row["fault"]:
            complain(str(row["fault"]))
        else:
            say(f"{row['engine']}  {row['faces']} faces  model {row['face_model']}")
    if any(row["fault"] for row in rows):
        raise typer.Exit(1)


@app.command()
def prepare(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Make the collections that the configuration names, where they are not there yet."""
    from kiosk.runtime.engines import open_collections

    with open_collections(load(config)) as engines:
        made = {engine.name: list(engine.prepare()) for engine in engines}
    if json:
        emit({"made": made})
        return
    for name, collections in made.items():
        say(f"{name}: {'made ' + ', '.join(collections) if collections else 'all there'}")
