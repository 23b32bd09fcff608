"""``kiosk liveness train``: fit the confidence to the trials of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import JsonOption, emit, say
from kiosk.errors import InputError

if TYPE_CHECKING:
    from kiosk.evaluation.fusion_report import Report

SEED = 1


def register(app: typer.Typer) -> None:
    """Add the command to ``kiosk liveness``."""
    app.command()(train)


def train(
    trials: Annotated[Path, typer.Argument(metavar="TRIALS.jsonl", help="Written by kiosk liveness evaluate.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the weights as a Python module here.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="How worlds are dealt to the folds.")] = SEED,
    json: JsonOption = False,
) -> None:
    """Fit the confidence to the train split and show its calibration on the test split."""
    from kiosk.evaluation.fusion_report import digest, module_text, report
    from kiosk.evaluation.fusion_train import rows_of
    from kiosk.evaluation.fusion_train import train as trained
    from kiosk.evaluation.trial import read_trials, unique

    found = unique(read_trials(trials))
    rows = rows_of([trial for trial in found if trial.split == "train"])
    model = trained(rows, seed)
    measured = report([trial for trial in found if trial.split == "test"], model)
    provenance: dict[str, str | int] = {
        "command": f"kiosk liveness train {trials.name} --seed {seed}",
        "seed": seed,
        "visitors": int(rows.live.sum()),
        "attacks": int((~rows.live).sum()),
        "trials_sha256": digest(trials.read_bytes()),
    }
    if out is not None:
        _write(out, module_text(model, provenance))
    if json:
        emit({"weights": dict(model.weights), "offset": model.offset, "trained": provenance, **measured.to_json()})
        return
    say(f"trained on {provenance['visitors']} visitors and {provenance['attacks']} attacks")
    _show(measured)
    if out is not None:
        say(f"written: {out}")


def _write(out: Path, text: str) -> None:
    """The whole file or none of it."""
    part = out.with_name(out.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"cannot be written ({error.strerror})", where=str(out), mend="name another file") from error


def _show(measured: Report) -> None:
    """The calibration as text."""
    say(f"tested on {measured.visitors} visitors and {measured.attacks} attacks of other worlds")
    say("confidence   attempts   mean   visitors among them, % (equal numbers of both)")
    for part in measured.bins:
        if part.mean_confidence is not None and part.live_percent is not None:
            bounds = f"{part.low:g}-{part.high:g}"
            say(f"{bounds:10} {part.attempts:10} {part.mean_confidence:6.1f} {part.live_percent:6.1f}")
    say(f"Brier score {measured.brier:.4f}")
    for errors in measured.at:
        say(
            f"from {errors.threshold:.0f}: confidence alone APCER max {errors.apcer_max:.2%} ({errors.worst}), "
            f"BPCER {errors.bpcer:.2%}; with the gates APCER max {errors.apcer_max_gates:.2%}, "
            f"BPCER {errors.bpcer_gates:.2%}"
        )
