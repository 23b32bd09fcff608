"""``kiosk engines``: the Rekognition servers that this kiosk asks and enrolls into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, say
from kiosk.config.load import load
from kiosk.errors import ConfigurationError, MatchError

if TYPE_CHECKING:
    from kiosk.identity.collection import FaceCollections

EngineOption = Annotated[str | None, typer.Option("--engine", help="aws or site; default: the first enabled one.")]
ImageArgument = Annotated[Path, typer.Argument(metavar="IMAGE")]

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


@app.command()
def detect(image: ImageArgument, engine: EngineOption = None, config: ConfigOption = None) -> None:
    """What an engine sees in a picture: DetectFaces with all attributes, as JSON, the largest face first."""
    from kiosk.identity.looking import detect as faces_in

    with _one(engine, config) as asked:
        emit({"engine": asked.name, "faces": faces_in(asked, _small(image))})


@app.command()
def compare(
    source: ImageArgument,
    target: ImageArgument,
    engine: EngineOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """How alike an engine finds the largest face of one picture and the faces of another (CompareFaces)."""
    with _one(engine, config) as asked:
        similarity = asked.compare(_small(source), _small(target))
    if json:
        emit({"engine": asked.name, "similarity": round(similarity, 2)})
    else:
        say(f"{asked.name}: similarity {similarity:.1f}")


@app.command()
def session(
    session_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of a session that was made before.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a liveness session at the first engine, or ask what came of one; kiosk enroll --session enrolls by it.

    Exit code 1 when it is over and did not succeed.
    """
    from kiosk.runtime.engines import open_sessions

    with open_sessions(load(config)) as sessions:
        found = None if session_id is None else sessions.result(session_id)
        made = sessions.create() if session_id is None else session_id
    status = "CREATED" if found is None else found.status
    confidence = found.confidence if found is not None and found.status == "SUCCEEDED" else None
    if json:
        emit({"session_id": made, "status": status, "confidence": confidence})
    else:
        say(f"{made}  {status}{'' if confidence is None else f'  confidence {confidence:.0f}'}")
    if status in ("FAILED", "EXPIRED"):
        raise typer.Exit(1)


@app.command()
def drop(
    collection: Annotated[str, typer.Argument(help="An old collection.")],
    force: Annotated[bool, typer.Option("--force", help="Although it holds faces, or is in use.")] = False,
    engine: EngineOption = None,
    config: ConfigOption = None,
) -> None:
    """Delete a collection that a change of models left behind; one with faces, or in use, only with --force."""
    from kiosk.identity.looking import drop as deleted
    from kiosk.identity.looking import every_collection

    with _one(engine, config) as asked:
        if collection not in every_collection(asked):
            raise ConfigurationError("there is no such collection", where=f"{asked.name} {collection}")
        faces = asked.count(collection)
        if not force and (faces or collection in asked.collections):
            what = f"holds {faces} faces" if faces else "is in use"
            raise ConfigurationError(
                what, where=f"{asked.name} {collection}", mend="kiosk reindex --finish, or --force"
            )
        deleted(asked, collection)
    say(f"{asked.name}: deleted {collection}")


@contextmanager
def _one(name: str | None, config: Path | None) -> Iterator[FaceCollections]:
    from kiosk.runtime.engines import open_collections

    with open_collections(load(config)) as engines:
        found = [engine for engine in engines if name in (None, engine.name)]
        if not found:
            told = "is not enabled" if name else "no engine is enabled"
            raise ConfigurationError(
                told, where=name or "rekognition", mend="see [rekognition.aws] and [rekognition.site]"
            )
        yield found[0]


def _small(image: Path) -> bytes:
    """The picture as JPEG of at most 5 MiB, as engines want it. Raises InputError."""
    from hardware.stills import encode_jpeg, load_image
    from kiosk.identity.rekognition import MOST_BYTES

    return encode_jpeg(load_image(image), MOST_BYTES)
