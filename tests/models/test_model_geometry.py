"""Alignment, pose, boxes, windows and crops: arithmetic that needs no weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import ModelError
from kiosk.values import Box
from models import landmarks
from models.embedder import TEMPLATE, align, similarity_transform
from models.passive import crop_square
from tests.support.facekit import plain_face

angles = st.floats(-70, 70)


def rotation(axis: int, degrees: float) -> np.ndarray:
    """About x, y or z, right-handed."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    plain = {0: [[1, 0, 0], [0, c, -s], [0, s, c]], 1: [[c, 0, s], [0, 1, 0], [-s, 0, c]]}
    return np.array(plain.get(axis, [[c, -s, 0], [s, c, 0], [0, 0, 1]]))


@given(angles, st.floats(0.1, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_alignment_undoes_turn_size_and_place(angle: float, size: float, x: float, y: float) -> None:
    """Whatever similarity moved the template, the transform brings it back."""
    moved = size * TEMPLATE @ rotation(2, angle)[:2, :2].T + (x, y)
    matrix = similarity_transform(moved, TEMPLATE)
    np.testing.assert_allclose(moved @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-6)


def test_coinciding_points_are_refused() -> None:
    """No transform exists."""
    with pytest.raises(ModelError, match="coincide"):
        similarity_transform(np.ones((5, 2)), TEMPLATE)


def test_the_aligned_picture_shows_the_eyes_where_the_template_has_them() -> None:
    """A white dot on an iris lands on the template's eye."""
    face = plain_face()
    face.landmarks[[4, 61, 291], :2] = [(160, 180), (140, 210), (180, 210)]
    picture = np.zeros((400, 400, 3), np.uint8)
    x, y = face.landmarks[468, :2].round().astype(int)
    picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    aligned = align(picture, face.landmarks)
    row, column = np.unravel_index(aligned[..., 0].argmax(), aligned.shape[:2])
    matrix = similarity_transform(face.landmarks[[468, 473, 4, 61, 291], :2].astype(float), TEMPLATE)
    assert np.hypot(*(matrix @ (x, y, 1) - (column, row))) < 4


@given(angles)
def test_pose_signs(angle: float) -> None:
    """Nose to the image's right, up, and clockwise are positive, one at a time."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(1, angle)
    assert landmarks.pose_of(matrix).yaw_deg == pytest.approx(angle)
    matrix[:3, :3] = rotation(0, -angle)
    assert landmarks.pose_of(matrix).pitch_deg == pytest.approx(angle)
    matrix[:3, :3] = rotation(2, -angle)
    assert landmarks.pose_of(matrix).roll_deg == pytest.approx(angle)


def test_the_box_has_room_for_the_forehead_and_stays_inside() -> None:
    """15 % on top, clamped."""
    points = np.zeros((478, 3), np.float32)
    points[:, 0] = np.linspace(10, 110, 478)
    points[:, 1] = np.linspace(100, 200, 478)
    assert landmarks.mesh_box(points, 640, 480) == Box(10, 85, 100, 115)
    box = landmarks.mesh_box(points, 60, 150)
    assert (box.right_px, box.bottom_px) == (60, 150)


@given(st.integers(64, 3000), st.integers(64, 3000))
def test_windows_cover_the_picture(width: int, height: int) -> None:
    """Each size of window reaches every corner, and none has no area."""
    windows = list(landmarks._windows(width, height))
    assert windows[0] == (0, 0, width, height)
    for left, top, right, bottom in windows:
        assert right > left
        assert bottom > top
    parts = windows[2:]
    if parts:
        assert {(0, 0), (width, height)} <= {(a, b) for a, b, _, _ in parts} | {(c, d) for _, _, c, d in parts}


def test_overlap_counts_the_smaller_box() -> None:
    """A small box inside a large one is the same face."""
    assert landmarks.overlap(Box(0, 0, 10, 10), Box(2, 2, 2, 2)) == 1.0
    assert landmarks.overlap(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == 0.5
    assert landmarks.overlap(Box(0, 0, 10, 10), Box(20, 0, 10, 10)) == 0.0


def test_crops_are_cut_at_the_edge() -> None:
    """Enlarged about the centre; a box outside is refused."""
    picture = np.zeros((100, 200, 3), np.uint8)
    assert crop_square(picture, Box(90, 40, 20, 20), 2.0).shape == (40, 40, 3)
    assert crop_square(picture, Box(0, 0, 20, 20), 3.0).shape == (40, 40, 3)
    with pytest.raises(ModelError, match="outside"):
        crop_square(picture, Box(500, 500, 20, 20), 2.0)
