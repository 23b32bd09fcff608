"""Pixels to evidence: what is measured where, and what is not measured at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kiosk.runtime.extract import Extractor
from kiosk.runtime.sampling import decoding, mean_light, surroundings, trimmed_mean
from kiosk.values import Box, Face, Frame, Pixels
from kiosk.visit.reflection.mesh import mesh
from tests.support.cell_world import Plan, landmarks_at
from tests.support.flash_portrait import decode
from tests.support.flash_world import face_of

RNG = np.random.default_rng(2)


def frame_of(pixels: Pixels, sequence: int = 0) -> Frame:
    """A frame of these pixels."""
    return Frame(pixels, sequence, 1.0 + sequence / 30, 0.01, True, 120.0)


def head() -> Face:
    """A head in the middle of a 640 x 480 frame."""
    return face_of(landmarks_at(Plan(), 400.0, 0.0, np.random.default_rng(1)))


def painted(skin: tuple[int, int, int], wall: tuple[int, int, int]) -> Pixels:
    """A frame of two colours: the face's box and a little more, and the rest."""
    pixels = np.full((480, 640, 3), wall, np.uint8)
    box = head().box
    pixels[int(box.top_px) - 5 : int(box.bottom_px) + 5, int(box.left_px) - 5 : int(box.right_px) + 5] = skin
    return pixels


def test_light_is_decoded_and_kept_apart() -> None:
    """Face parts have the skin's linear light, the surroundings the wall's."""
    skin, wall = (180, 120, 90), (60, 90, 130)
    found = Extractor().extract(frame_of(painted(skin, wall)), head(), track=7, faces=1)
    expected = decode(np.array(skin, np.uint8))
    for part in (found.face, found.forehead, found.left_cheek, found.right_cheek):
        np.testing.assert_allclose(part, expected, rtol=1e-4)
    np.testing.assert_allclose(found.background, decode(np.array(wall, np.uint8)), rtol=1e-4)
    inside = np.isfinite(found.map_rgb[..., 0])
    np.testing.assert_array_equal(inside, np.isfinite(mesh().points[..., 0]))
    assert (found.track, found.faces, found.lux, found.gains_locked) == (7, 1, 120.0, True)
    assert found.frame_size_px == (640, 480)
    assert found.clipped_ratio == 0.0


def test_left_is_the_visitors_left() -> None:
    """The visitor's left cheek is at the image's right."""
    pixels = painted((100, 100, 100), (50, 50, 50))
    pixels[:, 330:] = 200
    found = Extractor().extract(frame_of(pixels), head(), track=1, faces=1)
    assert found.left_cheek[0] > 3 * found.right_cheek[0]


def test_clipped_cells_are_counted() -> None:
    """A channel at 250 or more is lost."""
    found = Extractor().extract(frame_of(painted((255, 120, 90), (60, 60, 60))), head(), track=1, faces=1)
    assert found.clipped_ratio == 1.0


def test_no_face_gives_nothing_but_the_surroundings() -> None:
    """NaN arrays, track -1; the picture is still fingerprinted."""
    found = Extractor().extract(frame_of(painted((90, 90, 90), (50, 60, 70))), None, track=5, faces=0)
    assert found.track == -1
    assert np.isnan(found.face).all()
    assert np.isnan(found.map_rgb).all()
    assert np.isnan(found.landmarks).all()
    assert np.isfinite(found.background).all()


def test_cells_outside_the_frame_are_unknown() -> None:
    """Half a face at the edge."""
    points = landmarks_at(Plan(), 400.0, -320.0, np.random.default_rng(1))
    found = Extractor().extract(frame_of(painted((90, 90, 90), (50, 60, 70))), face_of(points), track=1, faces=1)
    known = np.isfinite(found.map_rgb[..., 0]).sum()
    assert 0.3 < known / np.isfinite(mesh().points[..., 0]).sum() < 0.7


def test_a_face_that_fills_the_frame_leaves_no_surroundings() -> None:
    """Too little is worse than nothing."""
    points = landmarks_at(Plan(), 110.0, 0.0, np.random.default_rng(1))
    found = Extractor().extract(frame_of(painted((90, 90, 90), (50, 60, 70))), face_of(points), track=1, faces=1)
    assert np.isnan(found.background).all()


def test_a_swaying_face_does_not_recolour_the_surroundings() -> None:
    """The same part of a colourful room is measured while the face only sways, another one once it has moved."""
    extractor = Extractor()
    pixels = np.repeat(np.repeat(RNG.integers(30, 220, (48, 64, 3)).astype(np.uint8), 10, 0), 10, 1)
    seen = []
    for number, aside_px in enumerate((0.0, 5.0, -5.0, 60.0)):
        face = face_of(landmarks_at(Plan(), 400.0, aside_px, np.random.default_rng(1)))
        seen.append(extractor.extract(frame_of(pixels, number), face, track=1, faces=1).background)
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])
    assert not np.allclose(seen[0], seen[3], rtol=1e-3)


def test_noise_is_that_of_the_sensor_and_the_first_frame_has_none() -> None:
    """Two noisy frames differ by sqrt(2) sigma; the same frame twice by nothing."""
    extractor = Extractor()
    base = painted((120, 110, 100), (90, 100, 110)).astype(np.float64)
    first, second = (np.clip(np.round(base + RNG.normal(0, 2.0, base.shape)), 0, 255).astype(np.uint8) for _ in "ab")
    assert np.isnan(extractor.extract(frame_of(first), head(), track=1, faces=1).noise)
    assert extractor.extract(frame_of(second, 1), head(), track=1, faces=1).noise == pytest.approx(2.8, rel=0.15)
    again = extractor.extract(frame_of(second, 2), head(), track=1, faces=1)
    assert again.noise == 0.0
    extractor.reset()
    assert np.isnan(extractor.extract(frame_of(second, 3), head(), track=1, faces=1).noise)


def test_noise_needs_a_flat_spot_that_is_neither_black_nor_clipped() -> None:
    """A black room says nothing about the sensor."""
    extractor = Extractor()
    for number in range(2):
        found = extractor.extract(frame_of(painted((90, 90, 90), (0, 0, 0)), number), head(), track=1, faces=1)
    assert np.isnan(found.noise)


def test_equal_pictures_have_equal_fingerprints() -> None:
    """And other pictures others."""
    extractor = Extractor()
    pixels = RNG.integers(0, 255, (480, 640, 3)).astype(np.uint8)
    one = extractor.extract(frame_of(pixels), None, track=-1, faces=0).fingerprint
    same = extractor.extract(frame_of(pixels.copy(), 1), None, track=-1, faces=0).fingerprint
    other = extractor.extract(frame_of(pixels ^ 1, 2), None, track=-1, faces=0).fingerprint
    assert one == same != other


def test_the_person_is_no_surroundings() -> None:
    """Neither hair above nor shoulders below count; the corners do."""
    free = surroundings((480, 640), 4, Box(220, 140, 200, 240))
    assert not free[20, 80]
    assert not free[115, 5]
    assert free[2, 2]
    assert free.mean() > 0.2
    assert surroundings((480, 640), 4, None).all()


def test_means_of_nothing_are_nothing() -> None:
    """Empty selections give NaN."""
    assert np.isnan(trimmed_mean(np.zeros((0, 3), np.float32))).all()
    assert np.isnan(mean_light(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), bool))).all()
    assert decoding()[255] == 1.0


def test_a_trimmed_mean_forgets_highlights() -> None:
    """One cell in twenty at full light does not move it."""
    light = np.full((40, 3), 0.2, np.float32)
    light[:2] = 1.0
    np.testing.assert_allclose(trimmed_mean(light), 0.2, rtol=1e-6)


def test_faces_are_measured_where_they_are() -> None:
    """A shifted face gives the shifted picture's light."""
    pixels = painted((200, 60, 60), (30, 30, 30))
    face = head()
    moved = replace(face, landmarks=face.landmarks + np.array([0, 60, 0], np.float32))
    found = Extractor().extract(frame_of(pixels), moved, track=1, faces=1)
    assert found.forehead[0] > 5 * found.map_rgb[30, 16, 0]


@pytest.mark.parametrize("black_rows", [0, 48, 72, 86])
def test_black_cloth_does_not_hide_what_the_rest_of_the_room_answers(black_rows: int) -> None:
    """Rows without light have no vote: who hangs black around a tablet hides nothing."""
    logs = []
    for code in (100, 110):
        room = np.full((96, 40, 3), code, np.uint8)
        room[:black_rows] = 2
        logs.append(float(np.log(mean_light(room, np.ones(room.shape[:2], bool))[0])))
    lit = float(np.log(decoding()[110] / decoding()[100]))
    assert logs[1] - logs[0] == pytest.approx(lit, rel=0.2)
    assert mean_light(np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), bool)).max() < 1e-5


def test_bands_of_mains_light_do_not_colour_the_surroundings() -> None:
    """A red and a blue half of the room, and a band of half the light that moves over them."""
    room = np.full((96, 40, 3), (180, 90, 90), np.uint8)
    room[48:] = (90, 90, 180)
    everywhere = np.ones(room.shape[:2], bool)
    linear = decoding()[room]
    logs = []
    for start in range(0, 64, 8):
        banded = linear.copy()
        banded[start : start + 32] *= 0.5
        codes = np.abs(decoding()[None, None, None] - banded[..., None]).argmin(axis=-1).astype(np.uint8)
        logs.append(np.log(mean_light(codes, everywhere)))
    tint = np.ptp(np.array(logs)[:, 0] - np.array(logs)[:, 2])
    plain = np.log(linear[:48].mean(axis=(0, 1)) * 0.5 + linear[48:].mean(axis=(0, 1)))
    assert tint < 0.02
    assert abs(plain[0] - plain[2]) > 0.2, "in a plain mean the band shows"
