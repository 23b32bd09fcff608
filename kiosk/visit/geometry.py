"""Where the face should be: the oval, and how far a face is from it.

Rules:
- Everything is in the *unmirrored* camera frame (x right, y down, pixels). The display mirrors, nothing here does.
- A head is measured by its eye distance: 63 mm between the pupils (adult mean, Dodgson 2004, "Variation and
  extrema of human interpupillary distance"). The face mesh is about 2.2 eye distances wide and 2.9 high.
- The oval is the size of the mesh of a head in the middle of the allowed distances (pinhole camera).
"""

from __future__ import annotations

import math

from kiosk.config.tree import GuidanceSettings
from kiosk.values import Oval, SeenFace

EYE_MM = 63.0
"""Distance between the pupils of an adult."""
FACE_WIDTHS = 2.2
"""Width of the face mesh in eye distances."""
FACE_HEIGHTS = 2.9
"""Height of the face mesh in eye distances."""
FOREHEAD = 1.15
"""A face box is this many mesh heights high: the forehead is added on top (see ``kiosk.values.Face.box``)."""
LARGEST_RATIO = 0.95
"""The oval never takes more than this share of either side of the frame."""


def focal_px(hfov_deg: float, frame_width_px: float) -> float:
    """Focal length in pixels of a pinhole camera with this horizontal field of view."""
    return frame_width_px / (2.0 * math.tan(math.radians(hfov_deg) / 2.0))


def oval_for(settings: GuidanceSettings, frame_w: int, frame_h: int, focal_px: float) -> Oval:
    """The oval that a head in the middle of ``near_mm .. far_mm`` fills, in ratios of the frame.

    Where that is larger than the frame it shrinks, keeping its shape.
    """
    eye_px = focal_px * EYE_MM / ((settings.near_mm + settings.far_mm) / 2.0)
    width = FACE_WIDTHS * eye_px / frame_w
    height = FACE_HEIGHTS * eye_px / frame_h
    shrink = min(1.0, LARGEST_RATIO / max(width, height))
    return Oval(settings.centre_x_ratio, settings.centre_y_ratio, width * shrink, height * shrink)


def face_centre_px(face: SeenFace) -> tuple[float, float]:
    """(x, y) of the middle of the mesh: the box without the forehead added on top."""
    box = face.box
    return box.left_px + box.width_px / 2.0, box.bottom_px - box.height_px / FOREHEAD / 2.0


def offset(face: SeenFace, oval: Oval, frame_w: int, frame_h: int) -> tuple[float, float]:
    """(x, y) from the oval's centre to the face's, in shares of the oval's width and height.

    x > 0: the face is at the image's right of the oval; y > 0: it is below.
    """
    x_px, y_px = face_centre_px(face)
    return (
        (x_px / frame_w - oval.centre_x_ratio) / oval.width_ratio,
        (y_px / frame_h - oval.centre_y_ratio) / oval.height_ratio,
    )
