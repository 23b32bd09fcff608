"""Pictures of a request: decoded, their faces found and measured, and judged by the quality filter.

Rules: a picture is looked at and forgotten; only vectors leave this module for the shelf. ``Confidence`` is not
invented: it says how well a second look, centred on the face, agrees with the first (shared area of the boxes, in
percent), since the landmarker tells no score of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.enrollment.stills import Measurer
from kiosk.errors import InputError, ModelError, RekognitionFault
from kiosk.ports import FaceModels, versions_of
from kiosk.rekognition.faults import image_format, image_too_large, invalid_parameter
from kiosk.runtime.perceive import intersection_over_union
from kiosk.values import Box, Face, Floats, Pixels
from kiosk.visit.quality import FaceMeasures

MOST_FACES = 100
LEAST_SIDE_PX = 80
MOST_SIDE_PX = 10_000
AT_ONCE = 2
LOOK_AGAIN = 2.0
"""Side of the second look, in sides of the face."""
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""Of JPEG and PNG files: nothing else is let near a decoder, as on AWS."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Limits of one step of the quality filter."""

    brightness: float
    sharpness: float
    yaw_deg: float
    pitch_deg: float
    face_px: float
    confidence: float
    hidden: float
    """Largest score of sunglasses or of something over the lower face."""


BARS: Mapping[str, Bar | None] = {
    "NONE": None,
    "LOW": Bar(8.0, 4.0, 60.0, 45.0, 40.0, 40.0, 1.0),
    "AUTO": Bar(12.0, 8.0, 45.0, 40.0, 45.0, 50.0, 0.9),
    "MEDIUM": Bar(15.0, 12.0, 40.0, 35.0, 50.0, 60.0, 0.7),
    "HIGH": Bar(20.0, 25.0, 25.0, 25.0, 60.0, 70.0, 0.5),
}
"""HIGH is the kiosk's own profile for enrollment; AUTO keeps what can still be told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One face of a picture."""

    face: Face
    measures: FaceMeasures
    confidence: float
    """0..100."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture with its faces, largest first."""

    pixels: Pixels
    faces: tuple[Seen, ...]

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.shape[1], self.pixels.shape[0]


class Looker:
    """Looks at the pictures of requests. Safe from several threads as far as the models are.

    Only ``AT_ONCE`` pictures are decoded and looked at at the same time: each takes memory of several times its size.
    """

    def __init__(self, models: FaceModels, decode: Callable[[bytes], Pixels], measure: Measurer) -> None:
        self._models = models
        self._decode = decode
        self._measure = measure
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    @property
    def model_version(self) -> str:
        """Of new collections: what AWS calls the face model."""
        return self._models.embedding_version

    @property
    def versions(self) -> tuple[str, ...]:
        """Of all vectors that can be made: of the present model, and of the one before during a change."""
        return versions_of(self._models)

    def look(self, image: Mapping[str, Any], *, most: int = MOST_FACES) -> Picture:
        """The picture with at most ``most`` faces measured. Raises RekognitionFault, ModelError."""
        with self._turns:
            pixels = self._pixels(image)
            found = self._models.find_still(pixels)[:most]
            return Picture(pixels, tuple(self._seen(pixels, face, len(found)) for face in found))

    def vector(self, picture: Picture, seen: Seen, version: str) -> Floats:
        """``(D,)`` unit length, by the model of this version. Raises ModelError: it is not in use."""
        made = None
        if version == self._models.version_before:
            made = self._models.embed_before(picture.pixels, seen.face)
        elif version == self.model_version:
            made = self._models.embed(picture.pixels, seen.face)
        if made is None or made.model_version != version:
            raise ModelError(f"the face model {version} is not in use")
        return made.vector

    def _pixels(self, image: Mapping[str, Any]) -> Pixels:
        if ("Bytes" in image) == ("S3Object" in image):
            raise invalid_parameter("an image is either Bytes or S3Object")
        if "S3Object" in image:
            raise RekognitionFault("InvalidS3ObjectException", "this server reads no bucket: send the picture as Bytes")
        content = image["Bytes"]
        if not content.startswith(_STARTS):
            raise image_format("the picture is neither JPEG nor PNG")
        try:
            pixels = self._decode(content)
        except InputError as error:
            fault = image_too_large if "million pixels" in error.what else image_format
            raise fault(error.what) from error
        sides = pixels.shape[:2]
        if max(sides) > MOST_SIDE_PX:
            raise image_too_large(f"a side has more than {MOST_SIDE_PX} pixels")
        if min(sides) < LEAST_SIDE_PX:
            raise invalid_parameter(f"a side has fewer than {LEAST_SIDE_PX} pixels")
        return pixels

    def _seen(self, pixels: Pixels, face: Face, faces: int) -> Seen:
        return Seen(face, self._measure(pixels, face, faces=faces), self._confidence(pixels, face))

    def _confidence(self, pixels: Pixels, face: Face) -> float:
        height, width = pixels.shape[:2]
        x, y = face.box.centre_px
        half = LOOK_AGAIN * max(face.box.width_px, face.box.height_px) / 2
        left, top = max(0, int(x - half)), max(0, int(y - half))
        part = pixels[top : min(height, int(y + half) + 1), left : min(width, int(x + half) + 1)]
        if part.shape == pixels.shape:  # the face fills the picture: there is no other way to look at it
            part, left, top = pixels[2:-2, 2:-2], 2, 2
        again = (_moved(one.box, left, top) for one in self._models.find_still(part))
        return 100.0 * max((intersection_over_union(box, face.box) for box in again), default=0.0)


def reasons_against(seen: Seen, quality: str) -> list[str]:
    """Why the filter keeps this face out, in AWS's words; empty when it does not."""
    bar = BARS[quality]
    if bar is None:
        return []
    measures, pose = seen.measures, seen.face.pose
    brightness, sharpness = measures.brightness, measures.sharpness
    unknown = brightness is None or sharpness is None
    hidden = max(measures.sunglasses or 0.0, measures.covered or 0.0)
    checks = {
        "EXTREME_POSE": abs(pose.yaw_deg) > bar.yaw_deg or abs(pose.pitch_deg) > bar.pitch_deg,
        "LOW_BRIGHTNESS": brightness is not None and brightness < bar.brightness,
        "LOW_SHARPNESS": sharpness is not None and sharpness < bar.sharpness,
        "LOW_CONFIDENCE": seen.confidence < bar.confidence,
        "SMALL_BOUNDING_BOX": measures.face_px < bar.face_px,
        "LOW_FACE_QUALITY": unknown or hidden > bar.hidden,
    }
    return [reason for reason, wrong in checks.items() if wrong]


def _moved(box: Box, left: int, top: int) -> Box:
    return Box(box.left_px + left, box.top_px + top, box.width_px, box.height_px)
