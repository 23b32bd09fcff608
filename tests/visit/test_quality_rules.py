"""The quality gate's rules on plain numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import QualityProfile
from kiosk.reasons import Reason
from kiosk.values import Pose, Verdict
from kiosk.visit.quality import FaceMeasures, assess, geometry_ok

PROFILE = QualityProfile()
GOOD = FaceMeasures(
    faces=1,
    inside_ratio=1.0,
    face_px=170.0,
    eye_distance_px=78.0,
    pose=Pose(2.0, -3.0, 1.0),
    blink=0.1,
    brightness=50.0,
    dark_ratio=0.05,
    clipped_ratio=0.01,
    sharpness=40.0,
    sunglasses=0.1,
    covered=0.1,
)
PIXELS = ("brightness", "dark_ratio", "clipped_ratio", "sharpness", "sunglasses", "covered")


def test_a_good_face_passes_every_check() -> None:
    """Fourteen checks, each with a verdict."""
    quality = assess(GOOD, PROFILE)
    assert quality.ok
    assert geometry_ok(GOOD, PROFILE)
    assert [measure.name for measure in quality.measures] == [
        "faces", "inside", "face", "eyes", "yaw", "pitch", "roll", "blink",
        "brightness", "dark", "clipped", "sharpness", "sunglasses", "covered",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"faces": 0}, Reason.NO_FACE),
        ({"faces": 2}, Reason.ONE_PERSON),
        ({"inside_ratio": 0.9}, Reason.FACE_CUT_OFF),
        ({"face_px": 49.0}, Reason.FACE_TOO_SMALL),
        ({"eye_distance_px": 59.0}, Reason.FACE_TOO_SMALL),
        ({"pose": Pose(19.0, 0.0, 0.0)}, Reason.LOOK_AT_CAMERA),
        ({"pose": Pose(-19.0, 0.0, 0.0)}, Reason.LOOK_AT_CAMERA),
        ({"pose": Pose(0.0, 23.0, 0.0)}, Reason.LOOK_AT_CAMERA),
        ({"pose": Pose(0.0, -19.0, 0.0)}, Reason.LOOK_AT_CAMERA),
        ({"pose": Pose(0.0, 0.0, 21.0)}, Reason.HEAD_TILTED),
        ({"blink": 0.7}, Reason.EYES_CLOSED),
        ({"brightness": 14.0}, Reason.TOO_DARK),
        ({"brightness": 93.0}, Reason.TOO_BRIGHT),
        ({"dark_ratio": 0.5}, Reason.TOO_DARK),
        ({"clipped_ratio": 0.2}, Reason.TOO_BRIGHT),
        ({"sharpness": 14.0}, Reason.BLURRED),
        ({"sunglasses": 0.6}, Reason.SUNGLASSES),
        ({"covered": 0.6}, Reason.FACE_COVERED),
    ],
)
def test_each_fault_has_its_word(changes: dict[str, object], reason: Reason) -> None:
    """One row, one fault, one word."""
    quality = assess(replace(GOOD, **changes), PROFILE)  # type: ignore[arg-type]
    assert quality.problems == (reason,)
    assert [measure.verdict for measure in quality.measures].count(Verdict.FAIL) == 1


def test_pitch_may_be_larger_upwards_than_downwards() -> None:
    """pitch > 0 looks up: a kiosk below the eyes sees chins, not crowns."""
    assert assess(replace(GOOD, pose=Pose(0.0, 20.0, 0.0)), PROFILE).ok
    assert not assess(replace(GOOD, pose=Pose(0.0, -20.0, 0.0)), PROFILE).ok


@pytest.mark.parametrize("name", [*PIXELS, "blink"])
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_was_not_measured_does_not_pass(name: str, value: float | None) -> None:
    """Missing is insufficient, and insufficient is not ok."""
    quality = assess(replace(GOOD, **{name: value}), PROFILE)  # type: ignore[arg-type]
    assert not quality.ok
    assert [measure.verdict for measure in quality.measures].count(Verdict.INSUFFICIENT) == 1


def test_costly_numbers_may_be_left_out_once_a_cheap_check_failed() -> None:
    """Then they are not listed, and their words are not said."""
    turned = replace(GOOD, pose=Pose(40.0, 0.0, 0.0), **dict.fromkeys(PIXELS))  # type: ignore[arg-type]
    assert not geometry_ok(turned, PROFILE)
    quality = assess(turned, PROFILE)
    assert quality.problems == (Reason.LOOK_AT_CAMERA,)
    assert len(quality.measures) == 8


def test_a_bad_number_is_told_even_after_a_cheap_check_failed() -> None:
    """Infinite is a measuring fault, not a number that was left out."""
    quality = assess(replace(GOOD, faces=2, sharpness=math.inf), PROFILE)
    assert quality.problems == (Reason.ONE_PERSON, Reason.BLURRED)


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(PIXELS))
def test_a_check_passes_exactly_within_its_limits(value: float, name: str) -> None:
    """The verdict agrees with the limits that are shown beside it."""
    quality = assess(replace(GOOD, **{name: value}), PROFILE)  # type: ignore[arg-type]
    for measure in quality.measures:
        low, high = measure.limit
        within = math.isfinite(measure.value) and (low is None or measure.value >= low)
        within = within and (high is None or measure.value <= high)
        assert (measure.verdict is Verdict.PASS) == within
