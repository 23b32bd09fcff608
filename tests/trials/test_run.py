"""Runs: interrupted, resumed, mixed up, cut off."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.config.tree import LivenessSettings, Settings
from kiosk.errors import InputError
from kiosk.evaluation.trial import Trial, read_trials
from kiosk.trials.plan import Planned, plan
from kiosk.trials.run import FILE, Job, run
from tests.support.trialkit import trial

JOB = Job("test", Settings(), Path("nowhere"), adaptive=True, seed=1)
PLAN = plan(["print_flat"], 6, 1, "test")


class Worker:
    """Plays nothing; interrupted before the given trial."""

    def __init__(self, interrupt_at: int = 99) -> None:
        self.played: list[str] = []
        self._interrupt_at = interrupt_at

    def __call__(self, planned: Planned) -> Trial:
        """A refused print."""
        if len(self.played) == self._interrupt_at:
            raise KeyboardInterrupt
        self.played.append(planned.id)
        return replace(trial(planned.seed, "print_flat", "spoof"), id=planned.id)


def silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""
    assert what
    assert 0 <= done <= total


def test_an_interrupted_run_goes_on_with_the_rest(tmp_path: Path) -> None:
    """Nothing is played twice, nothing is lost, the order is the plan's."""
    with pytest.raises(KeyboardInterrupt):
        run(PLAN, tmp_path, JOB, jobs=1, progress=silent, work=Worker(interrupt_at=2))
    second = Worker()
    trials = run(PLAN, tmp_path, JOB, jobs=1, progress=silent, work=second)
    assert second.played == [one.id for one in PLAN[2:]]
    assert [one.id for one in trials] == [one.id for one in PLAN]
    assert read_trials(tmp_path / FILE) == trials


def test_a_half_written_line_is_played_again(tmp_path: Path) -> None:
    """The power went while a line was written."""
    run(PLAN, tmp_path, JOB, jobs=1, progress=silent, work=Worker())
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-40])
    again = Worker()
    run(PLAN, tmp_path, JOB, jobs=1, progress=silent, work=again)
    assert again.played == [PLAN[-1].id]
    assert len(read_trials(path)) == len(PLAN)


def test_a_finished_run_is_not_played_again(tmp_path: Path) -> None:
    """Asking for the report once more costs nothing."""
    run(PLAN, tmp_path, JOB, jobs=1, progress=silent, work=Worker())
    idle = Worker()
    run(PLAN, tmp_path, JOB, jobs=2, progress=silent, work=idle)
    assert idle.played == []


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, seed=2),
        replace(JOB, adaptive=False),
        replace(JOB, split="train"),
        replace(JOB, settings=Settings(liveness=LivenessSettings(timing_r=0.9))),
    ],
    ids=["seed", "length", "split", "settings"],
)
def test_two_different_runs_are_not_mixed(tmp_path: Path, other: Job) -> None:
    """Figures of one folder are figures of one thing."""
    run(PLAN[:1], tmp_path, JOB, jobs=1, progress=silent, work=Worker())
    with pytest.raises(InputError, match="another run"):
        run(PLAN, tmp_path, other, jobs=1, progress=silent, work=Worker())


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """A file is in its place."""
    (tmp_path / "file").write_text("here first", encoding="utf-8")
    with pytest.raises(InputError, match="choose another --out"):
        run(PLAN, tmp_path / "file" / "out", JOB, jobs=1, progress=silent, work=Worker())


PARENT = """
import multiprocessing, sys
from kiosk.trials.run import _end_with_parent
if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=_end_with_parent)
    worker.start()
    print(worker.pid, flush=True)
    sys.stdin.read()
"""


def test_a_worker_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    """Killed without a word: nothing is left behind that holds a gigabyte and plays on for nobody."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = os.pidfd_open(int(parent.stdout.readline()))
        assert not select.select([worker], [], [], 0.0)[0]
        parent.kill()
        assert select.select([worker], [], [], 60.0)[0], "it plays on"
        os.close(worker)
