"""How much light comes back: enough to measure, as much as physics says, from all of the face, not from the room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.geometry import EYE_MM
from kiosk.visit.light import screen_lux
from kiosk.visit.reflection.finding import Finding, failed, insufficient, passed
from kiosk.visit.reflection.fitting import NOTHING, Answer, fit
from kiosk.visit.reflection.mesh import mesh
from kiosk.visit.reflection.signals import Array, Signals, chroma, drift_basis, stack, without_drift
from kiosk.visit.reflection.timing import Timing

FACE_SHARE = 0.75
"""Mean answer of a face in shares of a plane that faces the screen on its axis: a face turns away at its sides."""
DARKEST_LUX = 10.0
"""Nobody stands in less ambient light than this when the room is called lit: it bounds an unknown gain from above."""
TURNED = 0.3
"""A part whose own template answers less than this, in shares of the face, looks away from the screen."""
DARK_FACE = 0.006
"""Mean linear light of a face below which 8-bit codes are too coarse."""
SURE = 3.0
"""Standard errors that make a statement sure."""


@dataclass(frozen=True, slots=True, eq=False)
class Amplitudes:
    """Modulations of the face's parts and of the surroundings."""

    face: Answer
    forehead: Answer
    left_cheek: Answer
    right_cheek: Answer
    background: Answer | None
    """None: nothing to be seen there, or too dark for chromaticities."""
    dark_share: float | None
    """For surroundings too dark for chromaticities: how much their light changes, in shares of the face's change; None:
    not in the picture, or bright enough."""
    expected: float | None
    """Predicted from the panel, the distance and the ambient light; None where that is unknown."""
    most: float
    """What the panel could do at most at this distance."""
    brightness: float
    """Mean linear light of the skin."""


def distance_mm(frames: tuple[FrameEvidence, ...], focal_px: float) -> float:
    """Median distance of a face from its eye distance (63 mm)."""
    irises = np.array([frame.landmarks[[468, 473], :2] for frame in frames], np.float64)
    apart = np.linalg.norm(irises[:, 1] - irises[:, 0], axis=1)
    return float(np.median(focal_px * EYE_MM / np.maximum(apart, 1.0)))


def expectation(evidence: Evidence, frames: tuple[FrameEvidence, ...]) -> tuple[float | None, float]:
    """(predicted modulation or None, the most the panel can do)."""
    lux = FACE_SHARE * screen_lux(evidence.panel, distance_mm(frames, evidence.focal_px))
    ambient = evidence.ambient_lux
    return (None if ambient is None else lux / max(ambient, 1.0)), lux / DARKEST_LUX


def measure(evidence: Evidence, signals: Signals, timing: Timing) -> Amplitudes:
    """Fit every part over the settled frames that saw the whole screen."""
    chosen = timing.clean & signals.full[timing.slot]
    light, start = timing.light[chosen], signals.start_s[chosen]
    frames = tuple(frame for frame, kept in zip(signals.frames, chosen, strict=True) if kept)

    grid = mesh()

    def part(mask: NDArray[np.bool_]) -> Answer:
        return fit(signals.part(mask[grid.skin])[chosen], light, start)

    background = fit(chroma(signals.background[chosen]), light, start)
    expected, most = expectation(evidence, frames or signals.frames)
    return Amplitudes(
        face=fit(signals.face[chosen], light, start),
        forehead=part(grid.forehead),
        left_cheek=part(grid.left_cheek),
        right_cheek=part(grid.right_cheek),
        background=None if background is NOTHING else background,
        dark_share=_dark_share(frames, start) if background is NOTHING else None,
        expected=expected,
        most=most,
        brightness=float(np.nanmedian(stack([frame.face for frame in signals.frames]).mean(axis=1))),
    )


def _dark_share(frames: tuple[FrameEvidence, ...], start_s: Array) -> float | None:
    """Change of the surroundings' linear light over that of the face's, drift removed."""
    wall = np.array([frame.background.mean() for frame in frames], np.float64)
    face = np.array([frame.face.mean() for frame in frames], np.float64)
    if len(frames) < 4 or not np.isfinite(wall).all() or not np.isfinite(face).all():
        return None
    basis = drift_basis(start_s)
    change = float(np.std(without_drift(face, basis)))
    return float(np.std(without_drift(wall, basis))) / max(change, 1e-9)


def modulation_gate(found: Amplitudes | None, settings: LivenessSettings) -> Finding:
    """The screen must be seen on the face at all; else it is too bright (or too dark) here, whoever it is."""
    low = settings.modulation_low
    if found is None or found.face is NOTHING:
        return insufficient("modulation", None, low, Reason.LOW_VIDEO_QUALITY, "ratio")
    value = found.face.mean
    if found.brightness < DARK_FACE:
        return insufficient("modulation", value, low, Reason.LOW_LIGHTING, "ratio")
    if value < low or value < SURE * found.face.error:
        return insufficient("modulation", min(value, low), low, Reason.HIGH_LIGHTING, "ratio")
    return passed("modulation", value, low, "ratio")


def gain_gate(
    found: Amplitudes | None, settings: LivenessSettings, parts: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Finding:
    """The answer is as strong as predicted, and all over the face.

    ``parts``: what the face's own template gives forehead, left and right cheek; a part that is turned away
    (below ``TURNED`` or unseen) is not asked, but two must remain.

    The value is the worst ratio (measured to predicted, where the ambient light is known; each part to its prediction),
    a ratio above ``gain_high`` counted by how far it is beyond. One part that is off asks for another try. Where the
    ambient light is unknown only what no room allows is refused: more than the panel can do in 10 lx of other light.
    Too little is then the modulation gate's, and a replay's ten times too little the shape gate's too.
    """
    low, high = settings.gain_low, settings.gain_high
    if found is None or found.face is NOTHING or found.face.mean <= 0:
        return insufficient("gain", None, low, Reason.LOW_VIDEO_QUALITY, "ratio")
    mean = found.face.mean
    answers = (found.forehead, found.left_cheek, found.right_cheek)
    asked = [(a, p) for a, p in zip(answers, parts, strict=True) if a is not NOTHING and p >= TURNED]
    if len(asked) < 2:
        return insufficient("gain", None, low, Reason.FACE_NOT_VISIBLE, "ratio")
    ratios = [answer.mean / mean / part for answer, part in asked]
    whole = 1.0 if found.expected is None else mean / found.expected
    if found.expected is None and mean > found.most:
        return failed("gain", low * found.most / mean, low, Reason.NOT_LIVE, "ratio")
    worst = min(ratio if ratio <= high else low * high / ratio for ratio in (*ratios, whole))
    off = sum(not low <= ratio <= high for ratio in ratios)
    if off == 0 and low <= whole <= high:
        return passed("gain", worst, low, "ratio")
    if SURE * max(answer.error for answer, _ in asked) > low * mean:
        return insufficient("gain", min(worst, low), low, Reason.HIGH_LIGHTING, "ratio")
    if off <= 1 and low <= whole <= high:
        # A lens, a lock of hair or a clipped cheek: one part alone condemns nobody, and saves nobody.
        return insufficient("gain", min(worst, low), low, Reason.FACE_OBSTRUCTED, "ratio")
    return failed("gain", min(worst, low), low, Reason.NOT_LIVE, "ratio")


def contrast_gate(found: Amplitudes | None, settings: LivenessSettings) -> Finding:
    """The surroundings answer much less than a sheet in the face's place would.

    A sheet, a tablet or an injected tint answers as a whole. A sheet answers ``1 / FACE_SHARE`` times as much as a
    head, whose sides turn away: so a bare wall a metre away from a face at half a metre stays a wall.
    """
    limit = settings.contrast
    dark = None if found is None else found.dark_share
    if dark is not None and dark < limit:
        # Too dark to have a colour: what does not change by a quarter of the face's light does not answer like it.
        return passed("contrast", dark, limit, "ratio")
    if found is None or found.background is None or found.face is NOTHING or found.face.mean <= 0:
        return insufficient("contrast", None, limit, Reason.FACE_NOT_ALIGNED, "ratio")
    sheet = found.face.mean / FACE_SHARE
    ratio = abs(found.background.mean) / sheet
    error = found.background.error / sheet
    if ratio < limit:
        return passed("contrast", ratio, limit, "ratio")
    if ratio - SURE * error > limit:
        return failed("contrast", ratio, limit, Reason.NOT_LIVE, "ratio")
    return insufficient("contrast", ratio, limit, Reason.HIGH_LIGHTING, "ratio")
