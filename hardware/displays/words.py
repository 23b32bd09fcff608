"""The words of a scene: one headline, one line below it, and the fault words that facilities staff need.

Reasons speak through ``kiosk.visit.messages``; here is only what a state says that has nothing to say there. A
refusal never shows its reason word: NOT_LIVE and LIVENESS_UNSURE must look the same to whoever tries to deceive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kiosk.reasons import Reason
from kiosk.values import Scene, SceneKind
from kiosk.visit.messages import message_of


@dataclass(frozen=True, slots=True)
class Words:
    """What the screen says."""

    title: str
    detail: str = ""
    code: str = ""
    """The fault words themselves, small, for whoever is called to mend it."""


DOOR_STAYS_LOCKED: Final = "The door stays locked. Please use another entrance."
_SILENT: Final[dict[SceneKind, Words]] = {
    SceneKind.IDLE: Words("Look here to enter"),
    SceneKind.GUIDING: Words("Put your face in the oval"),
    SceneKind.HOLDING: Words("Hold still"),
    SceneKind.FLASHING: Words("Hold still"),
    SceneKind.MOVING: Words("Follow the arrow"),
    SceneKind.DECIDING: Words("One moment, please"),
    SceneKind.GRANTED: Words("Welcome", "Please come in."),
    SceneKind.DENIED: Words("The door stays locked", "Please ask for help."),
    SceneKind.COOLING_DOWN: Words("One moment, please"),
    SceneKind.FAULTED: Words("Out of service", DOOR_STAYS_LOCKED),
}
"""Where the visit has no message."""
SIGNS: Final[dict[Reason, str]] = {
    Reason.MOVE_LEFT: "left",
    Reason.MOVE_RIGHT: "right",
    Reason.MOVE_UP: "up",
    Reason.MOVE_DOWN: "down",
    Reason.MOVE_CLOSER: "closer",
    Reason.MOVE_BACK: "back",
    Reason.FACE_TOO_SMALL: "closer",
    Reason.ONE_PERSON: "two_heads",
    Reason.ONCE_MORE: "again",
    Reason.TURN_LEFT: "left",
    Reason.TURN_RIGHT: "right",
    Reason.LOOK_UP: "up",
    Reason.LOOK_DOWN: "down",
    Reason.LOOK_STRAIGHT: "head",
}
"""Hints that are drawn as well as said."""
_NOT_KNOWN: Final = {
    Reason.NOT_LIVE,
    Reason.LIVENESS_UNSURE,
    Reason.UNKNOWN_PERSON,
    Reason.AMBIGUOUS_PERSON,
    Reason.BADGE_MISMATCH,
    Reason.UNKNOWN_BADGE,
}
_OTHER_WAY: Final = {Reason.LOW_LIGHTING, Reason.HIGH_LIGHTING, Reason.BADGE_NEEDED, Reason.NO_FLASH_ALLOWED}


def words(scene: Scene) -> Words:
    """The words of a scene; every scene has a headline."""
    said = message_of(scene)
    silent = _SILENT[scene.kind]
    shown = Words(said.headline, said.detail) if said is not None else silent
    if (
        scene.kind is SceneKind.FAULTED
    ):  # which part it is concerns the staff, not the visitor: small, as the fault word
        return Words(silent.title, silent.detail, " ".join(scene.faults))
    return Words(_typeset(shown.title), _typeset(shown.detail))


def denial_sign(reason: Reason | None) -> str:
    """The sign of a refusal: "cross" (not let in), "notice" (not the visitor's doing), "again" (try once more)."""
    if reason is None or reason in _NOT_KNOWN:
        return "cross"
    return "notice" if reason in _OTHER_WAY else "again"


def _typeset(text: str) -> str:
    return text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
