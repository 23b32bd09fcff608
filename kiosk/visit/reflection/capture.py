"""Gates on the capture itself: one camera that films, one face that stays, light that is comparable."""

from __future__ import annotations

import itertools

import numpy as np

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.reflection.finding import Finding, failed, insufficient, passed
from kiosk.visit.reflection.fitting import NOTHING, correlation, fit
from kiosk.visit.reflection.signals import Signals, chroma, drift_basis, overlap, without_drift
from kiosk.visit.reflection.timing import Timing

LEAST_NOISE = 0.05
"""8-bit codes: every sensor's picture changes more than this from frame to frame; a computed one need not."""
LONGEST_GAP_S = 0.35
JUMP = 0.25
"""Largest move between neighbouring frames, in eye distances."""
BEFORE_S = 0.4
"""The hold before the first slot belongs to the continuity."""
MISSING = 0.1
"""Share of frames without a face that is put down to the detector."""
DRIFT = 0.02
"""Largest change of the surroundings' log brightness that is called stable."""
TINT_DRIFT = 0.01
"""The same for its chromaticities: automatic white balance moves those."""
LEAST_FRAMES = 20
SLUGGISH_S = (0.01, 0.15, 0.4)
"""How late an automatic exposure follows: at once, or as first-order loops with these time constants."""
PAST_STEP_S = 0.05
OPPOSITE = 0.8
"""Correlation with the screen's brightness, the wrong way round, from which on the exposure follows it."""


def during(evidence: Evidence, before_s: float = BEFORE_S) -> tuple[FrameEvidence, ...]:
    """Frames from shortly before the first slot to the end of the last."""
    first, last = evidence.slots[0], evidence.slots[-1]
    begin, end = first.visible_at_s - before_s, last.visible_at_s + last.duration_s
    return tuple(frame for frame in evidence.frames if begin <= frame.exposure_start_s <= end)


def stream_gate(evidence: Evidence) -> Finding:
    """One camera; time advances; no frame twice; pixels carry a sensor's noise. The value is that noise.

    Perfectly regular times are no fault: some drivers stamp them so.
    """
    limit, unit = LEAST_NOISE, "codes"
    frames = during(evidence)
    times = np.array([frame.exposure_start_s for frame in evidence.frames])
    numbers = [frame.sequence for frame in evidence.frames]
    if len(frames) < 2:
        return insufficient("stream", None, limit, Reason.LOW_VIDEO_QUALITY, unit)
    noises = np.array([frame.noise for frame in frames])
    known = noises[np.isfinite(noises)]
    noise = float(np.median(known)) if len(known) else None
    prints = [frame.fingerprint for frame in frames]
    broken = evidence.camera_changed or bool((np.diff(times) <= 0).any()) or len(set(prints)) < len(prints)
    broken = broken or any(b <= a for a, b in itertools.pairwise(numbers))
    if broken or (noise is not None and noise < limit):
        return failed("stream", noise, limit, Reason.NOT_LIVE, unit)
    starts = np.array([frame.exposure_start_s for frame in frames])
    if float(np.diff(starts).max()) > LONGEST_GAP_S:
        return insufficient("stream", noise, limit, Reason.LOW_VIDEO_QUALITY, unit)
    return passed("stream", noise, limit, unit)


def eye_distance(frame: FrameEvidence) -> float:
    """Pixels between the irises."""
    delta = frame.landmarks[473, :2] - frame.landmarks[468, :2]
    return max(float(np.hypot(delta[0], delta[1])), 1.0)


def largest_jump(frames: tuple[FrameEvidence, ...]) -> float:
    """Largest move or change of size between neighbouring frames, in eye distances; longer pauses allow more."""
    if len(frames) < 2:
        return 0.0
    irises = np.array([frame.landmarks[[468, 473], :2] for frame in frames], np.float64)
    middle = irises.mean(axis=1)
    apart = np.maximum(np.linalg.norm(irises[:, 1] - irises[:, 0], axis=1), 1.0)
    pause = np.maximum(np.diff([frame.exposure_start_s for frame in frames]) / 0.05, 1.0)
    moved = np.linalg.norm(np.diff(middle, axis=0), axis=1) / apart[:-1]
    grown = np.abs(apart[1:] / apart[:-1] - 1.0)
    return float((np.maximum(moved, grown) / pause).max())


def continuity_gate(evidence: Evidence, settings: LivenessSettings) -> Finding:
    """One face from the hold to the end, the same by its embedding, alone, and without jumps.

    The value is the lowest similarity to the face before the flash. Another face or another track is an attack; a
    second face, a jump or a lost face asks for another try.
    """
    limit, unit = settings.same_face, "similarity"
    frames = during(evidence)
    with_face = tuple(frame for frame in frames if frame.track >= 0)
    lowest = min(evidence.same_face) if evidence.same_face else None
    if len({frame.track for frame in with_face}) > 1:
        return failed("continuity", lowest, limit, Reason.FACE_CHANGED, unit)
    if lowest is not None and not lowest >= limit:
        return failed("continuity", lowest, limit, Reason.FACE_CHANGED, unit)
    if len(with_face) < (1.0 - MISSING) * len(frames) or not with_face:
        return insufficient("continuity", lowest, limit, Reason.FACE_NOT_VISIBLE, unit)
    if sum(1 for frame in frames if frame.faces > 1) > 0:
        return insufficient("continuity", lowest, limit, Reason.SECOND_FACE, unit)
    if largest_jump(with_face) > JUMP:
        return insufficient("continuity", lowest, limit, Reason.FACE_NOT_ALIGNED, unit)
    if lowest is None:
        return insufficient("continuity", None, limit, Reason.LOW_VIDEO_QUALITY, unit)
    return passed("continuity", lowest, limit, unit)


def exposure_gate(evidence: Evidence, signals: Signals, timing: Timing | None) -> Finding:
    """Exposure, gain and white balance stayed constant: said by every frame, or shown by the surroundings.

    A camera that cannot tell (None) is believed when what does not face the screen kept its brightness and its tint
    while the screen changed colour. One that says so is believed unless its picture says otherwise
    (``counteracted``): some cameras accept the lock and go on adapting. The value is the drift in log light.
    """
    told = [frame.gains_locked for frame in during(evidence, 0.0)]
    if not told or any(locked is False for locked in told):
        return insufficient("exposure", None, DRIFT, Reason.EXPOSURE_NOT_LOCKED, "log")
    if all(told):
        against = 0.0 if timing is None else round(counteracted(signals, timing), 5)
        if against > DRIFT:
            return insufficient("exposure", against, DRIFT, Reason.EXPOSURE_NOT_LOCKED, "log")
        return passed("exposure", 0.0, DRIFT, "log")
    drift = None if timing is None else surroundings_drift(signals, timing)
    if drift is None or drift > DRIFT:
        return insufficient("exposure", drift, DRIFT, Reason.EXPOSURE_NOT_LOCKED, "log")
    return passed("exposure", drift, DRIFT, "log")


def surroundings_drift(signals: Signals, timing: Timing) -> float | None:
    """How far brightness or tint of the surroundings moved, in log light; tint counts double. None: not measurable.

    What they rightly answer to the screen (a little, with the right sign) is taken out first.
    """
    logs = signals.background[timing.clean]
    if len(logs) == 0 or not np.isfinite(logs).all():
        return None
    answer = fit(chroma(logs), timing.light[timing.clean], signals.start_s[timing.clean])
    if answer is NOTHING:
        return None
    gained = np.log(1.0 + np.clip(answer.modulation, 0.0, None) * timing.light[timing.clean])
    rest = logs - gained
    brightness = float(np.std(rest.mean(axis=1)))
    tint = float(np.sqrt(np.mean(np.var(chroma(rest), axis=0))))
    return max(brightness, tint * DRIFT / TINT_DRIFT)


def counteracted(signals: Signals, timing: Timing) -> float:
    """How far the surroundings darkened when the screen grew brighter, in log light; 0 where they did not.

    Light only adds: surroundings that answer with the opposite sign, at once or after the ``SLUGGISH_S`` of a control
    loop, show an exposure that follows. What walks past or flickers goes its own way and not the screen's: unless
    nearly all of the change (``OPPOSITE``) follows from the screen, nothing is concluded.
    """
    logs = signals.background[timing.clean].mean(axis=1)
    if len(logs) < LEAST_FRAMES or not np.isfinite(logs).all():
        return 0.0
    basis = drift_basis(signals.start_s[timing.clean])
    target = without_drift(logs, basis)
    past = np.arange(0.0, 4.0 * max(SLUGGISH_S), PAST_STEP_S)
    screen = (overlap(signals, timing.lag_s + past) @ signals.colours)[:, timing.clean].mean(axis=2)
    worst = 0.0
    for tau_s in SLUGGISH_S:
        weight = np.exp(-past / tau_s)
        late = without_drift(weight @ screen / weight.sum(), basis)
        if correlation(late, target) <= -OPPOSITE:
            worst = max(worst, -float(np.sum(late * target) / np.sum(late**2)) * float(np.ptp(late)))
    return worst
