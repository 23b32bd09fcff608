"""How strongly a surface answers the screen: the modulation ``m`` of each channel, from chromaticities alone.

A surface under ambient light A and screen light S s(t) sends albedo x (A + S s(t)); its logarithm is a constant plus
``log(1 + m s(t))`` with ``m = S / A``, whatever its colour. Three numbers (red, green, blue) are fitted to the
two chromaticities of all frames by Gauss-Newton.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiosk.visit.reflection.signals import CHROMA, Array, chroma, drift_basis, without_drift

LOWEST = -0.5
"""A fitted modulation below this is clamped: log(1 + m s) must exist."""
HIGHEST = 50.0
ROUNDS = 8
MIXED = CHROMA.T @ CHROMA
"""``(3, 3)``: how the channels overlap in the chromaticities."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Fitted modulation of one surface."""

    modulation: Array
    """``(3,)`` S / A of each channel for a white screen."""
    error: float
    """Standard error of the mean modulation."""
    r: float
    """Correlation of the fitted with the measured chromaticities."""
    amplitude: float
    """Root mean square of the measured chromaticities without drift."""

    @property
    def mean(self) -> float:
        """Modulation over the three channels."""
        return float(self.modulation.mean())


NOTHING = Answer(np.zeros(3), float("inf"), 0.0, 0.0)


def gram(light: Array, target: Array) -> tuple[Array, Array]:
    """Normal equations of three channel gains: ``(..., 3, 3)`` and ``(..., 3)``.

    ``light`` ``(..., K, 3)`` and ``target`` ``(K, 2)`` chromaticities, both without drift. The design is light times
    ``CHROMA``; written out so that no ``(K, 2, 3)`` array is made.
    """
    normal = np.matmul(np.swapaxes(light, -1, -2), light) * MIXED
    return normal, np.asarray((light * (target @ CHROMA)).sum(axis=-2), np.float64)


def model(modulation: Array, light: Array, basis: Array) -> tuple[Array, Array]:
    """Predicted chromaticities ``(K, 2)`` and the slopes of the log light by the modulations ``(K, 3)``, no drift."""
    inner = np.maximum(1.0 + modulation * light, 0.05)
    both = without_drift(np.concatenate([np.log(inner), light / inner], axis=1), basis)
    return chroma(both[:, :3]), both[:, 3:]


def fit(measured: Array, light: Array, start_s: Array) -> Answer:
    """Fit ``(K, 2)`` measured chromaticities to ``(K, 3)`` linear screen light. NaN rows are left out."""
    good = np.isfinite(measured).all(axis=1)
    if good.sum() < 12 or np.ptp(light[good], axis=0).min() <= 0:
        return NOTHING
    basis = drift_basis(start_s[good])
    target, light = without_drift(measured[good], basis), light[good]
    modulation = np.full(3, 1e-3)
    for _ in range(ROUNDS):
        predicted, slopes = model(modulation, light, basis)
        normal, right = gram(slopes, target - predicted)
        before = modulation
        modulation = np.clip(modulation + np.linalg.solve(normal + 1e-9 * np.eye(3), right), LOWEST, HIGHEST)
        modulation = np.clip(modulation, None, 4.0 * max(float(np.median(modulation)), 1e-3))
        if np.abs(modulation - before).max() < 1e-6:
            break
    predicted, slopes = model(modulation, light, basis)
    rest = (target - predicted).ravel()
    free = max(rest.size - 9, 1)
    normal, _ = gram(slopes, target)
    covariance = np.linalg.inv(normal + 1e-12 * np.eye(3)) * float(rest @ rest) / free
    error = float(np.sqrt(max(covariance.sum(), 0.0)) / 3.0)
    return Answer(modulation, error, correlation(predicted, target), float(np.sqrt(np.mean(target**2))))


def correlation(a: Array, b: Array) -> float:
    """Uncentred correlation of two arrays whose drift (and so their mean) is already gone; 0 where one is nothing."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.sum(a * b) / norm) if norm > 1e-12 else 0.0
