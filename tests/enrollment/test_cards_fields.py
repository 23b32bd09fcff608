"""Proposed fields: names as people write them, conflicts instead of choices, and no value in any repr."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.enrollment.cards.fields import CardFields, Read, displayed, merged
from kiosk.enrollment.cards.mrz import parse_mrz
from tests.support.zones import TD3_UTOPIA

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("given_names", "surname", "name"),
    [
        ("ADA", "LOVELACE", "Ada Lovelace"),
        ("ANNA-MARIA", "O'NEILL", "Anna-Maria O'Neill"),
        ("Ludwig", "van Beethoven", "Ludwig van Beethoven"),
        ("JÜRGEN", "GROSS", "Jürgen Gross"),
    ],
)
def test_a_name_is_proposed_as_people_write_it(given_names: str, surname: str, name: str) -> None:
    """Capitals are undone, other spellings left alone."""
    assert CardFields(Read(given_names, "mrz"), Read(surname, "mrz")).name == name


def test_without_names_there_is_no_proposal() -> None:
    """A badge with a number only."""
    fields = CardFields(badge_number=Read("123", "qr"))
    assert fields.name is None
    assert fields
    assert not CardFields()


def test_the_last_day_of_a_document_is_a_day_of_it() -> None:
    """And one without an expiry says nothing."""
    fields = CardFields(expiry_date=Read(TODAY, "mrz"))
    assert fields.expired(TODAY) is False
    assert fields.expired(date(2026, 3, 2)) is True
    assert CardFields().expired(TODAY) is None


def test_no_repr_shows_a_value() -> None:
    """Fields, readings, conflicts: what a log or a traceback might print."""
    fields = parse_mrz(TD3_UTOPIA, TODAY)
    other = CardFields(surname=Read("LOVELACE", "textract"), document_number=Read("X1", "textract"))
    together = merged(fields, other)
    assert len(together.conflicts) == 2
    shown = f"{fields!r} {fields} {together!r} {together.conflicts[0]} {list(fields)!r} {fields.surname}"
    for secret in ("ERIKSSON", "Eriksson", "ANNA", "L898902C3", "1974", "74", "LOVELACE", "X1"):
        assert secret not in shown


def test_a_contradiction_is_told_and_the_field_stays_empty() -> None:
    """Both readings are there for staff to choose."""
    one = CardFields(surname=Read("ERIKSSON", "mrz"), birth_date=Read(date(1974, 8, 12), "mrz", confirmed=True))
    other = CardFields(surname=Read("Eriksson", "textract"), birth_date=Read(date(1974, 12, 8), "textract"))
    together = merged(one, other)
    assert together.fields.birth_date is None
    assert [conflict.field for conflict in together.conflicts] == ["birth_date"]
    assert {read.source for read in together.conflicts[0].readings} == {"mrz", "textract"}
    assert str(together.conflicts[0]) == "birth date: mrz and textract differ"


@pytest.mark.parametrize(
    ("printed", "zone"), [("Müller", "MUELLER"), ("Müller", "MULLER"), ("O'Neill-Ødegård", "ONEILLOEDEGAARD")]
)
def test_spellings_of_one_name_agree(printed: str, zone: str) -> None:
    """Transliteration is no contradiction, and the more faithful spelling is kept."""
    together = merged(CardFields(surname=Read(zone, "mrz")), CardFields(surname=Read(printed, "textract")))
    assert together.conflicts == ()
    assert together.fields.surname is not None
    assert together.fields.surname.value == printed


def test_a_name_that_was_cut_off_agrees_with_the_whole() -> None:
    """Only the source that says so."""
    cut = CardFields(given_names=Read("ANNA MAR", "mrz", truncated=True))
    whole = CardFields(given_names=Read("Anna Maria", "pdf417"))
    together = merged(cut, whole)
    assert together.fields.given_names is not None
    assert together.fields.given_names.value == "Anna Maria"
    uncut = CardFields(given_names=Read("ANNA MAR", "mrz"))
    assert merged(uncut, whole).conflicts


def test_a_confirmed_reading_is_kept_of_those_that_agree() -> None:
    """The check digit counts more than the source."""
    one, other = Read("A-1", "textract", confidence=99.0), Read("A1", "mrz", confirmed=True)
    together = merged(CardFields(document_number=one), CardFields(document_number=other))
    assert together.fields.document_number is other


def test_badge_numbers_agree_only_as_the_records_compare_them() -> None:
    """1-23 and 12-3 are two badges."""
    assert merged(CardFields(badge_number=Read("1-23", "qr")), CardFields(badge_number=Read("12-3", "qr"))).conflicts
    assert not merged(CardFields(badge_number=Read("a1", "qr")), CardFields(badge_number=Read("A1", "aztec"))).conflicts


READS = st.builds(Read, st.sampled_from(["ANNA", "ADA", "Anna"]), st.sampled_from(["mrz", "qr", "textract"]))


@given(st.lists(READS, min_size=1, max_size=4))
def test_merging_never_invents_and_never_hides(reads: list[Read[str]]) -> None:
    """Either all agree and one of them is kept, or all of them are told; the order does not matter for which."""
    together = merged(*(CardFields(surname=read) for read in reads))
    backwards = merged(*(CardFields(surname=read) for read in reversed(reads)))
    assert (
        bool(together.conflicts)
        == bool(backwards.conflicts)
        == ({read.value.upper() for read in reads} > {"ADA"} or len({read.value.upper() for read in reads}) > 1)
    )
    if together.conflicts:
        assert together.fields.surname is None
        assert together.conflicts[0].readings == tuple(reads)
    else:
        assert together.fields.surname in reads


@given(st.text(max_size=30))
def test_displaying_is_done_once(text: str) -> None:
    """What is displayed is displayed the same again, without blanks at its ends."""
    shown = displayed(text)
    assert shown == shown.strip()
    if shown.upper() != shown:
        assert displayed(shown) == shown
