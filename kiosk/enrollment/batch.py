"""Enroll many people from a folder or a table.

Rules:
- Each person is a registration like any other: all or nothing, with a reason. What cannot be enrolled is told in a
  table with reasons, in the columns of a source, so that it can be mended and given again.
- Whoever's pictures are all templates of one person already is done: a batch that was cut off, even by kill -9, is
  started again and goes on, without anybody twice. What a cut-off registration left elsewhere is taken back first.
- Faces are read one after the other, engines are asked by several workers at once, held to a rate. Two entries of one
  batch are never both enrolled with the same face: the book and the engines are asked again before each is written.
- A part that failed (an engine, the network) is tried again, after a growing pause; a refusal is not.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Literal

from kiosk.enrollment.desk import SAME_PERSON, Desk, Progress, Steps, is_refusal, silent, told
from kiosk.enrollment.living import read_stills
from kiosk.enrollment.register import (
    KINDS,
    entry_of,
    refuse_known_elsewhere,
    refuse_known_here,
    register,
)
from kiosk.enrollment.sources import BatchEntry
from kiosk.enrollment.stills import FaceRule, QualityRule, Still, digest_of
from kiosk.errors import (
    InputError,
    KioskError,
    RecordsConflict,
    RecordsError,
    RecordsFull,
    RecordsLocked,
    RecordsReadOnly,
)
from kiosk.ports import versions_of

Ended = Literal["enrolled", "already", "usable", "refused", "failed"]
"""``usable``: of a dry run."""
CALLS_A_PICTURE = 3
"""Of each engine: a search before, the indexing, a search after."""
GIVE_UP = RecordsFull, RecordsLocked, RecordsReadOnly
"""With these no other entry would fare better."""


@dataclass(frozen=True, slots=True)
class BatchRules:
    """How a batch is worked."""

    per_s: float = 10.0
    """Calls a second to each engine."""
    workers: int = 4
    tries: int = 4
    """Of an entry whose engine failed."""
    pause_s: float = 1.0
    """Before the second try; doubled before each further one."""
    quality: QualityRule = "high"
    face: FaceRule = "only"
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class EntryEnd:
    """What became of one entry."""

    entry: BatchEntry
    ended: Ended
    person_id: str = ""
    step: str = ""
    reason: str = ""
    told: str = ""
    """One line for people."""


@dataclass(slots=True)
class Summary:
    """What became of all."""

    ends: list[EntryEnd] = field(default_factory=list)

    def count(self, ended: Ended) -> int:
        """How many ended so."""
        return sum(end.ended == ended for end in self.ends)

    @property
    def reasons(self) -> Counter[str]:
        """Of those that were not enrolled."""
        return Counter(end.reason for end in self.ends if end.reason)


class Rate:
    """Lets one pass every ``1 / per_s`` seconds, in turn; safe from several threads."""

    def __init__(self, per_s: float, clock: Callable[[], float], pause: Callable[[float], None]) -> None:
        self._gap_s = 1.0 / per_s
        self._clock = clock
        self._pause = pause
        self._guard = threading.Lock()
        self._next_s = 0.0

    def wait(self, count: int = 1) -> None:
        """Until ``count`` more may pass."""
        with self._guard:
            now_s = self._clock()
            at_s = max(now_s, self._next_s)
            self._next_s = at_s + count * self._gap_s
        if at_s > now_s:
            self._pause(at_s - now_s)


def estimate_s(pictures: int, engines: int, rules: BatchRules, reading_s: float) -> float:
    """Seconds that a batch takes at its rate: each picture is searched twice and indexed once by every engine.

    ``reading_s``: what one picture takes on this machine; reading and asking go on at the same time. At the end each
    face is sought once more, for look-alikes; not after a dry run.
    """
    call_s = pictures / rules.per_s if engines else 0.0
    return max(pictures * reading_s, CALLS_A_PICTURE * call_s) + (0.0 if rules.dry_run else call_s)


class Batch:
    """One run."""

    def __init__(
        self,
        desk: Desk,
        rules: BatchRules,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        bring: Callable[[BatchEntry], AbstractContextManager[BatchEntry]] = nullcontext,
    ) -> None:
        """``bring``: has an entry's pictures on this machine while its context lasts.

        Whoever asks the engines afterwards waits for ``rate`` too: they cannot tell who is asking.
        """
        self._desk = desk
        self._rules = rules
        self._bring = bring
        self._pause = pause
        self.rate = Rate(rules.per_s, clock, pause)
        self._over = threading.Event()

    def run(self, entries: Sequence[BatchEntry], summary: Summary, progress: Progress = silent) -> None:
        """Work all entries; ``summary`` fills as they end, also when it is interrupted.

        Raises RecordsError (no further entry can be written), ModelError, KeyboardInterrupt.
        """
        running: dict[Future[EntryEnd], list[Still]] = {}
        pool = ThreadPoolExecutor(self._rules.workers, "enroll")

        def collect(most: int) -> None:
            while len(running) > most:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for one in done:
                    del running[one]
                    self._ended(summary, one.result(), entries, progress)

        try:
            for entry in entries:
                read = self._brought(entry)
                if isinstance(read, EntryEnd):  # of the entry as it came, not of a copy that is gone again
                    self._ended(summary, replace(read, entry=entry), entries, progress)
                    continue
                if any(self._same(read, other) for other in running.values()):
                    collect(0)  # the one that is on its way is to win: at once, each would refuse the other
                running[pool.submit(self._enrolled, entry, read)] = read
                collect(2 * self._rules.workers)
            collect(0)
        finally:
            self._over.set()  # workers that pause give up; those that write finish their entry
            pool.shutdown(wait=True, cancel_futures=True)
            for one in running:  # those that ended while the others were waited for
                if not one.cancelled() and one.exception() is None:
                    summary.ends.append(one.result())

    @staticmethod
    def _ended(summary: Summary, end: EntryEnd, entries: Sequence[BatchEntry], progress: Progress) -> None:
        summary.ends.append(end)
        progress("people", len(summary.ends), len(entries))

    def _same(self, stills: Sequence[Still], others: Sequence[Still]) -> bool:
        return any(
            self._desk.alike(one.embedding, other.embedding) >= SAME_PERSON for one in stills for other in others
        )

    def _brought(self, entry: BatchEntry) -> EntryEnd | list[Still]:
        try:
            with self._bring(entry) as brought:
                return self._read(brought)
        except GIVE_UP:
            raise
        except (InputError, RecordsConflict) as error:
            return _refused(entry, error)
        except RecordsError as error:  # of the bucket: the next picture may come
            return _refused(entry, error, "failed")

    def _read(self, entry: BatchEntry) -> EntryEnd | list[Still]:
        with self._told() as steps:
            if entry.fault:
                raise InputError(entry.fault, where=entry.place, reason="UNUSABLE_LINE")
            known = self._known(entry)
            if known:
                steps.step = "duplicate"
                self._refuse_other(entry, known)
                return EntryEnd(entry, "already", known)
            return read_stills(self._desk, entry.paths, quality=self._rules.quality, face=self._rules.face)

    def _told(self) -> AbstractContextManager[Steps]:
        """A dry run leaves no event."""
        return told(self._desk, None if self._rules.dry_run else KINDS, "batch")

    def _refuse_other(self, entry: BatchEntry, person_id: str) -> None:
        """Raises RecordsConflict: the pictures are of somebody who is called otherwise, or has another badge."""
        person = self._desk.registry.book.find(person_id)
        same_badge = entry.badge is None or entry.badge.lower() == (person.badge or "").lower()
        if person.name.casefold() != " ".join(entry.name.split()).casefold() or not same_badge:
            badge = f" with badge {person.badge}" if person.badge else ""
            raise RecordsConflict(
                f"these pictures are already of {person.name}{badge}", where=entry.place, reason="PICTURE_TAKEN"
            )

    def _known(self, entry: BatchEntry) -> str:
        """Whose templates all pictures are; empty: not of one person."""
        versions, owner_of = versions_of(self._desk.reader.models), self._desk.registry.book.owner_of
        digests = [digest_of(path) for path in entry.paths]
        owners = {next(filter(None, (owner_of(one, of) for of in versions)), None) for one in digests}
        return (owners.pop() or "") if len(owners) == 1 else ""

    def _enrolled(self, entry: BatchEntry, stills: list[Still]) -> EntryEnd:
        try:
            with self._told() as steps:
                return self._tried(entry, stills, steps)
        except GIVE_UP:
            raise
        except KioskError as error:
            return _refused(entry, error, "refused" if is_refusal(error) else "failed")

    def _tried(self, entry: BatchEntry, stills: list[Still], steps: Steps) -> EntryEnd:
        pause_s, person_id = self._rules.pause_s, str(uuid.uuid4())  # one for all tries: a face left behind is its own
        for left in reversed(range(self._rules.tries)):
            try:
                return self._once(entry, stills, steps, person_id)
            except GIVE_UP:
                raise
            except KioskError as error:
                if is_refusal(error) or not left or self._over.is_set():
                    raise
            self._pause(pause_s)
            pause_s *= 2.0
        raise InputError("was not tried", where=entry.place)  # no tries at all

    def _once(self, entry: BatchEntry, stills: list[Still], steps: Steps, person_id: str) -> EntryEnd:
        if self._desk.registry.engines:
            self.rate.wait(CALLS_A_PICTURE * len(stills))
        if not self._rules.dry_run:
            person = register(self._desk, steps, stills, entry.name, entry.badge, "batch", person_id=person_id)
            return EntryEnd(entry, "enrolled", person.person_id)
        steps.step = "badge"
        self._desk.registry.book.check_free(entry.name, entry.badge)
        steps.step = "duplicate"
        refuse_known_elsewhere(self._desk, stills)
        with self._desk.turn:
            stamp = self._desk.known.follow()
            refuse_known_here(self._desk, stills)
            # In memory only: the next entry of the batch is compared with this one too.
            self._desk.known.took(entry_of(self._desk, f"dry run {entry.place}", stills, ()), stamp)
        return EntryEnd(entry, "usable")


def _refused(entry: BatchEntry, error: KioskError, ended: Ended = "refused") -> EntryEnd:
    return EntryEnd(entry, ended, "", error.step or "quality", error.reason, str(error))
