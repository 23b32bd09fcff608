"""Driving licences (AAMVA annex D) and badges: what their barcodes say."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.enrollment.cards.aamva import is_aamva, parse_aamva
from kiosk.enrollment.cards.badge import badge_number, compiled
from kiosk.errors import ConfigurationError, InputError
from kiosk.records.texts import looks_like_badge
from tests.support.licences import CANADA, SAMPLE, VERSION_1, VERSION_2, licence


def told(text: str) -> dict[str, object]:
    """Field to value."""
    return {name: read.value for name, read in parse_aamva(text)}


def test_the_sample_of_the_standard() -> None:
    """Annex D: Michael John Sample of Virginia; nothing but the fields of a record is kept."""
    assert told(SAMPLE) == {
        "given_names": "MICHAEL JOHN",
        "surname": "SAMPLE",
        "document_number": "T64235789",
        "birth_date": date(1986, 6, 6),
        "expiry_date": date(2024, 12, 10),
        "issuing_country": "USA",
        "document_kind": "driving licence",
    }
    assert parse_aamva(SAMPLE).name == "Michael John Sample"
    assert not any(read.confirmed for _, read in parse_aamva(SAMPLE))


def test_canada_writes_the_year_first() -> None:
    """The same digits are another day there."""
    assert told(CANADA)["birth_date"] == date(1986, 12, 11)
    assert told(CANADA.replace("DCGCAN", "DCGUSA").replace("19861211", "12111986"))["birth_date"] == date(1986, 12, 11)


def test_the_names_of_older_versions() -> None:
    """DAA in version 1 with the year first, DCT in version 2."""
    assert told(VERSION_1)["given_names"] == "ADULT A"
    assert told(VERSION_1)["surname"] == "CTLIC"
    assert told(VERSION_1)["birth_date"] == date(1961, 1, 2)
    assert told(VERSION_2)["given_names"] == "MARIA ELENA"
    assert told(VERSION_2)["birth_date"] == date(1988, 3, 15)


@pytest.mark.parametrize(
    "text",
    [
        SAMPLE.replace("@\n\x1e\r", ""),
        SAMPLE.replace("\n", "\r\n"),
        SAMPLE.replace("DL00410278", "DL00000000"),
        SAMPLE.replace("ANSI ", "AAMVA"),
        SAMPLE.replace("DLDAQ", "DAQ"),
        "\n" + SAMPLE + "\n\n",
    ],
    ids=["no header", "CRLF", "wrong offsets", "AAMVA", "no subfile type", "trailing lines"],
)
def test_deviations_of_issuers_are_borne(text: str) -> None:
    """Control characters lost or doubled, offsets wrong, the subfile's type left out."""
    assert told(text)["document_number"] == "T64235789"
    assert told(text)["given_names"] == "MICHAEL JOHN"


def test_what_says_that_there_is_nothing_is_nothing() -> None:
    """NONE and unavl stand for no middle name; a name that was cut off says so."""
    fields = parse_aamva(licence(DCS="SAMPLE", DAC="MICHAEL", DAD="NONE", DDE="T", DDF="N", DAQ="unavl"))
    assert fields.given_names is not None
    assert fields.given_names.value == "MICHAEL"
    assert not fields.given_names.truncated
    assert fields.surname is not None
    assert fields.surname.truncated
    assert fields.document_number is None


@pytest.mark.parametrize(
    "text",
    ["", "EMP-1", "@\n\x1e\rANSI ", licence(DAQ="1"), licence(DCS="A", DBB="13321986"), licence(DCS="A", DBB="0606")],
    ids=["empty", "badge", "header only", "no name", "no such day", "short date"],
)
def test_what_cannot_be_read_is_told_in_one_line(text: str) -> None:
    """InputError, without a value of the card."""
    with pytest.raises(InputError) as caught:
        parse_aamva(text)
    assert "\n" not in str(caught.value)
    assert "1986" not in str(caught.value)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Anything may stand in a barcode."""
    for candidate in (text, "ANSI 636000090002DL00410278" + text, SAMPLE[:60] + text):
        try:
            parse_aamva(candidate)
        except InputError:
            continue
        assert is_aamva(candidate)


@pytest.mark.parametrize("text", ["4711", "EMP-0042", "A:1", "7f3a/12", " 4711 "])
def test_plain_numbers_are_badge_numbers(text: str) -> None:
    """By the rule of the records."""
    assert badge_number(text, looks_like_badge, None) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/e/4711", "HTTP://X", "www.example.com", "example.com/4711", "mailto:a@b", "tel:+4930123",
        "BEGIN:VCARD\nFN:Ada\nEND:VCARD", "MECARD:N:Ada;;", "WIFI:S:x;;", "urn:uuid:1", "", "   ", "two words",
        "a" * 65, "4711\u200b", "x" * 5000,
    ],
)  # fmt: skip
def test_what_phones_open_is_no_badge_number(text: str) -> None:
    """Addresses, contact cards, and what the records would refuse."""
    assert badge_number(text, looks_like_badge, None) is None


def test_a_pattern_of_the_site_decides() -> None:
    """Only its group, only of the whole text, and only what the records keep."""
    pattern = compiled(r"^EMP-(?P<badge>\d+)$")
    assert badge_number("EMP-42", looks_like_badge, pattern) == "42"
    assert badge_number("42", looks_like_badge, pattern) is None
    assert badge_number("XEMP-42", looks_like_badge, pattern) is None
    address = compiled(r"https://badges\.example/(?P<badge>.+)")
    assert badge_number("https://badges.example/77", looks_like_badge, address) == "77"
    assert badge_number("https://badges.example/a b", looks_like_badge, address) is None
    assert badge_number("4711", looks_like_badge, compiled("none")) is None


@pytest.mark.parametrize("pattern", ["(", r"EMP-(\d+)", r"(?P<number>\d+)", r"(?P<badge>\d)(?P<other>\d)"])
def test_a_pattern_without_its_group_is_refused(pattern: str) -> None:
    """In one line, with an example."""
    with pytest.raises(ConfigurationError):
        compiled(pattern)
