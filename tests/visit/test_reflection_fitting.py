"""Fitting one surface's modulation: exact on what it describes, doubtful on noise, never endless."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.visit.reflection.fitting import fit, model
from kiosk.visit.reflection.signals import drift_basis, gather
from kiosk.visit.reflection.timing import align
from tests.support.cell_world import session


def screen() -> tuple[np.ndarray, np.ndarray]:
    """Light and times of the settled frames of a visit."""
    signals = gather(session())
    timing = align(signals, LivenessSettings())
    assert timing is not None
    return timing.light[timing.clean], signals.start_s[timing.clean]


@pytest.mark.parametrize("wanted", [(0.02, 0.02, 0.02), (0.3, 0.2, 0.4), (2.0, 3.0, 2.5)])
def test_a_surface_without_noise_is_measured_exactly(wanted: tuple[float, float, float]) -> None:
    """Weak and strong screens, channels apart."""
    light, start_s = screen()
    measured, _ = model(np.array(wanted), light, drift_basis(start_s))
    found = fit(measured, light, start_s)
    assert found.modulation == pytest.approx(wanted, rel=1e-3)
    assert found.r == pytest.approx(1.0)


@pytest.mark.parametrize(("seed", "spread"), [(36, 1.0), (1, 3.0), (2, 0.3)])
def test_noise_ends_in_a_large_error_and_no_correlation(seed: int, spread: float) -> None:
    """Also where the steps do not settle."""
    light, start_s = screen()
    found = fit(np.random.default_rng(seed).normal(0, spread, (len(start_s), 2)), light, start_s)
    assert abs(found.mean) < 3 * found.error
    assert found.r < 0.3
