"""Register a person from pictures, and ask who a picture shows.

Rules:
- All or nothing: every picture must be usable, every engine must take the face, and the book writes person, badge,
  templates and faces in one transaction. What was added elsewhere before a step failed is taken back; what cannot be
  taken back now is written down and taken back later (``settle``). Until the book holds a person no door lets them in.
- The pictures must show one person, and somebody who is already enrolled, here or in any shard of any engine, is
  refused unless the caller insists: a second record of the same face would make every later match ambiguous. The
  engines are asked again once the face is in them, so that of two kiosks that enroll one face at once at most one
  succeeds.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from kiosk.enrollment.book import Entry, Picture
from kiosk.enrollment.desk import DEADLINE_S, Desk, Progress, Source, Steps, silent, told
from kiosk.enrollment.living import Reference, living_stills
from kiosk.enrollment.places import Directory, FaceEngine
from kiosk.enrollment.settle import end, is_taken, undo
from kiosk.enrollment.stills import FaceRule, QualityRule, Still
from kiosk.errors import MatchError, RecordsConflict, RecordsError, RecordsMoved, UnknownPerson
from kiosk.reasons import Reason
from kiosk.values import IndexedFace, Match, NewTemplate, Person
from kiosk.visit.quality import FaceMeasures

KINDS = "REGISTRATION_REFUSED", "REGISTRATION_INCOMPLETE"
Written = TypeVar("Written")
TRIES = 5
"""How often somebody else may be enrolled meanwhile."""


def enroll_images(
    desk: Desk,
    name: str,
    paths: Sequence[Path],
    *,
    badge: str | None = None,
    quality: QualityRule = "high",
    face: FaceRule = "only",
    allow_duplicate: bool = False,
    live: Callable[[], Reference] | None = None,
    progress: Progress = silent,
) -> Person:
    """A new person with one template a picture; ``live`` has somebody checked, whose picture is one more.

    Raises InputError for an unusable picture or a picture of somebody else, RecordsConflict for a taken name, badge
    or picture, or a face that is enrolled already, MatchError for an engine that does not answer; then nothing was
    written.
    """
    with told(desk, KINDS, "photo") as steps:
        stills = living_stills(desk, steps, paths, live, quality=quality, face=face, progress=progress)
        source: Source = "photo" if live is None else "session"
        return register(desk, steps, stills, name, badge, source, allow_duplicate=allow_duplicate)


def register(
    desk: Desk,
    steps: Steps,
    stills: Sequence[Still],
    name: str,
    badge: str | None,
    source: Source,
    *,
    allow_duplicate: bool = False,
    person_id: str | None = None,
) -> Person:
    """Duplicate search, index, store. Raises as ``enroll_images``.

    ``person_id``: of an earlier try of the same registration, of which an engine may still hold a face.
    """
    person_id = person_id or str(uuid.uuid4())
    steps.step = "badge"
    desk.registry.book.check_free(name, badge)
    steps.step = "duplicate"
    if not allow_duplicate:
        with desk.turn:
            desk.known.follow()
            refuse_unseen(desk)
        refuse_known_elsewhere(desk, stills, but=person_id)
    with Adding(desk, person_id, steps) as adding:
        steps.step = "badge"
        if desk.registry.directory is not None:
            _claim(desk.registry.directory, person_id, badge)
        adding.index(stills)
        if not allow_duplicate:
            steps.step = "duplicate"
            refuse_known_elsewhere(desk, stills, but=person_id)
        entry = replace(entry_of(desk, person_id, stills, adding.faces), looks=[*adding.looks, *adding.aside])
        adding.keep(stills)
        adding.confirm(entry.faces)

        def write(stamp: str) -> Person:
            person, after = desk.registry.book.register(entry, name, badge, stamp, source)
            adding.done = True
            desk.known.took(entry, after)
            return person

        return written(desk, steps, stills, write, allow_duplicate=allow_duplicate)


def written(
    desk: Desk,
    steps: Steps,
    stills: Sequence[Still],
    write: Callable[[str], Written],
    *,
    allow_duplicate: bool,
    but: str = "",
) -> Written:
    """What ``write`` gives when nobody (but ``but``) has the face as of the stamp that it is given.

    Somebody enrolled meanwhile: looked and written again. Raises RecordsMoved when that never ends, RecordsConflict.
    """
    for _ in range(TRIES):
        with desk.turn, suppress(RecordsMoved):
            steps.step = "duplicate"
            stamp = desk.known.follow()
            if not allow_duplicate:
                refuse_known_here(desk, stills, but=but)
            steps.step = "store"
            return write(stamp)
    raise RecordsMoved("others are being enrolled all the time", mend="try again", reason="MOVED")


def _claim(directory: Directory, person_id: str, badge: str | None) -> None:
    try:
        directory.claim(person_id, badge)
    except RecordsConflict as error:
        error.reason = error.reason or "BADGE_TAKEN"
        raise


class Adding:
    """Faces being added to the engines for a person; whatever ends it before ``done`` has them taken back."""

    def __init__(self, desk: Desk, person_id: str, steps: Steps, *, new: bool = True) -> None:
        """``new``: claim and pictures elsewhere are to go too; else the person was there before."""
        self.done = False
        self.faces: list[IndexedFace] = []
        self.looks: list[int] = []
        """Tasks in engines; ``aside``: about directory and shelf."""
        self.aside: list[int] = []
        self._desk = desk
        self._person_id = person_id
        self._steps = steps
        self._sure = True
        self._new = new

    def __enter__(self) -> Adding:
        places = [(engine.name, engine.collection_of(self._person_id)) for engine in self._desk.registry.engines]
        begin, owner = self._desk.registry.book.begin, self._desk.registry.owner
        self.looks = list(begin(self._person_id, places, owner, self._desk.registry.addresses)) if places else []
        aside = self._desk.registry.aside
        self.aside = list(begin(self._person_id, aside, owner)) if aside else []
        if self.aside and is_taken(self._desk.registry, self._person_id, min(self.aside)):
            self._steps.step = "store"
            end(self._desk.registry, self._person_id, [*self.looks, *self.aside])  # nothing was asked yet
            mend = "try again in a minute"
            raise RecordsMoved("another process is at this person's pictures just now", mend=mend, reason="MOVED")
        return self

    def __exit__(self, *_: object) -> None:
        if self.done:
            return
        # What fails here stays a task, or a claim that ends by itself: the error that led here is the one to be told.
        with suppress(RecordsError):
            undo(self._desk.registry, self._person_id, self.faces, [*self.looks, *self.aside], sure=self._sure)

    def index(self, stills: Sequence[Still], engines: Sequence[FaceEngine] | None = None) -> None:
        """Every picture into every engine. Raises MatchError."""
        self._steps.step = "index"
        for engine in self._desk.registry.engines if engines is None else engines:
            for still in stills:
                self._sure = False  # also for whatever is no MatchError: Ctrl-C comes anywhere
                try:
                    self.faces.append(engine.index(self._person_id, still.crop, still.rule))
                except MatchError as error:
                    self._sure = error.undone
                    raise
                self._sure = True

    def keep(self, stills: Sequence[Still]) -> None:
        """Pictures on the shelf, beside those that are there: which ones stay is for the book. Raises RecordsError."""
        self._steps.step = "store"
        shelf, book = self._desk.registry.shelf, self._desk.registry.book
        if shelf is None:
            return
        if not self._new and book.shelved(self._person_id) is None:
            book.adopt(self._person_id, sorted(shelf.names(self._person_id)))
        for sha256, crop in _kept(self._desk, stills).items():
            shelf.keep(self._person_id, sha256, crop)

    def confirm(self, faces: Sequence[IndexedFace]) -> None:
        """Tell the directory, where there is one. Raises RecordsError, UnknownPerson."""
        self._steps.step = "store"
        if self._desk.registry.directory is not None:
            self._desk.registry.directory.confirm(self._person_id, faces)


def _kept(desk: Desk, stills: Sequence[Still]) -> dict[str, bytes]:
    """What is to be on the shelf of them, by SHA-256: of the face with a little around it, not of the file."""
    return {hashlib.sha256(still.crop).hexdigest(): still.crop for still in stills if desk.registry.keeps_pictures}


def entry_of(desk: Desk, person_id: str, stills: Sequence[Still], faces: Sequence[IndexedFace]) -> Entry:
    """What the book is to hold; pictures only where it is the place for them."""
    templates = [NewTemplate(still.embedding, still.sha256, quality_figures(still.measures)) for still in stills]
    shelved = None if desk.registry.shelf is None else sorted(_kept(desk, stills))
    keeps = desk.registry.keeps_pictures and shelved is None
    pictures = [Picture(still.sha256, still.crop) for still in stills] if keeps else []
    return Entry(person_id, templates, tuple(faces), pictures, shelved, addresses=desk.registry.addresses)


def identify_image(desk: Desk, path: Path, *, quality: QualityRule = "high", face: FaceRule = "only") -> Match:
    """Who the picture shows. Raises InputError for an unusable picture, MatchError."""
    still = desk.reader.read(path, quality=quality, face=face)
    return desk.matcher.search(still.embedding, deadline_s=DEADLINE_S)


def quality_figures(measures: FaceMeasures) -> Mapping[str, float]:
    """What is kept of the quality beside a template."""
    figures = {
        "brightness": measures.brightness,
        "sharpness": measures.sharpness,
        "eye_distance_px": measures.eye_distance_px,
        "yaw_deg": measures.pose.yaw_deg,
        "pitch_deg": measures.pose.pitch_deg,
    }
    return {name: round(float(value), 2) for name, value in figures.items() if value is not None}


def refuse_known_here(desk: Desk, stills: Sequence[Still], *, but: str = "") -> None:
    """Raises RecordsConflict for a face that is enrolled on this machine, by anybody but ``but``, or may be.

    Whoever is known (``but``) makes nobody new, and proved by their old face who they are.
    """
    if not but:
        refuse_unseen(desk)
    for still in stills:
        match = desk.known.everybody.search(still.embedding, deadline_s=DEADLINE_S)
        if match.reason is Reason.AMBIGUOUS_PERSON or (match.reason is Reason.WELCOME and match.person_id != but):
            who = "several people" if match.person_id is None else _called(desk, match.person_id)
            raise _duplicate(still, who, match.similarity)


def refuse_unseen(desk: Desk) -> None:
    """Raises RecordsConflict while anybody may be enrolled whose face cannot be compared; as of the last ``follow``."""
    if desk.known.unseen:
        raise RecordsConflict(
            f"{desk.known.unseen} people are known by no face model in use: this face may be one of theirs",
            mend="set identity.embedder_before, or kiosk reindex; or allow the duplicate",
            reason="UNKNOWN_MODEL",
        )


def refuse_known_elsewhere(desk: Desk, stills: Sequence[Still], *, but: str = "") -> None:
    """Raises RecordsConflict for a face that an engine knows, by anybody but ``but``; MatchError."""
    for engine in desk.registry.engines:
        for still in stills:
            for person_id, similarity in engine.alike(still.crop).items():
                if person_id != but:
                    raise _duplicate(still, f"{_called(desk, person_id)} ({engine.name})", similarity)


def _called(desk: Desk, person_id: str) -> str:
    """With the name where the book knows it, for whoever sits at the desk."""
    try:
        return f"{desk.registry.book.find(person_id).name} {person_id}"
    except (UnknownPerson, RecordsError):
        return person_id


def _duplicate(still: Still, who: str, similarity: float) -> RecordsConflict:
    return RecordsConflict(
        f"this face is enrolled already as {who} (similarity {similarity:.1f})",
        where=str(still.path),
        mend="remove that person first, or allow the duplicate",
        reason="DUPLICATE_FACE",
    )
