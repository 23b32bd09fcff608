"""``kiosk models``: fetch, list and verify the weights."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import JsonOption, complain, emit, progress, say
from kiosk.config.paths import data_dir
from kiosk.errors import InputError
from kiosk.values import Embedding
from models import manifest

app = typer.Typer(help="Weights: where they come from, fetching and verifying them.", no_args_is_help=True)

GroupsOption = Annotated[
    list[str] | None,
    typer.Option("--group", "-g", help="core, demo, passive-extra, second-embedder or cards; may be repeated."),
]


@app.command()
def fetch(
    group: GroupsOption = None,
    folder: Annotated[
        Path | None, typer.Option("--from", help="Take files from this folder first, whatever their names, by hash.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Bring every missing weight from its pinned source; verified, resumable, nothing to do the second time."""
    from models.fetch import fetch as fetch_files

    groups = tuple(group) if group else manifest.DEFAULT_GROUPS
    with progress(quiet=json, size_in_bytes=True) as advance:
        brought = fetch_files(data_dir(), groups=groups, from_dir=folder, progress=advance)
    if json:
        emit({"fetched": [one.name for one in brought], "groups": list(groups)})
    elif brought:
        say(f"fetched and verified: {', '.join(one.name for one in brought)}")
    else:
        say(f"nothing to fetch: all files of {', '.join(groups)} are there")


@app.command("list")
def list_files(json: JsonOption = False) -> None:
    """Every file of the manifest, its group, licence and whether it is here."""
    for one in manifest.items():
        here = manifest.is_present(one, data_dir())
        if json:
            emit(
                {
                    "name": one.name,
                    "group": one.group,
                    "bytes": one.bytes,
                    "sha256": one.sha256,
                    "licence": one.licence,
                    "present": here,
                    "contract": one.contract,
                }
            )
        else:
            say(f"{'here   ' if here else 'missing'}  {one.group:15}  {one.bytes:>10,}  {one.name}  ({one.licence})")


@app.command()
def verify(group: GroupsOption = None, json: JsonOption = False) -> None:
    """Hash every weight again (the optional ones that are here too); exit code 1 when one is missing or wrong."""
    if group:
        checked = manifest.verify(data_dir(), tuple(group))
    else:
        optional = manifest.verify(data_dir(), manifest.OPTIONAL_GROUPS)
        checked = manifest.verify(data_dir()) + tuple(one for one in optional if one[0].path(data_dir()).exists())
    for one, complaint in checked:
        if json:
            emit({"name": one.name, "ok": not complaint, "complaint": complaint})
        else:
            say(f"{'ok' if not complaint else 'BAD: ' + complaint}  {one.name}")
    if any(complaint for _one, complaint in checked):
        raise typer.Exit(1)


@app.command()
def calibrate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder a person, each with their pictures.")],
    how: Annotated[str, typer.Option(help="Where the pictures come from, for the manifest.")] = "",
    embedder: Annotated[str, typer.Option(help="As [identity] embedder names them: sface or fr_feature.")] = "sface",
    json: JsonOption = False,
) -> None:
    """Measure the similarity scale on a folder of people and print the manifest's table."""
    from hardware.stills import load_image
    from kiosk.enrollment.stills import choose_face
    from kiosk.identity.calibrate import calibrate as measured
    from kiosk.identity.calibrate import to_toml
    from models.faces import open_models

    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    if not paths:
        raise InputError("no pictures below it", where=str(folder), mend="give a folder with one folder a person")
    templates: list[tuple[str, Embedding]] = []
    with open_models(data_dir(), (embedder, None)) as opened, progress(quiet=json) as advance:
        for number, path in enumerate(paths):
            advance("pictures", number, len(paths))
            try:
                pixels = load_image(path)
                face = choose_face(opened.find_still(pixels), "central", (pixels.shape[1], pixels.shape[0]))
            except InputError as error:
                complain(f"left out {path}: {error.what}")
                continue
            templates.append((path.parent.name, opened.embed(pixels, face)))
        advance("pictures", len(paths), len(paths))
    result = measured(templates)
    if json:
        emit(asdict(result))
    else:
        say(f"{result.pictures} pictures, {result.people} people, {result.impostor_pairs} impostor pairs")
        say(f"cosines at a false match rate of 1e-2, 1e-3, 1e-4, 1e-5: {_shown(result.cosine_at)}")
        say(f"found of {result.genuine_pairs} genuine pairs: {_shown(result.found_at)}")
    if result.complete and not json:
        say(to_toml(result, how or str(folder.name)))


def _shown(values: tuple[float | None, ...]) -> str:
    return ", ".join("too few pairs" if value is None else f"{value:.4f}" for value in values)
