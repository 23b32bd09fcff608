"""Where an actor is: a path through the room with the small movements that a living head cannot suppress.

Story times (``t_s``) count from the beginning of the story. Positions are (x, y, z) in mm of the point between the
eyes, in camera axes: x to the image's right, y down, z the distance from the camera.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

Point = tuple[float, float, float]
FOREVER_S = 1e9
EYES_Y_MM = -32.0
"""Height of the eyes at which the middle of the face is on the lens's axis."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where and how an actor stands at one moment."""

    x_mm: float
    y_mm: float
    z_mm: float
    yaw_deg: float = 0.0
    """Positive: the nose turns to the image's right."""
    pitch_deg: float = 0.0
    """Positive: looks up."""
    roll_deg: float = 0.0
    """Positive: tilted clockwise in the image."""
    lids: float = 0.0
    """How far the eyes are closed, 0..1."""


@dataclass(frozen=True, slots=True)
class Path:
    """Keyframes ``(t_s, (x, y, z))`` joined smoothly, plus sway, wobble and blinks.

    The actor is in sight from ``enter_s`` to ``leave_s``.
    """

    keyframes: tuple[tuple[float, Point], ...]
    enter_s: float = 0.0
    leave_s: float = FOREVER_S
    sway_mm: float = 2.5
    sway_hz: float = 1.3
    wobble_deg: float = 0.8
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    blink_every_s: float = 0.0
    """Mean time between blinks of 0.2 s; 0 means none."""
    turns: tuple[tuple[float, float, float, float], ...] = ()
    """(from_s, yaw_deg, pitch_deg, for_s): turns or nods so far and back again, on somebody's word."""
    phase: float = 0.0
    """Shifts the small movements, radians, so that two actors do not move alike."""

    @classmethod
    def standing(cls, z_mm: float = 400.0, x_mm: float = 0.0, y_mm: float = EYES_Y_MM) -> Path:
        """Stands in one place for the whole story."""
        return cls(((0.0, (x_mm, y_mm, z_mm)),))

    @classmethod
    def walk_up(
        cls, *, start_s: float = 0.5, walk_s: float = 2.0, far_mm: float = 900.0, near_mm: float = 400.0
    ) -> Path:
        """Comes in from one side at ``start_s``, walks up from ``far_mm`` to ``near_mm`` and stays."""
        enter = start_s, (-1.1 * far_mm, 0.0, far_mm)
        return cls(
            (
                enter,
                (start_s + 0.7, (0.0, EYES_Y_MM + 10.0, far_mm)),
                (start_s + 0.7 + walk_s, (0.0, EYES_Y_MM, near_mm)),
            ),
            enter_s=start_s,
            blink_every_s=4.0,
        )

    def then(self, at_s: float, z_mm: float, x_mm: float = 0.0, y_mm: float = EYES_Y_MM, move_s: float = 1.0) -> Path:
        """Starts to move at ``at_s`` and stands ``move_s`` later at the new place."""
        _, last = self.keyframes[-1]
        return replace(self, keyframes=(*self.keyframes, (at_s, last), (at_s + move_s, (x_mm, y_mm, z_mm))))

    def leaving(self, at_s: float, walk_s: float = 1.0) -> Path:
        """Walks out of the picture to the image's right from ``at_s`` on."""
        _, (_, y, z) = self.keyframes[-1]
        return replace(self.then(at_s, z + 100.0, 1.3 * z + 300.0, y, walk_s), leave_s=at_s + walk_s)

    def turning(self, from_s: float, yaw_deg: float = 0.0, pitch_deg: float = 0.0, for_s: float = 1.6) -> Path:
        """Turns the head (or nods) at ``from_s`` and is back ``for_s`` later."""
        return replace(self, turns=(*self.turns, (from_s, yaw_deg, pitch_deg, for_s)))

    def at(self, t_s: float) -> Stand | None:
        """Where the actor stands at story time ``t_s``; None when out of sight."""
        if not self.enter_s <= t_s < self.leave_s:
            return None
        x, y, z = self._between(t_s)
        omega, phase = 2.0 * np.pi * self.sway_hz, self.phase
        sway = self.sway_mm
        # Incommensurate frequencies: the movement never repeats within a visit.
        x += sway * np.sin(omega * t_s + phase) + 0.5 * sway * np.sin(0.37 * omega * t_s + 1.0 + 2.0 * phase)
        y += 0.5 * sway * np.sin(0.71 * omega * t_s + 0.4 + phase)
        z += 1.2 * sway * np.sin(0.53 * omega * t_s + 2.1 + phase)
        turn = self.wobble_deg
        yaw, pitch = self._turned(t_s)
        return Stand(
            float(x),
            float(y),
            float(z),
            self.yaw_deg + yaw + float(turn * np.sin(0.43 * omega * t_s + 0.9 + phase)),
            self.pitch_deg + pitch + float(0.7 * turn * np.sin(0.61 * omega * t_s + phase)),
            self.roll_deg + float(0.5 * turn * np.sin(0.29 * omega * t_s + 2.0 + phase)),
            self._lids(t_s),
        )

    def _between(self, t_s: float) -> Point:
        times = [at for at, _ in self.keyframes]
        if any(later < earlier for earlier, later in pairwise(times)):
            raise ValueError("keyframes must be in order of time")
        index = bisect_right(times, t_s)
        if index == 0:
            return self.keyframes[0][1]
        if index == len(times):
            return self.keyframes[-1][1]
        (t0, start), (t1, end) = self.keyframes[index - 1], self.keyframes[index]
        share = (t_s - t0) / max(t1 - t0, 1e-9)
        share = share * share * (3.0 - 2.0 * share)
        x, y, z = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        return x, y, z

    def _turned(self, t_s: float) -> tuple[float, float]:
        yaw = pitch = 0.0
        for from_s, far_yaw, far_pitch, for_s in self.turns:
            if from_s < t_s < from_s + for_s:
                share = 0.5 - 0.5 * float(np.cos(2.0 * np.pi * (t_s - from_s) / for_s))
                yaw, pitch = yaw + share * far_yaw, pitch + share * far_pitch
        return yaw, pitch

    def _lids(self, t_s: float) -> float:
        if self.blink_every_s <= 0.0:
            return 0.0
        # Each interval holds one blink at a place that a hash of its number decides.
        number = int(t_s // self.blink_every_s)
        spread = (np.sin(number * 12.9898 + self.phase * 7.0) * 43758.5453) % 1.0
        middle = (number + 0.2 + 0.6 * spread) * self.blink_every_s
        return float(np.clip(1.6 - abs(t_s - middle) / 0.07, 0.0, 1.0))
