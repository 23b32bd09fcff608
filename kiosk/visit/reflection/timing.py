"""Timing and lag: does the face answer this challenge, when it was shown?

The chromaticities of the face minus those of the surroundings are fitted with the challenge's light at every
believable lag; the best lag wins. A permutation test asks how often other challenges would do as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.visit.challenge import PALETTE
from kiosk.visit.evidence import Evidence
from kiosk.visit.photosensitivity import linear
from kiosk.visit.reflection.chance import least_r
from kiosk.visit.reflection.finding import Finding, failed, insufficient, passed
from kiosk.visit.reflection.fitting import NOTHING, Answer, fit, gram, model
from kiosk.visit.reflection.signals import (
    Array,
    Mask,
    Signals,
    chroma,
    drift_basis,
    overlap,
    settled,
    without_drift,
)

Slots = NDArray[np.intp]

STEP_S = 0.005
LATEST_S = 0.5
"""Answers are looked for up to here, far beyond what is believed: a late injection should be seen to be late."""
UNSURE = 9.0
"""Three standard errors, squared: a lag that fits as well as that may be the true one."""
UNMODELLED = 3e-4
"""Share of the signal that the model itself does not explain (the panel's rise, a rolling shutter): lags that differ by
less fit alike, however small the noise is."""
PLATEAU = 20
"""Steps of 5 ms to either side of the best lag in which others that fit as well are looked for."""
DRAWS = 1500
LEAST_FRAMES = 20
SEEN = 2
"""Settled frames from which on a colour counts as seen."""
CLEAR = 15.0
"""Slots that differ this many times more than chance (F ratio) carry some signal, be it ours or not."""


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """The best alignment of answer and challenge."""

    lag_s: float
    reach_s: tuple[float, float]
    """(shortest, longest) lag that fits within three standard errors of the best."""
    clean: Mask
    """``(K,)`` settled frames at this lag."""
    light: Array
    """``(K, 3)`` linear light each frame saw at this lag."""
    slot: Slots
    """``(K,)`` slot of each frame (meaningful where clean)."""
    answer: Answer
    """Fit of face minus background over the clean frames."""
    p: float
    colours: int
    """Colour slots (no guards) of which at least two settled frames were seen."""
    strange: float
    """F ratio between slots over within slots of what the fit leaves: a signal that is not ours."""


def relative(signals: Signals) -> Array:
    """``(K, 2)`` chromaticities of the face minus the background's; the face's alone where there is none."""
    face, background = signals.face, chroma(signals.background)
    known = np.isfinite(background).all(axis=1)
    return face - background if known.mean() > 0.9 else face


def align(signals: Signals, settings: LivenessSettings) -> Timing | None:
    """Find the lag and measure; None with too few frames."""
    measured = relative(signals)
    if np.isfinite(measured).all(axis=1).sum() < LEAST_FRAMES:
        return None
    lag_s, reach_s = _best_lag(measured, signals)
    clean = settled(signals, lag_s, settings)
    light = overlap(signals, lag_s) @ signals.colours
    slot = np.clip(
        np.searchsorted(signals.edges_s, signals.start_s - lag_s, side="right") - 1, 0, len(signals.colours) - 1
    )
    clean &= np.isfinite(measured).all(axis=1)
    if clean.sum() < LEAST_FRAMES:
        return None
    answer = fit(measured[clean], light[clean], signals.start_s[clean])
    start_s = signals.start_s[clean]
    means, times, which = _slots(measured[clean], start_s, slot[clean])
    coloured = np.ptp(signals.colours, axis=1) > 0
    colours = int(np.count_nonzero(coloured & (np.bincount(slot[clean], minlength=len(coloured)) >= SEEN)))
    # Nobody asks how likely a correlation is that does not pass anyway.
    p = permutation_p(means, times, signals, which) if answer.r >= settings.timing_r else 1.0
    basis = drift_basis(start_s)
    rest = without_drift(measured[clean], basis) - model(answer.modulation, light[clean], basis)[0]
    return Timing(lag_s, reach_s, clean, light, slot, answer, p, colours, between_over_within(rest, slot[clean]))


def _best_lag(measured: Array, signals: Signals) -> tuple[float, tuple[float, float]]:
    """The middle of the lags that fit as well as the best, and how far it may be off.

    Searched in steps of 15 ms first, then of 5 ms around it.

    Multiple correlation with three free, positive channel gains. Between two frames a switch may lie anywhere: all lags
    that put it there fit alike, and the first of them is no better than the last. As well as the best is what lies
    within one standard error of it (profile likelihood).
    """
    good = np.isfinite(measured).all(axis=1)
    basis = drift_basis(signals.start_s[good])
    target = without_drift(measured[good], basis)
    power = max(float(np.sum(target**2)), 1e-12)

    def left(lags: Array) -> Array:
        """Share of the signal that each lag leaves unexplained."""
        light = (overlap(signals, lags) @ signals.colours)[:, good]
        light -= basis @ (basis.T @ light)
        normal, right = gram(light, target)
        gains = np.maximum(np.linalg.solve(normal + 1e-12 * np.eye(3), right[..., None])[..., 0], 0.0)
        explained = (gains * right).sum(axis=1) ** 2 / np.maximum(
            np.einsum("li,lij,lj->l", gains, normal, gains), 1e-24
        )
        return np.asarray(1.0 - explained / power, np.float64)

    coarse = np.arange(0.0, LATEST_S + 1e-9, 3 * STEP_S)
    fine = coarse[int(np.argmin(left(coarse)))] + np.arange(-PLATEAU, PLATEAU + 1) * STEP_S
    rest = left(fine)
    best = int(np.argmin(rest))

    def around(errors: float) -> tuple[float, float]:
        """The unbroken range of lags around the best that fits as well."""
        alike = rest <= rest[best] * (1.0 + errors / target.size) + UNMODELLED
        first = best - int(np.argmin([*alike[best::-1], False])) + 1
        last = best + int(np.argmin([*alike[best:], False])) - 1
        return float(fine[first]), float(fine[last])

    return max(0.0, sum(around(1.0)) / 2.0), around(UNSURE)


def _slots(measured: Array, start_s: Array, slot: Slots) -> tuple[Array, Array, Slots]:
    """Means ``(S', 2)``, mid times and numbers of the slots seen."""
    which, inverse, counts = np.unique(slot, return_inverse=True, return_counts=True)
    sums = np.zeros((len(which), 3))
    np.add.at(sums, inverse, np.column_stack([measured, start_s]))
    means = sums / counts[:, None]
    return means[:, :2], means[:, 2], which


def between_over_within(values: Array, slot: Slots) -> float:
    """F ratio of ``(K, 2)`` drift-free values: variance between the slots over that within them; 1 is chance."""
    which, inverse, counts = np.unique(slot, return_inverse=True, return_counts=True)
    level = np.zeros((len(which), 2))
    np.add.at(level, inverse, values)
    level /= counts[:, None]
    between = float((counts[:, None] * level**2).sum()) / max(2 * (len(which) - 3), 1)
    within = float(((values - level[inverse]) ** 2).sum()) / max(2 * (len(values) - len(which)), 1)
    return between / max(within, 1e-15)


def permutation_p(means: Array, times: Array, signals: Signals, which: Slots) -> float:
    """Share of ``DRAWS`` other challenges that fit the slot means at least as well (never below 1 / (DRAWS + 1)).

    The others keep the guards and the halves and draw every colour anew. Seeded: the same evidence, the same answer.
    """
    if len(which) < 6:
        return 1.0
    rng = np.random.default_rng(20_240_311)
    palette = np.array([linear(rgb) for rgb in PALETTE])
    own = signals.colours[which]
    coloured = np.ptp(own, axis=1) > 0
    share = np.where(signals.full[which], 1.0, 0.5)
    drawn = palette[rng.integers(0, len(palette), (DRAWS, len(which)))] * share[None, :, None]
    drawn[:, ~coloured] = own[~coloured]
    every = np.concatenate([own[None], drawn])
    basis = drift_basis(times)
    light = every - np.matmul(basis, np.matmul(basis.T, every))
    normal, right = gram(light, without_drift(means, basis))
    gains = np.linalg.solve(normal + 1e-9 * np.eye(3), right[..., None])[..., 0]
    explained = (gains * right).sum(axis=1)
    return float((1 + np.count_nonzero(explained[1:] >= explained[0] * (1 - 1e-9))) / (DRAWS + 1))


def timing_gate(timing: Timing | None, settings: LivenessSettings, expected: float | None) -> Finding:
    """Correlation and permutation test. ``expected``: modulation predicted from the ambient light, None if unknown.

    The least correlation depends on how many colours were seen (``chance``). A poor one is an attack only where there
    is a clear signal that is not ours, or where a face would have answered clearly and this does not; else it is weak
    light or too short a flash: another try.
    """
    if timing is None:
        return insufficient("timing", None, settings.timing_r, Reason.LOW_VIDEO_QUALITY, "r")
    r, limit = timing.answer.r, max(settings.timing_r, least_r(timing.colours))
    if r >= limit and timing.p <= settings.timing_p and timing.answer.modulation.min() > 0.0:
        return passed("timing", r, limit, "r")
    value = min(r, limit)
    silent = expected is not None and expected >= 2 * settings.modulation_low
    silent = silent and timing.answer.mean + 3 * timing.answer.error < 0.3 * (expected or 0.0)
    strange = timing.strange >= CLEAR and timing.answer.amplitude > 0.004
    if silent or strange:
        return failed("timing", value, limit, Reason.NOT_LIVE, "r")
    return insufficient("timing", value, limit, Reason.HIGH_LIGHTING, "r")


def lag_gate(timing: Timing | None, evidence: Evidence, settings: LivenessSettings) -> Finding:
    """The delay lies in the calibrated window; where it was never calibrated, between 0 and the believable most."""
    if timing is None or timing.answer is NOTHING:
        return insufficient("lag", None, settings.lag_window_s, Reason.LOW_VIDEO_QUALITY, "s")
    if evidence.lag_s is not None:
        off = abs(timing.lag_s - evidence.lag_s)
        limit = settings.lag_window_s
    else:
        off, limit = timing.lag_s, settings.lag_max_s
    # The lag is found in steps of 5 ms: half a step of grace.
    if off <= limit + STEP_S / 2:
        return passed("lag", off, limit, "s")
    nearest_s = float(np.clip(evidence.lag_s or 0.0, *timing.reach_s))
    within = abs(nearest_s - (evidence.lag_s or 0.0)) <= limit + STEP_S / 2
    if timing.answer.r < settings.timing_r or within:
        return insufficient("lag", off, limit, Reason.LOW_VIDEO_QUALITY, "s")
    return failed("lag", off, limit, Reason.NOT_LIVE, "s")
