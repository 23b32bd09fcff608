"""The PDF417 barcode of North American driving licences and identity cards: AAMVA DL/ID Card Design Standard, annex D.

    @ LF RS CR "ANSI " issuer(6) version(2) [jurisdiction version(2)] entries(2)
    entries times: subfile type(2) offset(4) length(4)
    subfiles: type(2), then elements of an identifier(3) and a value, ended by LF; the last by CR

Rules:
- What is read: DCS/DAB surname, DAC/DCT given name, DAD middle names, DAA whole name (version 1), DAQ number,
  DBB birth, DBA expiry, DCG country. Nothing else is looked at, so nothing else can leak.
- Dates are MMDDCCYY in the United States and CCYYMMDD in Canada and in version 1. Issuers err, so the other order is
  taken where only that one is a date.
- Issuers also miscount offsets, leave out control characters and repeat the subfile's type: elements are found by their
  separators, offsets are not trusted.
- The code corrects its own errors (ISO/IEC 15438); the text itself has no check digit, so nothing is ``confirmed``.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from kiosk.enrollment.cards.fields import CardFields, Read
from kiosk.errors import InputError

Country = Literal["USA", "CAN"]
WHERE = "driving licence barcode"
LONGEST = 4096
"""Characters: a PDF417 symbol holds fewer."""
_HEADER = re.compile(r"@?\s*\x1e?\s*(?:ANSI|AAMVA)\s*(?P<issuer>\d{6})(?P<version>\d{2})(?:\d{2,4}(?:[A-Z]{2}\d{8})+)?")
_ELEMENT = re.compile(
    r"(?:^|[\n\r\x1c-\x1f])[ \t]*(?:(?:DL|ID)(?=D[A-D][A-Z]))?(?P<name>D[A-D][A-Z])(?P<value>[^\n\r\x1c-\x1f]*)"
)
_FIRST = re.compile(r"(?:DL|ID)(?=D[A-D][A-Z])")
_NOTHING = {"", "NONE", "UNAVL", "UNAVAIL", "N/A"}


def is_aamva(text: str) -> bool:
    """Whether a barcode's text claims to be one of these."""
    return _HEADER.match(text.lstrip()) is not None


def parse_aamva(text: str, default: Country = "USA") -> CardFields:
    """The fields of a licence. ``default``: the country of one that names none.

    Raises InputError: no such barcode, no name, or a date that no calendar has.
    """
    header = _HEADER.match(text.lstrip()) if len(text) <= LONGEST else None
    if header is None:
        raise InputError("is not of the AAMVA standard", where=WHERE)
    version = int(header["version"])
    elements = _elements(text.lstrip()[header.end() :])
    country: Country = elements.get("DCG", "").upper() if elements.get("DCG", "").upper() in ("USA", "CAN") else default  # type: ignore[assignment]
    year_first = country == "CAN" or version == 1
    surname, given = _names(elements)
    if surname is None and given is None:
        raise InputError("tells no name", where=WHERE)
    number = elements.get("DAQ")
    return CardFields(
        given_names=given,
        surname=surname,
        document_number=Read(number, "pdf417") if number else None,
        birth_date=_date(elements.get("DBB"), year_first=year_first),
        expiry_date=_date(elements.get("DBA"), year_first=year_first),
        issuing_country=Read(country, "pdf417") if "DCG" in elements else None,
        document_kind=Read(_kind(text, header.end()), "pdf417"),
    )


def _elements(body: str) -> dict[str, str]:
    """Identifier to value, the first of each, without those that say that there is nothing."""
    first = _FIRST.search(body)
    listed = body if first is None else "\n" + body[first.start() :]
    found: dict[str, str] = {}
    for match in _ELEMENT.finditer(listed):
        value = " ".join(match["value"].split())
        if value.upper() not in _NOTHING:
            found.setdefault(match["name"], value)
    return found


def _kind(text: str, behind: int) -> str:
    first = _FIRST.search(text, behind)
    return "identity card" if first is not None and first[0] == "ID" else "driving licence"


def _names(elements: dict[str, str]) -> tuple[Read[str] | None, Read[str] | None]:
    """Surname and given names by the version's elements: DAC and DAD since 4, DCT in 2 and 3, DAA in 1."""
    surname = elements.get("DCS") or elements.get("DAB")
    given = " ".join(elements[name] for name in ("DAC", "DAD") if name in elements) or elements.get("DCT")
    if surname is None and given is None and "DAA" in elements:
        surname, _, given = elements["DAA"].replace("@", ",").partition(",")
    return (
        _name(surname, elements.get("DDE")),
        _name(given, "T" if "T" in (elements.get("DDF"), elements.get("DDG")) else None),
    )


def _name(text: str | None, truncation: str | None) -> Read[str] | None:
    """``truncation``: DDE, DDF or DDG, of which T means cut off."""
    words = " ".join((text or "").replace(",", " ").replace("$", " ").split())
    return Read(words, "pdf417", truncated=truncation == "T") if words else None


def _date(text: str | None, *, year_first: bool) -> Read[date] | None:
    digits = re.sub(r"[^0-9]", "", text or "")
    if not digits or not digits.strip("0"):
        return None
    for order in (year_first, not year_first):
        year, month, day = (digits[:4], digits[4:6], digits[6:]) if order else (digits[4:], digits[:2], digits[2:4])
        if len(digits) == 8 and 1880 <= int(year) <= 2199:  # 1234 is no year of a licence, but begins a day's date
            try:
                return Read(date(int(year), int(month), int(day)), "pdf417")
            except ValueError:
                continue
    raise InputError("holds a date that no calendar has", where=WHERE)
