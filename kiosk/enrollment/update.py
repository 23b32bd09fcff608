"""New pictures for somebody who is enrolled: the old face must match, then the new ones take its place everywhere.

Rules: the new faces are added to every engine and the new pictures put on the shelf first, then the book changes in one
transaction, then the old ones go. Cut off before the transaction, the new ones are taken back; after it, the old ones
are a task. At every moment the person is known by the old faces, or by both, or by the new ones; so are the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kiosk.enrollment.desk import Desk, Progress, silent, told
from kiosk.enrollment.living import read_stills
from kiosk.enrollment.register import (
    Adding,
    entry_of,
    refuse_known_elsewhere,
    written,
)
from kiosk.enrollment.settle import settle_after
from kiosk.enrollment.stills import FaceRule, QualityRule, Still
from kiosk.errors import InputError, KioskError
from kiosk.values import Person

KINDS = "PHOTO_UPDATE_REFUSED", "PHOTO_UPDATE_INCOMPLETE"


@dataclass(frozen=True, slots=True)
class Updated:
    """Who has new pictures, and what is still to be done elsewhere."""

    person: Person
    waiting: int
    """Old faces and pictures in places that did not answer; they are erased later."""
    problems: tuple[str, ...] = ()


def update_images(
    desk: Desk,
    ref: str,
    paths: Sequence[Path],
    *,
    quality: QualityRule = "high",
    face: FaceRule = "only",
    allow_duplicate: bool = False,
    progress: Progress = silent,
) -> Updated:
    """Put new pictures in the place of the person's old ones.

    Raises UnknownPerson, InputError (unusable, or not this person's face), RecordsConflict (somebody else's too),
    MatchError; then nothing was changed.
    """
    person = desk.registry.book.find(ref)
    known = person.person_id
    with told(desk, KINDS, "photo", known) as steps:
        stills = read_stills(desk, paths, quality=quality, face=face, progress=progress)
        steps.step = "face"
        refuse_other(desk, person, stills)
        steps.step = "duplicate"
        if not allow_duplicate:
            refuse_known_elsewhere(desk, stills, but=known)
        with Adding(desk, known, steps, new=False) as adding:
            adding.index(stills)
            adding.keep(stills)
            entry = replace(entry_of(desk, known, stills, adding.faces), looks=adding.looks)
            change = partial(desk.registry.book.change, entry)
            written(desk, steps, stills, change, allow_duplicate=allow_duplicate, but=known)
            adding.done = True
    problems = []
    try:
        adding.confirm(entry.faces)
    except KioskError as error:  # the change stands: what lags behind is told, not undone
        problems.append(str(error))
    done = settle_after(desk.registry, known, answered=adding.aside)
    return Updated(person, done.waiting, (*problems, *done.problems))


def refuse_other(desk: Desk, person: Person, stills: Sequence[Still]) -> None:
    """Raises InputError for a picture that does not show the face that the person is enrolled by."""
    for still in stills:
        alike = _likeness(desk, person.person_id, still)
        if alike is None:
            raise InputError(
                "has no face of a face model in use to compare with",
                where=person.person_id,
                mend="set identity.embedder_before, or remove the person and enroll them anew, in person",
                reason="NO_OLD_FACE",
            )
        if alike < desk.threshold:
            raise InputError(
                f"does not show the person who is enrolled (similarity {alike:.1f}, needed {desk.threshold:g})",
                where=str(still.path),
                mend="check the picture; for a face that changed much, remove the person and enroll them in person",
                reason="FACE_CHANGED",
            )


def _likeness(desk: Desk, person_id: str, still: Still) -> float | None:
    """Similarity to the most alike template of the person: of the present model, or of the one before where there are
    none of it; None: there are none of both."""
    for probe in (still.embedding, still.embedding.before):
        old = [] if probe is None else desk.registry.book.templates_of(person_id, probe.model_version)
        if probe is not None and old:
            return max(desk.alike(probe, one) for one in old)
    return None
