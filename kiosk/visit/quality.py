"""The quality gate's rules: measured numbers in, verdicts out.

Rules:
- Pure. The pixels are measured in ``kiosk.runtime.measure``; here they are only compared with a profile.
- Cheap first: head count and geometry, then light, then sharpness and occlusion.
- A number that is missing or not finite is ``INSUFFICIENT``, never a pass. The one exception: a costly number
  that was left out *because* a cheaper check already failed is simply not listed.
- The pose sign convention is ``kiosk.values.Pose``'s: pitch > 0 looks up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.config.tree import QualityProfile
from kiosk.reasons import Reason
from kiosk.values import Measure, Pose, Quality, Verdict

INSIDE_RATIO = 0.99
"""Least share of the mesh's landmarks that must lie inside the frame."""


@dataclass(frozen=True, slots=True)
class FaceMeasures:
    """What was measured of one face, without its pixels. None: not measured (see the module's rules)."""

    faces: int
    """How many faces count in the picture (background faces left out)."""
    inside_ratio: float
    """Share 0..1 of the mesh's landmarks that lie inside the frame."""
    face_px: float
    """The shorter side of the face box, pixels."""
    eye_distance_px: float
    """Distance of the iris centres, pixels."""
    pose: Pose
    blink: float | None
    """The larger of ``eyeBlinkLeft`` and ``eyeBlinkRight``, 0..1 (1 is shut)."""
    brightness: float | None = None
    """Mean luma of the face region on a scale of 0..100."""
    dark_ratio: float | None = None
    """Share 0..1 of face pixels with a luma of 20 or less (of 255)."""
    clipped_ratio: float | None = None
    """Share 0..1 of face pixels with any channel at 250 or more."""
    sharpness: float | None = None
    """0..100 on the face region scaled to a fixed size, so that it does not depend on the distance."""
    sunglasses: float | None = None
    """0..1; 1 is certainly sunglasses."""
    covered: float | None = None
    """0..1; 1 is certainly a mask or hand over mouth, nose or cheeks."""


def assess(measures: FaceMeasures, profile: QualityProfile) -> Quality:
    """Compare every number with its limit, cheapest first."""
    checked: list[Measure] = []
    failed = False
    for measure in _checks(measures, profile):
        if failed and measure.verdict is Verdict.INSUFFICIENT and math.isnan(measure.value):
            continue
        checked.append(measure)
        failed = failed or measure.verdict is not Verdict.PASS
    return Quality(tuple(checked))


def geometry_ok(measures: FaceMeasures, profile: QualityProfile) -> bool:
    """Whether the checks that need no pixels pass: only then are the costly numbers worth measuring."""
    return all(measure.verdict is Verdict.PASS for measure in _geometry(measures, profile))


def _checks(measures: FaceMeasures, profile: QualityProfile) -> Iterator[Measure]:
    yield from _geometry(measures, profile)
    yield from _pixels(measures, profile)


def _geometry(measures: FaceMeasures, profile: QualityProfile) -> Iterator[Measure]:
    pose = measures.pose
    yield _check("faces", measures.faces, 1, 1, "", Reason.NO_FACE, Reason.ONE_PERSON)
    yield _check("inside", measures.inside_ratio, INSIDE_RATIO, None, "ratio", Reason.FACE_CUT_OFF)
    yield _check("face", measures.face_px, profile.face_px, None, "px", Reason.FACE_TOO_SMALL)
    yield _check("eyes", measures.eye_distance_px, profile.eye_distance_px, None, "px", Reason.FACE_TOO_SMALL)
    yield _check("yaw", pose.yaw_deg, -profile.yaw_deg, profile.yaw_deg, "deg", Reason.LOOK_AT_CAMERA)
    yield _check("pitch", pose.pitch_deg, -profile.pitch_down_deg, profile.pitch_up_deg, "deg", Reason.LOOK_AT_CAMERA)
    yield _check("roll", pose.roll_deg, -profile.roll_deg, profile.roll_deg, "deg", Reason.HEAD_TILTED)
    yield _check("blink", measures.blink, None, profile.eyes_closed, "", Reason.EYES_CLOSED)


def _pixels(measures: FaceMeasures, profile: QualityProfile) -> Iterator[Measure]:
    yield _check(
        "brightness",
        measures.brightness,
        profile.brightness_low,
        profile.brightness_high,
        "",
        Reason.TOO_DARK,
        Reason.TOO_BRIGHT,
    )
    yield _check("dark", measures.dark_ratio, None, profile.dark_ratio, "ratio", Reason.TOO_DARK)
    yield _check("clipped", measures.clipped_ratio, None, profile.clipped_ratio, "ratio", Reason.TOO_BRIGHT)
    yield _check("sharpness", measures.sharpness, profile.sharpness, None, "", Reason.BLURRED)
    yield _check("sunglasses", measures.sunglasses, None, profile.sunglasses, "", Reason.SUNGLASSES)
    yield _check("covered", measures.covered, None, profile.covered, "", Reason.FACE_COVERED)


def _check(
    name: str,
    value: float | None,
    low: float | None,
    high: float | None,
    unit: str,
    reason: Reason,
    reason_high: Reason | None = None,
) -> Measure:
    """One comparison; limits are inclusive. ``reason_high`` is the word when the value is above ``high``."""
    number = math.nan if value is None else float(value)
    if not math.isfinite(number):
        verdict = Verdict.INSUFFICIENT
    elif low is not None and number < low:
        verdict = Verdict.FAIL
    elif high is not None and number > high:
        verdict = Verdict.FAIL
        reason = reason_high or reason
    else:
        verdict = Verdict.PASS
    return Measure(name, number, (low, high), unit, verdict, reason)
