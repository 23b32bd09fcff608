"""Machine-readable zones: the specimens of ICAO Doc 9303, and what no wrong character may pass."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kiosk.enrollment.cards.fields import CardFields
from kiosk.enrollment.cards.mrz import ALPHABET, LOOK_ALIKES, TD1, TD2, TD3, Layout, allowed, check_digit, parse_mrz
from kiosk.errors import InputError
from tests.support.zones import MRV_A, MRV_B, TD1_LONG, TD1_UTOPIA, TD2_LONG, TD2_UTOPIA, TD3_UTOPIA, zone

TODAY = date(2026, 3, 1)
ANNA = ("ANNA MARIA", "ERIKSSON", "UTO", date(1974, 8, 12), date(2012, 4, 15))


def told(fields: CardFields) -> dict[str, object]:
    """Field to value."""
    return {name: read.value for name, read in fields}


@pytest.mark.parametrize(
    ("lines", "number", "kind"),
    [
        pytest.param(TD1_UTOPIA, "D23145890", "identity card", id="part 5 TD1"),
        pytest.param(TD2_UTOPIA, "D23145890", "identity card", id="part 6 TD2"),
        pytest.param(TD3_UTOPIA, "L898902C3", "passport", id="part 4 TD3"),
    ],
)
def test_the_specimens_of_utopia(lines: tuple[str, ...], number: str, kind: str) -> None:
    """Anna Maria Eriksson's documents."""
    fields = parse_mrz(lines, TODAY)
    given, surname, issuer, birth, expiry = ANNA
    assert told(fields) == {
        "given_names": given,
        "surname": surname,
        "document_number": number,
        "birth_date": birth,
        "expiry_date": expiry,
        "issuing_country": issuer,
        "document_kind": kind,
    }
    assert {name for name, read in fields if read.confirmed} == {"document_number", "birth_date", "expiry_date"}
    assert fields.name == "Anna Maria Eriksson"
    assert fields.expired(TODAY)


@pytest.mark.parametrize("lines", [MRV_A, MRV_B])
def test_the_visas_of_utopia(lines: tuple[str, ...]) -> None:
    """Part 7: without a composite check digit; their years are of the last century."""
    fields = parse_mrz(lines, TODAY)
    assert told(fields)["document_kind"] == "visa"
    assert told(fields)["document_number"] == "L898902C"
    assert told(fields)["birth_date"] == date(1969, 8, 6)
    assert told(fields)["expiry_date"] == date(1994, 6, 23)


@pytest.mark.parametrize("lines", [TD1_LONG, TD2_LONG])
def test_a_long_number_goes_on_in_the_optional_data(lines: tuple[str, ...]) -> None:
    """Part 11, appendix D: D23145890734, with its own check digit."""
    fields = parse_mrz(lines, TODAY)
    assert told(fields)["document_number"] == "D23145890734"
    assert fields.document_number is not None
    assert fields.document_number.confirmed


def test_a_wrong_digit_at_the_end_of_a_long_number_is_refused() -> None:
    """Its check digit is another one than the short number's."""
    upper = TD1_LONG[0].replace("7349", "7359")
    with pytest.raises(InputError, match="document number"):
        parse_mrz((upper, *TD1_LONG[1:]), TODAY)


def test_names_that_fill_their_place_may_be_cut_off() -> None:
    """Part 3, section 4.6: told as such; a field that ends in a filler is whole."""
    lines = zone(TD1, names="NILAVADHANANANDA<<CHAYAPA<DEJT")
    fields = parse_mrz(lines, TODAY)
    assert fields.given_names is not None
    assert fields.given_names.truncated
    assert fields.surname is not None
    assert not fields.surname.truncated
    whole = parse_mrz(TD1_UTOPIA, TODAY)
    assert whole.given_names is not None
    assert not whole.given_names.truncated


def test_a_holder_with_one_name_has_no_given_names() -> None:
    """And one whose surname fills the place is cut off."""
    fields = parse_mrz(zone(TD1, names="ARKFREITH<<<<<<<<<<<<<<<<<<<<<"), TODAY)
    assert fields.given_names is None
    assert fields.name == "Arkfreith"


@pytest.mark.parametrize(
    ("two", "born"), [("25", 2025), ("26", 1926), ("00", 2000), ("99", 1999)], ids=["last year", "to come", "00", "99"]
)
def test_births_lie_in_the_last_hundred_years(two: str, born: int) -> None:
    """The first of April 26 is to come on the first of March 2026."""
    fields = parse_mrz(zone(TD3, birth=f"{two}0401"), TODAY)
    assert fields.birth_date is not None
    assert fields.birth_date.value == date(born, 4, 1)


@pytest.mark.parametrize(("two", "ends"), [("24", 2024), ("36", 2036), ("75", 2075), ("77", 1977)])
def test_expiries_are_near(two: str, ends: int) -> None:
    """The century that puts it nearest to today."""
    fields = parse_mrz(zone(TD3, expiry=f"{two}0401"), TODAY)
    assert fields.expiry_date is not None
    assert fields.expiry_date.value == date(ends, 4, 1)


def test_a_date_that_is_unknown_in_part_is_left_out() -> None:
    """Part 3, section 4.8."""
    fields = parse_mrz(zone(TD3, birth="74<<<<"), TODAY)
    assert fields.birth_date is None
    assert fields.document_number is not None


@pytest.mark.parametrize("birth", ["741308", "740230", "7A0101"])
def test_a_date_that_no_calendar_has_is_refused(birth: str) -> None:
    """Its check digit may well agree."""
    with pytest.raises(InputError, match="no calendar"):
        parse_mrz(zone(TD3, birth=birth), TODAY)


def test_look_alikes_are_repaired_where_one_reading_is_allowed() -> None:
    """A letter O in a date is a nought, a nought in a name a letter O; the check digits judge the result."""
    upper = TD3_UTOPIA[0].replace("ERIKSSON", "ER1K550N").replace("UTO", "UT0")
    lower = TD3_UTOPIA[1].replace("7408122F1204159", "74O8IZ2FIZO4I59")
    assert told(parse_mrz((upper, lower), TODAY)) == told(parse_mrz(TD3_UTOPIA, TODAY))


def test_nothing_is_repaired_in_a_document_number() -> None:
    """Both readings are allowed there."""
    lower = TD3_UTOPIA[1].replace("L898902C3", "L8989O2C3")
    with pytest.raises(InputError, match="document number"):
        parse_mrz((TD3_UTOPIA[0], lower), TODAY)


@pytest.mark.parametrize(
    "lines",
    [(), ("",), ("P<UTO",), (TD3_UTOPIA[0],), TD1_UTOPIA[:2], (*TD3_UTOPIA, TD3_UTOPIA[1]), ("a" * 44, "\u00e9" * 44)],
)
def test_what_is_no_zone_is_refused_in_one_line(lines: tuple[str, ...]) -> None:
    """Too few lines, too short, other characters."""
    with pytest.raises(InputError) as caught:
        parse_mrz(lines, TODAY)
    assert "\n" not in str(caught.value)


def test_an_unsure_character_leaves_its_field_unconfirmed() -> None:
    """One number in ten agrees with its check digit by chance."""
    sure = [[0.9] * 44, [0.9] * 44]
    sure[1][3] = 0.2
    fields = parse_mrz(TD3_UTOPIA, TODAY, sure)
    assert fields.document_number is not None
    assert fields.document_number.confidence == pytest.approx(20)
    assert not fields.document_number.confirmed
    assert fields.birth_date is not None
    assert fields.birth_date.confirmed


def test_a_filler_within_a_number_leaves_it_unconfirmed() -> None:
    """Check digits cannot tell it from A, K, U and 0."""
    fields = parse_mrz(zone(TD3, number="AB<123456"), TODAY)
    assert fields.document_number is not None
    assert not fields.document_number.confirmed


WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=6)
NUMBERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=9)
DAYS = st.dates(date(1977, 1, 1), date(2026, 2, 28))
LAYOUTS = st.sampled_from([TD1, TD2, TD3])


@given(LAYOUTS, st.lists(WORDS, min_size=1, max_size=2), WORDS, NUMBERS, DAYS, DAYS)
def test_what_is_written_is_read(
    layout: Layout, given_names: list[str], surname: str, number: str, birth: date, expiry: date
) -> None:
    """Round trip of any document that has room for its names."""
    lines = zone(
        layout, names=f"{surname}<<{'<'.join(given_names)}", number=number,
        birth=birth.strftime("%y%m%d"), expiry=expiry.strftime("%y%m%d"),
    )  # fmt: skip
    fields = parse_mrz(lines, TODAY)
    values = told(fields)
    assert values["surname"] == surname
    assert values["given_names"] == " ".join(given_names)
    assert (values["document_number"], values["birth_date"], values["expiry_date"]) == (number, birth, expiry)


def worth(letter: str) -> int:
    """As check digits count it."""
    return 0 if letter == "<" else int(letter, 36)


@given(st.data(), st.sampled_from([TD1_UTOPIA, TD2_UTOPIA, TD3_UTOPIA, TD1_LONG, TD2_LONG]))
def test_no_wrong_character_passes(data: st.DataObject, lines: tuple[str, ...]) -> None:
    """Any one character of number, dates and check digits: refused, or repaired to what it was."""
    layout = {30: TD1, 36: TD2, 44: TD3}[len(lines[0])]
    parts = [layout.number, layout.number_check, layout.birth, layout.birth_check, layout.expiry, layout.expiry_check]
    line, first, behind = data.draw(st.sampled_from(parts))
    at = data.draw(st.integers(first, behind - 1))
    other = data.draw(st.sampled_from(ALPHABET))
    assume(worth(other) % 10 != worth(lines[line][at]) % 10)  # 7-3-1 cannot see the others
    changed = list(lines)
    changed[line] = lines[line][:at] + other + lines[line][at + 1 :]
    try:
        assert told(parse_mrz(changed, TODAY)) == told(parse_mrz(lines, TODAY))
    except InputError:
        return
    assert {lines[line][at], other} in [set(pair) for pair in LOOK_ALIKES]


def test_a_parser_that_forgets_the_check_digits_would_be_found_out() -> None:
    """Planted: the digit that the test above changes does decide."""
    assert check_digit("L898902C3") == 6
    assert check_digit("L898902C4") != 6
    assert check_digit("520727") == 3  # part 3, section 4.9


def test_every_place_allows_what_the_specimens_have_there() -> None:
    """What a recogniser is told that it may read."""
    for lines in (TD1_UTOPIA, TD2_UTOPIA, TD3_UTOPIA, MRV_A, MRV_B, TD1_LONG, TD2_LONG):
        places = allowed(len(lines), len(lines[0]))
        for line, letters in zip(lines, places, strict=True):
            assert all(letter in may for letter, may in zip(line, letters, strict=True))
