"""Tracks, background, distance and the gate's order."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import GuidanceSettings, QualityProfile
from kiosk.runtime.perceive import GAP_S, Perceiver, Tracker, intersection_over_union, seen_face
from kiosk.values import Box, Face, Frame, Pose
from tests.support.facekit import plain_face
from tests.support.unasked import UnaskedModels


class Scripted(UnaskedModels):
    """Models that find what a test says."""

    passive_models = (1, 2)

    def __init__(self, *frames: list[Face]) -> None:
        self.frames = list(frames)

    def find(self, frame: Frame) -> list[Face]:
        """The next list."""
        assert frame.pixels.ndim == 3
        return self.frames.pop(0)


def frame(sequence: int = 1, at_s: float = 0.0) -> Frame:
    """A grey frame."""
    return Frame(np.full((480, 640, 3), 120, np.uint8), sequence, at_s, 0.01, True, lux=250.0)


def perceiver(*frames: list[Face]) -> Perceiver:
    """With the product's defaults."""
    return Perceiver(Scripted(*frames), guidance=GuidanceSettings(), profile=QualityProfile(), hfov_deg=62.2)


def test_nobody() -> None:
    """An observation without faces and without a judgement."""
    observation, face = perceiver([]).perceive(frame(7, 1.5))
    assert (observation.faces, observation.quality, face) == ((), None, None)
    assert (observation.sequence, observation.at_s, observation.gains_locked, observation.lux) == (7, 1.5, True, 250.0)


def test_the_largest_is_first_and_background_is_left_out() -> None:
    """Whatever order the models report."""
    small, large, middle = plain_face(10, 10, 40), plain_face(300, 100, 150), plain_face(60, 100, 90)
    observation, face = perceiver([small, large, middle]).perceive(frame())
    assert face is large
    assert [one.box for one in observation.faces] == [large.box, middle.box]
    assert observation.quality is not None
    assert "ONE_PERSON" in observation.quality.problems


def test_pixels_are_measured_only_when_the_geometry_is_right() -> None:
    """A turned head costs no pixel work; a straight one lists all checks."""
    turned, straight = plain_face(200, 100, 200, yaw=40), plain_face(200, 100, 200)
    names = []
    for one in (turned, straight):
        quality = perceiver([one]).perceive(frame())[0].quality
        assert quality is not None
        names.append({measure.name for measure in quality.measures})
    assert "sharpness" not in names[0]
    assert {"brightness", "sharpness", "sunglasses", "covered"} <= names[1]


def test_one_face_keeps_its_number_while_it_moves() -> None:
    """Through movement and a short gap; a jump, a long gap or a clock that runs back is a new face."""
    tracker = Tracker()
    assert tracker.follow([plain_face(100)], 0.0) == [1]
    assert tracker.follow([plain_face(120)], 0.033) == [1]
    assert tracker.follow([], 0.066) == []
    assert tracker.follow([plain_face(125)], 0.033 + GAP_S - 0.01) == [1]
    assert tracker.follow([plain_face(400)], 0.3) == [2]
    assert tracker.follow([plain_face(400)], 0.3 + GAP_S + 0.05) == [3]
    assert tracker.follow([plain_face(400)], 0.1) == [4]


def test_two_faces_do_not_swap_numbers() -> None:
    """Each keeps its own although the order by size changes; a newcomer gets a fresh one."""
    tracker = Tracker()
    assert tracker.follow([plain_face(50, 100, 130), plain_face(400, 100, 120)], 0.0) == [1, 2]
    assert tracker.follow([plain_face(395, 100, 135), plain_face(55, 100, 125)], 0.03) == [2, 1]
    assert tracker.follow([plain_face(230, 100, 140), plain_face(395, 100, 130)], 0.06) == [3, 2]


@given(st.lists(st.lists(st.floats(0, 500), max_size=4), max_size=12))
def test_numbers_are_never_shared_or_reused(rows: list[list[float]]) -> None:
    """No two faces of a frame share a number, and numbers only grow when new."""
    tracker = Tracker()
    highest = 0
    for step, lefts in enumerate(rows):
        numbers = tracker.follow([plain_face(left) for left in lefts], step * 0.03)
        assert len(set(numbers)) == len(numbers) == len(lefts)
        fresh = sorted(number for number in numbers if number > highest)
        assert fresh == list(range(highest + 1, highest + 1 + len(fresh)))
        highest = max([highest, *numbers])


def test_distance_from_the_eyes() -> None:
    """63 mm at 63 px and a focal length of 600 px is 600 mm; a turned head is not farther away."""
    face = plain_face(100, 100, 63 / 0.44)
    straight = seen_face(face, 1, 600.0)
    assert straight.distance_mm == pytest.approx(600, rel=0.01)
    narrowed = face.landmarks.copy()
    centre = narrowed[[468, 473], 0].mean()
    narrowed[:, 0] = centre + (narrowed[:, 0] - centre) * math.cos(math.radians(30))
    turned = replace(face, landmarks=narrowed, pose=Pose(30, 0, 0))
    assert seen_face(turned, 1, 600.0).distance_mm == pytest.approx(600, rel=0.01)


def test_no_eye_distance_is_infinitely_far() -> None:
    """Never near enough for anything."""
    face = plain_face()
    face.landmarks[473] = face.landmarks[468]
    assert seen_face(face, 1, 600.0).distance_mm == math.inf


def test_overlap_of_boxes() -> None:
    """Shared over united area."""
    assert intersection_over_union(Box(0, 0, 10, 10), Box(0, 0, 10, 10)) == 1
    assert intersection_over_union(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert intersection_over_union(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0
