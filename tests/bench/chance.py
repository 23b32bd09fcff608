"""How well wrong challenges correlate by chance: ``python -m tests.bench.chance [--challenges N] [--seed S]``.

Draws N challenges by the kiosk's own rules and fits each with all others, as the timing gate does but without noise:
the chances and quantiles behind ``kiosk.visit.reflection.chance.LEAST_R``. N = 3 000 are nine million pairs, a minute.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from kiosk.config.tree import LivenessSettings
from kiosk.values import Challenge
from kiosk.visit.challenge import FLOOR, draw
from kiosk.visit.photosensitivity import linear
from kiosk.visit.reflection.chance import LEAST_R
from kiosk.visit.reflection.signals import CHROMA, Array, drift_basis

HALF = {"full": 1.0, "top": 0.5, "bottom": 0.5}


def challenges(count: int, seed: int) -> list[Challenge]:
    """By the rules of ``kiosk.visit.challenge``."""
    rng = np.random.default_rng(seed)
    return [draw(rng.bytes(32), LivenessSettings()) for _ in range(count)]


def correlations(drawn: list[Challenge], colours: int) -> Array:
    """``(N, N)`` correlation of each challenge with each other up to that colour; 0 with itself or a negative gain.

    The sequences are compared slot by slot: whoever replays another one cannot do better than hit every switch.
    """
    light = np.array([[np.array(linear(slot.rgb)) * HALF[slot.region] for slot in one.slots] for one in drawn])
    coloured = np.ptp(light[0], axis=1) > 0
    shown = int(np.flatnonzero(np.cumsum(coloured) == colours)[0]) + 1
    light = light[:, :shown]
    lengths = np.array([[slot.duration_s for slot in one.slots[:shown]] for one in drawn]).mean(axis=0)
    basis = drift_basis(np.cumsum(lengths) - lengths / 2)
    light = light - basis @ (basis.T @ light)
    design = (light[:, :, None, :] * CHROMA).reshape(len(drawn), -1, 3)
    ours, triangle = np.linalg.qr(design)
    theirs = design.sum(axis=2)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    result = np.zeros((len(drawn), len(drawn)))
    for number in range(len(drawn)):
        parts = theirs @ ours[number]
        gains = np.linalg.solve(triangle[number], parts.T)
        result[number] = np.where((gains > 0).all(axis=0), np.linalg.norm(parts, axis=1), 0.0)
        result[number, number] = 0.0
    return result


def main() -> int:
    """Print one line for each number of colours."""
    parser = argparse.ArgumentParser(description="Chances of wrong challenges (noise-free).")
    parser.add_argument("--challenges", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    drawn = challenges(asked.challenges, asked.seed)
    total = 0.0
    for colours, limit in enumerate(LEAST_R, start=FLOOR):
        r = correlations(drawn, colours)
        chance = float((r >= limit).mean())
        total += chance
        quantiles = "  ".join(f"{1 - q:.2%} {np.quantile(r, 1 - q):.3f}" for q in (1e-2, 1e-3, 1e-4))
        sys.stdout.write(
            f"{colours} colours  same {(r > 0.9999).mean():.1e}  {quantiles}  limit {limit}  passes {chance:.1e}\n"
        )
    sys.stdout.write(f"all looks together at most {total:.1e}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
