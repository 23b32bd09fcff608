"""Somebody who does what the screen says: a head, or a hand that turns a print as a head would turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from hardware.sim.clock import START_S
from hardware.sim.path import Path, Stand
from kiosk.reasons import Reason
from kiosk.runtime.loop import Turn

REACTION_S = 0.4
"""From the word on the screen to the first movement."""
SPEED_DEG_S = 45.0
FAR = {
    Reason.TURN_LEFT: (24.0, 0.0),
    Reason.TURN_RIGHT: (-24.0, 0.0),
    Reason.LOOK_UP: (0.0, 17.0),
    Reason.LOOK_DOWN: (0.0, -17.0),
}
"""(yaw, pitch) in degrees that each instruction is followed to; everything else is looking straight."""


@dataclass(slots=True)
class Cues:
    """What the screen said, and since when (story time); a watcher of the loop."""

    said: list[tuple[float, Reason | None]] = field(default_factory=list)

    def turned(self, turn: Turn) -> None:
        """Note what is on the screen when it changes."""
        hint = turn.scene.hint if turn.scene.hint in FAR else None
        if not self.said or self.said[-1][1] is not hint:
            self.said.append((turn.at_s - START_S, hint))

    def angles(self, t_s: float) -> tuple[float, float]:
        """(yaw, pitch) at story time ``t_s``: after the reaction, towards the word at a steady speed."""
        yaw = pitch = 0.0
        begins = [at_s + REACTION_S for at_s, _ in self.said]
        for begin_s, end_s, (_, hint) in zip(begins, [*begins[1:], t_s], self.said, strict=True):
            lasted_s = min(end_s, t_s) - begin_s
            if lasted_s > 0.0:
                far_yaw, far_pitch = FAR.get(hint, (0.0, 0.0)) if hint is not None else (0.0, 0.0)
                yaw, pitch = _towards(yaw, far_yaw, lasted_s), _towards(pitch, far_pitch, lasted_s)
        return yaw, pitch


def _towards(now: float, wanted: float, lasted_s: float) -> float:
    way = SPEED_DEG_S * lasted_s
    return min(wanted, now + way) if wanted >= now else max(wanted, now - way)


@dataclass(frozen=True, slots=True)
class Following(Path):
    """A path on which the head also turns as the screen says."""

    cues: Cues = field(default_factory=Cues)

    @classmethod
    def after(cls, path: Path, cues: Cues) -> Following:
        """The same path, listening to ``cues``."""
        known = {name: getattr(path, name) for name in Path.__dataclass_fields__}
        return cls(**known, cues=cues)

    def at(self, t_s: float) -> Stand | None:
        """Where it stands, turned as asked."""
        # Not super(): a class with slots is made anew by the decorator, and the name in the closure is the old one's.
        stand = Path.at(self, t_s)
        if stand is None:
            return None
        yaw, pitch = self.cues.angles(t_s)
        return Stand(
            stand.x_mm,
            stand.y_mm,
            stand.z_mm,
            stand.yaw_deg + yaw,
            stand.pitch_deg + pitch,
            stand.roll_deg,
            stand.lids,
        )
