"""Register a person from pictures, and ask who a picture shows.

Rules:
- All or nothing: every picture must be usable, and the store writes person, badge and templates in one transaction.
- The pictures must show one person, and somebody who is already enrolled is refused unless the caller insists:
  a second record of the same face would make every later match ambiguous.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kiosk.enrollment.stills import FaceRule, QualityRule, Still, StillReader
from kiosk.errors import InputError, RecordsConflict
from kiosk.ports import Matcher
from kiosk.reasons import Reason
from kiosk.values import Embedding, Match, NewTemplate, Person
from kiosk.visit.quality import FaceMeasures

SAME_PERSON = 80.0
"""Least similarity of a further picture to the first one: photos of one person years apart stay well above."""
DEADLINE_S = 10.0
Progress = Callable[[str, int, int], None]
"""(what, pictures done, pictures in all)."""


class PersonStore(Protocol):
    """The part of the store that registering needs."""

    def add_person(self, name: str, badge: str | None = None, templates: Sequence[NewTemplate] = ()) -> Person:
        """A new person with badge and templates, all or nothing. Raises RecordsConflict."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What registering works with; joined by the composition root."""

    reader: StillReader
    matcher: Matcher
    alike: Callable[[Embedding, Embedding], float]
    """Similarity 0..100 of two embeddings: ``Scale.between``."""
    store: PersonStore


def _silent(_what: str, _done: int, _total: int) -> None:
    """No progress shown."""


def enroll_images(
    desk: Desk,
    name: str,
    paths: Sequence[Path],
    *,
    badge: str | None = None,
    quality: QualityRule = "high",
    face: FaceRule = "only",
    allow_duplicate: bool = False,
    progress: Progress = _silent,
) -> Person:
    """A new person with one template a picture.

    Raises InputError for an unusable picture or a picture of somebody else, RecordsConflict for a taken name, badge
    or picture, or a face that is enrolled already; then nothing was written.
    """
    if not paths:
        raise InputError("no picture given", where="enroll")
    stills: list[Still] = []
    for path in paths:
        progress("pictures", len(stills), len(paths))
        stills.append(desk.reader.read(path, quality=quality, face=face))
    progress("pictures", len(paths), len(paths))
    _refuse_mixture(desk, stills)
    if not allow_duplicate:
        _refuse_known(desk, stills)
    templates = [NewTemplate(still.embedding, still.sha256, quality_figures(still.measures)) for still in stills]
    return desk.store.add_person(name, badge, templates)


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


def _refuse_mixture(desk: Desk, stills: Sequence[Still]) -> None:
    first = stills[0]
    for other in stills[1:]:
        similarity = desk.alike(first.embedding, other.embedding)
        if similarity < SAME_PERSON:
            raise InputError(
                f"shows somebody else than {first.path.name} (similarity {similarity:.0f})",
                where=str(other.path),
                mend="give pictures of one person",
            )


def _refuse_known(desk: Desk, stills: Sequence[Still]) -> None:
    for still in stills:
        match = desk.matcher.search(still.embedding, deadline_s=DEADLINE_S)
        if match.reason in (Reason.WELCOME, Reason.AMBIGUOUS_PERSON):
            who = match.person_id or "several people"
            raise RecordsConflict(
                f"this face is enrolled already as {who} (similarity {match.similarity:.1f})",
                where=str(still.path),
                mend="remove that person first, or allow the duplicate",
            )
