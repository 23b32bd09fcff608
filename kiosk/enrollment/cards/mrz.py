"""Machine-readable zones: ICAO Doc 9303 (8th edition) parts 3 to 7.

Rules:
- Text in, fields out: lines of capitals, digits and ``<``, of 3 x 30 (TD1), 2 x 36 (TD2, MRV-B) or 2 x 44 (TD3, MRV-A).
- Every check digit of the zone must agree, or nothing is told. Names, issuer and kind have no check digit.
- A character that its place forbids (a letter in a date, a digit in a name) is repaired where exactly one look-alike
  is allowed there: O/0, I/1, S/5, B/8, Z/2. The check digits judge the repaired zone. In document numbers both
  readings are allowed: nothing is repaired.
- Years have two digits. A birth lies in the last hundred years; an expiry is the one nearest to today, 50 years at
  most: part 3 leaves the choice to the reader.
- Transliterations are left as printed: MUELLER may be Müller or Mueller, which only the holder knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle

from kiosk.enrollment.cards.fields import CardFields, Kind, Read
from kiosk.errors import InputError

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
_LETTERS, _DIGITS = ALPHABET[:26], ALPHABET[26:36]
SURE = 50.0
"""Least confidence of a field that its check digit confirms, 0..100."""
WHERE = "machine-readable zone"
LOOK_ALIKES = (("O", "0"), ("I", "1"), ("S", "5"), ("B", "8"), ("Z", "2"))
_TO_DIGIT = str.maketrans(dict(LOOK_ALIKES))
_TO_LETTER = str.maketrans({digit: letter for letter, digit in LOOK_ALIKES})
_PART = tuple[int, int, int]
"""(line, first character, behind the last)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one format keeps its parts."""

    name: str
    lines: int
    length: int
    names: _PART
    number: _PART
    number_check: _PART
    number_rest: _PART | None
    """Where a document number goes on that is longer than its place."""
    birth: _PART
    birth_check: _PART
    expiry: _PART
    expiry_check: _PART
    nationality: _PART
    optional: _PART | None = None
    optional_check: _PART | None = None
    composite: tuple[_PART, ...] = ()
    composite_check: _PART | None = None


def _two_lines(name: str, length: int, **parts: object) -> Layout:
    """TD2, TD3 and both visas agree in all but the end of the second line (parts 4, 6 and 7)."""
    return Layout(
        name, 2, length, (0, 5, length), (1, 0, 9), (1, 9, 10), parts.pop("number_rest", None),  # type: ignore[arg-type]
        (1, 13, 19), (1, 19, 20), (1, 21, 27), (1, 27, 28), (1, 10, 13), **parts,  # type: ignore[arg-type]
    )  # fmt: skip


TD1 = Layout(
    "TD1", 3, 30, (2, 0, 30), (0, 5, 14), (0, 14, 15), (0, 15, 30),
    (1, 0, 6), (1, 6, 7), (1, 8, 14), (1, 14, 15), (1, 15, 18),
    composite=((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)), composite_check=(1, 29, 30),
)  # fmt: skip
"""Part 5, section 4.2: cards of the size of a bank card."""
TD2 = _two_lines(
    "TD2", 36, number_rest=(1, 28, 35), composite=((1, 0, 10), (1, 13, 20), (1, 21, 35)), composite_check=(1, 35, 36)
)
"""Part 6, section 4.2."""
TD3 = _two_lines(
    "TD3", 44, optional=(1, 28, 42), optional_check=(1, 42, 43),
    composite=((1, 0, 10), (1, 13, 20), (1, 21, 43)), composite_check=(1, 43, 44),
)  # fmt: skip
"""Part 4, section 4.2: passports."""
MRV_A = _two_lines("MRV-A", 44)
MRV_B = _two_lines("MRV-B", 36)
"""Part 7, section 4: visas, without a composite check digit."""


def allowed(lines: int, length: int) -> tuple[tuple[str, ...], ...]:
    """Which characters may stand at each place of a zone of so many lines, whatever its kind. Raises KeyError."""
    layout = {(3, 30): TD1, (2, 36): TD2, (2, 44): TD3}[lines, length]
    places = [[ALPHABET] * length for _ in range(lines)]
    for parts, letters in (
        ((layout.birth, layout.expiry, layout.number_check), _DIGITS + "<"),
        ((layout.birth_check, layout.expiry_check), _DIGITS + "<"),
        (((0, 1, 5), layout.names, layout.nationality), _LETTERS + "<"),
        (((0, 0, 1),), "ACIPV"),
    ):
        for line, first, behind in parts:
            places[line][first:behind] = [letters] * (behind - first)
    if layout is TD1:  # in two lines these places are free in a visa
        line, first, behind = layout.composite_check or (1, 29, 30)
        places[line][first:behind] = [_DIGITS]
    return tuple(tuple(line) for line in places)


def check_digit(text: str) -> int:
    """Part 3, section 4.9: weights 7, 3, 1, the sum's remainder by 10; ``<`` counts 0, A 10 ... Z 35."""
    return sum(weight * _worth(letter) for letter, weight in zip(text, cycle((7, 3, 1)), strict=False)) % 10


def parse_mrz(lines: Sequence[str], today: date, sure: Sequence[Sequence[float]] = ()) -> CardFields:
    """The fields of a zone. Raises InputError: not a zone, or one whose check digits do not agree.

    ``sure``: 0..1 for each character, of one who read them off a picture. A field is as sure as its least sure
    character, and is not confirmed below ``SURE``: one number in ten agrees with its check digit by chance.
    """
    tidy = [re.sub(r"\s", "", line).upper() for line in lines]
    if any(set(line) - set(ALPHABET) for line in tidy):
        raise InputError("holds characters that no such zone has", where=WHERE)
    layout = _layout_of(tidy)
    zone = _Zone(layout, _repaired(tidy, layout), tuple(tuple(line) for line in sure))
    zone.check()
    surname, given = zone.names()
    return CardFields(
        given_names=given,
        surname=surname,
        document_number=zone.number(),
        birth_date=zone.date(layout.birth, today, birth=True),
        expiry_date=zone.date(layout.expiry, today, birth=False),
        issuing_country=Read(zone.country(), "mrz", confidence=zone.confidence((0, 2, 5))),
        document_kind=Read(zone.kind(), "mrz"),
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Zone:
    """A zone of a known format."""

    layout: Layout
    lines: tuple[str, ...]
    sure: tuple[tuple[float, ...], ...]

    def confidence(self, *parts: _PART) -> float | None:
        """0..100: that of the least sure character; None where nobody told."""
        told = [self.sure[line][first:behind] for line, first, behind in parts] if self.sure else []
        return 100.0 * min(min(part) for part in told) if told else None

    def at(self, part: _PART) -> str:
        line, first, behind = part
        return self.lines[line][first:behind]

    def check(self) -> None:
        """Raises InputError for the first check digit that does not agree."""
        layout = self.layout
        number, digit = self._long_number()
        if not number:
            raise InputError("has no document number", where=WHERE)
        pairs = [
            ("the document number", number, digit),
            ("the birth date", self.at(layout.birth), self.at(layout.birth_check)),
            ("the expiry date", self.at(layout.expiry), self.at(layout.expiry_check)),
        ]
        if layout.optional is not None and layout.optional_check is not None:
            pairs.append(("the personal number", self.at(layout.optional), self.at(layout.optional_check)))
        if layout.composite_check is not None:
            whole = "".join(self.at(part) for part in layout.composite)
            pairs.append(("the whole zone", whole, self.at(layout.composite_check)))
        for what, text, found in pairs:
            empty = found == "<" and not text.strip("<")  # parts 4 and 5 allow either for a field that is not used
            if not empty and found != str(check_digit(text)):
                mend = "photograph the card again, evenly lit and sharp"
                raise InputError(f"the check digit of {what} does not agree", where=WHERE, mend=mend)
        for code in (self.lines[0][2:5], self.at(layout.nationality)):
            if not re.fullmatch(r"[A-Z]{1,3}<*", code):
                raise InputError("names no country", where=WHERE)

    def number(self) -> Read[str]:
        """The document number, without fillers at its end. One within it (which stands for a hyphen or blank) leaves it
        unconfirmed: check digits do not tell it from A, K, U and 0."""
        number, _ = self._long_number()
        parts = [self.layout.number]
        if len(number) > 9 and self.layout.number_rest is not None:
            line, first, _ = self.layout.number_rest
            parts.append((line, first, first + len(number) - 9))
        number, confidence = number.rstrip("<"), self.confidence(*parts)
        return Read(number, "mrz", confirmed="<" not in number and _is_sure(confidence), confidence=confidence)

    def date(self, part: _PART, today: date, *, birth: bool) -> Read[date] | None:
        """Raises InputError for one that no calendar has."""
        value, confidence = _date(self.at(part), today, birth=birth), self.confidence(part)
        return None if value is None else Read(value, "mrz", confirmed=_is_sure(confidence), confidence=confidence)

    def _long_number(self) -> tuple[str, str]:
        """Number and check digit. One of more than nine characters has ``<`` for its check digit and goes on in the
        optional data, where its own check digit ends it (part 5, note j; part 6, note j)."""
        layout = self.layout
        number, digit = self.at(layout.number), self.at(layout.number_check)
        rest = "" if layout.number_rest is None else self.at(layout.number_rest).partition("<")[0]
        if digit != "<" or len(rest) < 2 or "<" in number:
            return number if number.strip("<") else "", digit
        return number + rest[:-1], rest[-1]

    def names(self) -> tuple[Read[str] | None, Read[str] | None]:
        """Surname and given names (part 3, section 4.6). A field filled to its last place may have been cut off."""
        text = self.at(self.layout.names)
        line, start, _ = self.layout.names
        surname, _, given = text.rstrip("<").partition("<<")
        cut = not text.endswith("<")
        split = start + len(surname)
        return (
            _name(surname, self.confidence((line, start, split)) if surname else None, truncated=cut and not given),
            _name(given, self.confidence((line, split + 2, split + 2 + len(given))) if given else None, truncated=cut),
        )

    def country(self) -> str:
        """The issuer's code."""
        return self.lines[0][2:5].rstrip("<")

    def kind(self) -> Kind:
        """By the first character of the document code."""
        return {"P": "passport", "V": "visa"}.get(self.lines[0][0], "identity card")  # type: ignore[return-value]


def _layout_of(lines: Sequence[str]) -> Layout:
    sizes = {len(line) for line in lines}
    visa = lines[0][:1] == "V" if lines else False
    for layout in (MRV_A, MRV_B) if visa else (TD1, TD2, TD3):
        if len(lines) == layout.lines and sizes == {layout.length}:
            if lines[0][0] in ("P", "V") or layout is not TD3:
                return layout
            raise InputError("is of no known kind", where=WHERE)
    raise InputError(f"{len(lines)} lines of {sorted(sizes)} characters are no zone", where=WHERE)


def _repaired(lines: Sequence[str], layout: Layout) -> tuple[str, ...]:
    """Look-alikes put right where a place takes only digits or only letters."""
    cells = [list(line) for line in lines]
    dates = [layout.birth, layout.birth_check, layout.expiry, layout.expiry_check]
    checks = [layout.number_check, layout.composite_check, layout.optional_check]
    digits = [*dates, *(part for part in checks if part is not None)]
    letters = [(0, 0, 5), layout.names, layout.nationality]
    for (line, first, behind), table in (
        *((part, _TO_DIGIT) for part in digits),
        *((part, _TO_LETTER) for part in letters),
    ):
        cells[line][first:behind] = "".join(cells[line][first:behind]).translate(table)
    return tuple("".join(line) for line in cells)


def _name(text: str, confidence: float | None, *, truncated: bool) -> Read[str] | None:
    words = text.replace("<", " ").split()
    if any(not word.isalpha() for word in words):
        raise InputError("a name holds a digit", where=WHERE, mend="photograph the card again, evenly lit and sharp")
    return Read(" ".join(words), "mrz", truncated=truncated, confidence=confidence) if words else None


def _date(text: str, today: date, *, birth: bool) -> date | None:
    """None for a date that is unknown in part (part 3, section 4.8). Raises InputError for one that no calendar has."""
    if "<" in text:
        return None
    if not text.isdigit():
        raise InputError("holds a date that no calendar has", where=WHERE)
    year, month, day = (int(text[at : at + 2]) for at in (0, 2, 4))
    century = today.year - today.year % 100
    years = [century + offset + year for offset in (-100, 0, 100)]
    if birth:  # the latest that is not to come
        years = [one for one in years if (one, month, day) <= (today.year, today.month, today.day)][-1:]
    else:
        years = [min(years, key=lambda one: abs(one - today.year))]
    try:
        return date(years[0], month, day)
    except ValueError:
        raise InputError("holds a date that no calendar has", where=WHERE) from None


def _is_sure(confidence: float | None) -> bool:
    return confidence is None or confidence >= SURE


def _worth(letter: str) -> int:
    return 0 if letter == "<" else int(letter, 36)
