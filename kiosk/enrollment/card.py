"""Register somebody with an identity card or a badge that bears a photograph.

Rules: the living face must be the face on the card; the card's photograph is compared with and never becomes a
template; what the card says is proposed, and only what the staff confirmed is written down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from kiosk.enrollment.cards.fields import CardFields, Conflict
from kiosk.enrollment.desk import Desk, Progress, Steps, silent, told
from kiosk.enrollment.living import Reference, living_stills
from kiosk.enrollment.register import KINDS, register
from kiosk.enrollment.stills import FaceRule, QualityRule, Still, digest_of
from kiosk.errors import InputError
from kiosk.values import Person, Pixels


class Reading(Protocol):
    """What was read off a card; ``hardware.cards.reader.CardReading``."""

    @property
    def fields(self) -> CardFields:
        """Proposed."""

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Fields on which sources differ."""

    @property
    def problems(self) -> tuple[str, ...]:
        """One line each, without a value."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card that was read. Personal data: never logged."""

    path: Path
    reading: Reading
    face: Still


@dataclass(frozen=True, slots=True)
class CardRules:
    """What a card must do."""

    similarity: float = 90.0
    """Least similarity 0..100 of the living face and the card's, here and by the first engine."""
    allow_expired: bool = False
    quality: QualityRule = "high"
    """Of the living face's pictures, and which face of one."""
    face: FaceRule = "only"
    allow_duplicate: bool = False


def read_card(desk: Desk, path: Path, read: Callable[[Pixels], Reading]) -> Card:
    """The card's face and its proposed fields. Raises InputError: not to be read, or no face on it."""
    with told(desk, KINDS, "card") as steps:
        steps.step = "card"
        try:
            pixels = desk.reader.load(path)
            face = desk.reader.read_pixels(pixels, path, digest_of(path), quality="none", face="largest")
        except InputError as error:
            error.reason = "NO_FACE_ON_CARD" if error.reason == "NO_FACE" else "UNUSABLE_CARD"
            raise
        return Card(path, read(pixels), face)


def register_with_card(
    desk: Desk,
    card: Card,
    name: str,
    paths: Sequence[Path],
    *,
    badge: str | None,
    today: date,
    rules: CardRules,
    live: Callable[[], Reference] | None = None,
    progress: Progress = silent,
) -> Person:
    """A new person from pictures of the living face. ``name`` and ``badge`` are as the staff confirmed them.

    Raises InputError (also: expired, or another face than the card's), RecordsConflict, MatchError; then nothing was
    written.
    """
    with told(desk, KINDS, "card") as steps:
        steps.step = "card"
        if _expired(card.reading, today) and not rules.allow_expired:
            mend = "ask for a valid one, or allow it"
            raise InputError("the card has expired", where=str(card.path), mend=mend, reason="CARD_EXPIRED")
        steps.step = "quality"
        stills = living_stills(desk, steps, paths, live, quality=rules.quality, face=rules.face, progress=progress)
        _refuse_other_face(desk, steps, card, stills, rules.similarity)
        return register(desk, steps, stills, name, badge, "card", allow_duplicate=rules.allow_duplicate)


def _expired(reading: Reading, today: date) -> bool:
    """Also when sources differ and one of them says so."""
    told = [read.value for one in reading.conflicts if one.field == "expiry_date" for read in one.readings]
    return bool(reading.fields.expired(today)) or any(isinstance(day, date) and day < today for day in told)


def _refuse_other_face(desk: Desk, steps: Steps, card: Card, stills: Sequence[Still], least: float) -> None:
    """The local model and, where there is one, the first engine must both see one person."""
    steps.step = "face"
    for still in stills:
        if still.sha256 == card.face.sha256:
            mend = "take a picture of the person"
            raise InputError("is the picture of the card", where=str(still.path), mend=mend, reason="CARD_MISMATCH")
        found = {"this machine": desk.alike(card.face.embedding, still.embedding)}
        for engine in desk.registry.engines[:1]:
            found[engine.name] = engine.compare(card.face.crop, still.crop)
        for where, similarity in found.items():
            if similarity < least:
                raise InputError(
                    f"shows another face than the card ({where}: similarity {similarity:.1f}, needed {least:g})",
                    where=str(still.path),
                    mend="check whose card it is; a better picture of the card may help",
                    reason="CARD_MISMATCH",
                )
