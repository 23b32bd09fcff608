"""``kiosk liveness``: calibrate, record, judge, evaluate, train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli import liveness_evaluate, liveness_site, liveness_train
from kiosk.cli.common import ConfigOption, JsonOption, emit, progress, say
from kiosk.config.load import load
from kiosk.config.paths import data_dir

app = typer.Typer(help="Liveness: calibrate, record, judge, evaluate, train.", no_args_is_help=True)
liveness_site.register(app)
liveness_evaluate.register(app)
liveness_train.register(app)


@app.callback()
def root() -> None:
    """Liveness: calibrate, record, judge, evaluate, train."""


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A recording: recording.json, frames.csv, frames.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Judge one recording by every gate; exit code 0 whatever the verdict, 2 for an unusable recording.

    Evidence that was kept in the folder is used where it fits the frames and this program; nothing is written.
    """
    from hardware.recording.read import read_recording
    from kiosk.cli.kept import Evidences
    from kiosk.visit.plain import liveness_to_json
    from kiosk.visit.reflection import judge

    settings = load(config)
    recording = read_recording(folder)
    with Evidences(data_dir(), keep=False) as evidences, progress(quiet=json) as advance:
        evidence = evidences.of(folder, recording, progress=lambda done, total: advance("frames", done, total))
    plain = liveness_to_json(judge(evidence, settings.liveness))
    if json:
        emit(plain)
        return
    say(f"{plain['verdict']}  confidence {plain['confidence']:.0f}  {' '.join(plain['reasons'])}")
    for gate in plain["gates"]:
        value = "-" if gate["value"] is None else f"{gate['value']:.3f}"
        say(f"{gate['verdict']:12} {gate['name']:12} {value:>10}  threshold {gate['threshold']:g}")
