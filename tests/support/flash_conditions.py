"""The circumstances of one session in the small flash world, named or drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kiosk.config.tree import LivenessSettings
from kiosk.values import Panel

SPECIES = ("live", "print_flat", "print_bent", "replay", "old_session", "frozen", "frozen_noisy", "tint", "tint_face")


@dataclass(frozen=True)
class Conditions:
    """One session's circumstances."""

    species: str = "live"
    lux: float = 300.0
    distance_mm: float = 400.0
    panel: Panel = field(default_factory=lambda: Panel(155.0, 88.0, 500.0))
    panel_below_mm: float = 54.0
    focal_px: float = 530.0
    fps: float = 30.0
    exposure_s: float = 0.016
    lag_s: float = 0.09
    jitter_s: float = 0.001
    sway_mm: float = 3.0
    read_noise: float = 0.8
    """8-bit codes at mid grey."""
    shot_noise: float = 0.012
    """Relative, at linear 0.2."""
    ambient_tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    dome: float = 0.55
    side: float = 0.1
    frontal: float = 0.15
    wall_mm: float = 2000.0
    bend_mm: float = 100.0
    bend_axis_deg: float = 0.0
    late_s: float = 0.15
    landmark_px: float = 0.3
    """Noise of the landmarks handed out with the frames."""
    approach_s: float = 0.5
    approach_mm: float = 150.0
    seed: int = 1
    slot_settings: LivenessSettings = field(default_factory=LivenessSettings)


def vary(species: str, lux: float, distance_mm: float, seed: int) -> Conditions:
    """Draw everything that is not named from plausible ranges."""
    rng = np.random.default_rng([seed, SPECIES.index(species), int(lux), int(distance_mm)])
    panel = [Panel(155.0, 88.0, 500.0), Panel(217.0, 136.0, 400.0), Panel(344.0, 194.0, 300.0)][rng.integers(3)]
    warm = float(rng.uniform(-0.2, 0.25))
    return Conditions(
        species=species, lux=lux, distance_mm=distance_mm, panel=panel,
        panel_below_mm=float(rng.choice([-1, 0, 1])) * (panel.height_mm / 2 + 10),
        fps=float(rng.choice([20.0, 25.0, 30.0])), exposure_s=float(rng.uniform(0.006, 0.03)),
        lag_s=float(rng.uniform(0.04, 0.15)), jitter_s=float(rng.choice([0.0, 0.001, 0.003])),
        sway_mm=float(rng.uniform(0.5, 5.0)), read_noise=float(rng.uniform(0.4, 1.5)),
        shot_noise=float(rng.uniform(0.005, 0.02)), ambient_tint=(1.0 + warm, 1.0, 1.0 - warm),
        dome=float(rng.uniform(0.3, 0.7)), side=float(rng.uniform(-0.2, 0.2)), frontal=float(rng.uniform(0.05, 0.25)),
        wall_mm=float(rng.uniform(1500, 4000)), bend_mm=float(rng.uniform(60, 180)),
        bend_axis_deg=float(rng.uniform(-20, 20)), late_s=float(rng.uniform(0.05, 0.4)),
        approach_mm=float(rng.choice([0.0, 150.0, 300.0])), seed=seed,
    )  # fmt: skip
