"""What a card says about its holder, each field with where it was read. Proposals: nothing here decides anything.

Rules:
- Only what enrolling needs is kept: names, numbers, two dates, issuer and kind. No sex, address or place of birth.
- Personal data: no ``repr`` shows a value, so that none reaches a log or a traceback.
- Readings that contradict each other are told, never chosen between: the field stays empty until staff say.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Generic, Literal, TypeVar

Source = Literal["mrz", "pdf417", "qr", "code128", "datamatrix", "aztec", "textract"]
Kind = Literal["passport", "identity card", "visa", "driving licence", "badge"]
T = TypeVar("T", str, date)

_SPELT: Mapping[str, str] = {"Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA", "Ø": "OE", "Æ": "AE", "Œ": "OE", "Þ": "TH"}
"""How ICAO Doc 9303 part 3, section 6 writes letters that the zone does not have; the others lose their marks."""
_FAITHFUL: tuple[Source, ...] = ("pdf417", "textract", "mrz", "qr", "datamatrix", "aztec", "code128")
"""Of readings that agree, the first is kept: the machine-readable zone has no accents, and cuts long names off."""


@dataclass(frozen=True, slots=True, repr=False)
class Read(Generic[T]):
    """One field of a card as one source has it."""

    value: T
    source: Source
    confirmed: bool = False
    """A check digit of the document agrees."""
    truncated: bool = False
    """The source had no room for all of it."""
    confidence: float | None = None
    """0..100, where the source tells."""

    def __repr__(self) -> str:
        return f"Read(<{self.source}{', confirmed' if self.confirmed else ''}>)"


@dataclass(frozen=True, slots=True, repr=False)
class CardFields:
    """The proposed fields. Personal data: never logged."""

    given_names: Read[str] | None = None
    surname: Read[str] | None = None
    document_number: Read[str] | None = None
    badge_number: Read[str] | None = None
    birth_date: Read[date] | None = None
    expiry_date: Read[date] | None = None
    issuing_country: Read[str] | None = None
    """ISO 3166-1 alpha-3, or a code of ICAO Doc 9303 part 3 such as ``D`` or ``UTO``."""
    document_kind: Read[str] | None = None
    """A ``Kind``."""

    def __repr__(self) -> str:
        return f"CardFields({', '.join(f'{name}={read!r}' for name, read in self)})"

    def __iter__(self) -> Iterator[tuple[str, Read[str] | Read[date]]]:
        """Name and reading of every field that was read."""
        for one in fields(self):
            read = getattr(self, one.name)
            if read is not None:
                yield one.name, read

    def __bool__(self) -> bool:
        return any(True for _ in self)

    @property
    def name(self) -> str | None:
        """The name as a record might bear it, ``Ada Lovelace``; None where no name was read."""
        parts = [displayed(read.value) for read in (self.given_names, self.surname) if read is not None]
        return " ".join(part for part in parts if part) or None

    def expired(self, today: date) -> bool | None:
        """Whether the document's last day is over; None where it tells none."""
        return None if self.expiry_date is None else self.expiry_date.value < today


@dataclass(frozen=True, slots=True, repr=False)
class Conflict:
    """One field of which sources tell different things. Personal data: never logged."""

    field: str
    readings: tuple[Read[str] | Read[date], ...]

    def __repr__(self) -> str:
        return f"Conflict({self.field!r}, {', '.join(read.source for read in self.readings)})"

    def __str__(self) -> str:
        return f"{self.field.replace('_', ' ')}: {' and '.join(read.source for read in self.readings)} differ"


@dataclass(frozen=True, slots=True)
class Merged:
    """Several readings as one."""

    fields: CardFields
    conflicts: tuple[Conflict, ...] = field(default=())


def merged(*readings: CardFields) -> Merged:
    """What the readings agree on; a field on which two of them differ stays empty and is told as a conflict.

    Spellings of one name agree: accents, case, hyphens, ICAO's transliteration, and a name that its source cut off.
    """
    found: dict[str, Read[str] | Read[date]] = {}
    conflicts: list[Conflict] = []
    for one in fields(CardFields):
        reads = [read for read in (getattr(reading, one.name) for reading in readings) if read is not None]
        if not reads:
            continue
        agree = _equal if one.name == "badge_number" else _agree
        if all(agree(left, right) for number, left in enumerate(reads) for right in reads[number + 1 :]):
            found[one.name] = min(reads, key=lambda read: _rank(read, reads))
        else:
            conflicts.append(Conflict(one.name, tuple(reads)))
    return Merged(CardFields(**found), tuple(conflicts))  # type: ignore[arg-type]  # each came from its own field


def displayed(name: str) -> str:
    """A name in capitals as people write it: ``ANNA-MARIA O'NEILL`` is ``Anna-Maria O'Neill``; others stay as is."""
    tidy = " ".join(name.split())
    return tidy.title() if tidy.upper() == tidy else tidy


def _rank(read: Read[str] | Read[date], among: Sequence[object]) -> tuple[bool, bool, int, int]:
    """Whole before cut off, confirmed first; of the like the most faithful source, then the order given."""
    return (read.truncated, not read.confirmed, _FAITHFUL.index(read.source), among.index(read))


def _equal(one: Read[str] | Read[date], other: Read[str] | Read[date]) -> bool:
    """As the records compare badges: capitals and small letters are the same, nothing else is."""
    return str(one.value).casefold() == str(other.value).casefold()


def _agree(one: Read[str] | Read[date], other: Read[str] | Read[date]) -> bool:
    if isinstance(one.value, date) or isinstance(other.value, date):
        return one.value == other.value
    for left in _spellings(one.value):
        for right in _spellings(other.value):
            if left == right:
                return True
            if one.truncated and left and right.startswith(left):
                return True
            if other.truncated and right and left.startswith(right):
                return True
    return False


def _spellings(text: str) -> set[str]:
    """The text's letters and digits in capitals, without marks, and as ICAO Doc 9303 spells them."""
    large = unicodedata.normalize("NFC", text).upper().replace("ß", "SS")
    return {_bare(large), _bare("".join(_SPELT.get(letter, letter) for letter in large))}


def _bare(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if letter.isalnum())
