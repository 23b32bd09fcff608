"""Killed writers: whatever was confirmed is there, nothing is half there, and the chain holds.

A killed process proves that the store keeps nothing back in its own memory: what was written to the kernel survives,
what was not is rolled back. A real power cut also loses what the kernel had not yet put on the disk: that half is
``test_records_torn``.
"""

from __future__ import annotations

import itertools
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.records_kit import MODEL, open_store, tokens

ROUNDS = 45
GIVE_UP_S = 60.0


@dataclass
class Confirmed:
    """What the killed writers said was on the disk, and what they were in the middle of."""

    people: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    opened: bool = False

    def hear(self, line: str) -> None:
        """One line of a writer."""
        word, _, rest = line.partition(" ")
        match word:
            case "OPEN":
                self.opened = True
            case "P":
                self.people.add(rest)
            case "r":
                self.leaving.add(rest)
            case "R":
                self.removed.add(rest)
            case "E":
                self.tokens.add(rest)

    def hold(self, data: Path) -> None:
        """Compare with the file. Raises AssertionError."""
        with open_store(data, create=False) as store:
            there = {it.person.person_id: it for it in store.people()}
            assert self.people - self.leaving <= set(there), "a confirmed person is gone"
            assert not self.removed & set(there), "a removed person is back"
            assert self.tokens <= tokens(store), "a confirmed event is gone"
            ids, matrix = store.template_matrix(MODEL)
            assert set(ids) == set(there)
            assert len(matrix) == 2 * len(there)
            assert all(it.templates == {MODEL: 2} and it.person.badge for it in there.values()), "half a person"
            report = store.check()
            assert report.ok, report.problems


class Zygote:
    """The process that forks warm writers (``tests.support.records_writer``)."""

    def __init__(self) -> None:
        root = str(Path(__file__).parents[2])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.records_writer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": root},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input, self._output = self.process.stdin, self.process.stdout.fileno()
        self._rest = b""

    def start(self, data: Path, seed: int, mode: str) -> int:
        """Fork a writer and return its process id."""
        self._input.write(f"{data} {seed} {mode}\n".encode())
        self._input.flush()
        return int(self.line().removeprefix("PID "))

    def line(self, timeout_s: float = GIVE_UP_S) -> str:
        """The next line; empty when none came in time."""
        until = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            if not select.select([self._output], [], [], max(0.0, until - time.monotonic()))[0]:
                return ""
            chunk = os.read(self._output, 65536)
            assert chunk, "the writers' parent is gone"
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def close(self) -> None:
        """End the parent."""
        self._input.close()
        self.process.wait(GIVE_UP_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """One warm parent for all tests here."""
    parent = Zygote()
    yield parent
    parent.close()


def killed(zygote: Zygote, data: Path, seed: int, confirmed: Confirmed, *, lines: int, delay_s: float) -> None:
    """Start a writer, let it say some lines, wait a little, kill it, and hear what it had said before it died."""
    child = zygote.start(data, seed, "honest")
    for _ in range(lines):
        confirmed.hear(zygote.line())
    until = time.monotonic() + delay_s
    while (left := until - time.monotonic()) > 0:
        if line := zygote.line(left):
            confirmed.hear(line)
    os.kill(child, signal.SIGKILL)
    while (line := zygote.line()) != "DONE":
        assert line, "the killed writer does not end"
        confirmed.hear(line)


def test_nothing_confirmed_is_ever_lost(zygote: Zygote, tmp_path: Path) -> None:
    """Forty-five kills of writers that follow each other on one file, at random points of random work."""
    dice = random.Random(20260301)
    confirmed = Confirmed()
    for seed in range(ROUNDS):
        lines = dice.randint(1, 25) if seed else 1
        killed(zygote, tmp_path, seed, confirmed, lines=lines, delay_s=dice.uniform(0, 0.006))
        confirmed.hold(tmp_path)
    assert len(confirmed.people) > ROUNDS
    assert len(confirmed.removed) > ROUNDS / 10
    assert len(confirmed.tokens) > ROUNDS * 3


def whole_after_making(data: Path, confirmed: Confirmed) -> None:
    """After a kill in the making there is no database or a whole one, and the next opening leaves no rubbish."""
    assert (data / "kiosk.db").exists() or not confirmed.opened
    open_store(data).close()
    confirmed.hold(data)
    assert sorted(it.name for it in data.iterdir()) == ["kiosk.db", "records.key"]


def test_a_making_killed_before_each_step(zygote: Zygote, tmp_path: Path) -> None:
    """Before each file is made, linked, renamed or removed, until the making comes through."""
    absent = 0
    for step in itertools.count(1):
        data, confirmed = tmp_path / str(step), Confirmed()
        zygote.start(data, 0, f"die {step}")
        while (line := zygote.line()) != "DONE":
            assert line, "the writer hangs"
            confirmed.hear(line)
        absent += not (data / "kiosk.db").exists()
        whole_after_making(data, confirmed)
        if confirmed.opened:
            break
    assert step > 8, "the steps were not seen"
    assert 0 < absent < step - 1, "the kills must hit both sides of the making"


def test_a_making_killed_at_random(zygote: Zygote, tmp_path: Path) -> None:
    """Ten kills that may fall inside SQLite's own writing."""
    dice = random.Random(7)
    for seed in range(10):
        data, confirmed = tmp_path / str(seed), Confirmed()
        killed(zygote, data, seed, confirmed, lines=0, delay_s=dice.uniform(0, 0.05))
        whole_after_making(data, confirmed)


def test_a_lying_writer_is_found_out(zygote: Zygote, tmp_path: Path) -> None:
    """The planted bug: a confirmation before the commit fails the comparison above."""
    open_store(tmp_path).close()
    child = zygote.start(tmp_path, 1, "lying")
    confirmed = Confirmed()
    for _ in range(2):
        confirmed.hear(zygote.line())
    os.kill(child, signal.SIGKILL)
    assert zygote.line() == "DONE"
    with pytest.raises(AssertionError, match="a confirmed event is gone"):
        confirmed.hold(tmp_path)


def test_two_processes_write_at_the_same_time(tmp_path: Path) -> None:
    """Every event of both is there, once, and in one chain."""
    open_store(tmp_path).close()
    parents = [Zygote(), Zygote()]
    confirmed = Confirmed()
    for seed, parent in enumerate(parents):
        parent.start(tmp_path, seed, "count 40")  # and go on until it has seen the other's
    for parent in parents:
        while (line := parent.line()) != "DONE":
            assert line, "a writer hangs"
            confirmed.hear(line)
        parent.close()
    assert {f"{seed}-{number}" for seed in (0, 1) for number in range(40)} <= confirmed.tokens
    with open_store(tmp_path, create=False) as store:
        assert len(store.events(limit=100_000)) == len(confirmed.tokens)
        assert tokens(store) == confirmed.tokens
        assert store.check().ok
