"""Train and calibrate the confidence on the trials of an evaluation (``kiosk liveness train``).

Logistic regression without negative weights on ``fusion.goodness``, visitors and attacks weighing the same and each
species of attack the same among them. Calibration after Platt (1999): the score is scaled and shifted to fit scores of
trials that did not train it, in ``FOLDS`` folds that share no world (a world is its seed). Nothing is drawn at random
but the folds, which follow from the seed: the same file gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import InputError
from kiosk.evaluation.trial import LIVE, Trial
from kiosk.visit.reflection.fusion import FEATURES, Model, goodness

Array = NDArray[np.float64]

FOLDS = 5
RIDGE = 1e-3
"""Pull of the weights towards 0: keeps them finite where the classes separate."""
ROUNDS = 200
DIGITS = 4
"""Weights are rounded to this: the last bits of a matrix product differ between processors."""
VOTES = ("halves", "parallax", "passive")
"""Witnesses that may be absent for honest reasons: who is there already when the kiosk looks up shows no approach."""
LEAST_ROWS = 20
"""Trials of visitors, and of attacks, below which nothing is trained."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Trials as numbers. ``N`` rows."""

    good: Array
    """``(N, F)`` goodness of each feature."""
    live: NDArray[np.bool_]
    """``(N,)``."""
    weight: Array
    """``(N,)`` sums to 1: half for the visitors, the other half shared equally by the species."""
    world: NDArray[np.int64]
    """``(N,)`` seed of the world."""


def rows_of(trials: Sequence[Trial]) -> Rows:
    """The trials that were judged by their gates. Raises InputError when there are too few to learn from."""
    judged = [trial for trial in trials if trial.gates and (trial.covered or trial.species == LIVE)]
    count = Counter(trial.species for trial in judged)
    attacks = len(judged) - count[LIVE]
    if min(count[LIVE], attacks) < LEAST_ROWS:
        raise InputError(
            f"{count[LIVE]} visitors and {attacks} attacks are too few to learn from",
            where="trials",
            mend=f"run more: at least {LEAST_ROWS} of either",
        )
    good = np.array([[goodness(trial.gates)[name] for name in FEATURES] for trial in judged])
    shares = {name: 0.5 / number / (1 if name == LIVE else len(count) - 1) for name, number in count.items()}
    return Rows(
        good=good,
        live=np.array([trial.species == LIVE for trial in judged]),
        weight=np.array([shares[trial.species] for trial in judged]),
        world=np.array([trial.seed for trial in judged], np.int64),
    )


def doubled(rows: Rows) -> Rows:
    """Each trial twice: as it was, and without its votes. Simulated visitors always walk up; others need not, and must
    not count as attacks for it."""
    without = rows.good.copy()
    without[:, [FEATURES.index(name) for name in VOTES]] = 0.0
    return Rows(
        good=np.concatenate([rows.good, without]),
        live=np.tile(rows.live, 2),
        weight=np.tile(rows.weight / 2, 2),
        world=np.tile(rows.world, 2),
    )


def train(rows: Rows, seed: int) -> Model:
    """The calibrated model."""
    rows = doubled(rows)
    fold = np.array([_fold(int(world), seed) for world in rows.world])
    scores = np.empty(len(fold))
    for held in range(FOLDS):
        out = fold == held
        weights, offset = _logistic(rows.good[~out], rows.live[~out], rows.weight[~out], _start(rows.good.shape[1]))
        scores[out] = rows.good[out] @ weights + offset
    slope, shift = _platt(scores, rows)
    weights, offset = _logistic(rows.good, rows.live, rows.weight, _start(rows.good.shape[1]))
    scaled = [round(float(slope * weight), DIGITS) + 0.0 for weight in weights]
    return Model(dict(zip(FEATURES, scaled, strict=True)), round(float(slope * offset + shift), DIGITS))


def _fold(world: int, seed: int) -> int:
    return hashlib.sha256(f"{seed} {world}".encode()).digest()[0] % FOLDS


def _start(features: int) -> Array:
    return np.zeros(features + 1)


def _logistic(good: Array, live: NDArray[np.bool_], weight: Array, start: Array) -> tuple[Array, float]:
    """(weights, offset) of least weighted cross entropy plus ridge, weights at least 0.

    Newton's method over the weights that are free to move (Bertsekas 1982), halved until it gains.
    """
    design = np.column_stack([good, np.ones(len(good))])
    target, weight = live.astype(np.float64), weight / weight.sum()
    pull = np.full(design.shape[1], RIDGE)
    pull[-1] = 0.0
    point = start

    def loss(at: Array) -> float:
        score = design @ at
        return float(weight @ (np.logaddexp(0.0, score) - target * score) + 0.5 * pull @ at**2)

    for _ in range(ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ point, -500, 500)))
        slope = design.T @ (weight * (chance - target)) + pull * point
        free = (point > 0) | (slope < 0)
        free[-1] = True
        curve = (design * (weight * chance * (1 - chance))[:, None]).T @ design + np.diag(pull + 1e-9)
        step = np.zeros_like(point)
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        before, length = loss(point), 1.0
        while length > 1e-6:
            trial = point - length * step
            trial[:-1] = np.maximum(trial[:-1], 0.0)
            if loss(trial) <= before:
                break
            length /= 2
        moved = float(np.abs(trial - point).max())
        point = trial
        if moved < 1e-9:
            break
    return point[:-1], float(point[-1])


def _platt(scores: Array, rows: Rows) -> tuple[float, float]:
    """(slope, shift) of the scores' log odds; targets moved inwards by the number of trials, as Platt advises."""
    lives, attacks = int(rows.live.sum()), int((~rows.live).sum())
    target = np.where(rows.live, (lives + 1.0) / (lives + 2.0), 1.0 / (attacks + 2.0))
    slope, shift = 1.0, 0.0
    for _ in range(ROUNDS):
        value = slope * scores + shift
        chance = 1.0 / (1.0 + np.exp(-np.clip(value, -500, 500)))
        error = rows.weight * (chance - target)
        bend = rows.weight * chance * (1 - chance) + 1e-12
        normal = np.array([[bend @ scores**2, bend @ scores], [bend @ scores, bend.sum()]]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(normal, np.array([error @ scores, error.sum()]))
        step *= min(1.0, 1.0 / float(np.abs(step).max() + 1e-12))
        slope, shift = max(slope - float(step[0]), 0.01), shift - float(step[1])
        if float(np.abs(step).max()) < 1e-9:
            break
    return slope, shift
