"""Following instructions with the head: which ones, how far along, and when they were not followed. Pure.

Rules:
- The instructions are drawn from the attempt's nonce: distinct ones of left, right, up and down, in random order.
- One instruction is followed by turning that way by at least ``liveness.turn_deg`` (``NOD_SHARE`` of it up or down: a
  neck nods less than it turns), seen in ``FRAMES`` observations running, and by looking straight again.
- Turning another way instead is not following: an attack that tries all ways must fail at the first wrong one.
- Each instruction has ``liveness.turn_s``, looking straight again included.
- Angles are differences to the pose when the movement began; ``kiosk.values.Pose`` has the signs. The words are the
  visitor's own: to *their* left the nose points to the image's right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Pose
from kiosk.visit.challenge import Stream

INSTRUCTIONS = (Reason.TURN_LEFT, Reason.TURN_RIGHT, Reason.LOOK_UP, Reason.LOOK_DOWN)
NOD_SHARE = 0.7
FRAMES = 2
"""Observations running in which a direction must be seen, asked for or not: one may be a slip of the landmarks."""
BACK = 0.5
"""Looking straight: every angle below this share of what counts as turned."""


@dataclass(frozen=True, slots=True)
class Turned:
    """One instruction that was followed. Times are those of the frames, on the monotonic clock."""

    instruction: Reason
    given_s: float
    peak_s: float
    """When the head was turned farthest."""
    back_s: float
    """When it looked straight again."""
    yaw_deg: float
    """Farthest turn, against the beginning; > 0 to the image's right."""
    pitch_deg: float
    """The same; > 0 upwards."""


@dataclass(frozen=True, slots=True)
class Course:
    """How far along the instructions are."""

    instructions: tuple[Reason, ...]
    neutral: Pose
    given_s: float
    """When the instruction that is asked for now was given."""
    turned: tuple[Turned, ...] = ()
    running: int = 0
    """Observations running in which the head was turned as asked."""
    astray: int = 0
    """Observations running in which it was turned another way."""
    reached: bool = False
    """Turned as asked; now it must look straight again."""
    peak: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """(time, yaw, pitch) of the farthest turn of this instruction."""

    @property
    def done(self) -> bool:
        """Whether every instruction was followed, in order."""
        return tuple(one.instruction for one in self.turned) == self.instructions != ()

    @property
    def missed(self) -> bool:
        """Whether the head went another way than asked."""
        return self.astray >= FRAMES

    @property
    def hint(self) -> Reason:
        """What the screen says now."""
        if self.done or self.reached:
            return Reason.LOOK_STRAIGHT
        return self.instructions[len(self.turned)]

    @property
    def progress(self) -> float:
        """0..1: there and back count half an instruction each."""
        return (len(self.turned) + 0.5 * self.reached) / max(len(self.instructions), 1)


def draw_instructions(nonce: bytes, count: int) -> tuple[Reason, ...]:
    """``count`` distinct instructions in an order that only the nonce knows. Raises ValueError for a short nonce."""
    return tuple(Stream(nonce, b"door-kiosk movement 1").shuffled(INSTRUCTIONS)[:count])


def begin(instructions: tuple[Reason, ...], pose: Pose, at_s: float) -> Course:
    """The first instruction is given to a face that looks this way."""
    return Course(instructions, pose, at_s)


def follow(course: Course, pose: Pose, at_s: float, settings: LivenessSettings) -> Course:
    """The course one observation later. An angle that is not a number is neither followed nor wrong."""
    if course.done or course.missed:
        return course
    yaw, pitch = pose.yaw_deg - course.neutral.yaw_deg, pose.pitch_deg - course.neutral.pitch_deg
    if not (math.isfinite(yaw) and math.isfinite(pitch)):
        return replace(course, running=0)
    asked, other = _shares(course.instructions[len(course.turned)], yaw, pitch, settings)
    if other >= 1.0 and other > asked:
        return replace(course, running=0, astray=course.astray + 1)
    course = replace(course, astray=0)
    if asked >= 1.0:
        running = course.running + 1
        farther = math.hypot(yaw, pitch) > math.hypot(course.peak[1], course.peak[2])
        peak = (at_s, yaw, pitch) if farther else course.peak
        return replace(course, running=running, reached=course.reached or running >= FRAMES, peak=peak)
    if course.reached and max(abs(asked), other) <= BACK:
        return _next(course, at_s)
    return replace(course, running=0)


def _next(course: Course, at_s: float) -> Course:
    """It looks straight again: the next instruction is given."""
    peak_s, yaw, pitch = course.peak
    followed = Turned(course.instructions[len(course.turned)], course.given_s, peak_s, at_s, yaw, pitch)
    return Course(course.instructions, course.neutral, at_s, (*course.turned, followed))


def _shares(instruction: Reason, yaw: float, pitch: float, settings: LivenessSettings) -> tuple[float, float]:
    """(how far as asked, how far another way), each in shares of what counts as turned."""
    yaw /= settings.turn_deg
    pitch /= settings.turn_deg * NOD_SHARE
    ways = {
        Reason.TURN_LEFT: yaw,
        Reason.TURN_RIGHT: -yaw,
        Reason.LOOK_UP: pitch,
        Reason.LOOK_DOWN: -pitch,
    }
    return ways[instruction], max(share for way, share in ways.items() if way is not instruction)
