"""The verdict: every gate, then all of them together.

Rules: any gate that saw an attack makes it SPOOF; else any gate that could not measure makes it UNSURE; LIVE only when
every gate passed *and* the confidence that is fused from all their values (``fusion``) is at least 50. Whatever is not
LIVE has a confidence below 50.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Liveness, LivenessResult, Verdict
from kiosk.visit.evidence import Evidence
from kiosk.visit.reflection.amplitude import contrast_gate, expectation, gain_gate, measure, modulation_gate
from kiosk.visit.reflection.capture import continuity_gate, exposure_gate, stream_gate
from kiosk.visit.reflection.finding import Finding
from kiosk.visit.reflection.fusion import LIVE_FROM, confidence
from kiosk.visit.reflection.halves import halves_gate
from kiosk.visit.reflection.shape import compare, relief_gate, shape_gate
from kiosk.visit.reflection.signals import gather
from kiosk.visit.reflection.timing import align, lag_gate, timing_gate
from kiosk.visit.reflection.votes import parallax_gate, passive_gate
from kiosk.visit.reflection.weights import MODEL

MOST_UNLESS_LIVE = 49.0


def judge(evidence: Evidence, settings: LivenessSettings) -> LivenessResult:
    """All gates over one attempt; about 20 ms. Never raises for poor evidence: that is UNSURE."""
    if not evidence.slots:
        return LivenessResult(Liveness.UNSURE, 0.0, (), (Reason.LOW_VIDEO_QUALITY,))
    with np.errstate(all="ignore"):
        return conclude(tuple(findings(evidence, settings)))


def findings(evidence: Evidence, settings: LivenessSettings) -> Iterator[Finding]:
    """What each gate found, in the order in which they are reported; measured as they are asked for."""
    yield stream_gate(evidence)
    yield continuity_gate(evidence, settings)
    signals = gather(evidence)
    timing = align(signals, settings) if signals.frames else None
    yield exposure_gate(evidence, signals, timing)
    found = None if timing is None else measure(evidence, signals, timing)
    yield modulation_gate(found, settings)
    expected = expectation(evidence, signals.frames)[0] if signals.frames else None
    yield timing_gate(timing, settings, expected)
    yield lag_gate(timing, evidence, settings)
    shape = None if timing is None or found is None else compare(evidence, signals, timing, found)
    yield gain_gate(found, settings) if shape is None else gain_gate(found, settings, shape.parts)
    yield contrast_gate(found, settings)
    yield shape_gate(shape, settings)
    yield relief_gate(shape, settings)
    yield halves_gate(evidence, signals, timing, found, shape)
    yield parallax_gate(evidence, shape)
    yield passive_gate(evidence, shape, settings)


def conclude(found: Sequence[Finding]) -> LivenessResult:
    """Verdict, confidence and reasons from the gates' findings. No gates, no pass."""
    verdicts = [item.verdict for item in found]
    gates = tuple(item.gate for item in found)
    score = round(confidence(gates, MODEL), 1)
    if Verdict.FAIL in verdicts:
        verdict = Liveness.SPOOF
    elif Verdict.INSUFFICIENT in verdicts or not verdicts or score < LIVE_FROM:
        verdict = Liveness.UNSURE
    else:
        verdict = Liveness.LIVE
    blocking = Verdict.FAIL if verdict is Liveness.SPOOF else Verdict.INSUFFICIENT
    words = [item.reason for item in found if item.verdict is blocking and item.reason is not None]
    if verdict is Liveness.UNSURE and not words:
        words = [Reason.LOW_VIDEO_QUALITY]  # every gate passed, all of them barely
    return LivenessResult(
        verdict=verdict,
        confidence=score if verdict is Liveness.LIVE else min(score, MOST_UNLESS_LIVE),
        gates=gates,
        reasons=tuple(dict.fromkeys(words)),
    )
