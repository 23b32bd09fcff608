"""``kiosk identify``, ``compare`` and ``quality``: questions about stills."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, progress, say
from kiosk.cli.enrollment import FaceOption, QualityOption
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.errors import InputError
from kiosk.values import Match, Person, Quality

ImageArgument = Annotated[Path, typer.Argument(metavar="IMAGE")]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(identify)
    app.command()(compare)
    app.command()(quality)


def identify(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...")],
    quality: QualityOption = "high",
    face: FaceOption = "only",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Say who is in each picture; a picture that cannot be used is one line on standard error, exit code 2."""
    from kiosk.enrollment.register import identify_image
    from kiosk.runtime.desk import open_desk

    unusable = 0
    with open_desk(load(config), data_dir(), create=True) as opened, progress(quiet=json) as advance:
        names: dict[str, Person] = {one.person.person_id: one.person for one in opened.store.people()}
        for number, image in enumerate(images):
            advance("pictures", number, len(images))
            try:
                match = identify_image(opened.desk, image, quality=quality, face=face)
            except InputError as error:
                complain(str(error))
                unusable += 1
                continue
            person = None if match.person_id is None else names.get(match.person_id)
            if json:
                emit(_plain(image, person, match))
            else:
                who = "nobody known" if person is None else person.name
                say(f"{image}: {who}  similarity {match.similarity:.1f}, margin {match.margin:.1f}  {match.reason}")
        advance("pictures", len(images), len(images))
    if unusable:
        raise typer.Exit(2)


def _plain(image: Path, person: Person | None, match: Match) -> dict[str, Any]:
    return {
        "image": str(image),
        "person": None if person is None else {"name": person.name, "badge": person.badge},
        "similarity": round(match.similarity, 3),
        "runner_up": round(match.runner_up, 3),
        "margin": round(match.margin, 3),
        "reason": str(match.reason),
        "model_version": match.model_version,
    }


def compare(
    a: ImageArgument,
    b: ImageArgument,
    quality: QualityOption = "high",
    face: FaceOption = "only",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Similarity 0..100 of two pictures; 99 means a false match rate of at most 1 in 100 000 per comparison."""
    from kiosk.runtime.desk import reader_of
    from kiosk.runtime.wiring import scale_of
    from models.faces import open_models

    settings = load(config)
    with open_models(data_dir(), (settings.identity.embedder, None)) as models:
        reader = reader_of(models, settings)
        one, other = (reader.read(path, quality=quality, face=face).embedding for path in (a, b))
        similarity = scale_of(models.embedding_version).between(one, other)
        version = models.embedding_version
    same = similarity >= settings.identity.threshold
    if json:
        emit({"a": str(a), "b": str(b), "similarity": round(similarity, 3), "same": same, "model_version": version})
    else:
        say(f"similarity {similarity:.1f}: {'the same person' if same else 'not shown to be the same person'}")


def quality(
    image: ImageArgument,
    face: FaceOption = "only",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Every quality check of a picture under the enrollment profile; exit code 1 when one does not pass."""
    from hardware.stills import load_image
    from kiosk.enrollment.stills import choose_face
    from kiosk.runtime.measure import measure_face
    from kiosk.visit.quality import assess
    from models.faces import open_models

    settings = load(config)
    with open_models(data_dir()) as models:
        pixels = load_image(image)
        chosen = choose_face(models.find_still(pixels), face, (pixels.shape[1], pixels.shape[0]), where=str(image))
        judged = assess(measure_face(pixels, chosen, faces=1), settings.quality.enroll)
    _print_quality(image, judged, json=json)
    if not judged.ok:
        raise typer.Exit(1)


def _print_quality(image: Path, judged: Quality, *, json: bool) -> None:
    if json:
        checks = [
            {
                "name": one.name,
                "value": round(one.value, 4) if one.value == one.value else None,
                "limit": list(one.limit),
                "unit": one.unit,
                "verdict": str(one.verdict),
                "reason": str(one.reason),
            }
            for one in judged.measures
        ]
        emit({"image": str(image), "ok": judged.ok, "problems": [str(r) for r in judged.problems], "checks": checks})
        return
    for one in judged.measures:
        low, high = one.limit
        bounds = " ".join(
            ([f"at least {low:g}"] if low is not None else []) + ([f"at most {high:g}"] if high is not None else [])
        )
        say(f"{one.verdict:12} {one.name:18} {one.value:8.2f} {one.unit:6} {bounds:28} {one.reason}")
    say("good enough" if judged.ok else f"not good enough: {', '.join(judged.problems)}")
