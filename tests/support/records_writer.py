"""A writer that can be killed: run as a module, it forks a warm child for each line ``DIRECTORY SEED MODE`` on stdin.

The child says on stdout what it is about to do and what was confirmed, one line each:
``PID n``, ``OPEN``, ``p NAME`` / ``P id``, ``r id`` / ``R id``, ``E token``, ``V removed``; the parent says ``DONE``
when the child is gone. MODE ``honest`` runs for ever, ``lying`` confirms what it never wrote (the planted bug),
``count N`` writes at least N events and ends when it has seen those of another, ``die N`` opens the store and kills
itself before its N-th step on the disk.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path

import alembic.migration
import alembic.operations
import alembic.script  # noqa: F401 - imported before the fork, so that a child is ready at once

from tests.support.records_kit import NOW, open_store, record, template, tokens


def say(line: str) -> None:
    """One line in one write: a killed child never leaves half of it."""
    os.write(1, line.encode() + b"\n")


def write_for_ever(data: Path, seed: int) -> None:
    """People, removals, pruning and events in a random order, each confirmed after it returned."""
    random_source = random.Random(seed)
    say(f"PID {os.getpid()}")
    with open_store(data) as store:
        say("OPEN")
        mine: list[str] = []
        for number in range(1_000_000):
            token = f"{seed}-{number}"
            dice = random_source.random()
            if dice < 0.25:
                say(f"p {token}")
                person = store.add_person(token, f"B-{token}", [template(token + "a"), template(token + "b")])
                mine.append(person.person_id)
                say(f"P {person.person_id}")
            elif dice < 0.32 and mine:
                gone = mine.pop()
                say(f"r {gone}")
                store.remove_person(gone)
                say(f"R {gone}")
            elif dice < 0.36:
                # Clocks that disagree are part of life; tokens of old events are not confirmed by anybody.
                old = (NOW - timedelta(days=400)).isoformat()
                store.record_event(utc=old, kind="DENIED", reason="NO_FACE", person_id=None, details={})
                say(f"V {store.prune_events(90, NOW)}")
            else:
                record(store, token)
                say(f"E {token}")


def die_at(step: int, data: Path) -> None:
    """SIGKILL this process before the ``step``-th system call that makes, links, renames or removes a file."""
    steps = itertools.count(1)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"open", "os.mkdir", "os.link", "os.rename", "os.remove"}:
            ours = str(arguments[0]).startswith(str(data))
            if ours and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def main() -> None:
    """Serve until stdin ends."""
    for line in sys.stdin:
        directory, seed, *mode = line.split()
        child = os.fork()
        if child == 0:
            try:
                if mode[0] == "honest":
                    write_for_ever(Path(directory), int(seed))
                elif mode[0] == "lying":
                    say(f"PID {os.getpid()}")
                    say("OPEN")
                    say("E never-written")
                    os.read(os.pipe()[0], 1)  # waits to be killed
                elif mode[0] == "die":
                    say(f"PID {os.getpid()}")
                    die_at(int(mode[1]), Path(directory))
                    open_store(Path(directory)).close()
                    say("OPEN")
                else:
                    say(f"PID {os.getpid()}")
                    with open_store(Path(directory)) as store:
                        for number in range(100 * int(mode[1])):
                            others = not all(it.startswith(f"{seed}-") for it in tokens(store))
                            if number >= int(mode[1]) and others:
                                break
                            record(store, f"{seed}-{number}")
                            say(f"E {seed}-{number}")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        say("DONE")


if __name__ == "__main__":
    main()
