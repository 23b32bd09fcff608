"""Somebody who does what the screen says, in story time."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from hardware.sim.clock import START_S
from hardware.sim.path import Path
from kiosk.demo.following import Cues, Following
from kiosk.reasons import Reason
from kiosk.runtime.loop import Turn
from kiosk.values import Oval, Scene, SceneKind

OVAL = Oval(0.5, 0.5, 0.3, 0.5)


class Screen:
    """Turns of a loop of which only the time and the scene matter."""

    def __init__(self, cues: Cues) -> None:
        self.cues = cues

    def says(self, t_s: float, hint: Reason | None) -> None:
        """One turn at story time ``t_s``."""
        self.scene = Scene(SceneKind.MOVING, OVAL, hint=hint)
        self.at_s = START_S + t_s
        self.cues.turned(cast(Turn, self))


def test_the_head_follows_after_a_reaction_and_goes_back() -> None:
    """To the visitor's left the nose points to the image's right; looking straight is where it began."""
    cues = Cues()
    path = Following.after(replace(Path.standing(), sway_mm=0.0, wobble_deg=0.0), cues)
    screen = Screen(cues)
    screen.says(1.0, Reason.HOLD_STILL)
    for t_s in (2.0, 2.1, 2.2):
        screen.says(t_s, Reason.TURN_LEFT)
    assert path.at(2.3).yaw_deg == 0.0  # type: ignore[union-attr]
    assert path.at(2.6).yaw_deg == pytest.approx(9.0)  # type: ignore[union-attr]
    assert path.at(4.0).yaw_deg == 24.0  # type: ignore[union-attr]
    screen.says(4.0, Reason.LOOK_STRAIGHT)
    screen.says(6.0, Reason.LOOK_DOWN)
    stand = path.at(8.0)
    assert stand is not None
    assert (stand.yaw_deg, stand.pitch_deg) == (0.0, -17.0)


def test_nobody_turns_who_is_not_there() -> None:
    """Out of sight is out of sight."""
    assert Following.after(Path.walk_up(), Cues()).at(0.0) is None
