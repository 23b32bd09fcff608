"""Ten thousand drawn challenges against WCAG 2.3.1, counted by a second, independent counter.

The counter here is written from the definition, for all sequences at once: general flashes on relative luminance, red
flashes by both published wordings (the u'v' change of WCAG 2.2 and the older (R - G - B) x 320 > 20), on linear light,
each half of the screen for itself. The product's checker must agree with it, and both must see planted sequences.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.config.tree import LivenessSettings
from kiosk.values import Challenge, Region, Rgb, Slot
from kiosk.visit import photosensitivity
from kiosk.visit.challenge import PALETTE, draw

COUNT = 10_000
REFRESH_S = 0.017
"""A switch may come a refresh late, so that the next slot is shorter by as much."""
SETTINGS = (
    LivenessSettings(),
    LivenessSettings(colour_slots=12, half_slots=3, slot_s=0.25, slot_jitter_s=0.05),
    LivenessSettings(colour_slots=8, half_slots=2, slot_s=0.25, slot_jitter_s=0.0),
    LivenessSettings(colour_slots=10, half_slots=2, slot_s=0.3, slot_jitter_s=0.03),
)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Flashes:
    """Most flashes in any second, ``(N,)`` each."""

    general: Array
    red: Array
    red_older: Array

    @property
    def safe(self) -> NDArray[np.bool_]:
        """``(N,)`` within three a second of each kind."""
        return (self.general <= 3) & (self.red <= 3) & (self.red_older <= 3)


def decode(codes: Array) -> Array:
    """sRGB to linear light, IEC 61966-2-1."""
    encoded = codes / 255.0
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def states(challenges: list[Challenge], dark: Region, shorter_s: float) -> tuple[Array, Array]:
    """``(N, S + 2, 3)`` linear light of one half with black before and after, ``(N, S + 2)`` begins in seconds."""
    most = max(len(one.slots) for one in challenges)
    light = np.zeros((len(challenges), most + 2, 3))
    begin = np.full((len(challenges), most + 2), 1e9)
    begin[:, 0] = -1e9
    for row, one in enumerate(challenges):
        lengths = [slot.duration_s - shorter_s for slot in one.slots]
        begin[row, 1 : len(lengths) + 2] = np.concatenate([[0.0], np.cumsum(lengths)])
        for column, slot in enumerate(one.slots, 1):
            light[row, column] = (0, 0, 0) if slot.region == dark else slot.rgb
    return decode(light), begin


def general_changes(light: Array) -> NDArray[np.bool_]:
    """``(N, S)`` where a valley-to-peak change of 10 % of the maximum with a dark side below 0.80 is completed."""
    level = light @ [0.2126, 0.7152, 0.0722]
    found = np.zeros(level.shape, bool)
    anchor, rising = level[:, 0].copy(), np.zeros(len(level), int)
    for column in range(1, level.shape[1]):
        now = level[:, column]
        way = np.sign(now - anchor).astype(int)
        further = (rising != 0) & ((way == rising) | (way == 0))
        turned = ~further & (np.abs(now - anchor) >= 0.10) & (np.minimum(now, anchor) < 0.80)
        found[:, column] = turned
        anchor = np.where(further | turned, now, anchor)
        rising = np.where(turned, way, rising)
    return found


def red_changes(light: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """``(N, S)`` changes from or to saturated red: u'v' by more than 0.2, and the older wording."""
    total = light.sum(axis=-1)
    saturated = (total > 0) & (light[..., 0] >= 0.8 * total)
    x, y, z = np.moveaxis(
        light @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]), -1, 0
    )
    under = np.where(total > 0, x + 15 * y + 3 * z, 1.0)
    uv = np.stack([np.where(total > 0, 4 * x / under, 0.1978), np.where(total > 0, 9 * y / under, 0.4683)], axis=-1)
    moved = np.linalg.norm(np.diff(uv, axis=1), axis=-1) > 0.2
    redness = np.maximum((light[..., 0] - light[..., 1] - light[..., 2]) * 320, 0)
    older = np.abs(np.diff(redness, axis=1)) > 20
    either = saturated[:, 1:] | saturated[:, :-1]
    first = np.zeros((len(light), 1), bool)
    return np.hstack([first, moved & either]), np.hstack([first, older & either])


def most_flashes(changes: NDArray[np.bool_], begin: Array) -> Array:
    """Half the most changes in any closed second, ``(N,)``."""
    most = np.zeros(len(changes))
    for column in range(changes.shape[1]):
        since = begin - begin[:, [column]]
        inside = changes & (since >= 0) & (since <= 1.0 + 1e-9)
        most = np.maximum(most, np.where(changes[:, column], inside.sum(axis=1), 0))
    return most / 2


def counted(challenges: list[Challenge], shorter_s: float = 0.0) -> Flashes:
    """The worse half of each."""
    results = []
    for dark in ("top", "bottom"):
        light, begin = states(challenges, dark, shorter_s)
        red, older = red_changes(light)
        results.append([most_flashes(one, begin) for one in (general_changes(light), red, older)])
    return Flashes(*np.max(np.array(results), axis=0))


def nonce(number: int) -> bytes:
    """32 bytes that no other number has."""
    return hashlib.sha256(b"ten thousand %d" % number).digest()


@cache
def drawn() -> list[Challenge]:
    """Ten thousand, half of them with the defaults, the others at the limits of the settings."""
    usual = [draw(nonce(number), SETTINGS[0]) for number in range(COUNT // 2)]
    limits = [draw(nonce(number), SETTINGS[1 + number % (len(SETTINGS) - 1)]) for number in range(COUNT // 2, COUNT)]
    return usual + limits


def shortened(challenges: list[Challenge], length_s: float) -> list[Challenge]:
    """The same colours, faster."""
    return [Challenge(tuple(Slot(s.rgb, s.region, length_s) for s in one.slots)) for one in challenges]


def test_ten_thousand_drawn_sequences_are_safe() -> None:
    """Played as drawn, and with every slot cut short by a refresh."""
    everyone = drawn()
    assert len(everyone) == COUNT
    for shorter_s in (0.0, REFRESH_S):
        flashes = counted(everyone, shorter_s)
        assert flashes.safe.all()
        assert flashes.general.max() <= 3
        assert flashes.red.max() == flashes.red_older.max() == 0


def test_every_beginning_is_safe() -> None:
    """A flash that ends early goes dark, or bright, after any slot: black is what the counter adds."""
    for end in range(1, max(len(one.slots) for one in drawn())):
        cut = [Challenge(one.slots[:end]) for one in drawn()[::10] if len(one.slots) > end]
        assert counted(cut).safe.all()


def test_both_counters_agree() -> None:
    """On drawn ones, on the same ones played too fast, and on wild ones with saturated colours."""
    random = np.random.default_rng(11)
    wild_colours: list[Rgb] = [*PALETTE, (255, 0, 0), (120, 0, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)]
    regions: tuple[Region, ...] = ("full", "full", "top", "bottom")
    wild = [
        Challenge(
            tuple(
                Slot(wild_colours[random.integers(len(wild_colours))], regions[random.integers(4)], float(length))
                for length in random.uniform(0.03, 0.2, random.integers(2, 16))
            )
        )
        for _ in range(1000)
    ]
    for several in (drawn()[::10], shortened(drawn()[::10], 0.12), wild):
        ours = counted(several)
        theirs = [photosensitivity.check(one) for one in several]
        assert ours.general.tolist() == [one.general for one in theirs]
        assert ours.red.tolist() == [one.red for one in theirs]
    assert counted(wild).safe.mean() < 0.9, "wild sequences must reach both sides of the limit"


@pytest.mark.parametrize("length_s", [0.08, 0.12, 0.15])
def test_the_same_colours_played_too_fast_are_caught(length_s: float) -> None:
    """Planted: what was drawn, without the shortest length of a slot."""
    fast = shortened(drawn()[:500], length_s)
    caught = ~counted(fast).safe
    assert caught.any()
    assert [not photosensitivity.check(one).safe for one in fast] == caught.tolist()


@pytest.mark.parametrize("other", [(0, 0, 0), (0, 0, 160), (0, 90, 0)])
def test_saturated_red_is_caught_by_both_wordings(other: Rgb) -> None:
    """Planted: red against dark colours, four times a second."""
    slots = tuple(Slot(rgb, "full", 0.125) for rgb in ((255, 0, 0), other) * 6)
    flashes = counted([Challenge(slots)])
    assert flashes.red[0] > 3
    assert flashes.red_older[0] > 3
    assert photosensitivity.check(Challenge(slots)).red > 3


def test_gamma_is_not_forgotten() -> None:
    """Planted: codes 100 and 128 differ by 11 % as codes and by 9 % as light, which is no flash."""
    slots = tuple(Slot((code, code, code), "full", 0.1) for code in (101, 128) * 8)
    assert counted([Challenge(slots)]).general[0] <= 1
    slots = tuple(Slot((code, code, code), "full", 0.1) for code in (80, 128) * 8)
    assert counted([Challenge(slots)]).general[0] > 3
