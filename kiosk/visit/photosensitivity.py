"""Flash counting for people with photosensitive epilepsy: every drawn challenge passes here before it is shown.

Definitions of WCAG 2.2, "general flash and red flash thresholds" (success criterion 2.3.1), on linear sRGB light:

- a general flash is a pair of opposing changes of relative luminance of at least 10 % of the maximum, where the
  darker state is below 0.80;
- a red flash is a pair of opposing changes that involve a saturated red: R / (R + G + B) >= 0.8 in one state, and a
  change of more than 0.2 in the CIE 1976 u'v' diagram;
- at most three of either in any one second.

Rules: the top and the bottom half of the screen are each larger than the exempt area, so each is counted as a screen
of its own. Before and after the challenge the screen is taken to be as dark and as light as is worst: a change from
black and to black is added at both ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from kiosk.values import Challenge, Rgb, Slot

MOST_FLASHES = 3.0
"""Flashes (pairs of changes) allowed in any second."""
WINDOW_S = 1.0
GENERAL_STEP = 0.10
DARKER_BELOW = 0.80
SATURATED = 0.8
CHROMA_STEP = 0.2

Linear = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class FlashCount:
    """The most flashes in any one second; half a flash is one change without its opposite."""

    general: float
    red: float

    @property
    def safe(self) -> bool:
        """Whether neither kind exceeds what WCAG allows."""
        return self.general <= MOST_FLASHES and self.red <= MOST_FLASHES


def linear(rgb: Rgb) -> Linear:
    """sRGB 0..255 to linear light 0..1 (IEC 61966-2-1)."""

    def decode(code: int) -> float:
        encoded = code / 255.0
        return encoded / 12.92 if encoded <= 0.04045 else float(((encoded + 0.055) / 1.055) ** 2.4)

    return decode(rgb[0]), decode(rgb[1]), decode(rgb[2])


def luminance(light: Linear) -> float:
    """Relative luminance 0..1 (ITU-R BT.709 primaries)."""
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def chroma(light: Linear) -> tuple[float, float]:
    """CIE 1976 (u', v') of linear sRGB; black has the white point's."""
    red, green, blue = light
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = luminance(light)
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    total = x + 15.0 * y + 3.0 * z
    if total <= 0.0:
        return 0.1978, 0.4683
    return 4.0 * x / total, 9.0 * y / total


def is_saturated_red(light: Linear) -> bool:
    """Whether red makes up at least 0.8 of the light."""
    total = sum(light)
    return total > 0.0 and light[0] / total >= SATURATED


def check(challenge: Challenge) -> FlashCount:
    """Count the flashes of a challenge: the worse half of the screen, the worst second."""
    halves = [_half(challenge.slots, dark) for dark in ("bottom", "top")]
    return FlashCount(
        general=max(_most(_general_changes(half)) for half in halves),
        red=max(_most(_red_changes(half)) for half in halves),
    )


class _Shade(NamedTuple):
    """What counts of one colour."""

    level: float
    """Relative luminance."""
    red: bool
    """Saturated red."""
    chroma: tuple[float, float]


@lru_cache(maxsize=256)
def _shade(rgb: Rgb) -> _Shade:
    """Of few colours, asked for again and again."""
    light = linear(rgb)
    return _Shade(luminance(light), is_saturated_red(light), chroma(light))


_States = Sequence[tuple[float, _Shade]]


def _half(slots: Sequence[Slot], dark: str) -> _States:
    """(begin in s, shade) of one half: black in slots that light only the other one, and black before and after."""
    black = _shade((0, 0, 0))
    states = [(float("-inf"), black)]
    at_s = 0.0
    for slot in slots:
        states.append((at_s, black if slot.region == dark else _shade(slot.rgb)))
        at_s += slot.duration_s
    states.append((at_s, black))
    return states


def _general_changes(states: _States) -> list[float]:
    """Times of opposing luminance changes of at least 10 % with the darker state below 0.80.

    A rise over several slots is one change: what counts is from valley to peak.
    """
    changes: list[float] = []
    extreme = states[0][1].level
    direction = 0
    for at_s, shade in states[1:]:
        level = shade.level
        step = level - extreme
        if direction != 0 and step * direction >= 0:
            extreme = level
        elif abs(step) >= GENERAL_STEP and min(level, extreme) < DARKER_BELOW:
            changes.append(at_s)
            extreme, direction = level, 1 if step > 0 else -1
    return changes


def _red_changes(states: _States) -> list[float]:
    """Times of changes to or from a saturated red that are large in u'v'."""
    changes: list[float] = []
    for (_, before), (at_s, after) in itertools.pairwise(states):
        if before.red or after.red:
            (u0, v0), (u1, v1) = before.chroma, after.chroma
            if (u1 - u0) ** 2 + (v1 - v0) ** 2 > CHROMA_STEP**2:
                changes.append(at_s)
    return changes


def _most(times: Sequence[float]) -> float:
    """Half the largest number of changes within one second, both ends included; ``times`` grow."""
    most = behind = 0
    for first, begin_s in enumerate(times):
        while behind < len(times) and times[behind] - begin_s <= WINDOW_S + 1e-9:
            behind += 1
        most = max(most, behind - first)
    return most / 2.0
