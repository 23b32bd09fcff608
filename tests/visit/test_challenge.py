"""Properties of every challenge that can be drawn."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import LivenessSettings
from kiosk.values import Challenge, Slot
from kiosk.visit import challenge as under_test
from kiosk.visit import photosensitivity
from kiosk.visit.challenge import GREY, PALETTE, colour_indices, draw, safe_wherever_it_ends, shown_after_s

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
    challenge = draw(nonce, settings)
    slots = challenge.slots
    coloured = [slots[index] for index in colour_indices(challenge)]
    assert len(coloured) == settings.colour_slots
    groups = "".join("g" if slot.rgb == GREY else "c" for slot in slots)
    assert re.fullmatch("gcccgccc(gccc)*(gc{1,2})?g", groups)
    assert {slot.rgb for slot in coloured[:6]} == set(PALETTE), "the floor has the whole palette"
    assert all(a.rgb != b.rgb for a, b in itertools.pairwise(slots))
    assert all(a.rgb != b.rgb for a, b in itertools.pairwise(coloured))
    lit = [sum(slot.rgb[channel] == 255 for slot in coloured) for channel in range(3)]
    assert max(lit) - min(lit) <= 1
    regions = [slot.region for slot in coloured]
    assert sorted(region for region in regions[:6] if region != "full") == ["bottom", "top"]
    assert sum(region != "full" for region in regions) == settings.half_slots
    assert not any(a != "full" and b != "full" for a, b in itertools.pairwise(regions))
    assert all(slot.region == "full" for slot in slots if slot.rgb == GREY)
    for slot in slots:
        assert 0.25 <= slot.duration_s <= settings.slot_s + settings.slot_jitter_s + 1e-9


@given(nonce=NONCES, settings=SETTINGS, share=st.floats(0.0, 1.0), data=st.data())
def test_no_place_to_end_is_unsafe(nonce: bytes, settings: LivenessSettings, share: float, data: st.DataObject) -> None:
    """Ended in any slot, at any moment: never more than three flashes a second."""
    slots = draw(nonce, settings).slots
    end = data.draw(st.integers(0, len(slots) - 1))
    cut = replace(slots[end], duration_s=slots[end].duration_s * share)
    assert photosensitivity.check(Challenge((*slots[:end], cut))).safe


def test_an_unsafe_end_is_found() -> None:
    """A sequence that is safe as a whole may not be where it is cut: the check must look there."""
    dark, light = Slot((0, 0, 0), "full", 0.17), Slot((100, 255, 100), "full", 0.17)
    quick = Challenge((light, dark, light, dark, light, dark, light, dark, light))
    assert not safe_wherever_it_ends(quick)
    assert safe_wherever_it_ends(draw(bytes(32), LivenessSettings()))


def test_a_default_floor_takes_about_two_seconds() -> None:
    """Eight slots of 250 to 280 ms."""
    slots = draw(bytes(32), LivenessSettings()).slots
    assert 2.0 <= sum(slot.duration_s for slot in slots[:8]) <= 2.24
    assert len(slots) == 17


@given(nonce=NONCES)
def test_the_same_nonce_draws_the_same_challenge(nonce: bytes) -> None:
    """Deterministic in the nonce."""
    assert draw(nonce, LivenessSettings()) == draw(nonce, LivenessSettings())


def test_other_nonces_draw_other_challenges() -> None:
    """Three hundred nonces, three hundred challenges."""
    drawn = {draw(number.to_bytes(32, "big"), LivenessSettings()).slots for number in range(300)}
    assert len(drawn) == 300


def test_each_place_sees_each_colour_about_equally_often() -> None:
    """No place of the sequence can be guessed better than by chance."""
    count = 1200
    first = [draw(number.to_bytes(32, "big"), LivenessSettings()).slots[1].rgb for number in range(count)]
    for colour in PALETTE:
        assert abs(first.count(colour) / count - 1 / 6) < 0.05


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


@given(nonce=NONCES, settings=SETTINGS, colours=st.integers(1, 14))
def test_when_so_many_colours_were_shown(nonce: bytes, settings: LivenessSettings, colours: int) -> None:
    """At the end of that colour slot; more than there are take the whole challenge."""
    challenge = draw(nonce, settings)
    over_s = shown_after_s(challenge, colours)
    ends = list(itertools.accumulate(slot.duration_s for slot in challenge.slots))
    shown = [slot for slot, end_s in zip(challenge.slots, ends, strict=True) if end_s <= over_s + 1e-9]
    assert sum(slot.rgb != GREY for slot in shown) == min(colours, settings.colour_slots)
    assert (shown[-1].rgb != GREY) == (colours <= settings.colour_slots)
