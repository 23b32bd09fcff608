"""Names, badge numbers and times: what is kept, what is the same, what is refused."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import RecordsError
from kiosk.records import texts

ONE_NAME_TWO_SPELLINGS = [
    ("José", "Jose\u0301"),
    ("ANNA", "anna"),
    ("Straße", "STRASSE"),
    ("\uff21\uff4e\uff4e\uff41", "Anna"),
    ("Anna  Maria", " Anna\tMaria "),
    ("ﬁona", "fiona"),
    ("σίσυφος", "ΣΊΣΥΦΟΣ"),
]


@pytest.mark.parametrize(("one", "two"), ONE_NAME_TWO_SPELLINGS)
def test_spellings_of_one_name_are_one_name(one: str, two: str) -> None:
    """Case, width, composition and spacing do not make another person."""
    assert texts.name_key(texts.tidy_name(one)) == texts.name_key(texts.tidy_name(two))


@pytest.mark.parametrize(("one", "two"), [("Jose", "José"), ("Anna", "Hanna"), ("Ada 1", "Ada 2")])
def test_different_names_stay_different(one: str, two: str) -> None:
    """An accent is part of a name."""
    assert texts.name_key(one) != texts.name_key(two)


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u200d", "a\x00b", "a\u202eb", "a\ud800", "a\ufeffb", "x" * 121])
def test_unfit_names_are_refused(name: str) -> None:
    """Empty, too long, or holding what nobody can see."""
    with pytest.raises(RecordsError):
        texts.tidy_name(name)


def test_joiners_are_kept() -> None:
    """Persian spelling needs the zero-width non-joiner."""
    assert texts.tidy_name("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627") == "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"


@given(st.text(max_size=150))
def test_a_kept_name_is_stable(name: str) -> None:
    """Whatever is accepted is NFC, fits its column, and is accepted again unchanged."""
    try:
        kept = texts.tidy_name(name)
    except RecordsError:
        return
    assert texts.tidy_name(kept) == kept == unicodedata.normalize("NFC", kept)
    assert len(kept) <= texts.NAME_LIMIT
    key = texts.name_key(kept)
    assert texts.name_key(key) == key


@pytest.mark.parametrize("badge", ["1", "04:A2:FF", "fac-12/3456", "A_1.b", "9" * 64])
def test_badge_numbers(badge: str) -> None:
    """Readers write hex with and without separators."""
    assert texts.tidy_badge(f" {badge} ") == badge


@pytest.mark.parametrize("badge", ["", " ", "-1", "a b", "é1", "٣", "1\n2", "9" * 65, "a;b"])
def test_unfit_badges_are_refused(badge: str) -> None:
    """Anything that a reader cannot have sent."""
    assert not texts.looks_like_badge(badge)
    with pytest.raises(RecordsError) as caught:
        texts.tidy_badge(badge)
    assert "\n" not in str(caught.value)


@given(
    st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),
    st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),
)
def test_text_order_is_time_order(one: datetime, two: datetime) -> None:
    """Queries compare texts."""
    first, second = one.astimezone(UTC), two.astimezone(UTC)
    assert (texts.utc_text(one) < texts.utc_text(two)) == (first < second)
    assert texts.utc_time(texts.utc_text(one)) == first
    assert texts.tidy_utc(one.isoformat()) == texts.utc_text(one)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "2026-03-01"])
def test_times_without_a_zone_are_refused(text: str) -> None:
    """A local time in an audit trail means nothing."""
    with pytest.raises(RecordsError):
        texts.tidy_utc(text)
