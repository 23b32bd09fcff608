"""Draw the colour sequence of one liveness check from 32 fresh random bytes.

Rules:
- The nonce is the only randomness. It is expanded with SHAKE-256, so the same nonce gives the same challenge (a test
  can repeat it) and nobody without the nonce can tell the next slot from those before.
- Single use: who draws must pass a nonce that was never used (``Moment.nonce``).
- Softened colours: (255, 100, 100) keeps 87 % of red's chroma contrast but is no saturated red by WCAG; its kin too.
- Grey guards at the start, at the end and two inside give the baseline against which drift is removed.
- Colours never follow themselves, each channel is lit about equally often, and some slots light only the top or only
  the bottom half of the screen (both kinds occur).
- Every sequence is counted by ``kiosk.visit.photosensitivity`` and redrawn when it fails.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import TypeVar

from kiosk.config.tree import LivenessSettings
from kiosk.values import Challenge, Region, Rgb, Slot
from kiosk.visit import photosensitivity

GREY: Rgb = (128, 128, 128)
RED: Rgb = (255, 100, 100)
GREEN: Rgb = (100, 255, 100)
BLUE: Rgb = (100, 100, 255)
CYAN: Rgb = (100, 255, 255)
MAGENTA: Rgb = (255, 100, 255)
YELLOW: Rgb = (255, 255, 100)
PALETTE: tuple[Rgb, ...] = (RED, GREEN, BLUE, CYAN, MAGENTA, YELLOW)
NONCE_BYTES = 32
SHORTEST_S = 0.25
"""A slot is never shorter: at 250 ms no sequence of changes can reach three flashes a second."""
MOST_DRAWS = 10_000

T = TypeVar("T")


class _Stream:
    """Uniform integers from SHAKE-256 of the nonce (rejection sampling: no modulo bias)."""

    def __init__(self, nonce: bytes) -> None:
        self._seed = b"door-kiosk challenge 1" + nonce
        self._block = 0
        self._bytes = b""

    def _take(self, count: int) -> bytes:
        while len(self._bytes) < count:
            self._bytes += hashlib.shake_256(self._seed + self._block.to_bytes(8, "big")).digest(136)
            self._block += 1
        taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken

    def below(self, bound: int) -> int:
        """A uniform integer in 0..bound-1."""
        limit = (1 << 32) // bound * bound
        while True:
            value = int.from_bytes(self._take(4), "big")
            if value < limit:
                return value % bound

    def unit(self) -> float:
        """A uniform number in 0..1."""
        return self.below(1 << 24) / float((1 << 24) - 1)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Fisher-Yates."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result


def draw(nonce: bytes, settings: LivenessSettings) -> Challenge:
    """The challenge that belongs to this nonce. Raises ValueError when the nonce is not 32 bytes."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    stream = _Stream(nonce)
    for _ in range(MOST_DRAWS):
        colours = _colours(stream, settings.colour_slots)
        if colours is None:
            continue
        regions = _regions(stream, settings.colour_slots, settings.half_slots)
        challenge = Challenge(_with_guards(stream, colours, regions, settings))
        if photosensitivity.check(challenge).safe:
            return challenge
    raise AssertionError("no safe challenge in ten thousand draws: the settings' ranges exclude this")


def _colours(stream: _Stream, count: int) -> list[Rgb] | None:
    """``count`` colours, none twice in a row, each at least once, channels balanced; None when the draw failed."""
    extra = stream.shuffled(PALETTE)[: count - len(PALETTE)]
    colours = stream.shuffled((*PALETTE, *extra))
    lit = [sum(1 for colour in colours if colour[channel] == 255) for channel in range(3)]
    repeats = any(a == b for a, b in itertools.pairwise(colours))
    return None if repeats or max(lit) - min(lit) > 1 else colours


def _regions(stream: _Stream, count: int, halves: int) -> list[Region]:
    """Which slots light only a half: at least one top and one bottom, never two next to each other."""
    kinds: list[Region] = stream.shuffled(("top", "bottom"))
    while len(kinds) < halves:
        kinds.append(("top", "bottom")[stream.below(2)])
    regions: list[Region] = ["full"] * count
    while True:
        places = sorted(stream.shuffled(range(count))[:halves])
        if all(b - a > 1 for a, b in itertools.pairwise(places)):
            break
    for place, kind in zip(places, kinds, strict=True):
        regions[place] = kind
    return regions


def _with_guards(
    stream: _Stream, colours: Sequence[Rgb], regions: Sequence[Region], settings: LivenessSettings
) -> tuple[Slot, ...]:
    """Grey before, after, and after about each third of the colours; every slot with its own length."""
    third = len(colours) // 3
    inside = {third, 2 * third}

    def length() -> float:
        return max(SHORTEST_S, settings.slot_s + (2.0 * stream.unit() - 1.0) * settings.slot_jitter_s)

    slots = [Slot(GREY, "full", length())]
    for index, (rgb, region) in enumerate(zip(colours, regions, strict=True)):
        if index in inside:
            slots.append(Slot(GREY, "full", length()))
        slots.append(Slot(rgb, region, length()))
    slots.append(Slot(GREY, "full", length()))
    return tuple(slots)
