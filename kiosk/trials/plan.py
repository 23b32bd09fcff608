"""Which trials a run consists of: the live grid, and each attack in drawn circumstances.

A trial is a number, a split and a species; its seed and its circumstances follow from them and the run's seed, so that
an interrupted run goes on and two runs of one seed are the same. The splits share no face, room, wall colour or panel.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.sim.conditions import Conditions, Locking, Split, draw
from hardware.sim.species import SPECIES
from kiosk.errors import InputError
from kiosk.evaluation.trial import LIVE

SIZE_PX = (400, 300)
FPS = 20.0
"""Small and slow pictures: about four times as fast to play as the kiosk's 640 x 480 at 30, and harder to judge."""
GRID_LUX = (100.0, 300.0, 500.0, 1000.0)
GRID_MM = (300.0, 400.0, 500.0)
GRID_SKIN_L = (72.0, 60.0, 50.0, 40.0, 30.0)
GRID_GLASSES = (False, True)
BRIGHT_LUX = (2000.0, 4000.0, 20_000.0)
"""Told as information: the targets end at 1 000 lx."""
BRIGHT_SHARE = 0.04
"""Live trials in bright light, in shares of ``n`` for each level."""
LOCKS: tuple[Locking, ...] = ("untold", "ignored")
"""Cameras that cannot tell whether their exposure is locked, and such as say so and go on adapting."""
LOCK_LUX = 300.0
LOCK_SHARE = 0.05
"""Live trials with each of these cameras, in shares of ``n``: for information: the second kind must be refused."""
UNCOVERED_SHARE = 0.1
"""Trials of a species that the flash does not promise to refuse, in shares of ``n``: to say how many it lets in."""
LIVE_SHARE = 1.2
"""Live trials in the grid, in shares of ``n``, where their number is not given."""
ATTACK_LUX = (50.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Planned:
    """One trial to be played."""

    id: str
    species: str
    split: str
    """As it is reported: the world's split, or ``information``."""
    world: Split
    seed: int
    conditions: Conditions
    calibrated: bool
    """Whether this installation's lag is known."""


def known_species(names: Sequence[str]) -> list[str]:
    """These species, all of them when none is named. Raises InputError for an unknown one."""
    unknown = [name for name in names if name not in SPECIES]
    if unknown:
        raise InputError(f"no species {unknown[0]!r}", where="--species", mend=f"one of {', '.join(SPECIES)}")
    return list(dict.fromkeys(names)) if names else list(SPECIES)


def plan(species: Sequence[str], n: int, seed: int, split: Split, visitors: int | None = None) -> list[Planned]:
    """All trials of a run, mixed so that any beginning of it is a fair sample.

    ``n``: trials of each covered attack; the live grid has ``visitors`` (``LIVE_SHARE`` times ``n`` by default),
    rounded up to whole cells, and there are some in bright light and with cameras that do not lock their exposure.
    """
    trials: list[Planned] = []
    for name in species:
        if name == LIVE:
            trials += (
                _grid(round(LIVE_SHARE * n) if visitors is None else visitors, seed, split)
                + _bright(n, seed, split)
                + _unlocked(n, seed, split)
            )
        else:
            count = n if SPECIES[name].covered else max(1, round(UNCOVERED_SHARE * n))
            trials += [_planned(name, number, seed, split, lux=ATTACK_LUX) for number in range(count)]
    order = np.random.default_rng([seed, 0x0DE5]).permutation(len(trials))
    return [trials[index] for index in order]


def _grid(visitors: int, seed: int, split: Split) -> list[Planned]:
    cells = list(itertools.product(GRID_LUX, GRID_MM, GRID_SKIN_L, GRID_GLASSES))
    each = max(1, -(-visitors // len(cells)))
    found = []
    for number, (lux, distance_mm, skin_l, glasses) in enumerate(cells * each):
        one = _planned(LIVE, number, seed, split)
        cell = replace(one.conditions, ambient_lux=lux, distance_mm=distance_mm, skin_l=skin_l, glasses=glasses)
        found.append(replace(one, conditions=cell))
    return found


def _bright(n: int, seed: int, split: Split) -> list[Planned]:
    found = []
    for number, lux in enumerate(BRIGHT_LUX * max(1, round(BRIGHT_SHARE * n))):
        one = _planned(LIVE, 1_000_000 + number, seed, split)
        found.append(replace(one, split="information", conditions=replace(one.conditions, ambient_lux=lux)))
    return found


def _unlocked(n: int, seed: int, split: Split) -> list[Planned]:
    found = []
    for number, lock in enumerate(LOCKS * max(1, round(LOCK_SHARE * n))):
        one = _planned(LIVE, 2_000_000 + number, seed, split)
        camera = replace(one.conditions, ambient_lux=LOCK_LUX, exposure_locked=lock)
        found.append(replace(one, split="information", conditions=camera))
    return found


def _planned(species: str, number: int, seed: int, split: Split, lux: tuple[float, float] = (100.0, 1000.0)) -> Planned:
    own = [seed, zlib.crc32(f"{split} {species}".encode()), number]
    random = np.random.default_rng(own)
    drawn = draw(random, split, lux=lux)
    conditions = replace(drawn, width_px=SIZE_PX[0], height_px=SIZE_PX[1], fps=FPS)
    return Planned(
        id=f"{seed}-{split}-{species}-{number}",
        species=species,
        split=split,
        world=split,
        seed=int(random.integers(1, 1 << 30)),
        conditions=conditions,
        calibrated=bool(random.random() < 0.5),
    )
