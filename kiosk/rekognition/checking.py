"""From a kiosk's own liveness check to a session's outcome: confidence, feedback, and the pictures that may be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kiosk.ports import FaceModels
from kiosk.rekognition.details import box_ratios
from kiosk.rekognition.sessions import FEEDBACK, MOST_IMAGE_BYTES, ChallengeType, Outcome, SessionImage
from kiosk.runtime.measure import sharpness
from kiosk.values import Face, LivenessResult, Pixels

Encode = Callable[[Pixels, int], bytes]
"""``hardware.stills.encode_jpeg``: pixels, and how many bytes at most."""
LOOKED_AT = 5
"""Last pictures before the flash, of which the best one is the reference."""


def outcome_of(
    result: LivenessResult,
    before: Sequence[Pixels],
    during: Sequence[Pixels],
    audit_limit: int,
    models: FaceModels,
    encode: Encode,
    challenge: ChallengeType = "FaceMovementAndLightChallenge",
) -> Outcome:
    """The outcome of one check; ``before`` and ``during`` are its pictures ``(H, W, 3) uint8 RGB`` in order.

    The reference is the sharpest, most frontal of the last ones before the flash; audit pictures are spread over the
    flash. Raises ModelError.
    """
    feedback = tuple(dict.fromkeys(FEEDBACK[reason] for reason in result.reasons if reason in FEEDBACK))
    looked = [(pixels, face) for pixels in list(before)[-LOOKED_AT:] for face in models.find_still(pixels)[:1]]
    best = max(looked, key=lambda pair: _goodness(*pair), default=None)
    reference = None if best is None else _image(best[0], best[1], encode)
    places = np.linspace(0, len(during) - 1, audit_limit) if during and audit_limit else ()
    audit = []
    for place in places:
        pixels = during[round(float(place))]
        audit.append(_image(pixels, next(iter(models.find_still(pixels)), None), encode))
    return Outcome(challenge, result.confidence, feedback, reference, tuple(audit))


def _goodness(pixels: Pixels, face: Face) -> float:
    """Sharpness less what the head is turned."""
    box = face.box
    left, top = max(0, int(box.left_px)), max(0, int(box.top_px))
    crop = pixels[top : int(box.bottom_px) + 1, left : int(box.right_px) + 1]
    return sharpness(crop) - abs(face.pose.yaw_deg) - abs(face.pose.pitch_deg)


def _image(pixels: Pixels, face: Face | None, encode: Encode) -> SessionImage:
    box = None
    if face is not None:
        shares = box_ratios(face.box, (pixels.shape[1], pixels.shape[0]))
        box = shares["Left"], shares["Top"], shares["Width"], shares["Height"]
    return SessionImage(encode(pixels, MOST_IMAGE_BYTES), box)
