"""Draw the colour sequence of one liveness check from 32 fresh random bytes.

Rules:
- The nonce is the only randomness. It is expanded with SHAKE-256, so the same nonce gives the same challenge (a test
  can repeat it) and nobody without the nonce can tell the next slot from those before (docs/adr/0008).
- Single use: who draws must pass a nonce that was never used (``Moment.nonce``).
- Played slot by slot and possibly ended early, never before the sixth colour. Grey guard, three colours, guard, three
  colours: these six are the whole palette, one of them lights only the top half of the screen and one only the bottom
  half. Then further colours with a guard after every three, and a guard at the very end. The guards give the baseline
  against which drift is removed.
- Softened colours: (255, 100, 100) keeps 87 % of red's chroma contrast but is no saturated red by WCAG; its kin too.
- Colours never follow themselves, each channel is lit about equally often, half-lit slots are never neighbours.
- Every sequence is counted by ``kiosk.visit.photosensitivity``, wherever it may end, and redrawn when it fails.
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
FLOOR = len(PALETTE)
"""Colour slots that are always played: each colour of the palette once."""
LONG_FLOOR = 9
"""The same in weak light: half as much again, since noise averages out with the root of the time."""
GROUP = 3
"""Colours between two guards."""
MOST_DRAWS = 10_000

T = TypeVar("T")


class Stream:
    """Uniform integers from SHAKE-256 of the nonce (rejection sampling: no modulo bias)."""

    def __init__(self, nonce: bytes, purpose: bytes) -> None:
        """Each ``purpose`` has numbers of its own. Raises ValueError when the nonce is not 32 bytes."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
        self._seed = purpose + nonce
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
    stream = Stream(nonce, b"door-kiosk challenge 1")
    for _ in range(MOST_DRAWS):
        colours = _colours(stream, settings.colour_slots)
        if colours is None:
            continue
        regions = _regions(stream, settings.colour_slots, settings.half_slots)
        challenge = Challenge(_with_guards(stream, colours, regions, settings))
        if safe_wherever_it_ends(challenge):
            return challenge
    raise AssertionError("no safe challenge in ten thousand draws: the settings' ranges exclude this")


def colour_indices(challenge: Challenge) -> tuple[int, ...]:
    """Where the colour slots are among all slots, in order."""
    return tuple(index for index, slot in enumerate(challenge.slots) if slot.rgb != GREY)


def shown_after_s(challenge: Challenge, colours: int) -> float:
    """Seconds from the begin of the first slot to the end of this many colour slots, or of the last slot."""
    ends = colour_indices(challenge)[colours - 1 : colours]
    return sum(slot.duration_s for slot in challenge.slots[: ends[0] + 1 if ends else None])


def safe_wherever_it_ends(challenge: Challenge) -> bool:
    """Whether the flashes stay within WCAG's limits for the whole and for every prefix that can be played.

    A flash that ends early ends in any slot from the last colour of the floor on, at its begin, within it or at its
    end; the checker adds the worst change at that moment.
    """
    first = colour_indices(challenge)[FLOOR - 1]
    for end in range(first, len(challenge.slots)):
        before, slot = challenge.slots[:end], challenge.slots[end]
        for share in (0.0, 0.5, 1.0):
            cut = Slot(slot.rgb, slot.region, slot.duration_s * share)
            if not photosensitivity.check(Challenge((*before, cut))).safe:
                return False
    return True


def _colours(stream: Stream, count: int) -> list[Rgb] | None:
    """The palette, then more of it, none twice in a row, channels balanced; None when the draw failed."""
    colours = [*stream.shuffled(PALETTE), *stream.shuffled(PALETTE)[: count - FLOOR]]
    lit = [sum(1 for colour in colours if colour[channel] == 255) for channel in range(3)]
    repeats = any(a == b for a, b in itertools.pairwise(colours))
    return None if repeats or max(lit) - min(lit) > 1 else colours


def _regions(stream: Stream, count: int, halves: int) -> list[Region]:
    """Which slots light only a half: one top and one bottom on the floor, further ones after it, never neighbours."""
    regions: list[Region] = ["full"] * count
    while True:
        places = stream.shuffled(range(FLOOR))[:2]
        places += stream.shuffled(range(FLOOR, count))[: halves - 2]
        if all(b - a > 1 for a, b in itertools.pairwise(sorted(places))):
            break
    regions[places[0]], regions[places[1]] = "top", "bottom"
    for place in places[2:]:
        regions[place] = ("top", "bottom")[stream.below(2)]
    return regions


def _with_guards(
    stream: Stream, colours: Sequence[Rgb], regions: Sequence[Region], settings: LivenessSettings
) -> tuple[Slot, ...]:
    """Grey before, after every third colour, and at the end; every slot with its own length."""

    def length() -> float:
        return max(SHORTEST_S, settings.slot_s + (2.0 * stream.unit() - 1.0) * settings.slot_jitter_s)

    slots: list[Slot] = []
    for index, (rgb, region) in enumerate(zip(colours, regions, strict=True)):
        if index % GROUP == 0:
            slots.append(Slot(GREY, "full", length()))
        slots.append(Slot(rgb, region, length()))
    slots.append(Slot(GREY, "full", length()))
    return tuple(slots)
