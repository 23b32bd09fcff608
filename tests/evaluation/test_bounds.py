"""Exact binomial bounds: known values and the rules that make them bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.evaluation.bounds import LEVEL, Share, at_most, lower_bound, upper_bound

COUNTS = st.integers(1, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@pytest.mark.parametrize(
    ("count", "total", "high"),
    [(0, 150, 0.01977), (0, 300, 0.009936), (0, 900, 0.003323), (1, 300, 0.01572), (5, 5, 1.0), (150, 300, 0.5491)],
)
def test_known_upper_bounds(count: int, total: int, high: float) -> None:
    """0 of n is 1 - 0.05^(1/n); the others come from the beta quantiles in the literature's tables."""
    assert upper_bound(count, total) == pytest.approx(high, rel=2e-3)


@given(COUNTS)
def test_the_bound_is_where_the_tail_reaches_five_percent(counts: tuple[int, int]) -> None:
    """By definition, on either side."""
    count, total = counts
    high, low = upper_bound(count, total), lower_bound(count, total)
    if count < total:
        assert at_most(count, total, high) == pytest.approx(1.0 - LEVEL, abs=1e-6)
    if count > 0:
        assert 1.0 - at_most(count - 1, total, low) == pytest.approx(1.0 - LEVEL, abs=1e-6)


@given(COUNTS)
def test_the_bounds_enclose_the_share_and_tighten_with_more_tries(counts: tuple[int, int]) -> None:
    """The same share of twice as many tries is known better."""
    count, total = counts
    share, more = Share(count, total), Share(2 * count, 2 * total)
    assert 0.0 <= share.low <= share.rate <= share.high <= 1.0
    assert more.high - more.low <= share.high - share.low + 1e-9


@given(st.integers(0, 300))
def test_one_more_success_never_lowers_a_bound(count: int) -> None:
    """Both bounds grow with the count."""
    assert upper_bound(count, 301) <= upper_bound(count + 1, 301)
    assert lower_bound(count, 301) <= lower_bound(count + 1, 301)


def test_nothing_tried_says_nothing() -> None:
    """No tries are no proof: not a number, and null in JSON."""
    empty = Share(0, 0)
    assert math.isnan(empty.rate)
    assert math.isnan(empty.high)
    assert empty.to_json() == {
        "count": 0, "total": 0, "percent": None, "low_percent": None, "high_percent": None,
    }  # fmt: skip


@pytest.mark.parametrize(("count", "total", "level"), [(-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0)])
def test_impossible_counts_are_refused(count: int, total: int, level: float) -> None:
    """A bug in the counting must not become a figure."""
    with pytest.raises(ValueError, match="no share"):
        upper_bound(count, total, level)
