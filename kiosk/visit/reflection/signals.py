"""What the screen sent and what came back, frame by frame, on one time axis.

A frame that began at ``t`` with exposure ``e`` saw the screen of ``t - lag .. t - lag + e``: its light is the mean of
the slots over that window (the exposure window convolves the sequence). A slot that lights half of the screen counts
half. Answers are *log-chromaticities*: two numbers in which brightness (sway, shadows, flicker) cancels.

    chroma(log RGB) = ((R - B) / sqrt 2, (R + B - 2 G) / sqrt 6)

Slow drift is removed from both sides with a constant, a slope and a bend over time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kiosk.config.tree import LivenessSettings
from kiosk.values import Floats, ShownSlot
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.photosensitivity import linear
from kiosk.visit.reflection.mesh import mesh

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

CHROMA = np.array([[1, 0, -1], [1, -2, 1]], float) / np.sqrt([[2.0], [6.0]])
"""``(2, 3)``: log RGB to the two chromaticities."""
LEAST_SEEN = 0.5
"""A frame in which less than this share of a part was seen says nothing about it."""
DARK = 1e-4
"""Linear light below this is no light: its logarithm would be noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """The frames that began while the screen flashed. ``K`` frames, ``S`` slots."""

    frames: tuple[FrameEvidence, ...]
    start_s: Array
    """``(K,)`` exposure starts."""
    exposure_s: Array
    """``(K,)``."""
    colours: Array
    """``(S, 3)`` linear light of the whole screen in each slot (a half slot counts half)."""
    edges_s: Array
    """``(S + 1,)`` begin of each slot and the end of the last."""
    full: Mask
    """``(S,)`` slots that light the whole screen."""
    light: Floats
    """``(K, n, 3)`` linear light of the skin cells; 1 where a cell was not seen."""
    seen: Mask
    """``(K, n)``."""
    cells: Array
    """``(K, n, 2)`` chromaticities of the skin cells, each cell's mean over time taken out; 0 where not seen."""
    face: Array
    """``(K, 2)`` chromaticities of the face (see ``part``)."""
    background: Array
    """``(K, 3)`` log light of the surroundings, NaN where there are none."""

    def part(self, mask: Mask) -> Array:
        """``(K, 2)`` chromaticities of a part of the face; ``mask``: ``(n,)`` skin cells. NaN rows where unseen.

        The median over the cells of their departures from their own means: cells that slip over an edge (hair, the far
        side of a turned face) are outvoted, and the skin's own colour cancels before it is averaged.
        """
        result = np.full((len(self.frames), 2), np.nan)
        enough = self.seen[:, mask].mean(axis=1) >= LEAST_SEEN if mask.any() else np.zeros(len(self.frames), bool)
        if enough.any():
            cells = self.cells if mask.all() else self.cells[:, mask]
            result[enough] = np.median(cells if enough.all() else cells[enough], axis=1)
        return result


def log_light(light: NDArray[np.floating]) -> Array:
    """Logarithm of linear light; NaN stays, darkness becomes NaN."""
    value = np.asarray(light, np.float64)
    return np.log(np.where(value > DARK, value, np.nan))


def gather(evidence: Evidence) -> Signals:
    """The frames with a face that began between the first slot and a possible lag after the last one."""
    slots = evidence.slots
    edges = np.array([slot.visible_at_s for slot in slots] + [slots[-1].visible_at_s + slots[-1].duration_s])
    frames = tuple(
        frame for frame in evidence.frames if frame.track >= 0 and edges[0] <= frame.exposure_start_s <= edges[-1] + 0.6
    )
    skin = np.flatnonzero(mesh().skin)
    light = np.array([frame.map_rgb.reshape(-1, 3)[skin] for frame in frames], np.float32)
    light = light.reshape(len(frames), len(skin), 3)
    seen = np.asarray((light[..., 0] > DARK) & (light[..., 1] > DARK) & (light[..., 2] > DARK), bool)
    light[~seen] = 1.0
    cells = chroma(np.log(light).astype(np.float64))
    cells -= cells.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)[:, None]  # log 1 = 0: the unseen add nothing
    cells[~seen] = 0.0
    signals = Signals(
        frames=frames,
        start_s=np.array([frame.exposure_start_s for frame in frames]),
        exposure_s=np.array([frame.exposure_s for frame in frames]),
        colours=np.array([slot_light(slot) for slot in slots]),
        edges_s=edges,
        full=np.array([slot.region == "full" for slot in slots]),
        light=light,
        seen=seen,
        cells=cells,
        face=np.empty((len(frames), 2)),
        background=log_light(stack([frame.background for frame in frames])),
    )
    return replace(signals, face=signals.part(np.ones(cells.shape[1], bool)))


def stack(rows: Sequence[NDArray[np.float32]]) -> Array:
    """``(K, 3)`` even when there are no rows."""
    return np.array(rows, np.float64).reshape(-1, 3)


def slot_light(slot: ShownSlot) -> tuple[float, float, float]:
    """Linear light of the whole screen during a slot."""
    red, green, blue = linear(slot.rgb)
    share = 1.0 if slot.region == "full" else 0.5
    return red * share, green * share, blue * share


def overlap(signals: Signals, lag_s: float | Array) -> Array:
    """``(K, S)`` share of each exposure that saw each slot, or ``(L, K, S)`` for ``(L,)`` lags; rows sum to 1 while the
    screen flashed."""
    begin = signals.start_s - np.asarray(lag_s, np.float64)[..., None]
    length = np.maximum(signals.exposure_s, 1e-4)
    late = np.minimum((begin + length)[..., None], signals.edges_s[1:])
    early = np.maximum(begin[..., None], signals.edges_s[:-1])
    return np.asarray(np.maximum(late - early, 0.0) / length[:, None], np.float64)


def settled(signals: Signals, lag_s: float, settings: LivenessSettings) -> Mask:
    """``(K,)`` frames far enough from every switch as it was exposed.

    After a switch only the part of ``settle_after_s`` counts that is not already taken up by the known lag (at least
    a third of it: the panel's response, the rolling shutter).
    """
    after = max(settings.settle_after_s - lag_s, settings.settle_after_s / 3.0)
    begin = signals.start_s - lag_s
    end = begin + signals.exposure_s
    slot = np.searchsorted(signals.edges_s, begin, side="right") - 1
    inside = (slot >= 0) & (slot < len(signals.colours))
    slot = np.clip(slot, 0, len(signals.colours) - 1)
    since, left = begin - signals.edges_s[slot], signals.edges_s[slot + 1] - end
    return np.asarray(inside & (since >= after) & (left >= min(settings.settle_before_s, 0.5 * after)), bool)


def drift_basis(start_s: Array) -> Array:
    """``(K, 3)`` orthonormal: constant, slope, bend."""
    t = start_s - start_s.mean()
    t = t / max(float(np.abs(t).max()), 1e-9)
    basis, _ = np.linalg.qr(np.stack([np.ones_like(t), t, t * t], axis=1))
    return np.asarray(basis, np.float64)


def without_drift(values: Array, basis: Array) -> Array:
    """``values`` ``(K, ...)`` minus their part in the basis ``(K, B)``."""
    flat = values.reshape(len(values), -1)
    return np.asarray((flat - basis @ (basis.T @ flat)).reshape(values.shape), np.float64)


def chroma(logs: Array) -> Array:
    """``(..., 3)`` log RGB to ``(..., 2)``."""
    return np.asarray(logs @ CHROMA.T, np.float64)
