"""Play many trials on all cores; every finished one is a line of the trials file at once.

Interrupt it whenever you like: what is written stays, and the same command goes on with the rest. ``run.json`` says
what the folder's trials were asked for, so that two different runs are never mixed.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware.sim.conditions import Split
from hardware.sim.threads import one_thread
from kiosk.config.tree import Settings
from kiosk.errors import InputError, KioskError
from kiosk.evaluation.trial import Trial, line_of, mend_trials
from kiosk.runtime.wiring import scale_of
from kiosk.trials.film import Find
from kiosk.trials.plan import Planned
from kiosk.trials.troupe import open_troupe
from kiosk.trials.visitor import compared_by, visit
from models.faces import open_models

FILE = "trials.jsonl"
RUN = "run.json"
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
Progress = Callable[[str, int, int], None]
Work = Callable[[Planned], Trial]


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker needs to know."""

    split: Split
    settings: Settings
    data: Path
    adaptive: bool
    seed: int
    landmarker: bool = False
    """Whether the real landmarker looks at every frame, instead of the simulator's knowledge."""

    def described(self) -> dict[str, Any]:
        """What makes two runs the same run: these settings, this program, this way of playing."""
        text = self.settings.model_dump_json(include={"liveness", "visit", "guidance"})
        digest = _digest(text.encode(), *(path.read_bytes() for path in _program()))
        return {"split": self.split, "seed": self.seed, "adaptive": self.adaptive, "program": digest,
                "landmarker": self.landmarker}  # fmt: skip


def _program() -> list[Path]:
    """The source that decides how a trial goes: world, player, kiosk's loop, gates."""
    root = Path(__file__).resolve().parents[2]
    folders = ("hardware/sim", "kiosk/trials", "kiosk/runtime", "kiosk/visit")
    return sorted(path for folder in folders for path in (root / folder).rglob("*.py"))


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.hexdigest()[:16]


class Player:
    """Plays trials in one process, until it is closed. Not thread-safe."""

    def __init__(self, job: Job) -> None:
        one_thread()
        self._job = job
        self._troupe = open_troupe(job.split, job.data, job.settings)
        with ExitStack() as stack:
            models = stack.enter_context(open_models(job.data, embed_threads=1))
            self._models = models
            self._same = compared_by(models, scale_of(models.embedding_version))
            self._stack = stack.pop_all()

    def __call__(self, planned: Planned) -> Trial:
        """One trial."""
        job = self._job
        finder = self._looker if job.landmarker else None
        return visit(planned, self._troupe, job.settings, adaptive=job.adaptive, same_face=self._same, finder=finder)

    def _looker(self) -> Find:
        self._models.forget()
        return lambda _world, frame: self._models.find(frame)

    def close(self) -> None:
        """Release the models."""
        self._stack.close()


def run(
    planned: Sequence[Planned], folder: Path, job: Job, *, jobs: int, progress: Progress, work: Work | None = None
) -> list[Trial]:
    """Play what ``folder`` does not hold yet; returns the trials of this plan, in its order.

    ``work`` replaces the player, in this process. Raises ModelError; InputError for a folder of another run or one
    that cannot be written. KeyboardInterrupt passes through after the workers have been ended.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _same_run(folder / RUN, job.described())
        done = {trial.id: trial for trial in mend_trials(folder / FILE)}
        rest = [one for one in planned if one.id not in done]
        played = len(planned) - len(rest)
        progress("trials", played, len(planned))
        with (folder / FILE).open("a", encoding="utf-8") as file, _player(job, min(jobs, len(rest)), work) as play:
            for trial in play(rest):
                done[trial.id] = trial
                file.write(line_of(trial))
                file.flush()
                played += 1
                progress("trials", played, len(planned))
    except OSError as error:
        mend = "choose another --out"
        raise InputError(f"cannot be written ({error.strerror})", where=str(folder), mend=mend) from error
    return [done[one.id] for one in planned]


def _same_run(path: Path, wanted: Mapping[str, Any]) -> None:
    """Note what this folder is for; refuse to mix two runs."""
    if not path.exists():
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(wanted) + "\n", encoding="utf-8")
        draft.replace(path)
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError("is no run's description", where=str(path), mend="choose another --out") from error
    if found != wanted:
        raise InputError("holds another run (seed, split, length, settings or program)", where=str(path.parent),
                         mend="choose another --out")  # fmt: skip


@contextmanager
def _player(job: Job, jobs: int, work: Work | None) -> Iterator[Callable[[Sequence[Planned]], Iterator[Trial]]]:
    """A function that plays trials: here, or in ``jobs`` processes that end with this context."""
    if work is not None:
        yield lambda rest: map(work, rest)
    elif jobs < 1:
        yield lambda _rest: iter(())
    else:
        # Spawned, not forked: models and OpenCV have threads that a fork would lose.
        context = multiprocessing.get_context("spawn")
        with _one_blas_thread():
            pool = ProcessPoolExecutor(jobs, context, _begin, (job,))
            try:
                yield lambda rest: _finished(pool, rest)
            except BrokenExecutor as error:
                mend = "run the same command again to go on, with fewer --jobs where memory is short"
                raise KioskError("a worker process ended", where="trials", mend=mend) from error
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Processes begun meanwhile multiply matrices on one thread each: small ones on all cores cost a quarter more.

    Only the environment reaches a library that reads it when it is loaded.
    """
    before = {name: os.environ.get(name) for name in BLAS_THREADS}
    os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _finished(pool: ProcessPoolExecutor, rest: Sequence[Planned]) -> Iterator[Trial]:
    for future in as_completed([pool.submit(_play, one) for one in rest]):
        yield future.result()


_players: list[Player | KioskError] = []
"""The worker process's own player, or why there is none."""


def _begin(job: Job) -> None:
    # An interrupt reaches the whole group of processes; the parent ends its workers, or its own end does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _players.append(Player(job))
    except KioskError as error:
        _players.append(error)


def _end_with_parent() -> None:
    """Whoever kills the command must not leave its workers behind: each holds a core's worth of memory."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _play(planned: Planned) -> Trial:
    player = _players[0]
    if isinstance(player, KioskError):
        raise player
    return player(planned)
