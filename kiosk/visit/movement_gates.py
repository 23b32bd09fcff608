"""The gates of the check without a flash: was it this head that followed the instructions, and is it a head? Pure.

Each gate is pass, fail or insufficient, as in ``kiosk.visit.reflection``; LIVE only when every one passed.

- instruction: every instruction was followed in order, and the landmarks themselves turned that way each time: the nose
  stands out of the face, so it moves against the cheeks (left, right) or between eyes and chin (up, down). On a picture
  of a face it does not.
- parallax: from looking straight to turned, the landmarks did not move as one plane. What the best homography leaves is
  projected on what it would leave of this face's own depth, turned by the angles that were seen. A print turned by hand
  leaves nothing.
- passive: mean passive score of at least five frames before the movement; here it is no vote, it must pass.
- second_factor: a badge was read. That the face is its holder's is the policy's to check.
- continuity and stream: as during a flash.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Gate, Liveness, LivenessResult, Verdict
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.geometry import EYE_MM
from kiosk.visit.movement import Turned
from kiosk.visit.plane import off_plane
from kiosk.visit.reflection.capture import continuity_gate, stream_gate

Array = NDArray[np.float64]
Found = tuple[Gate, Reason | None]

LANDMARKS = 468
"""The mesh without the irises."""
NOSE, EYES, CHIN, CHEEKS = 4, (33, 263), 152, (234, 454)
"""MediaPipe's numbers: nose tip, outer corners of the eyes, chin, the edges of the face at the cheeks."""
AROUND = 3
"""Frames averaged before and at the farthest turn."""
LEAST_YAW, LEAST_NOD = 0.05, 0.015
"""Least way of the nose, in widths of the face and in lengths from eyes to chin. At the least turn of 15 and 10 degrees
a nose that stands 40 mm out of a face 140 mm wide moves by 0.07 and more."""
PARALLAX = 0.6
"""Least share of the predicted departure from a plane; below ``FLAT`` it is a picture."""
FLAT = 0.25
ALIKE = 0.9
"""Least correlation of measured and predicted departure: a sheet bent as a head bends leaves something, too."""
LEAST_SCORES = 5


def judge_movement(
    evidence: Evidence, turned: tuple[Turned, ...], settings: LivenessSettings, *, badge: bool
) -> LivenessResult:
    """All gates over one check by movements; ``evidence.slots`` is one dark slot that spans it.

    Never raises for poor evidence: that is UNSURE.
    """
    if not evidence.slots or not evidence.frames:
        return LivenessResult(Liveness.UNSURE, 0.0, (), (Reason.LOW_VIDEO_QUALITY,))
    stream, continuity = stream_gate(evidence), continuity_gate(evidence, settings)
    with np.errstate(all="ignore"):
        found: tuple[Found, ...] = (
            (stream.gate, stream.reason),
            (continuity.gate, continuity.reason),
            instruction_gate(evidence, turned, settings),
            parallax_gate(evidence, turned),
            passive_gate(evidence, settings),
            second_factor_gate(badge=badge),
        )
    return conclude(found)


def conclude(found: tuple[Found, ...]) -> LivenessResult:
    """A failed gate is an attack, an insufficient one asks for another try.

    The confidence is not calibrated (no such attempts were ever measured): 75 for LIVE, 25 else.
    """
    verdicts = [gate.verdict for gate, _reason in found]
    verdict = Liveness.LIVE
    if Verdict.FAIL in verdicts:
        verdict = Liveness.SPOOF
    elif Verdict.INSUFFICIENT in verdicts:
        verdict = Liveness.UNSURE
    blocking = Verdict.FAIL if verdict is Liveness.SPOOF else Verdict.INSUFFICIENT
    words = [reason for gate, reason in found if gate.verdict is blocking and reason is not None]
    gates = tuple(gate for gate, _reason in found)
    return LivenessResult(verdict, 75.0 if verdict is Liveness.LIVE else 25.0, gates, tuple(dict.fromkeys(words)))


def instruction_gate(evidence: Evidence, turned: tuple[Turned, ...], settings: LivenessSettings) -> Found:
    """The least way of the nose over all instructions, in shares of ``LEAST_YAW`` or ``LEAST_NOD``."""
    name, missed = "instruction", Reason.INSTRUCTION_MISSED
    ways: list[float] = []
    for one in turned:
        views = _views(evidence, one, turned[0].given_s)
        if views is None:
            return Gate(name, Verdict.INSUFFICIENT, None, 1.0, "ratio"), Reason.LOW_VIDEO_QUALITY
        ways.append(_nose_way(one.instruction, views[0], views[1]))
    if len(ways) < settings.turns or len({one.instruction for one in turned}) < len(turned):
        return Gate(name, Verdict.INSUFFICIENT, None, 1.0, "ratio"), missed
    least = float(min(ways))
    passed = least >= 1.0
    return Gate(name, Verdict.PASS if passed else Verdict.INSUFFICIENT, round(least, 5), 1.0, "ratio"), missed


def parallax_gate(evidence: Evidence, turned: tuple[Turned, ...]) -> Found:
    """The least share of the predicted departure from a plane, over all instructions."""
    name = "parallax"
    shares: list[float] = []
    alike: list[float] = []
    for one in turned:
        views = _views(evidence, one, turned[0].given_s)
        if views is None:
            return Gate(name, Verdict.INSUFFICIENT, None, PARALLAX, "ratio"), Reason.LOW_VIDEO_QUALITY
        share, same = _departure(evidence, one, *views)
        shares.append(share)
        alike.append(same)
    if not shares or not np.isfinite(shares).all():
        return Gate(name, Verdict.INSUFFICIENT, None, PARALLAX, "ratio"), Reason.LOW_VIDEO_QUALITY
    least = min(shares)
    verdict = Verdict.PASS if least >= PARALLAX and min(alike) >= ALIKE else Verdict.INSUFFICIENT
    if least < FLAT:
        verdict = Verdict.FAIL
    word = Reason.NOT_LIVE if verdict is Verdict.FAIL else Reason.FACE_NOT_ALIGNED
    return Gate(name, verdict, round(least, 5), PARALLAX, "ratio"), word


def passive_gate(evidence: Evidence, settings: LivenessSettings) -> Found:
    """Mean passive score; too few scores or a low mean ask for another try."""
    scores = [score for score in evidence.passive_live if np.isfinite(score)]
    mean = float(np.mean(scores)) if scores else None
    passed = mean is not None and len(scores) >= LEAST_SCORES and mean >= settings.passive
    value = None if mean is None else round(mean, 5)
    verdict = Verdict.PASS if passed else Verdict.INSUFFICIENT
    return Gate("passive", verdict, value, settings.passive, "score"), Reason.LOW_VIDEO_QUALITY


def second_factor_gate(*, badge: bool) -> Found:
    """Whether a badge was read when the check began."""
    verdict = Verdict.PASS if badge else Verdict.INSUFFICIENT
    return Gate("second_factor", verdict, 1.0 if badge else 0.0, 1.0, "badges"), Reason.BADGE_NEEDED


def _views(evidence: Evidence, one: Turned, began_s: float) -> tuple[Array, Array] | None:
    """Mean landmarks ``(478, 3)`` just before the movement began and at the farthest turn; None where frames lack.

    All turns are compared with the same beginning, as their angles are: between two instructions the head looks only
    nearly straight again.
    """
    faces = [frame for frame in evidence.frames if frame.track >= 0 and np.isfinite(frame.landmarks).all()]
    before = [frame for frame in faces if frame.exposure_start_s <= began_s][-AROUND:]
    during = [frame for frame in faces if one.given_s < frame.exposure_start_s <= one.back_s]
    at_peak = sorted(during, key=lambda frame: abs(frame.exposure_start_s - one.peak_s))[:AROUND]
    if len(before) < AROUND or len(at_peak) < AROUND:
        return None
    return _mean(before), _mean(at_peak)


def _mean(frames: list[FrameEvidence]) -> Array:
    return np.asarray(np.mean([frame.landmarks.astype(np.float64) for frame in frames], axis=0), np.float64)


def _nose_way(instruction: Reason, before: Array, after: Array) -> float:
    """How far the nose moved the way that was asked, in shares of the least way."""
    if instruction in (Reason.TURN_LEFT, Reason.TURN_RIGHT):
        way = _between_cheeks(after) - _between_cheeks(before)
        return float(way if instruction is Reason.TURN_LEFT else -way) / LEAST_YAW
    way = _below_eyes(after) - _below_eyes(before)
    return float(way if instruction is Reason.LOOK_DOWN else -way) / LEAST_NOD


def _between_cheeks(points: Array) -> float:
    """Place of the nose between the cheeks: 0 in the middle, > 0 to the image's right."""
    left, right = points[CHEEKS[0], 0], points[CHEEKS[1], 0]
    return float((points[NOSE, 0] - (left + right) / 2.0) / max(right - left, 1.0))


def _below_eyes(points: Array) -> float:
    """Place of the nose between the eyes (0) and the chin (1)."""
    eyes = points[list(EYES), 1].mean()
    return float((points[NOSE, 1] - eyes) / max(points[CHIN, 1] - eyes, 1.0))


def _departure(evidence: Evidence, one: Turned, before: Array, after: Array) -> tuple[float, float]:
    """(measured over predicted departure from a plane, their correlation). About (1, 1) for a head, 0 for a plane."""
    eyes_px = max(float(np.hypot(*(before[473, :2] - before[468, :2]))), 1.0)
    away_mm = evidence.focal_px * EYE_MM / eyes_px
    mm = before[:LANDMARKS] * (EYE_MM / eyes_px)
    mm = mm - mm.mean(axis=0)
    centre_px = np.array(evidence.frames[-1].frame_size_px) / 2.0
    middle_mm = (before[:LANDMARKS, :2].mean(axis=0) - centre_px) * away_mm / evidence.focal_px
    views = []
    for yaw_deg, pitch_deg in ((0.0, 0.0), (one.yaw_deg, one.pitch_deg)):
        turned = mm @ _rotation(yaw_deg, pitch_deg).T
        views.append(evidence.focal_px * (turned[:, :2] + middle_mm) / (away_mm + turned[:, 2:]))
    predicted = off_plane(views[0], views[1]).ravel()
    measured = off_plane(before[:LANDMARKS, :2], after[:LANDMARKS, :2]).ravel()
    both = float(measured @ predicted)
    energy = float(predicted @ predicted)
    return both / max(energy, 1e-12), both / max(float(np.sqrt(energy * (measured @ measured))), 1e-12)


def _rotation(yaw_deg: float, pitch_deg: float) -> Array:
    """``(3, 3)`` on camera axes (x right, y down, z away), with the signs of ``kiosk.values.Pose``."""
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    about_y = np.array([[np.cos(yaw), 0.0, -np.sin(yaw)], [0.0, 1.0, 0.0], [np.sin(yaw), 0.0, np.cos(yaw)]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(pitch), np.sin(pitch)], [0.0, -np.sin(pitch), np.cos(pitch)]])
    return np.asarray(about_y @ about_x, np.float64)
