"""What is sealed opens only under the same key, in the same place, unchanged."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import RecordsLocked
from kiosk.records.key import Key
from kiosk.records.sealing import Sealed, mark_of

KEY = Key(bytes(range(32)))
ABOUT = ("table.column", "row")


@given(st.text(max_size=200), st.lists(st.text(max_size=10), max_size=3))
def test_what_was_sealed_comes_back(text: str, about: list[str]) -> None:
    """Whatever it is; two seals of one text have nothing in common but their form."""
    text, about = text.encode(errors="replace").decode(), [one.encode(errors="replace").decode() for one in about]
    sealer = Sealed(KEY)
    kept = sealer.seal(text, about)
    assert Sealed(KEY).unseal(kept, about) == text
    assert kept != sealer.seal(text, about)


@pytest.mark.parametrize("about", [("table.column", "other"), ("table.columnrow",), ("table.column", "row", ""), ()])
def test_a_value_belongs_to_its_row(about: tuple[str, ...]) -> None:
    """Moved elsewhere, it does not open; lists that only look alike when joined are told apart."""
    with pytest.raises(RecordsLocked):
        Sealed(KEY).unseal(Sealed(KEY).seal("secret", ABOUT), about)


def test_another_key_opens_nothing_and_has_another_mark() -> None:
    """Nor does the mark tell the key."""
    other = Key(bytes(32))
    with pytest.raises(RecordsLocked):
        Sealed(other).unseal(Sealed(KEY).seal("secret", ABOUT), ABOUT)
    assert mark_of(other) != mark_of(KEY)
    assert KEY.secret.hex()[:8] not in mark_of(KEY)


@given(st.data())
def test_one_changed_bit_is_found(data: st.DataObject) -> None:
    """Wherever it is: nonce, text, tag."""
    raw = bytearray(base64.b64decode(Sealed(KEY).seal("secret", ABOUT).removeprefix("v1.")))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RecordsLocked):
        Sealed(KEY).unseal("v1." + base64.b64encode(raw).decode(), ABOUT)


def test_a_secret_fits_into_its_column() -> None:
    """PostgreSQL enforces the 128 characters that SQLite does not."""
    from kiosk.rekognition.access import AccessKey

    assert len(Sealed(KEY).seal(AccessKey.fresh("admin").secret, ABOUT)) <= 128
