"""From the filmed steps to figures: delay, colours, strength. Pure numpy.

Model, for each camera channel: ``light = ambient + drift t + flicker + sum over panel channels of gain x screen``.
Flicker is that of lamps on mains of 50 or 60 Hz: waves of 100 and 120 Hz as the frames sample them. The screen is the
mean of what was shown over the exposure, ``lag`` earlier: a frame that began at t with exposure e saw the screen of
``t - lag .. t - lag + e`` (the window model of ``kiosk.visit.reflection.signals``). The lag is the one that leaves
least unexplained; because switches meet all phases of the camera's rhythm it is found much finer than a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.site.filming import Filmed, Sample
from kiosk.values import ShownSlot
from kiosk.visit.photosensitivity import linear

Array = NDArray[np.float64]
EARLIEST_S, LATEST_S = -0.05, 0.6
COARSE_S, FINE_S = 0.005, 0.0005
BEFORE_S, BEHIND_S = 0.25, 0.45
"""What belongs to one switch."""
FLICKER_HZ = (100.0, 120.0)
ROOM = 2 + 2 * len(FLICKER_HZ)
"""Columns of the model that are the room's."""
OUTLIERS = 10.0
"""Share, in percent, of switches that the spread leaves out."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What the model found. ``S`` switches."""

    lag_s: float
    """Median over the switches."""
    spread_s: float
    lags_s: Array
    """``(S,)``: of each switch, the delay nearest to the common one that its own frames allow."""
    ambient: Array
    """``(3,)`` light without the screen, in the middle of the run."""
    gains: Array
    """``(3, 3)``: rows camera, columns panel."""
    drift: float
    """Change of the room's light over the run, in shares of the white step (green)."""
    residual: float
    """Root mean square of what is not explained, in shares of the white step."""

    @property
    def white(self) -> Array:
        """``(3,)`` light that full white adds."""
        return np.asarray(self.gains.sum(axis=1), np.float64)

    @property
    def modulation(self) -> float:
        """White step over the room's light, green."""
        return float(self.white[1] / max(float(self.ambient[1]), 1e-4))


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    start_s: Array
    exposure_s: Array
    light: Array
    edges_s: Array
    colours: Array
    room: Array


def fit(filmed: Filmed) -> Fit:
    """The figures of one run. Never raises for a poor one: see ``residual``."""
    data = _data(filmed.samples, filmed.slots)
    common_s = _best(data)
    design = _design(data, common_s)
    found: Array = np.asarray(np.linalg.lstsq(design, data.light, rcond=1e-6)[0], np.float64)
    rest = data.light - design @ found
    gains, ambient, slope = found[ROOM:].T, found[0], found[1]
    white = max(float(np.abs(gains.sum(axis=1)).max()), 1e-9)
    lags = _switches(data, found, rest, common_s)
    lag_s = float(np.median(lags)) if len(lags) else common_s
    off = np.abs(lags - lag_s)
    black = _black_drift(data, common_s, ambient)
    return Fit(
        lag_s=lag_s,
        spread_s=float(np.percentile(off, 100.0 - OUTLIERS)) if len(off) else 0.0,
        lags_s=lags,
        ambient=ambient,
        gains=gains,
        drift=max(abs(float(slope[1])), black) / white,
        residual=float(np.sqrt(np.mean(rest**2))) / white,
    )


def _data(samples: Sequence[Sample], slots: Sequence[ShownSlot]) -> _Data:
    last = slots[-1]
    start_s = np.array([sample.start_s for sample in samples])
    return _Data(
        start_s=start_s,
        exposure_s=np.maximum([sample.exposure_s for sample in samples], 1e-4),
        light=np.array([sample.light for sample in samples], np.float64),
        edges_s=np.array([slot.visible_at_s for slot in slots] + [last.visible_at_s + last.duration_s]),
        colours=np.array([linear(slot.rgb) for slot in slots]),
        room=_room(start_s),
    )


def _shares(data: _Data, lag_s: float, rows: NDArray[np.intp] | None = None) -> Array:
    """``(K, slots)`` share of each exposure that saw each slot."""
    start, length = data.start_s - lag_s, data.exposure_s
    if rows is not None:
        start, length = start[rows], length[rows]
    late = np.minimum((start + length)[:, None], data.edges_s[None, 1:])
    early = np.maximum(start[:, None], data.edges_s[None, :-1])
    return np.asarray(np.maximum(late - early, 0.0) / length[:, None], np.float64)


def _design(data: _Data, lag_s: float) -> Array:
    """``(K, ROOM + 3)``: room, its drift over the run (-0.5..0.5), its flicker, screen R, G, B."""
    return np.column_stack([data.room, _shares(data, lag_s) @ data.colours])


def _room(start_s: Array) -> Array:
    """``(K, ROOM)``: constant, drift, and the waves of lamps, which take nothing from the constant."""
    time = start_s - start_s[0]
    waves = [wave(2.0 * np.pi * hertz * time) for hertz in FLICKER_HZ for wave in (np.cos, np.sin)]
    drift = time / max(float(time[-1]), 1e-9) - 0.5
    return np.column_stack([np.ones_like(time), drift, *(wave - wave.mean() for wave in waves)])


def _best(data: _Data) -> float:
    """The lag that leaves least, coarse then fine; the middle where several are as good."""

    def cost(lag_s: float) -> float:
        design = _design(data, lag_s)
        rest = data.light - design @ np.linalg.lstsq(design, data.light, rcond=1e-6)[0]
        return float(np.sum(rest**2))

    coarse = np.arange(EARLIEST_S, LATEST_S, COARSE_S)
    around = coarse[int(np.argmin([cost(float(lag)) for lag in coarse]))]
    fine = around + np.arange(-2 * COARSE_S, 2 * COARSE_S + FINE_S / 2, FINE_S)
    costs = np.array([cost(float(lag)) for lag in fine])
    good = fine[costs <= costs.min() * (1 + 1e-6) + 1e-15]
    return float(good.mean())


def _switches(data: _Data, found: Array, rest: Array, common_s: float) -> Array:
    """The lag of each switch that changed the light: its frames alone, with the gains of all."""
    noise = max(float(np.median(np.abs(rest))) * 1.4826, 1e-7)
    grid = common_s + np.arange(-0.08, 0.0801, 0.001)
    order = np.argsort(np.abs(grid - common_s), kind="stable")
    fixed = data.room @ found[:ROOM]
    lags = []
    for number, at_s in enumerate(data.edges_s[1:-1]):
        if np.abs(data.colours[number + 1] - data.colours[number]).max() < 0.05:
            continue
        seen_s = data.start_s - common_s - at_s
        rows = np.flatnonzero((seen_s > -BEFORE_S) & (seen_s < BEHIND_S))
        if len(rows) < 4:
            continue
        costs = np.array(
            [
                np.sum((data.light[rows] - fixed[rows] - _shares(data, lag, rows) @ data.colours @ found[ROOM:]) ** 2)
                for lag in grid
            ]
        )
        allowed = costs <= costs.min() + 9.0 * noise**2 * data.light.shape[1]
        lags.append(float(grid[next(index for index in order if allowed[index])]))
    return np.array(lags)


def _black_drift(data: _Data, lag_s: float, ambient: Array) -> float:
    """Largest departure of the room's light (green) while the screen was black."""
    black = np.flatnonzero(data.colours.sum(axis=1) == 0.0)
    shares = _shares(data, lag_s)
    levels = [data.light[shares[:, slot] > 0.999, 1] for slot in black]
    means = np.array([level.mean() for level in levels if len(level)])
    return float(np.abs(means - ambient[1]).max()) if len(means) else 0.0
