"""What enrolling works with, and how a broken-off or refused enrollment is told.

Joined by the composition root (``kiosk.runtime.desk``). With no engines, directory or shelf it works on this machine
alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from kiosk.enrollment.book import DIRECTORY, SHELF, Book, Entry
from kiosk.enrollment.places import Directory, FaceEngine, PictureShelf
from kiosk.enrollment.stills import StillReader
from kiosk.errors import InputError, KioskError, MatchError, ModelError, RecordsConflict, RecordsError, UnknownPerson
from kiosk.ports import Matcher
from kiosk.values import Embedding

DEADLINE_S = 10.0
SAME_PERSON = 80.0
"""Least similarity of a further picture to the first one: photos of one person years apart stay well above."""
Step = Literal["quality", "liveness", "card", "face", "duplicate", "badge", "index", "store"]
Source = Literal["photo", "card", "batch", "session"]
Progress = Callable[[str, int, int], None]
"""(what, done, in all)."""


def silent(_what: str, _done: int, _total: int) -> None:
    """No progress shown."""


class Known(Protocol):
    """Keeps the local matcher in step with the book."""

    @property
    def everybody(self) -> Matcher:
        """Also whoever is suspended: they are not to be enrolled again under another name."""

    @property
    def unseen(self) -> int:
        """People who have faces here, but none of a face model in use: nobody can tell whether a face is theirs."""

    def follow(self) -> str:
        """Take in whoever was enrolled, changed or removed by anybody; the book's stamp as of which it is."""

    def took(self, entry: Entry, stamp: str) -> None:
        """Exactly this entry was added since ``follow``, which made the stamp this one."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Where people are written down: the book, and what is elsewhere."""

    book: Book
    engines: Sequence[FaceEngine] = ()
    directory: Directory | None = None
    shelf: PictureShelf | None = None
    """Where pictures are kept instead of the book."""
    keeps_pictures: bool = False
    """Whether the site's policy keeps pictures at all."""
    owner: str = ""
    """This process, in tasks."""
    is_alive: Callable[[str], bool] = lambda _: False
    """Whether the owner of a task still works."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def addresses(self) -> dict[str, str]:
        """Of the engines, by name."""
        return {engine.name: engine.address for engine in self.engines}

    @property
    def aside(self) -> list[tuple[str, str]]:
        """The places of tasks about what is kept outside of the book and of all engines."""
        kept = ((DIRECTORY, self.directory), (SHELF, self.shelf))
        return [(name, "") for name, part in kept if part is not None]


@dataclass(frozen=True, slots=True)
class Desk:
    """A registry, and what looks at faces."""

    registry: Registry
    reader: StillReader
    matcher: Matcher
    """The local one."""
    alike: Callable[[Embedding, Embedding], float]
    """Similarity 0..100 of two embeddings of one model. Raises MatchError."""
    known: Known
    threshold: float
    """Similarity from which a face is the person's own, 0..100."""
    turn: threading.Lock = field(default_factory=threading.Lock)
    """For whoever compares with the people here and then writes: one at a time."""


_TELLING: dict[str, Step] = {
    "BADGE_TAKEN": "badge",
    "NAME_TAKEN": "badge",
    "UNUSABLE_NAME": "badge",
    "UNUSABLE_BADGE": "badge",
    "PICTURE_TAKEN": "duplicate",
}
"""Words that say the step, wherever it was noticed: somebody may take a badge between the look and the writing."""


class Steps:
    """Where an enrollment is, for whoever has to tell how it ended."""

    def __init__(self) -> None:
        self.step: Step = "quality"


@contextmanager
def told(desk: Desk, kinds: tuple[str, str] | None, source: Source, person_id: str | None = None) -> Iterator[Steps]:
    """Write down how the block ends: ``kinds`` are the events of a refusal, and of one that broke off; None: nothing.

    The error goes on as it came, with ``step`` and ``reason`` filled in.
    """
    steps = Steps()
    try:
        yield steps
    except KioskError as error:
        error.reason = error.reason or word_of(error)
        steps.step = _TELLING.get(error.reason, steps.step)
        error.step = steps.step
        if kinds is not None:
            kind = kinds[0] if is_refusal(error) else kinds[1]
            _note(desk, kind, error.reason, steps, source, person_id)
        raise
    except BaseException:
        if kinds is not None:
            _note(desk, kinds[1], "INTERRUPTED", steps, source, person_id)
        raise


def is_refusal(error: KioskError) -> bool:
    """Whether it would be refused again as it is; otherwise a part failed, and it may be tried again."""
    if isinstance(error, MatchError):
        return error.undone and error.reason != "ENGINE_REFUSED"
    refused = isinstance(error, InputError | RecordsConflict | UnknownPerson) or error.reason.startswith("UNUSABLE_")
    return refused and error.reason != "MOVED"


def word_of(error: KioskError) -> str:
    """The word for an error that brought none."""
    words: tuple[tuple[type[KioskError], str], ...] = (
        (InputError, "UNUSABLE_PICTURE"),
        (RecordsConflict, "TAKEN"),
        (RecordsError, "RECORDS_LOST"),
        (UnknownPerson, "UNKNOWN_PERSON"),
        (ModelError, "MODELS_LOST"),
        (MatchError, "MATCH_FAILED"),
    )
    return next((word for kind, word in words if isinstance(error, kind)), "FAILED")


def _note(desk: Desk, kind: str, reason: str, steps: Steps, source: Source, person_id: str | None) -> None:
    # The disk that could not take the person cannot take the note either: the first error is the one to be told.
    with suppress(RecordsError):
        desk.registry.book.note(kind, reason, steps.step, source, person_id)
