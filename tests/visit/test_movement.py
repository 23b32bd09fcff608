"""Instructions, and when they count as followed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Pose
from kiosk.visit.movement import INSTRUCTIONS, Course, begin, draw_instructions, follow

SETTINGS = LivenessSettings()
NONCES = st.binary(min_size=32, max_size=32)
LEFT, STRAIGHT, UP = Pose(16.0, 0.0, 0.0), Pose(0.0, 0.0, 0.0), Pose(0.0, 11.0, 0.0)


def course_of(*instructions: Reason, neutral: Pose = STRAIGHT) -> Course:
    """A course that begins now."""
    return begin(instructions, neutral, 10.0)


def seen(course: Course, *poses: Pose) -> Course:
    """The course after these poses, 0.1 s apart."""
    for number, pose in enumerate(poses):
        course = follow(course, pose, 10.1 + 0.1 * number, SETTINGS)
    return course


@given(nonce=NONCES, count=st.integers(2, 4))
def test_instructions_are_distinct_and_belong_to_their_nonce(nonce: bytes, count: int) -> None:
    """Deterministic in the nonce."""
    drawn = draw_instructions(nonce, count)
    assert len(drawn) == len(set(drawn)) == count
    assert set(drawn) <= set(INSTRUCTIONS)
    assert drawn == draw_instructions(nonce, count)


def test_every_order_comes_about_equally_often() -> None:
    """24 orders of three: nobody can prepare for one of them."""
    drawn = [draw_instructions(number.to_bytes(32, "big"), 3) for number in range(4800)]
    counts = {order: drawn.count(order) for order in set(drawn)}
    assert len(counts) == 24
    assert all(140 < count < 260 for count in counts.values())


def test_a_short_nonce_is_refused() -> None:
    """As for a challenge."""
    with pytest.raises(ValueError, match="32 bytes"):
        draw_instructions(b"short", 3)


@pytest.mark.parametrize(
    ("instruction", "pose"),
    [
        (Reason.TURN_LEFT, Pose(16.0, 0.0, 0.0)),
        (Reason.TURN_RIGHT, Pose(-16.0, 0.0, 0.0)),
        (Reason.LOOK_UP, Pose(0.0, 11.0, 0.0)),
        (Reason.LOOK_DOWN, Pose(0.0, -11.0, 0.0)),
    ],
)
def test_there_and_back_follows_an_instruction(instruction: Reason, pose: Pose) -> None:
    """To the visitor's left the nose points to the image's right."""
    course = course_of(instruction)
    assert (course.hint, course.progress) == (instruction, 0.0)
    course = seen(course, pose, pose)
    assert (course.reached, course.hint, course.progress) == (True, Reason.LOOK_STRAIGHT, 0.5)
    course = follow(course, STRAIGHT, 10.5, SETTINGS)
    assert (course.done, course.progress) == (True, 1.0)
    (one,) = course.turned
    assert (one.instruction, one.given_s, one.peak_s, one.back_s) == (instruction, 10.0, 10.1, 10.5)
    assert (one.yaw_deg, one.pitch_deg) == (pose.yaw_deg, pose.pitch_deg)


def test_the_farthest_turn_is_kept() -> None:
    """The gates look at the frames of that moment."""
    far = Pose(30.0, 2.0, 0.0)
    (one,) = seen(course_of(Reason.TURN_LEFT), LEFT, far, LEFT, STRAIGHT).turned
    assert (one.peak_s, one.yaw_deg, one.pitch_deg) == (pytest.approx(10.2), 30.0, 2.0)


def test_angles_count_from_how_the_face_looked_before() -> None:
    """A camera above the screen sees everybody look down a little."""
    course = course_of(Reason.LOOK_UP, neutral=Pose(5.0, -12.0, 0.0))
    assert not seen(course, Pose(5.0, -3.0, 0.0), Pose(5.0, -3.0, 0.0)).reached
    assert seen(course, Pose(5.0, -1.0, 0.0), Pose(5.0, -1.0, 0.0)).reached


def test_one_frame_is_neither_turned_nor_astray() -> None:
    """A slip of the landmarks."""
    course = course_of(Reason.TURN_LEFT)
    assert not seen(course, LEFT, STRAIGHT, LEFT, STRAIGHT).reached
    assert not seen(course, UP, STRAIGHT, UP, STRAIGHT).missed


@pytest.mark.parametrize("wrong", [Pose(-16.0, 0.0, 0.0), UP, Pose(0.0, -11.0, 0.0), Pose(10.0, 20.0, 0.0)])
def test_another_way_is_missed_for_good(wrong: Pose) -> None:
    """Also when the asked way follows."""
    course = seen(course_of(Reason.TURN_LEFT), wrong, wrong)
    assert course.missed
    assert seen(course, LEFT, LEFT, STRAIGHT) == course


def test_a_head_that_tilts_while_it_turns_follows() -> None:
    """The asked way must be the larger one, not the only one."""
    slanted = Pose(25.0, 12.0, 0.0)
    assert seen(course_of(Reason.TURN_LEFT), slanted, slanted, STRAIGHT).done


def test_the_next_instruction_waits_for_a_straight_look() -> None:
    """Half turned is not straight."""
    course = seen(course_of(Reason.TURN_LEFT, Reason.LOOK_UP), LEFT, LEFT, Pose(9.0, 0.0, 0.0))
    assert course.hint is Reason.LOOK_STRAIGHT
    course = follow(course, Pose(7.0, 0.0, 0.0), 10.9, SETTINGS)
    assert (course.hint, course.given_s) == (Reason.LOOK_UP, 10.9)
    assert not course.done


def test_going_another_way_instead_of_back_is_missed() -> None:
    """Swinging past the middle is not looking straight."""
    course = seen(course_of(Reason.TURN_LEFT, Reason.TURN_RIGHT), LEFT, LEFT, Pose(-16.0, 0, 0), Pose(-16.0, 0, 0))
    assert course.missed


@pytest.mark.parametrize("angle", [math.nan, math.inf])
def test_an_angle_that_is_not_a_number_is_nothing(angle: float) -> None:
    """Neither followed nor wrong, and it breaks a run."""
    broken = Pose(angle, 0.0, 0.0)
    assert seen(course_of(Reason.TURN_LEFT), LEFT, broken, LEFT, broken) == replace(
        seen(course_of(Reason.TURN_LEFT), LEFT, broken), peak=(pytest.approx(10.1), 16.0, 0.0)
    )


def test_no_instructions_are_never_done() -> None:
    """An empty course proves nothing."""
    assert not course_of().done


@given(st.lists(st.tuples(st.floats(-40, 40), st.floats(-30, 30)), max_size=60), NONCES)
def test_done_means_every_instruction_in_order(angles: list[tuple[float, float]], nonce: bytes) -> None:
    """Whatever the head does."""
    asked = draw_instructions(nonce, 2)
    course = seen(begin(asked, STRAIGHT, 10.0), *(Pose(yaw, pitch, 0.0) for yaw, pitch in angles))
    told = tuple(one.instruction for one in course.turned)
    assert asked[: len(told)] == told
    assert course.done == (told == asked)
    for one in course.turned:
        assert one.given_s <= one.peak_s <= one.back_s
