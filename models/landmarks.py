"""Faces, 478 landmarks, blendshapes and head pose by MediaPipe's FaceLandmarker.

Rules:
- VIDEO mode for the running loop (frames narrowed to 640), IMAGE mode for stills with further passes over enlarged
  parts, because the detector sees 128x128 points and misses faces smaller than about a tenth of the picture.
- Three faces in VIDEO mode: one more than "one person" needs, and MediaPipe smooths landmarks only for one face,
  which would blur the very movement that the liveness gates look at.
- Both landmarkers are closed explicitly: their ``__del__`` raises at interpreter exit otherwise.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kiosk.errors import ModelError
from kiosk.values import Box, Face, Floats, Frame, Pixels, Pose
from models.manifest import read_verified

WEIGHTS = "face_landmarker.task"
VIDEO_WIDTH_PX = 640
VIDEO_FACES = 3
STILL_SIDE_PX = 1600
STILL_FACES = 8
FOREHEAD_RATIO = 0.15
"""Share of the mesh box's height added on top."""
_SMALL_RATIO = 0.22
"""A largest face narrower than this share of the picture's shorter side is worth a closer look for others."""
_WHOLE_WINDOWS = 2
"""The first windows show the whole picture: what is found there needs no second look."""
_SECOND_LOOKS = (2.4, 1.25)
"""Sides of the closer looks, in sides of the face."""
_SAME = 0.6
_OVERLAP = 0.3


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send the C++ log lines on file descriptor 2 to nowhere: MediaPipe offers no switch for them."""
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


class Landmarker:
    """Finds faces. One thread at a time uses ``find``; ``find_still`` may be called from another.

    Raises ModelError where the weights are missing, changed or refused, and after ``close()``.
    """

    def __init__(self, data_dir: Path) -> None:
        self._content = read_verified(WEIGHTS, data_dir)
        self._video: Any = None
        self._still: Any = None
        self._still_lock = threading.Lock()
        self._closed = False
        self._last_ms = -1

    def warm_up(self) -> None:
        """Load the VIDEO landmarker now, so that the first frame is as fast as the rest."""
        if self._video is None:
            self._video = self._open("VIDEO", VIDEO_FACES)

    def close(self) -> None:
        """Release both landmarkers; calling it again does nothing."""
        self._closed = True
        for landmarker in (self._video, self._still):
            if landmarker is not None:
                landmarker.close()
        self._video = self._still = None

    def forget(self) -> None:
        """Begin another video: no face is followed from the last one, and times may start anew."""
        if self._video is not None:
            self._video.close()
        self._video = None
        self._last_ms = -1

    def find(self, frame: Frame) -> list[Face]:
        """Faces of a frame of the running video, largest first, in the frame's own pixels."""
        self.warm_up()
        self._last_ms = max(self._last_ms + 1, round(frame.exposure_start_s * 1000))
        pixels = _narrow(frame.pixels, VIDEO_WIDTH_PX / max(frame.width_px, 1))
        with _wrapped():
            result = self._video.detect_for_video(_image(pixels), self._last_ms)
        return _faces(result, frame.width_px, frame.height_px)

    def find_still(self, pixels: Pixels) -> list[Face]:
        """Faces of a single ``(H, W, 3) uint8 RGB`` picture, largest first."""
        with self._still_lock:
            if self._still is None:
                self._still = self._open("IMAGE", STILL_FACES)
            height, width = pixels.shape[:2]
            found: list[Face] = []
            for number, one in enumerate(_windows(width, height)):
                if found and max(face.box.width_px for face in found) > _SMALL_RATIO * min(width, height):
                    break
                new = _merge(found + self._in_window(pixels, one))[len(found) :]
                found += [face for face in new if number < _WHOLE_WINDOWS or self._confirmed(pixels, face)]
        return sorted(found, key=lambda face: -face.box.area_px)

    def _confirmed(self, pixels: Pixels, face: Face) -> bool:
        """Whether a second look, centred on the face, sees the same one: parts of a picture hold many half-faces."""
        x, y = face.box.centre_px
        for wide in _SECOND_LOOKS:
            half = wide * max(face.box.width_px, face.box.height_px) / 2
            again = self._in_window(pixels, (int(x - half), int(y - half), int(x + half), int(y + half)))
            for other in again:
                size = other.box.area_px / face.box.area_px
                if overlap(other.box, face.box) >= _SAME and _SAME <= size <= 1 / _SAME:
                    return True
        return False

    def _in_window(self, pixels: Pixels, window: tuple[int, int, int, int]) -> list[Face]:
        """Faces inside (left, top, right, bottom), in the whole picture's pixels; the window may reach outside."""
        left, top, right, bottom = window
        height, width = pixels.shape[:2]
        inner = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
        pads = ((max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0)), (0, 0))
        part = np.pad(inner, pads) if any(any(pad) for pad in pads) else inner
        with _wrapped():
            result = self._still.detect(_image(_narrow(part, STILL_SIDE_PX / max(part.shape[:2]))))
        return [_shifted(face, left, top, width, height) for face in _faces(result, right - left, bottom - top)]

    def _open(self, mode: str, faces: int) -> Any:
        if self._closed:
            raise ModelError("the landmarker is closed", where=WEIGHTS)
        with quiet(), _wrapped():
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=self._content),
                running_mode=vision.RunningMode[mode],
                num_faces=faces,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
            landmarker = vision.FaceLandmarker.create_from_options(options)
            blank = _image(np.zeros((64, 64, 3), np.uint8))
            # The first run loads the delegates and writes the remaining log lines.
            _ = landmarker.detect_for_video(blank, 0) if mode == "VIDEO" else landmarker.detect(blank)
        self._last_ms = max(self._last_ms, 0)
        return landmarker


@contextlib.contextmanager
def _wrapped() -> Iterator[None]:
    """MediaPipe's errors as ModelError."""
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"MediaPipe failed ({type(error).__name__})", where=WEIGHTS) from error


def _image(pixels: Pixels) -> Any:
    import mediapipe

    return mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(pixels))


def _narrow(pixels: Pixels, scale: float) -> Pixels:
    """The picture made smaller by ``scale``; never larger."""
    if scale >= 1.0:
        return pixels
    import cv2

    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _windows(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Where to look for faces in a still, in turn: all of it, all with a margin, then overlapping squares."""
    yield 0, 0, width, height
    pad = max(width, height) // 3
    yield -pad, -pad, width + pad, height + pad
    for share in (0.5, 0.3):
        side = max(64, int(min(width, height) * share))
        if side >= max(width, height):
            continue
        for top in _starts(height, side):
            for left in _starts(width, side):
                yield left, top, min(left + side, width), min(top + side, height)


def _starts(length: int, side: int) -> list[int]:
    """Starts of half-overlapping windows that cover 0..length."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side / 2)) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _faces(result: Any, width: int, height: int) -> list[Face]:
    """MediaPipe's result as faces of a picture of this size, largest first."""
    scale = np.array([width, height, width], np.float32)
    found = []
    for index, points in enumerate(result.face_landmarks):
        landmarks = np.array([(point.x, point.y, point.z) for point in points], np.float32) * scale
        shapes = result.face_blendshapes[index] if result.face_blendshapes else ()
        blendshapes = {one.category_name: float(one.score) for one in shapes}
        pose = pose_of(np.asarray(result.facial_transformation_matrixes[index], np.float64))
        found.append(Face(mesh_box(landmarks, width, height), landmarks, blendshapes, pose))
    return sorted(found, key=lambda face: -face.box.area_px)


def mesh_box(landmarks: Floats, width: int, height: int) -> Box:
    """Bounds of the mesh with 15 % of its height added on top for the forehead, clamped to the picture."""
    left, top = landmarks[:, :2].min(axis=0)
    right, bottom = landmarks[:, :2].max(axis=0)
    top -= FOREHEAD_RATIO * (bottom - top)
    left, right = np.clip([left, right], 0, width)
    top, bottom = np.clip([top, bottom], 0, height)
    return Box(float(left), float(top), float(right - left), float(bottom - top))


def pose_of(matrix: np.ndarray[Any, np.dtype[np.float64]]) -> Pose:
    """Head rotation from MediaPipe's ``(4, 4)`` matrix (camera axes: x right, y up, z to the camera).

    The third column is where the nose points, the first is the face's own x axis.
    """
    nose = matrix[:3, 2]
    yaw = math.degrees(math.atan2(nose[0], nose[2]))
    pitch = math.degrees(math.atan2(nose[1], math.hypot(nose[0], nose[2])))
    roll = math.degrees(-math.atan2(matrix[1, 0], matrix[0, 0]))
    return Pose(yaw, pitch, roll)


def _shifted(face: Face, left: int, top: int, width: int, height: int) -> Face:
    """The face of a part of a picture, in the whole picture's pixels."""
    if left == 0 and top == 0:
        return Face(mesh_box(face.landmarks, width, height), face.landmarks, face.blendshapes, face.pose)
    landmarks = face.landmarks + np.array([left, top, 0], np.float32)
    return Face(mesh_box(landmarks, width, height), landmarks, face.blendshapes, face.pose)


def _merge(faces: list[Face]) -> list[Face]:
    """The same faces without repeats: of two that overlap, the first found stays; slivers outside are dropped."""
    kept: list[Face] = []
    for face in faces:
        if face.box.area_px > 0 and all(overlap(face.box, other.box) < _OVERLAP for other in kept):
            kept.append(face)
    return kept


def overlap(one: Box, other: Box) -> float:
    """Shared area over the smaller box's area, 0..1."""
    width = min(one.right_px, other.right_px) - max(one.left_px, other.left_px)
    height = min(one.bottom_px, other.bottom_px) - max(one.top_px, other.top_px)
    smaller = min(one.area_px, other.area_px)
    return max(0.0, width) * max(0.0, height) / smaller if smaller > 0 else 0.0
