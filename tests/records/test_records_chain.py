"""The audit chain: every kind of tampering with the rows is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import RecordsError
from kiosk.records.chain import EMPTY_HASH, Link, StoredEvent, digest_of, verify

START = Link(0, EMPTY_HASH)


def grown(count: int, start: Link = START) -> tuple[list[StoredEvent], Link]:
    """A chain of ``count`` events behind ``start``, and its head."""
    rows, last = [], start
    for step in range(count):
        fields = (
            last.event_id + 1,
            f"2026-03-01T12:00:{step:02}.000000Z",
            "DENIED",
            "TOO_DARK",
            None,
            f'{{"n":{step}}}',
        )
        digest = digest_of(last.digest, *fields)
        rows.append(StoredEvent(*fields, previous=last.digest, digest=digest))
        last = Link(fields[0], digest)
    return rows, last


@given(st.integers(0, 12))
def test_an_honest_chain_verifies(count: int) -> None:
    """Also the empty one, and one that begins behind a pruned part."""
    rows, head = grown(count)
    assert verify(rows, anchor=START, head=head).ok
    later, late_head = grown(count, start=head)
    assert verify(later, anchor=head, head=late_head).ok
    assert verify(rows + later, anchor=START, head=late_head).events == 2 * count


@given(st.integers(1, 12), st.data())
def test_any_single_change_is_found(count: int, data: st.DataObject) -> None:
    """Change a field, drop, repeat, swap or insert a row, or cut an end: never ok."""
    rows, head = grown(count)
    at = data.draw(st.integers(0, count - 1))
    row = rows[at]
    changed = {
        "utc": [*rows[:at], replace(row, utc=row.utc.replace("2026", "2025")), *rows[at + 1 :]],
        "kind": [*rows[:at], replace(row, kind="GRANTED"), *rows[at + 1 :]],
        "reason": [*rows[:at], replace(row, reason="NOT_LIVE"), *rows[at + 1 :]],
        "person": [*rows[:at], replace(row, person_id="somebody"), *rows[at + 1 :]],
        "details": [*rows[:at], replace(row, details_text='{"n":99}'), *rows[at + 1 :]],
        "digest": [*rows[:at], replace(row, digest=bytes(32)), *rows[at + 1 :]],
        "previous": [*rows[:at], replace(row, previous=bytes([1] * 32)), *rows[at + 1 :]],
        "dropped": rows[:at] + rows[at + 1 :],
        "repeated": [*rows[: at + 1], *rows[at:]],
        "cut": rows[:at],
        "longer": grown(count + 1)[0],
    }
    kind = data.draw(st.sampled_from(sorted(changed)))
    report = verify(changed[kind], anchor=START, head=head)
    assert not report.ok, kind
    assert "\n" not in report.problem


def test_a_rewritten_tail_is_found() -> None:
    """Consistent hashes alone do not help: the head is kept beside the events."""
    rows, head = grown(6)
    other = replace(rows[5], kind="GRANTED")
    fields = (6, other.utc, other.kind, other.reason, other.person_id, other.details_text)
    forged = replace(other, digest=digest_of(rows[4].digest, *fields))
    assert "recorded last" in verify([*rows[:5], forged], anchor=START, head=head).problem


def test_fields_cannot_run_into_each_other() -> None:
    """Moving a character from one field to the next changes the hash."""
    assert digest_of(EMPTY_HASH, 1, "t", "AB", "C", None, "{}") != digest_of(EMPTY_HASH, 1, "t", "A", "BC", None, "{}")
    assert digest_of(EMPTY_HASH, 1, "t", "A", "", None, "{}") != digest_of(EMPTY_HASH, 1, "t", "A", "", "", "{}")


def test_the_formula_is_fixed() -> None:
    """A golden value: changing the formula would make every stored chain look forged."""
    digest = digest_of(EMPTY_HASH, 1, "2026-03-01T12:00:00.000000Z", "DENIED", "TOO_DARK", None, "{}")
    assert digest.hex() == "3d78e236541aba6e7eb8c7f76af91e0209d2927b12efd0e8ddf607488727292a"


@pytest.mark.parametrize("text", [None, "", "1", "x:00", "1:zz", "1:00"])
def test_an_unreadable_end_is_an_error(text: str | None) -> None:
    """The ends are data of the database too."""
    with pytest.raises(RecordsError, match="unreadable"):
        Link.parsed(text)


def test_an_end_survives_its_text() -> None:
    """What is written is what is read."""
    link = Link(7, bytes(range(32)))
    assert Link.parsed(link.text) == link
