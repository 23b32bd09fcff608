"""A picture of a card, read by every means that is there: what it proposes, what contradicts, what went wrong.

Rules:
- A means that is missing (weights, library, service) or fails is told in ``problems``; the others go on.
- Problems and conflicts name fields and causes, never a value: they may be logged.
- Nothing is decided: staff confirm each field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from hardware.cards.barcodes import Barcode, bounded, read_barcodes
from hardware.cards.textlines import LineScores, zone_texts
from kiosk.config.enrollment import CardsSettings
from kiosk.enrollment.cards.aamva import is_aamva, parse_aamva
from kiosk.enrollment.cards.badge import badge_number, compiled
from kiosk.enrollment.cards.fields import CardFields, Conflict, Read, merged
from kiosk.enrollment.cards.mrz import SURE, parse_mrz
from kiosk.errors import InputError, KioskError, ModelError
from kiosk.values import Pixels

MOST_SIDE_PX = 3200
"""Of the picture that a zone is read off."""


@dataclass(frozen=True, slots=True)
class CardReading:
    """What one picture says."""

    fields: CardFields
    conflicts: tuple[Conflict, ...]
    tried: tuple[str, ...]
    """What was asked: ``zone``, ``barcodes``, ``textract``."""
    problems: tuple[str, ...]
    """One line each."""


class CardReader:
    """Reads cards. ``read`` may be called from several threads if ``lines`` and ``textract`` may."""

    def __init__(
        self,
        settings: CardsSettings,
        looks_like_badge: Callable[[str], bool],
        today: Callable[[], date],
        *,
        lines: LineScores | None = None,
        textract: Callable[[Pixels], CardFields] | None = None,
        absent: Sequence[str] = (),
    ) -> None:
        """``lines`` are ``TextLineModel.scores``, ``textract`` is ``TextractReader.read``; ``absent`` tells why one is
        None although it is wanted. Raises ConfigurationError: the badge pattern cannot be used."""
        self._settings = settings
        self._looks_like_badge = looks_like_badge
        self._pattern: re.Pattern[str] | None = compiled(settings.badge_pattern)
        self._today = today
        self._lines = lines
        self._textract = textract
        self._absent = tuple(absent)

    def read(self, pixels: Pixels) -> CardReading:
        """What ``(H, W, 3) uint8 RGB`` of a card says; a card that says nothing is told in ``problems``."""
        readings: list[CardFields] = []
        tried: list[str] = []
        problems = list(self._absent)
        if self._settings.barcodes:
            tried.append("barcodes")
            readings += self._barcodes(pixels, problems)
        if self._lines is not None:
            tried.append("zone")
            readings += self._zone(pixels, self._lines, problems)
        if self._textract is not None:
            tried.append("textract")
            try:
                readings.append(self._textract(pixels))
            except KioskError as error:
                problems.append(str(error))
        together = merged(*readings)
        problems += [str(conflict) for conflict in together.conflicts]
        if not any(readings):
            problems.append("nothing was read off the card")
        return CardReading(together.fields, together.conflicts, tuple(tried), tuple(problems))

    def _barcodes(self, pixels: Pixels, problems: list[str]) -> list[CardFields]:
        try:
            found = read_barcodes(pixels, self._settings.barcodes)
        except KioskError as error:
            problems.append(str(error))
            return []
        readings = []
        for barcode in found:
            try:
                reading = self._said(barcode)
            except InputError as error:
                problems.append(str(error))
                continue
            if reading is None:
                problems.append(f"a barcode ({barcode.kind}) is no badge number")
            else:
                readings.append(reading)
        return readings

    def _said(self, barcode: Barcode) -> CardFields | None:
        if is_aamva(barcode.text):
            return parse_aamva(barcode.text, self._settings.licence_country)
        number = badge_number(barcode.text, self._looks_like_badge, self._pattern)
        return None if number is None else CardFields(badge_number=Read(number, barcode.kind))

    def _zone(self, pixels: Pixels, lines: LineScores, problems: list[str]) -> list[CardFields]:
        """The first candidate whose check digits agree."""
        best: InputError | None = None
        try:
            for text in zone_texts(bounded(pixels, MOST_SIDE_PX), lines):
                try:
                    fields = parse_mrz(text.lines, self._today(), text.sure)
                except InputError as error:
                    best = best or error
                    continue
                problems += _unsure(fields)
                return [fields]
        except ModelError as error:
            best = InputError(error.what, where=error.where, mend=error.mend)
        if best is not None:
            problems.append(str(best))
        return []


def _unsure(fields: CardFields) -> list[str]:
    return [
        f"machine-readable zone: the {name.replace('_', ' ')} is not surely read"
        for name, read in fields
        if read.confidence is not None and read.confidence < SURE
    ]
