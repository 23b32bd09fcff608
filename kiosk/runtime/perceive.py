"""One frame in, what the visit needs of it out: faces with track numbers, the largest one measured.

Rules:
- A face keeps its track number as long as it is one uninterrupted face: its box overlaps the last one by
  ``SAME_OVERLAP``, with at most ``GAP_S`` without a detection. Anything else is a new number, for ever.
- Faces narrower than the configured share of the largest one are background and left out, from tracks too.
- Pixels are measured only when the checks that need none have passed (``kiosk.visit.quality.geometry_ok``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kiosk.config.tree import GuidanceSettings, QualityProfile
from kiosk.ports import FaceModels
from kiosk.runtime.measure import measure_geometry, measure_pixels
from kiosk.values import Box, Face, Frame, Observation, SeenFace
from kiosk.visit.geometry import EYE_MM, focal_px
from kiosk.visit.quality import assess, geometry_ok

SAME_OVERLAP = 0.35
"""Least shared area over united area of two boxes in a row of one face."""
GAP_S = 0.2
"""A face may be missed by the detector for this long."""
_MOST_TURNED = 0.5
"""The foreshortening by yaw is undone up to this factor (60 degrees); beyond, the eye distance says nothing."""


@dataclass(frozen=True, slots=True)
class _Track:
    number: int
    box: Box
    at_s: float


class Tracker:
    """Gives each face of a frame its track number. One thread."""

    def __init__(self) -> None:
        self._tracks: tuple[_Track, ...] = ()
        self._next = 1

    def follow(self, faces: list[Face], at_s: float) -> list[int]:
        """Track numbers of the faces, in their order; the best overlap takes its number first."""
        known = [track for track in self._tracks if 0.0 <= at_s - track.at_s <= GAP_S]
        pairs = [
            (intersection_over_union(face.box, track.box), index, track)
            for index, face in enumerate(faces)
            for track in known
        ]
        numbers: dict[int, int] = {}
        for shared, index, track in sorted(pairs, key=lambda pair: -pair[0]):
            if shared >= SAME_OVERLAP and index not in numbers and track.number not in numbers.values():
                numbers[index] = track.number
        for index in range(len(faces)):
            if index not in numbers:
                numbers[index] = self._next
                self._next += 1
        seen = tuple(_Track(numbers[index], face.box, at_s) for index, face in enumerate(faces))
        self._tracks = (*seen, *(track for track in known if track.number not in numbers.values()))
        return [numbers[index] for index in range(len(faces))]


class Perceiver:
    """Finds, tracks and measures. One thread; the tracks are its only state.

    ``hfov_deg``: horizontal field of view of the delivered frames. ``profile``: the quality limits of the door.
    """

    def __init__(
        self, models: FaceModels, *, guidance: GuidanceSettings, profile: QualityProfile, hfov_deg: float
    ) -> None:
        self._models = models
        self._guidance = guidance
        self._profile = profile
        self._hfov_deg = hfov_deg
        self._tracker = Tracker()

    def perceive(self, frame: Frame) -> tuple[Observation, Face | None]:
        """What is seen, and the largest face with its landmarks (None: nobody). Raises ModelError."""
        faces = without_background(self._models.find(frame), self._guidance.small_face_ratio)
        tracks = self._tracker.follow(faces, frame.exposure_start_s)
        focal = focal_px(self._hfov_deg, frame.width_px)
        seen = tuple(seen_face(face, track, focal) for face, track in zip(faces, tracks, strict=True))
        largest = faces[0] if faces else None
        quality = None
        if largest is not None:
            measures = measure_geometry(largest, frame.width_px, frame.height_px, faces=len(faces))
            if geometry_ok(measures, self._profile):
                measures = measure_pixels(frame.pixels, largest, measures)
            quality = assess(measures, self._profile)
        observation = Observation(
            sequence=frame.sequence,
            at_s=frame.exposure_start_s,
            frame_width_px=frame.width_px,
            frame_height_px=frame.height_px,
            faces=seen,
            quality=quality,
            gains_locked=frame.gains_locked,
            lux=frame.lux,
        )
        return observation, largest


def without_background(faces: list[Face], small_ratio: float) -> list[Face]:
    """Largest first, without the faces narrower than ``small_ratio`` of the largest."""
    ordered = sorted(faces, key=lambda face: -face.box.area_px)
    widest = ordered[0].box.width_px if ordered else 0.0
    return [face for face in ordered if face.box.width_px >= small_ratio * widest]


def seen_face(face: Face, track: int, focal: float) -> SeenFace:
    """The face without its landmarks; ``focal`` in pixels of the frame. No eye distance: infinitely far."""
    eyes = face.landmarks[[468, 473], :2].mean(axis=0)
    eye_px = face.eye_distance_px
    straight_px = eye_px / max(_MOST_TURNED, math.cos(math.radians(face.pose.yaw_deg)))
    distance_mm = focal * EYE_MM / straight_px if straight_px > 0 else math.inf
    return SeenFace(track, face.box, (float(eyes[0]), float(eyes[1])), eye_px, distance_mm, face.pose)


def intersection_over_union(one: Box, other: Box) -> float:
    """Shared over united area, 0..1."""
    width = min(one.right_px, other.right_px) - max(one.left_px, other.left_px)
    height = min(one.bottom_px, other.bottom_px) - max(one.top_px, other.top_px)
    shared = max(0.0, width) * max(0.0, height)
    united = one.area_px + other.area_px - shared
    return shared / united if united > 0 else 0.0
