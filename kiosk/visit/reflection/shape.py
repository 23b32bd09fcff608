"""Shape: is what answers the screen formed like this face?

A cell answers in proportion to (n . l) / r^2 of the screen over the ambient light that falls on it. So the response map
of a head shows its relief, whatever the skin. Three rival explanations show no relief, and all they can explain is
removed from the map *and* from the template before the two are compared:

- a plane held at any angle: constant, x, y;
- a bent sheet (cylinder about any axis) or a ball: x^2, xy, y^2;
- a veil of light over a picture that shines or lies behind glass: it adds the same light everywhere, so its share goes
  with 1 / brightness of each channel - and a photograph's brightness *is* shaded like a face.

What is left must correlate with what is left of the template (``shape``), and the part that the template explains must
be as large as a head's (``relief``): a print correlates by chance, but its relief is a tenth of a head's.

A bent sheet in the light of one lamp has a shadow edge, which no parabola removes. But a sheet bends one way only: its
answer is the same along the straight lines on it, whatever its bend and its light. So the comparison is made twice, the
second time without everything in the map that depends on the place across such lines alone, in whichever direction
that explains most. The lower correlation counts, and the relief is that of the second comparison.

The room's light is unknown, so the template is the best of a small family: screen above, at or below the lens; soft
light from above, from a side, or from the front, or one lamp in a room that scatters its light, within what rooms do;
then, in the best of these rooms, with as much gloss as skin may have. Every member stays the template of this face.
Measured on heads and prints of two simulators: see the figures in ``docs`` (synthetic).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.visit.evidence import GRID, Evidence
from kiosk.visit.reflection.amplitude import Amplitudes, distance_mm
from kiosk.visit.reflection.eyewear import glares, mirrors
from kiosk.visit.reflection.finding import Finding, failed, insufficient, passed
from kiosk.visit.reflection.mesh import mesh
from kiosk.visit.reflection.response import as_grid, measured_head, response, skin_cells
from kiosk.visit.reflection.rivals import Rivals
from kiosk.visit.reflection.signals import Array, Mask, Signals
from kiosk.visit.reflection.templates import Templates, templates
from kiosk.visit.reflection.timing import Timing

CLEAR = 3.0
"""From here on a map shows all that there is."""
LEAST_CLARITY = 1.0
"""Noise as large as a head's relief may look like one by chance: below this the relief does not pass."""
LEAST_CELLS = 250
RELIEF = 0.3
"""Least share of the template's relief that the map shows (a head 0.6-1, prints up to 0.2)."""
STRONG = ((0.65, 0.45), (0.8, RELIEF))
"""(correlation, relief): beyond both of a pair the shape alone is convincing: weak or missing votes (parallax, passive,
halves) do not block. The second counts only for a whole face."""
LIKELY, UNLIKELY = 0.1, 0.15
"""So much more correlation is asked for where cells were left out, beside a lens that clearly glares and without: what
is left out of a sheet that is bent over the nose makes the rest more like a head."""
NOISY = 0.6
"""Correlation of two halves of the slots below which a map is smoothed once more."""
VISIBLE = 1.5
"""A head's relief must exceed the map's noise by this, before its absence is held against anybody."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How the response map compares with the face's own relief."""

    r: float
    """Correlation with the template after all rivals are removed, corrected for the map's noise; the lower of both."""
    share: float
    """Relief in shares of the template's, without what a sheet bent in any one direction explains of it."""
    relief: float
    """``share`` of what the template has left after removing a plane (standard deviation, in shares of its mean)."""
    reliability: float
    """Correlation of the maps of two halves of the slots, rivals removed."""
    clarity: float
    """Relief of a head in shares of the map's noise."""
    mask: Mask
    """``(GRID, GRID)`` cells used."""
    points: Array
    """``(GRID, GRID, 3)`` mm of the measured head."""
    normals: Array
    """``(GRID, GRID, 3)`` of the measured head."""
    away_mm: float
    """Distance of the face."""
    mirrored: int
    """Cells left out because they mirror the screen (spectacles)."""
    doubt: float
    """Added to every limit of the correlation where cells were left out: ``LIKELY`` or ``UNLIKELY``; else 0."""
    parts: tuple[float, float, float]
    """Response that the best template gives forehead, left and right cheek, in shares of the face's; NaN: not seen."""

    @property
    def strong(self) -> bool:
        """Whether it convinces without other votes."""
        pairs = STRONG[: 1 if self.mirrored else None]
        return any(self.r >= r + self.doubt and self.share >= share for r, share in pairs)


@dataclass(frozen=True, slots=True, eq=False)
class _Maps:
    """What is compared. ``n`` skin cells of which ``k`` were seen well enough."""

    three: Array
    """``(3, n)`` the map of all slots and those of two halves of them; NaN where not seen."""
    brightness: Array
    """``(n, 3)`` mean linear light without the screen's own, which is formed like the head and would be its rival."""
    kept: Mask
    """``(n,)`` the ``k``."""
    family: Templates
    """Of the ``k`` cells."""
    points: Array
    normals: Array
    away_mm: float


def compare(evidence: Evidence, signals: Signals, timing: Timing, found: Amplitudes) -> Shape | None:
    """Measure the map and compare; None where too little of the face was seen.

    Unless the whole map convinces, it is compared once more without what seems to be lenses that mirror the screen: the
    better counts, since lids in a dark socket may seem to mirror.
    """
    chosen = timing.clean & signals.full[timing.slot]
    cells = skin_cells(signals, timing, chosen)
    every = np.ones(len(cells.start_s), bool)
    even = timing.slot[chosen] % 2 == 0
    three = np.stack([response(cells, found.face, rows) for rows in (every, even, ~even)])
    kept = np.isfinite(three[0])
    if kept.sum() < LEAST_CELLS:
        return None
    points, normals = measured_head(signals, chosen)
    away = distance_mm(signals.frames, evidence.focal_px)
    skin = np.flatnonzero(mesh().skin)[kept]
    family = templates(points.reshape(-1, 3)[skin], normals.reshape(-1, 3)[skin], away, evidence.panel.height_mm / 2)
    flash = np.maximum(three[0], 0.0)[:, None] * found.face.modulation * cells.light.mean(axis=0)
    brightness = cells.brightness / np.maximum(1.0 + flash, 0.1)
    maps = _Maps(three, brightness, kept, family, points, normals, away)
    whole = _compared(maps, np.zeros(len(kept), bool), 0.0)
    if whole.strong:
        return whole
    mirrored = mirrors(three[0], family.scattered, kept)
    if not mirrored.any() or (kept & ~mirrored).sum() < LEAST_CELLS:
        return whole
    without = _compared(maps, mirrored, LIKELY if glares(three[0], kept) else UNLIKELY)
    return max(without, whole, key=lambda shape: shape.r - shape.doubt)


def _compared(maps: _Maps, mirrored: Mask, doubt: float) -> Shape:
    """The map without the mirrored cells ``(n,)``."""
    kept = maps.kept & ~mirrored
    family = maps.family.of(~mirrored[maps.kept])
    mask = np.zeros((GRID, GRID), bool)
    mask[mesh().skin] = kept
    three = np.where(np.isfinite(maps.three), maps.three, maps.three[0])[:, kept]
    for times in (2, 3):
        rest = Rivals(maps.brightness[kept], mask, times)
        left, *pair = rest.left(three)
        reliability = float(_cosine(pair[0][None], pair[1])[0])
        if reliability >= NOISY:
            break
    sheet = rest.sheet(left, maps.points[mask])
    seen, one, other = (values - (values @ sheet) @ sheet.T for values in (left, *pair))
    bent = float(_cosine(one[None], other)[0])

    def against(members: Array) -> tuple[Array, Array, Array]:
        """(templates without the rivals, without any sheet too, correlations)."""
        plain = rest.left(members)
        heads = plain - (plain @ sheet) @ sheet.T
        r = np.minimum(corrected(_cosine(plain, left), reliability), corrected(_cosine(heads, seen), bent))
        return plain, heads, r

    # The room first, then how much the skin shines in it.
    shining = family.glossy(int(np.argmax(against(family.scattered)[2])))
    candidates, heads, r = against(shining)
    best = int(np.argmax(r))
    share = float(heads[best] @ seen / max(float(heads[best] @ heads[best]), 1e-12))
    noise = max(float(np.std(pair[0] - pair[1])) / 2.0, 1e-6)
    return Shape(
        r=float(r[best]),
        share=share,
        relief=max(share, 0.0) * rest.relief_of(shining[best]),
        reliability=reliability,
        clarity=float(candidates[best].std()) / noise,
        mask=mask,
        points=maps.points,
        normals=maps.normals,
        away_mm=maps.away_mm,
        mirrored=int(np.count_nonzero(mirrored)),
        doubt=doubt,
        parts=_levels(as_grid(shining[best], mask), mask),
    )


def _levels(template: Array, mask: Mask) -> tuple[float, float, float]:
    """Mean of the template over forehead, left and right cheek; NaN where nothing of a part is in the mask."""
    grid = mesh()
    one, two, three = (
        float(template[part & mask].mean()) if (part & mask).any() else float("nan")
        for part in (grid.forehead, grid.left_cheek, grid.right_cheek)
    )
    return one, two, three


def corrected(r: Array, reliability: float) -> Array:
    """Correlations without the attenuation by noise (Spearman 1904): ``r / sqrt(reliability of the whole map)``.

    The whole map's reliability follows from that of its halves (Spearman-Brown). It is taken as at least that of halves
    that agree at 0.5, so that noise alone is never raised by more than 1.22.
    """
    half = max(reliability, 0.5)
    return np.asarray(np.clip(r / np.sqrt(2.0 * half / (1.0 + half)), -1.0, 1.0), np.float64)


def _cosine(rows: Array, one: Array) -> Array:
    norm = np.linalg.norm(rows, axis=-1) * np.linalg.norm(one)
    return np.asarray(rows @ one / np.maximum(norm, 1e-12), np.float64)


def shape_gate(shape: Shape | None, settings: LivenessSettings) -> Finding:
    """Correlation with the face's own template; noise that hides a head asks for another try."""
    limit = settings.shape_r + (0.0 if shape is None else shape.doubt)
    if shape is None:
        return insufficient("shape", None, limit, Reason.FACE_NOT_VISIBLE, "r")
    if shape.r >= limit:
        return passed("shape", shape.r, limit, "r")
    # A relief as large as a head's is no print's, whatever it correlates with, in a noisy map or around spectacles.
    if shape.share >= RELIEF and shape.mirrored > 0:
        return insufficient("shape", shape.r, limit, Reason.FACE_OBSTRUCTED, "r")
    doubtful = shape.share >= RELIEF and shape.clarity < CLEAR
    if shape.clarity < VISIBLE or doubtful:
        return insufficient("shape", shape.r, limit, Reason.HIGH_LIGHTING, "r")
    return failed("shape", shape.r, limit, Reason.NOT_LIVE, "r")


def relief_gate(shape: Shape | None, settings: LivenessSettings) -> Finding:
    """The relief that the template explains is as large as a head's."""
    limit = settings.shape_residual
    if shape is None:
        return insufficient("relief", None, limit, Reason.FACE_NOT_VISIBLE, "ratio")
    if shape.relief >= limit and shape.share >= RELIEF and shape.clarity >= LEAST_CLARITY:
        return passed("relief", shape.relief, limit, "ratio")
    value = min(shape.relief, limit * min(max(shape.share, 0.0) / RELIEF, 1.0))
    if shape.clarity < VISIBLE:
        return insufficient("relief", value, limit, Reason.HIGH_LIGHTING, "ratio")
    return failed("relief", value, limit, Reason.NOT_LIVE, "ratio")
