"""``kiosk liveness evaluate`` from the command line: what it refuses, what it prints, how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.config.load import load
from kiosk.config.paths import data_dir
from kiosk.evaluation.trial import line_of
from kiosk.trials.plan import plan
from kiosk.trials.run import FILE, RUN, Job
from tests.support.clikit import Shell
from tests.support.trialkit import trial


def finished(out: Path, accepted: int) -> Path:
    """A run of twelve prints that is over; the first ones got in."""
    out.mkdir()
    job = Job("test", load(None), data_dir(), adaptive=True, seed=1)
    (out / RUN).write_text(json.dumps(job.described()), encoding="utf-8")
    planned = plan(["print_flat"], 12, 1, "test")
    lines = [
        line_of(replace(trial(n, "print_flat", "live" if n < accepted else "spoof"), id=one.id))
        for n, one in enumerate(planned)
    ]
    (out / FILE).write_text("".join(lines), encoding="utf-8")
    return out


def test_a_run_that_is_over_is_reported_and_a_missed_target_is_told(kiosk: Shell, bare: Path) -> None:
    """Exit code 1: measured, and the answer is no; the report lies beside the trials."""
    out = finished(bare / "out", accepted=3)
    answer = kiosk("liveness", "evaluate", "--out", out, "--species", "print_flat", "--n", "12")
    assert answer.code == 1
    assert "3 of 12 = 25.0 %" in answer.out
    assert "MISSED" in answer.out
    assert "not measured" in answer.out
    assert "Synthetic" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["apcer_max"]["species"] == "print_flat"


def test_json_is_the_report_itself(kiosk: Shell, bare: Path) -> None:
    """One object on one line."""
    out = finished(bare / "out", accepted=0)
    (report,) = kiosk("liveness", "evaluate", "--out", out, "--species", "print_flat", "--n", "12", "--json").lines
    assert report["about"]["synthetic"] is True
    assert report["trials"] == 12


def test_what_an_ended_run_left_is_reported_without_playing(kiosk: Shell, bare: Path) -> None:
    """And the report says how much of the whole it is."""
    out = finished(bare / "out", accepted=0)
    lines = (out / FILE).read_text(encoding="utf-8").splitlines(keepends=True)
    (out / FILE).write_text("".join(lines[:5]), encoding="utf-8")
    asked = ("liveness", "evaluate", "--out", out, "--species", "print_flat", "--n", "12", "--so-far", "--json")
    (report,) = kiosk(*asked).lines
    assert report["trials"] == 5
    assert "5 of 12 trials" in report["about"]["notes"][0]
    assert len((out / FILE).read_text(encoding="utf-8").splitlines()) == 5


def test_nothing_so_far_is_refused(kiosk: Shell, bare: Path) -> None:
    """No report of nothing."""
    asked = ("liveness", "evaluate", "--out", bare / "empty", "--species", "print_flat", "--so-far")
    assert "no trial of this run" in kiosk(*asked).complaint


def test_another_run_in_the_folder_is_refused(kiosk: Shell, bare: Path) -> None:
    """Figures of one folder are figures of one thing."""
    out = finished(bare / "out", accepted=0)
    asked = ("liveness", "evaluate", "--out", out, "--species", "print_flat", "--n", "12", "--seed", "2")
    assert "another run" in kiosk(*asked).complaint


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--out: is needed"),
        (("--out", "x", "--species", "print_flta"), "no species 'print_flta'"),
        (("--out", "x", "--split", "both"), "'both' is not test or train"),
        (("--out", "x", "--perception", "eyes"), "'eyes' is not sim or models"),
        (("--images", "live"), "'live' is not LABEL=DIR"),
        (("--out", "x", "--recordings", "nowhere"), "no recording.json"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    kiosk: Shell, fresh: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    """And nothing is written."""
    monkeypatch.chdir(fresh)
    assert words in kiosk("liveness", "evaluate", *arguments).complaint
    assert not (fresh / "x").exists()


def test_missing_weights_are_one_line_and_end_the_workers(kiosk: Shell, bare: Path) -> None:
    """A worker that cannot begin says why, once."""
    asked = ("--out", bare / "out", "--species", "print_flat", "--n", "1", "--jobs", "1")
    assert "models fetch" in kiosk("liveness", "evaluate", *asked).complaint


def test_a_folder_without_pictures_is_one_line(kiosk: Shell, fresh: Path, tmp_path: Path) -> None:
    """A wrong path must not read as no errors."""
    (tmp_path / "empty").mkdir()
    assert fresh.exists()
    assert "no pictures" in kiosk("liveness", "evaluate", "--images", f"live={tmp_path / 'empty'}").complaint
