"""``kiosk liveness evaluate``: the gates against attacks, in simulated worlds, on recordings, or on pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from kiosk.cli.common import ConfigOption, JsonOption, complain, emit, progress, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.config.tree import Settings
from kiosk.errors import InputError

if TYPE_CHECKING:
    from kiosk.evaluation.recording import Recording
    from kiosk.trials.plan import Planned
    from kiosk.values import LivenessResult

DEFAULT_N = 300
NOTES = (
    "Passive scores cannot be judged on relit stills: every species has the best one (1.0), so no attack is stopped "
    "by it here.",
    "Landmarks come from the simulator's geometry with a landmarker's tremble; `--perception models` checks the "
    "short-cut with the real landmarker.",
    "Two real men on four public photographs. Train: one photograph of each; test: two other photographs of one of "
    "them, so he is not new to the training, only his photographs are. Skin, glasses and head shape are varied; "
    "the splits share no photograph of a visitor, room, wall colour or panel.",
    "A trial is one visitor with up to three tries. `refused` counts both those taken for an attack and those without "
    "an answer; the targets are held against it. Bounds are one-sided, 95 %.",
    "Half of the installations are calibrated (their lag is known).",
    "Everybody stands where the usual guidance leads, 330 to 520 mm by the kiosk's estimate: `300 mm` is as near as "
    "that lets them.",
    "Who is not alone and still within 5 s is not flashed at and counts as no answer; a kiosk waits for 15 s.",
)


def register(app: typer.Typer) -> None:
    """Add the command to ``kiosk liveness``."""
    app.command()(evaluate)


def evaluate(
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the trials and the report.")] = None,
    species: Annotated[str, typer.Option(help="Comma-separated species; default: all.")] = "",
    n: Annotated[
        int, typer.Option("--n", min=1, max=100_000, help="Trials of each attack; a tenth if not covered.")
    ] = DEFAULT_N,
    visitors: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Genuine visitors; default: 1.2 times --n.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Another seed plays other trials.")] = 1,
    jobs: Annotated[int | None, typer.Option(min=1, max=256, help="Processes; default: every core.")] = None,
    fixed_length: Annotated[bool, typer.Option("--fixed-length", help="Play every flash to its end.")] = False,
    split: Annotated[str, typer.Option(help="test or train: which faces, rooms and panels.")] = "test",
    perception: Annotated[str, typer.Option(help="sim, or models: the real landmarker on every frame.")] = "sim",
    recordings: Annotated[Path | None, typer.Option(metavar="DIR", help="Labelled recordings instead.")] = None,
    images: Annotated[
        list[str] | None, typer.Option(metavar="LABEL=DIR", help="Pictures for the passive model instead.")
    ] = None,
    so_far: Annotated[bool, typer.Option("--so-far", help="Play nothing; report on what an ended run left.")] = False,
    name: Annotated[str, typer.Option("--name", help="What the report's files are called.")] = "report",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the liveness gates; writes NAME.json, .md, .html and tables. Interrupted runs go on where they ended.

    Exit code 1 when a target that was measured is missed.
    """
    settings = load(config)
    if images:
        report = _images(images, settings, out, quiet=json)
        _tell_images(report, json=json)
        return
    if not name or Path(name).name != name:
        raise InputError(f"{name!r} is no file's name", where="--name", mend="such as report")
    if out is None:
        raise InputError("is needed", where="--out", mend="name a folder for the report")
    if recordings is not None:
        report = _recordings(recordings, settings, out, name, quiet=json)
    else:
        if split not in ("test", "train"):
            raise InputError(f"{split!r} is not test or train", where="--split")
        if perception not in ("sim", "models"):
            raise InputError(f"{perception!r} is not sim or models", where="--perception")
        names = [name.strip() for name in species.split(",") if name.strip()]
        cores = jobs or os.cpu_count() or 1
        asked = (name, names, n, visitors, seed, cores, cast(Literal["test", "train"], split), perception == "models")
        report = _worlds(settings, out, *asked, adaptive=not fixed_length, so_far=so_far, quiet=json)
    _tell(report, out / f"{name}.html", json=json)
    if any(one["met"] is False for one in report["targets"]):
        raise typer.Exit(1)


def _worlds(
    settings: Settings,
    out: Path,
    name: str,
    names: list[str],
    n: int,
    visitors: int | None,
    seed: int,
    jobs: int,
    split: Literal["test", "train"],
    real: bool,
    *,
    adaptive: bool,
    so_far: bool,
    quiet: bool,
) -> dict[str, Any]:
    from kiosk.evaluation.report import agreement_of, figures
    from kiosk.evaluation.write import write_report
    from kiosk.trials.plan import known_species, plan
    from kiosk.trials.run import Job, run

    whole = plan(known_species(names), n, seed, split, visitors)
    planned = _played(whole, out) if so_far else whole
    job = Job(split, settings, data_dir(), adaptive, seed, real)
    agreement: dict[str, Any] = {}
    with progress(quiet=quiet) as advance:
        trials = run(planned, out, job, jobs=jobs, progress=advance)
        if real:
            known = run(planned, out / "sim", replace(job, landmarker=False), jobs=jobs, progress=advance)
            agreement = {"agreement": agreement_of(trials, known)}
    command = f"kiosk liveness evaluate --out DIR --n {n} --seed {seed}"
    command += f" --species {','.join(names)}" if names else ""
    command += f" --visitors {visitors}" if visitors is not None else ""
    command += "" if adaptive else " --fixed-length"
    command += "" if split == "test" else f" --split {split}"
    command += " --perception models" if real else ""
    about = {"synthetic": True, "command": command, "split": split, "adaptive": adaptive, "notes": list(NOTES)}
    about |= agreement
    if len(planned) < len(whole):
        cut = f"Ended before its end: {len(planned)} of {len(whole)} trials. Their order is mixed: it is a fair sample."
        about["notes"] = [cut, *NOTES]
    report = figures(trials, about)
    write_report(out, report, name)
    return report


def _played(planned: Sequence[Planned], out: Path) -> list[Planned]:
    """The trials that an earlier run has played. Raises InputError when there are none."""
    from kiosk.evaluation.trial import read_trials
    from kiosk.trials.run import FILE

    path = out / FILE
    known = {trial.id for trial in read_trials(path)} if path.is_file() else set()
    played = [one for one in planned if one.id in known]
    if not played:
        raise InputError("holds no trial of this run", where=str(path), mend="play some first, without --so-far")
    return played


def _recordings(folder: Path, settings: Settings, out: Path, name: str, *, quiet: bool) -> dict[str, Any]:
    from hardware.recording.read import read_recording
    from hardware.sim.species import SPECIES
    from kiosk.cli.kept import Evidences
    from kiosk.evaluation.recordings import score_recordings
    from kiosk.evaluation.report import figures
    from kiosk.evaluation.write import write_report
    from kiosk.visit.reflection import judge

    uncovered = [one.name for one in SPECIES.values() if not one.covered]
    with Evidences(data_dir(), keep=True) as evidences, progress(quiet=quiet) as advance:

        def judged(place: Path, recording: Recording) -> LivenessResult:
            return judge(evidences.of(place, recording), settings.liveness)

        trials, broken = score_recordings(folder, read_recording, judged, uncovered, advance)
    for line in broken:
        complain(line)
    if not trials:
        raise InputError("no recording could be scored", where=str(folder))
    notes = [f"{len(broken)} recordings could not be used", "one try each; times are not those of a visit"]
    about = {"synthetic": False, "command": "kiosk liveness evaluate --recordings DIR --out DIR", "notes": notes}
    report = figures(trials, {**about, "unusable": len(broken)})
    write_report(out, report, name)
    return report


def _images(named: list[str], settings: Settings, out: Path | None, *, quiet: bool) -> dict[str, Any]:
    import json

    from hardware.stills import load_image
    from kiosk.evaluation.images import look, passive_figures
    from kiosk.evaluation.write import write_files
    from models.faces import open_models

    folders: dict[str, Path] = {}
    for item in named:
        label, equals, folder = item.partition("=")
        if not equals or not label or not folder:
            raise InputError(f"{item!r} is not LABEL=DIR", where="--images", mend="such as live=DIR or print=DIR")
        folders[label] = Path(folder)
    with open_models(data_dir()) as models, progress(quiet=quiet) as advance:

        def scores(path: Path) -> tuple[float, ...] | None:
            pixels = load_image(path)
            faces = models.find_still(pixels)
            return models.passive_scores(pixels, faces[0]) if faces else None

        scored, unusable = look(folders, scores, advance)
        names = models.passive_names
    for line in unusable:
        complain(line)
    report = passive_figures(scored, len(unusable), settings.liveness.passive, names)
    if out is not None:
        write_files(out, {"images.json": json.dumps(report, indent=1, allow_nan=False) + "\n"})
    return report


def _tell(report: dict[str, Any], page: Path, *, json: bool) -> None:
    from kiosk.evaluation.report import shown

    if json:
        emit(report)
        return
    for one in report["apcer"]:
        mark = "" if one["covered"] else "  (not covered)"
        say(f"{one['species']:18} accepted {shown(one['accepted'])}{mark}")
    say(f"{'live':18} refused {shown(report['live']['refused'])}")
    for one in report["targets"]:
        met = {True: "met", False: "MISSED", None: "not measured"}[one["met"]]
        value = "-" if one["value"] is None else f"{one['value']:g}"
        say(f"{met:12} {one['name']}: {value} {one['unit']} (limit {one['limit']:g})")
    say(f"report: {page}")


def _tell_images(report: dict[str, Any], *, json: bool) -> None:
    from kiosk.evaluation.report import shown

    if json:
        emit(report)
        return
    if not report["pictures"]:
        raise InputError("no face in any picture", where="--images")
    say(f"{report['pictures']} pictures, {report['unusable']} unusable, threshold {report['threshold']:g}")
    for name, model in report["models"].items():
        separation = model["separation_percent"]
        order = "-" if separation is None else f"{separation:.2f} %"
        right = model["right"]
        say(
            f"{name}: right {right['count']} of {right['total']} = {right['percent']:.1f} % "
            f"(at least {right['low_percent']:.1f} %), pairs in the right order {order}"
        )
        for label in model["labels"]:
            rate = "BPCER" if label["label"] == "live" else "APCER"
            say(f"  {label['label']:10} {rate} {shown(label['errors'])}")
            for person in label["persons"]:
                say(f"    {person['person']:10} {shown(person['errors'])}")
