"""How far a counted share can be trusted: exact binomial bounds, without a statistics package.

Every bound is one-sided at 95 %, as presentation-attack reports use them: nothing in 150 tries means at most 2.0 %.
A lower and an upper bound together enclose 90 %. Source: Clopper and Pearson, Biometrika 26 (1934), 404.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
"""Confidence of each one-sided bound."""
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``total`` with its exact bounds; ``rate`` and the bounds are 0..1, NaN when nothing was tried."""

    count: int
    total: int

    @property
    def rate(self) -> float:
        """The share itself."""
        return self.count / self.total if self.total else math.nan

    @property
    def low(self) -> float:
        """Lower bound."""
        return lower_bound(self.count, self.total)

    @property
    def high(self) -> float:
        """Upper bound."""
        return upper_bound(self.count, self.total)

    def to_json(self) -> dict[str, float | int | None]:
        """Plain figures, percent; None where nothing was tried."""
        return {
            "count": self.count,
            "total": self.total,
            "percent": _percent(self.rate),
            "low_percent": _percent(self.low),
            "high_percent": _percent(self.high),
        }


def upper_bound(count: int, total: int, level: float = LEVEL) -> float:
    """The largest rate that still makes ``count`` or fewer of ``total`` as likely as ``1 - level``; NaN of nothing.

    Raises ValueError for impossible counts.
    """
    _check(count, total, level)
    if total == 0:
        return math.nan
    if count == total:
        return 1.0
    return _solve(lambda rate: at_most(count, total, rate) > 1.0 - level)


def lower_bound(count: int, total: int, level: float = LEVEL) -> float:
    """The smallest rate that still makes ``count`` or more of ``total`` as likely as ``1 - level``; NaN of nothing.

    Raises ValueError for impossible counts.
    """
    _check(count, total, level)
    if total == 0:
        return math.nan
    return 1.0 - upper_bound(total - count, total, level)


def at_most(count: int, total: int, rate: float) -> float:
    """Probability of ``count`` or fewer successes in ``total`` tries at ``rate`` 0..1."""
    if rate <= 0.0:
        return 1.0
    if rate >= 1.0:
        return 1.0 if count >= total else 0.0
    yes, no = math.log(rate), math.log1p(-rate)
    k = np.arange(count + 1)
    return min(1.0, math.fsum(np.exp(_log_choose(total)[: count + 1] + k * yes + (total - k) * no)))


@lru_cache(maxsize=64)
def _log_choose(total: int) -> NDArray[np.float64]:
    """``(total + 1,)`` logarithms of the numbers of ways to choose 0, 1, ... of ``total``."""
    ways = [math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) for k in range(total + 1)]
    return np.array(ways)


def _check(count: int, total: int, level: float) -> None:
    if not 0 <= count <= total or not 0.5 <= level < 1.0:
        raise ValueError(f"{count} of {total} at {level} is no share")


def _solve(still: Callable[[float], bool]) -> float:
    """The rate at which ``still`` turns false, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if still(middle) else (low, middle)
    return high


def _percent(rate: float) -> float | None:
    return None if math.isnan(rate) else round(100.0 * rate, 3)
