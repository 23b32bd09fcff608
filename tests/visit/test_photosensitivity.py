"""WCAG flash counting: known sequences on both sides of the limit."""

from __future__ import annotations

import pytest

from kiosk.values import Challenge, Region, Rgb, Slot
from kiosk.visit.photosensitivity import check, chroma, is_saturated_red, linear, luminance

RED: Rgb = (255, 0, 0)
GREEN: Rgb = (0, 255, 0)
BLUE: Rgb = (0, 0, 255)
BLACK: Rgb = (0, 0, 0)


def sequence(colours: list[Rgb], length_s: float, regions: list[Region] | None = None) -> Challenge:
    """Equal slots of these colours."""
    kinds: list[Region] = regions if regions is not None else ["full"] * len(colours)
    return Challenge(tuple(Slot(rgb, region, length_s) for rgb, region in zip(colours, kinds, strict=True)))


def test_fast_primary_colours_fail() -> None:
    """150 ms of saturated R, G, B in a lively order exceed three flashes a second."""
    count = check(sequence([GREEN, RED, GREEN, BLUE] * 4, 0.15))
    assert count.general > 3
    assert not count.safe


def test_fast_saturated_red_fails_as_red_alone() -> None:
    """Red against a blue so dim that luminance alone changes by less than a tenth of the maximum."""
    count = check(sequence([(140, 0, 0), (0, 0, 160)] * 6, 0.14))
    assert count.general <= 1
    assert count.red > 3
    assert not count.safe


def test_slow_primary_colours_pass() -> None:
    """At 300 ms the same colours stay below."""
    assert check(sequence([GREEN, RED, GREEN, BLUE] * 4, 0.3)).safe


def test_half_screens_count_each_for_itself() -> None:
    """Top and bottom in turn: each half goes on and off, though the whole screen stays equally bright."""
    fast = sequence([GREEN] * 12, 0.14, ["top", "bottom"] * 6)
    assert check(fast).general > 3


def test_a_slow_rise_is_one_change() -> None:
    """A staircase upwards is not a flash: up and down is one."""
    stairs: list[Rgb] = [(level, level, level) for level in (60, 120, 170, 210, 240, 255)]
    assert check(sequence(stairs, 0.1)).general == 1.0


def test_two_bright_states_are_no_flash() -> None:
    """Where the darker state is above 0.80 nothing is counted but the ends."""
    bright: list[Rgb] = [(255, 255, 255), (245, 245, 245)] * 6
    assert check(sequence(bright, 0.1)).general <= 1.0


@pytest.mark.parametrize(
    ("rgb", "u", "v"), [((255, 0, 0), 0.4507, 0.5229), ((0, 0, 255), 0.1754, 0.1579), ((255, 255, 255), 0.1978, 0.4683)]
)
def test_chroma_of_the_primaries(rgb: Rgb, u: float, v: float) -> None:
    """Published u'v' of sRGB's primaries and white."""
    assert chroma(linear(rgb)) == pytest.approx((u, v), abs=5e-4)


def test_black_has_the_white_points_chroma() -> None:
    """No light has no colour of its own."""
    assert chroma(linear(BLACK)) == pytest.approx(chroma(linear((255, 255, 255))), abs=1e-3)


def test_softened_red_is_not_saturated() -> None:
    """(255, 100, 100) lies just below the limit of 0.8, pure red above it; black is no red."""
    assert not is_saturated_red(linear((255, 100, 100)))
    assert is_saturated_red(linear(RED))
    assert not is_saturated_red(linear(BLACK))
    assert luminance(linear((255, 255, 255))) == pytest.approx(1.0)
