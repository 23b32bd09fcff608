"""Properties of every challenge that can be drawn."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import LivenessSettings
from kiosk.visit import challenge as under_test
from kiosk.visit import photosensitivity
from kiosk.visit.challenge import GREY, PALETTE, draw

NONCES = st.binary(min_size=32, max_size=32)
SETTINGS = st.builds(
    LivenessSettings,
    colour_slots=st.integers(8, 12),
    half_slots=st.integers(2, 3),
    slot_s=st.floats(0.25, 0.35),
    slot_jitter_s=st.floats(0.0, 0.05),
)


@given(nonce=NONCES, settings=SETTINGS)
def test_every_challenge_keeps_the_rules(nonce: bytes, settings: LivenessSettings) -> None:
    """Guards, counts, lengths, halves, no repeats, balance, and WCAG."""
    slots = draw(nonce, settings).slots
    coloured = [slot for slot in slots if slot.rgb != GREY]
    assert len(coloured) == settings.colour_slots
    assert len(slots) == settings.colour_slots + 4
    assert slots[0].rgb == slots[-1].rgb == GREY
    assert {slot.rgb for slot in coloured} == set(PALETTE)
    assert all(a.rgb != b.rgb for a, b in itertools.pairwise(slots))
    assert all(a.rgb != b.rgb for a, b in itertools.pairwise(coloured))
    lit = [sum(slot.rgb[channel] == 255 for slot in coloured) for channel in range(3)]
    assert max(lit) - min(lit) <= 1
    halves = [slot.region for slot in slots if slot.region != "full"]
    assert len(halves) == settings.half_slots
    assert {"top", "bottom"} <= set(halves)
    assert all(slot.region == "full" for slot in slots if slot.rgb == GREY)
    for slot in slots:
        assert 0.25 <= slot.duration_s <= settings.slot_s + settings.slot_jitter_s + 1e-9
    assert photosensitivity.check(draw(nonce, settings)).safe


@given(nonce=NONCES)
def test_the_same_nonce_draws_the_same_challenge(nonce: bytes) -> None:
    """Deterministic in the nonce."""
    assert draw(nonce, LivenessSettings()) == draw(nonce, LivenessSettings())


def test_other_nonces_draw_other_challenges() -> None:
    """A thousand nonces, a thousand challenges."""
    drawn = {draw(number.to_bytes(32, "big"), LivenessSettings()).slots for number in range(1000)}
    assert len(drawn) == 1000


def test_each_place_sees_each_colour_about_equally_often() -> None:
    """No place of the sequence can be guessed better than by chance."""
    count = 3000
    first = [draw(number.to_bytes(32, "big"), LivenessSettings()).slots[1].rgb for number in range(count)]
    for colour in PALETTE:
        assert abs(first.count(colour) / count - 1 / 6) < 0.035


def test_a_short_nonce_is_refused() -> None:
    """Predictable challenges must not be drawn by accident."""
    with pytest.raises(ValueError, match="32 bytes"):
        draw(b"short", LivenessSettings())


def test_an_unsafe_draw_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker's refusal leads to a redraw, in the end to an error, never to a flash."""
    monkeypatch.setattr(under_test, "MOST_DRAWS", 50)
    monkeypatch.setattr(photosensitivity, "check", lambda _: photosensitivity.FlashCount(3.5, 0.0))
    with pytest.raises(AssertionError, match="no safe challenge"):
        draw(bytes(32), LivenessSettings())
