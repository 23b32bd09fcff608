"""The words of a scene: one headline, one line below it, and the reason word where facilities staff need it.

Reasons speak through ``kiosk.visit.messages``; here are only the words of states that have no reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.reasons import Reason
from kiosk.values import Scene, SceneKind

try:
    from kiosk.visit.messages import message
except ModuleNotFoundError:  # until the visit's messages land
    from hardware.displays._shim import message


@dataclass(frozen=True, slots=True)
class Words:
    """What the screen says."""

    title: str
    detail: str = ""
    code: str = ""
    """The reason word itself, small, for whoever is called to mend it."""


DOOR_STAYS_LOCKED = "The door stays locked. Please use another entrance."
_STATES: dict[SceneKind, Words] = {
    SceneKind.IDLE: Words("Look here to enter", "Stand in front of the screen"),
    SceneKind.GUIDING: Words("Look here", "Place your face in the oval"),
    SceneKind.HOLDING: Words("Hold still"),
    SceneKind.FLASHING: Words("Hold still"),
    SceneKind.DECIDING: Words("One moment", "Checking"),
    SceneKind.GRANTED: Words("Welcome", "The door is open"),
    SceneKind.DENIED: Words("The door stays locked", "Please try again or ask for help"),
    SceneKind.COOLING_DOWN: Words("Thank you", "Please step aside for the next person"),
    SceneKind.FAULTED: Words("Out of service", DOOR_STAYS_LOCKED),
}
_SPOKEN = {SceneKind.GUIDING, SceneKind.HOLDING, SceneKind.DENIED}
"""States whose hint is what to say."""
ARROWS = {
    Reason.MOVE_LEFT,
    Reason.MOVE_RIGHT,
    Reason.MOVE_UP,
    Reason.MOVE_DOWN,
    Reason.MOVE_CLOSER,
    Reason.MOVE_BACK,
}
"""Hints that are drawn as well as said."""


def words(scene: Scene) -> Words:
    """The words of a scene; every scene has a headline."""
    plain = _STATES[scene.kind]
    if scene.kind is SceneKind.FAULTED:
        return Words(plain.title, plain.detail, " ".join(scene.faults))
    if scene.hint is None or scene.kind not in _SPOKEN:
        return plain
    said = message(scene.hint)
    if scene.kind is SceneKind.DENIED:
        return Words(said.text, said.detail, scene.hint)
    if scene.hint in ARROWS:
        return Words(said.text)
    return Words(said.text, said.detail)
