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


def model(modulation: Array, light: Array, basis: Array) -> tuple[Array, Array]:
    """Predicted chromaticities ``(K, 2)`` and their derivatives by the modulations ``(K, 2, 3)``, without drift."""
    inner = np.maximum(1.0 + modulation * light, 0.05)
    predicted = chroma(np.log(inner))
    slopes = (light / inner)[:, None, :] * CHROMA[None, :, :]
    return without_drift(predicted, basis), without_drift(slopes, basis)


def fit(measured: Array, light: Array, start_s: Array) -> Answer:
    """Fit ``(K, 2)`` measured chromaticities to ``(K, 3)`` linear screen light. NaN rows are left out."""
    good = np.isfinite(measured).all(axis=1)
    if good.sum() < 12 or np.ptp(light[good], axis=0).min() <= 0:
        return NOTHING
    basis = drift_basis(start_s[good])
    target = without_drift(measured[good], basis)
    modulation = np.full(3, 1e-3)
    for _ in range(ROUNDS):
        predicted, slopes = model(modulation, light[good], basis)
        flat = slopes.reshape(-1, 3)
        normal = flat.T @ flat + 1e-9 * np.eye(3)
        step = np.linalg.solve(normal, flat.T @ (target - predicted).ravel())
        modulation = np.clip(modulation + step, LOWEST, HIGHEST)
        modulation = np.clip(modulation, None, 4.0 * max(float(np.median(modulation)), 1e-3))
    predicted, slopes = model(modulation, light[good], basis)
    flat = slopes.reshape(-1, 3)
    rest = (target - predicted).ravel()
    free = max(rest.size - 9, 1)
    covariance = np.linalg.inv(flat.T @ flat + 1e-12 * np.eye(3)) * float(rest @ rest) / free
    error = float(np.sqrt(max(covariance.sum(), 0.0)) / 3.0)
    return Answer(modulation, error, correlation(predicted, target), float(np.sqrt(np.mean(target**2))))


def correlation(a: Array, b: Array) -> float:
    """Uncentred correlation of two arrays whose drift (and so their mean) is already gone; 0 where one is nothing."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.sum(a * b) / norm) if norm > 1e-12 else 0.0
