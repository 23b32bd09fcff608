"""Faces in AWS's words: boxes and landmarks as shares of the picture, pose, quality, attributes.

Rules: left and right are the picture's; brightness and sharpness are the kiosk's own measures, 0..100; what no model
here measures (age, gender, emotions, beard, moustache, spectacles, direction of the eyes) is left out, not made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kiosk.rekognition.pictures import Picture, Seen
from kiosk.rekognition.shelf import StoredFace
from kiosk.values import Box

_FIVE: Mapping[str, tuple[int, ...]] = {
    "eyeLeft": (33, 133),
    "eyeRight": (362, 263),
    "mouthLeft": (61,),
    "mouthRight": (291,),
    "nose": (4,),
}
"""Name to landmarks of MediaPipe's mesh, whose middle it is. Without ``Attributes``, AWS tells these five."""
_MORE: Mapping[str, tuple[int, ...]] = {
    "leftEyeBrowLeft": (70,),
    "leftEyeBrowRight": (107,),
    "leftEyeBrowUp": (105,),
    "rightEyeBrowLeft": (336,),
    "rightEyeBrowRight": (300,),
    "rightEyeBrowUp": (334,),
    "leftEyeLeft": (33,),
    "leftEyeRight": (133,),
    "leftEyeUp": (159,),
    "leftEyeDown": (145,),
    "rightEyeLeft": (362,),
    "rightEyeRight": (263,),
    "rightEyeUp": (386,),
    "rightEyeDown": (374,),
    "noseLeft": (98,),
    "noseRight": (327,),
    "mouthUp": (0,),
    "mouthDown": (17,),
    "leftPupil": (468,),
    "rightPupil": (473,),
    "upperJawlineLeft": (127,),
    "midJawlineLeft": (172,),
    "chinBottom": (152,),
    "midJawlineRight": (397,),
    "upperJawlineRight": (356,),
}
_SHAPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "SMILE": ("Smile", ("mouthSmileLeft", "mouthSmileRight")),
    "MOUTH_OPEN": ("MouthOpen", ("jawOpen",)),
}
"""Attribute to its member and the blendshapes whose mean is its score."""


def plain_detail(picture: Picture, seen: Seen) -> dict[str, Any]:
    """What every face comes with: box, five landmarks, pose, quality, confidence."""
    pose, measures = seen.face.pose, seen.measures
    return {
        "BoundingBox": box_ratios(seen.face.box, picture.size_px),
        "Landmarks": _landmarks(picture, seen, _FIVE),
        "Pose": {"Roll": pose.roll_deg, "Yaw": pose.yaw_deg, "Pitch": pose.pitch_deg},
        "Quality": {"Brightness": measures.brightness or 0.0, "Sharpness": measures.sharpness or 0.0},
        "Confidence": seen.confidence,
    }


def face_detail(picture: Picture, seen: Seen, wanted: Sequence[str] = ()) -> dict[str, Any]:
    """``plain_detail`` with the attributes ``wanted`` (``ALL``: every one there is, and all landmarks)."""
    detail = plain_detail(picture, seen)
    everything = "ALL" in wanted
    if everything:
        detail["Landmarks"] += _landmarks(picture, seen, _MORE)
    measures, shapes = seen.measures, seen.face.blendshapes
    scores: dict[str, tuple[str, float | None]] = {
        "EYES_OPEN": ("EyesOpen", None if measures.blink is None else 1.0 - measures.blink),
        "SUNGLASSES": ("Sunglasses", measures.sunglasses),
        "FACE_OCCLUDED": ("FaceOccluded", measures.covered),
    }
    for name, (member, parts) in _SHAPES.items():
        known = [shapes[part] for part in parts if part in shapes]
        scores[name] = member, sum(known) / len(known) if known else None
    for name, (member, score) in scores.items():
        if score is not None and (everything or name in wanted):
            detail[member] = {"Value": score > 0.5, "Confidence": 100.0 * max(score, 1.0 - score)}
    return detail


def box_ratios(box: Box, size_px: tuple[int, int]) -> dict[str, float]:
    """A box as shares of the picture's width and height."""
    width, height = size_px
    return {
        "Left": box.left_px / width,
        "Top": box.top_px / height,
        "Width": box.width_px / width,
        "Height": box.height_px / height,
    }


def stored(face: StoredFace, model_version: str | None = None) -> dict[str, Any]:
    """A face of a collection."""
    left, top, width, height = face.box
    return {
        "FaceId": face.face_id,
        "BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height},
        "ImageId": face.image_id,
        "ExternalImageId": face.external_image_id,
        "Confidence": face.confidence,
        "IndexFacesModelVersion": model_version,
        "UserId": face.user_id,
    }


def _landmarks(picture: Picture, seen: Seen, which: Mapping[str, Iterable[int]]) -> list[dict[str, Any]]:
    width, height = picture.size_px
    found = []
    for name, places in which.items():
        x, y = seen.face.landmarks[list(places), :2].mean(axis=0)
        found.append({"Type": name, "X": float(x) / width, "Y": float(y) / height})
    return found
