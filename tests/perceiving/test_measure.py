"""What is measured of a face: invariances that the numbers must have, on drawn faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from kiosk.runtime.measure import measure_face, measure_geometry, sharpness
from kiosk.values import Face, Pixels
from tests.support.facekit import plain_face


def a_picture(face: Face, level: float = 130.0, size: tuple[int, int] = (480, 640)) -> Pixels:
    """Skin-coloured detail at the scale of the face, the same whatever its size."""
    random = np.random.default_rng(7)
    texture = cv2.GaussianBlur(random.normal(0, 1, (128, 128)).astype(np.float32), (0, 0), 1.2)
    texture = texture / texture.std() * 0.12 * level
    pixels = np.full((*size, 3), level * 0.5, np.float32)
    low, high = face.landmarks.min(axis=0), face.landmarks.max(axis=0)
    width, height = round(float(high[0] - low[0])), round(float(high[1] - low[1]))
    patch = level + cv2.resize(texture, (width, height), interpolation=cv2.INTER_CUBIC)
    top, left = round(float(low[1])), round(float(low[0]))
    pixels[top : top + height, left : left + width] = patch[:, :, None] * (1.1, 1.0, 0.85)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def test_distance_does_not_change_the_numbers() -> None:
    """The same face twice as large: sharpness and light stay."""
    near, far = plain_face(60, 60, 280), plain_face(60, 60, 140)
    one, other = (measure_face(a_picture(face), face, faces=1) for face in (near, far))
    assert one.sharpness is not None
    assert other.sharpness is not None
    assert one.brightness == pytest.approx(other.brightness, abs=1.0)
    assert one.sharpness == pytest.approx(other.sharpness, abs=8.0)


def test_blur_lowers_the_sharpness_step_by_step() -> None:
    """Monotone, and strong blur falls below the door's limit of 15."""
    face = plain_face(60, 60, 280)
    picture = a_picture(face)
    values = [sharpness(picture[60:420, 60:340])]
    values += [sharpness(cv2.GaussianBlur(picture, (0, 0), sigma)[60:420, 60:340]) for sigma in (2, 4, 6, 9)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 40
    assert values[-1] < 15


def test_dim_is_not_blurred() -> None:
    """Half the light changes the sharpness little."""
    face = plain_face(60, 60, 200)
    bright, dim = (measure_face(a_picture(face, level), face, faces=1) for level in (150.0, 75.0))
    assert bright.sharpness == pytest.approx(dim.sharpness, abs=10)
    assert (bright.brightness or 0) == pytest.approx(2 * (dim.brightness or 0), rel=0.06)


def test_light_is_measured_on_the_face_alone() -> None:
    """Black or white surroundings change nothing."""
    face = plain_face(60, 60, 200)
    picture = a_picture(face)
    other = picture.copy()
    other[:55], other[330:], other[:, :55], other[:, 270:] = 255, 0, 255, 0
    assert measure_face(picture, face, faces=1) == measure_face(other, face, faces=1)


@pytest.mark.parametrize(("level", "dark", "clipped"), [(5, 1.0, 0.0), (255, 0.0, 1.0), (120, 0.0, 0.0)])
def test_shares_of_dark_and_clipped(level: int, dark: float, clipped: float) -> None:
    """All or nothing on a flat face."""
    face = plain_face()
    measures = measure_face(np.full((480, 640, 3), level, np.uint8), face, faces=1)
    assert (measures.dark_ratio, measures.clipped_ratio) == (dark, clipped)
    assert measures.brightness == pytest.approx(level / 2.55, abs=0.5)
    assert measures.sharpness == 0


def test_one_clipped_channel_is_clipped() -> None:
    """A red face under red light has lost its red."""
    face = plain_face()
    pixels = np.full((480, 640, 3), (255, 90, 90), np.uint8)
    assert measure_face(pixels, face, faces=1).clipped_ratio == 1.0


def test_geometry_needs_no_pixels() -> None:
    """Sizes, share inside, blink; a face half outside is half inside."""
    face = plain_face(580, 100, 120)
    measures = measure_geometry(face, 640, 480, faces=2)
    assert measures.faces == 2
    assert measures.inside_ratio == pytest.approx(0.5, abs=0.06)
    assert measures.face_px == pytest.approx(120)
    assert measures.eye_distance_px == pytest.approx(0.44 * 120, abs=0.5)
    assert measures.blink == pytest.approx(0.1)
    assert measures.sharpness is None


def test_missing_blendshapes_are_not_open_eyes() -> None:
    """Unknown stays unknown."""
    face = plain_face()
    without = Face(face.box, face.landmarks, {"eyeBlinkLeft": 0.1}, face.pose)
    assert measure_geometry(without, 640, 480, faces=1).blink is None


def test_a_face_outside_or_without_numbers_is_not_measured() -> None:
    """None, which the gate calls insufficient."""
    picture = np.full((480, 640, 3), 100, np.uint8)
    outside = plain_face(2000, 2000)
    assert measure_face(picture, outside, faces=1).brightness is None
    broken = plain_face()
    broken.landmarks[5] = np.nan
    assert measure_face(picture, broken, faces=1).brightness is None
