"""Which word is said, when, and that it moves the face into the oval."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import GuidanceSettings
from kiosk.reasons import Reason
from kiosk.values import Quality, SeenFace
from kiosk.visit.geometry import offset, oval_for
from kiosk.visit.guidance import NO_HINTS, NOBODY, Hints, Problems, place_problems, quality_problems, stand
from tests.support.visits import HEIGHT, RULES, WIDTH, face_at, quality_of

SETTINGS = GuidanceSettings()
OVAL = oval_for(SETTINGS, WIDTH, HEIGHT, RULES.focal_px)
TOWARDS = {
    # The visitor's own left is at the image's right: the camera looks at them.
    Reason.MOVE_LEFT: (1.0, 0.0),
    Reason.MOVE_RIGHT: (-1.0, 0.0),
    Reason.MOVE_UP: (0.0, -1.0),
    Reason.MOVE_DOWN: (0.0, 1.0),
}


def problems_of(face: SeenFace, *, fitting: bool = False) -> Problems:
    """The place problems of one face in the default oval."""
    return place_problems(face, OVAL, WIDTH, HEIGHT, SETTINGS, fitting=fitting)


@pytest.mark.parametrize(
    ("x", "y", "distance_mm", "expected"),
    [
        pytest.param(0.0, 0.0, 425, (), id="fits"),
        pytest.param(0.17, 0.0, 425, (), id="fits-at-the-edge"),
        pytest.param(-0.3, 0.0, 425, (Reason.MOVE_LEFT,), id="image-left-goes-to-the-visitors-left"),
        pytest.param(0.3, 0.0, 425, (Reason.MOVE_RIGHT,), id="image-right-goes-to-the-visitors-right"),
        pytest.param(0.0, -0.3, 425, (Reason.MOVE_DOWN,), id="above-goes-down"),
        pytest.param(0.0, 0.3, 425, (Reason.MOVE_UP,), id="below-goes-up"),
        pytest.param(-0.3, 0.2, 425, (Reason.MOVE_LEFT, Reason.MOVE_UP), id="the-larger-axis-first"),
        pytest.param(0.2, -0.3, 425, (Reason.MOVE_DOWN, Reason.MOVE_RIGHT), id="the-larger-axis-first-2"),
        pytest.param(0.0, 0.0, 300, (Reason.MOVE_BACK,), id="too-close"),
        pytest.param(0.0, 0.0, 600, (Reason.MOVE_CLOSER,), id="too-far"),
        pytest.param(0.4, 0.0, 600, (Reason.MOVE_CLOSER, Reason.MOVE_RIGHT), id="distance-before-centre"),
        pytest.param(0.0, 0.0, math.nan, (Reason.LOOK_AT_CAMERA,), id="eyes-not-measured"),
    ],
)
def test_the_word_for_a_place(x: float, y: float, distance_mm: float, expected: Problems) -> None:
    """One row, one place."""
    face = face_at(1, x, y, 425.0 if math.isnan(distance_mm) else distance_mm)
    if math.isnan(distance_mm):
        face = SeenFace(1, face.box, face.eye_centre_px, face.eye_distance_px, distance_mm, face.pose)
    assert problems_of(face) == expected


@given(st.floats(-2, 2), st.floats(-2, 2), st.booleans())
def test_following_the_word_brings_the_face_in(x: float, y: float, fitting: bool) -> None:
    """A small step the way the words say never leads away from the oval."""
    hints = problems_of(face_at(1, x, y), fitting=fitting)
    if hints:
        step_x, step_y = TOWARDS[hints[0]]
        assert math.hypot(x + 0.01 * step_x, y + 0.01 * step_y) < math.hypot(x, y)


@given(st.floats(100, 2000), st.booleans())
def test_distance_words_never_contradict_the_distance(distance_mm: float, fitting: bool) -> None:
    """Too close never says closer, too far never says back."""
    hints = problems_of(face_at(1, 0, 0, distance_mm), fitting=fitting)
    if distance_mm <= SETTINGS.far_mm:
        assert Reason.MOVE_CLOSER not in hints
    if distance_mm >= SETTINGS.near_mm:
        assert Reason.MOVE_BACK not in hints


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(200, 900))
def test_what_fits_at_first_fits_on(x: float, y: float, distance_mm: float) -> None:
    """The limits for leaving are never tighter than those for entering."""
    face = face_at(1, x, y, distance_mm)
    if not problems_of(face):
        assert not problems_of(face, fitting=True)


@pytest.mark.parametrize("change", [{"x": 0.23}, {"y": -0.23}, {"distance_mm": 535.0}, {"distance_mm": 315.0}])
def test_a_fitting_face_may_drift_a_little(change: dict[str, float]) -> None:
    """Hysteresis, in each direction."""
    assert problems_of(face_at(1, **change))
    assert not problems_of(face_at(1, **change), fitting=True)


def test_a_face_says_where_it_is_in_oval_sizes() -> None:
    """The forehead that is added to the box does not shift the face."""
    assert offset(face_at(1, 0.3, -0.4), OVAL, WIDTH, HEIGHT) == pytest.approx((0.3, -0.4))


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        (None, (Reason.HOLD_STILL,)),
        (Quality(()), (Reason.HOLD_STILL,)),
        (quality_of(), ()),
        (quality_of(Reason.TOO_DARK), (Reason.TOO_DARK,)),
        (quality_of(Reason.TOO_DARK, Reason.HEAD_TILTED), (Reason.HEAD_TILTED, Reason.TOO_DARK)),
        (
            quality_of(Reason.EYES_CLOSED, Reason.BLURRED, Reason.LOOK_AT_CAMERA),
            (Reason.LOOK_AT_CAMERA, Reason.EYES_CLOSED, Reason.BLURRED),
        ),
    ],
)
def test_pose_comes_before_other_quality(quality: Quality | None, expected: Problems) -> None:
    """And a quality that nobody measured is no good quality."""
    assert quality_problems(quality) == expected


LEFT, UP, CLOSER, BACK = (Reason.MOVE_LEFT,), (Reason.MOVE_UP,), (Reason.MOVE_CLOSER,), (Reason.MOVE_BACK,)


def shown_after(*story: tuple[float, Problems]) -> Reason | None:
    """The hint on the screen after these (time, problems)."""
    hints = NO_HINTS
    for now_s, problems in story:
        hints = stand(hints, problems, now_s, 0.3)
    return hints.shown


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param([(0.0, LEFT)], None, id="not-at-once"),
        pytest.param([(0.0, LEFT), (0.29, LEFT)], None, id="not-yet"),
        pytest.param([(0.0, LEFT), (0.3, LEFT)], Reason.MOVE_LEFT, id="after-it-stood"),
        pytest.param([(0.0, LEFT), (0.2, UP), (0.4, LEFT)], None, id="a-flicker-stands-for-nothing"),
        pytest.param([(0.0, LEFT), (0.3, LEFT), (0.4, UP + LEFT)], Reason.MOVE_LEFT, id="stays-while-true"),
        pytest.param([(0.0, LEFT), (0.3, LEFT), (0.4, UP + LEFT), (0.75, UP + LEFT)], Reason.MOVE_UP, id="replaced"),
        pytest.param([(0.0, CLOSER), (0.3, CLOSER), (0.4, BACK)], None, id="down-as-soon-as-untrue"),
        pytest.param([(0.0, LEFT), (0.3, LEFT), (0.4, NOBODY)], Reason.MOVE_LEFT, id="survives-a-lost-frame"),
        pytest.param([(0.0, LEFT), (0.3, LEFT), (0.4, NOBODY), (0.75, NOBODY)], Reason.NO_FACE, id="nobody-stood"),
        pytest.param([(0.0, LEFT), (0.3, LEFT), (0.4, ())], None, id="down-when-all-is-well"),
    ],
)
def test_a_hint_is_shown_after_it_stood(story: list[tuple[float, Problems]], expected: Reason | None) -> None:
    """One row, one story of problems over time."""
    assert shown_after(*story) is expected


def test_a_hint_that_need_not_stand_is_shown_at_once() -> None:
    """hint_stands_s = 0."""
    assert stand(Hints(), LEFT, 5.0, 0.0).shown is Reason.MOVE_LEFT


@given(
    st.lists(
        st.tuples(st.floats(0.01, 0.5), st.sampled_from([(), LEFT, UP, CLOSER, BACK, NOBODY, CLOSER + LEFT])),
        max_size=20,
    )
)
def test_a_shown_hint_is_true_and_stood(story: list[tuple[float, Problems]]) -> None:
    """Whatever happens, no hint is shown that is not a problem now (a lost face excepted) or never stood."""
    hints, now_s = NO_HINTS, 0.0
    stood: dict[Reason, float] = {}
    leading: Reason | None = None
    led_s = 0.0
    for after_s, problems in story:
        now_s += after_s
        if (first := problems[0] if problems else None) is not leading:
            leading, led_s = first, now_s
        if first is not None:
            stood[first] = max(stood.get(first, 0.0), now_s - led_s)
        hints = stand(hints, problems, now_s, 0.3)
        if hints.shown is not None:
            assert hints.shown in problems or problems == NOBODY
            assert stood[hints.shown] >= 0.3
