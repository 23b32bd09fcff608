"""What the visitor reads: one short line in large type, and for results and faults a second, calm one.

Rules:
- Every ``Reason`` has a message (a test proves it); the headline is meant to be read from 1.5 m.
- A refusal says what the visitor can do, never how close they came. ``NOT_LIVE`` and ``LIVENESS_UNSURE`` read the
  same: somebody who tries to deceive learns nothing from the words.
- No names, no scores, no blame.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.reasons import Reason
from kiosk.values import Scene, SceneKind

_OTHER_WAY = "Please use the other entrance or ask at reception."
_ONCE_MORE = "Please step back and try once more."
_STAFF_TOLD = "Please use the other entrance. The door stays locked."


@dataclass(frozen=True, slots=True)
class Message:
    """Words for the screen."""

    headline: str
    detail: str = ""


_WELCOME_UP = Message("Look here to enter")
_PLEASE_WAIT = Message("One moment, please")

_MESSAGES = {
    Reason.NO_FACE: Message("Step in front of the camera"),
    Reason.ONE_PERSON: Message("One person at a time"),
    Reason.MOVE_LEFT: Message("Move to your left"),
    Reason.MOVE_RIGHT: Message("Move to your right"),
    Reason.MOVE_UP: Message("Move up a little"),
    Reason.MOVE_DOWN: Message("Move down a little"),
    Reason.MOVE_CLOSER: Message("Come closer"),
    Reason.MOVE_BACK: Message("Move back a little"),
    Reason.LOOK_AT_CAMERA: Message("Look at the camera"),
    Reason.HOLD_STILL: Message("Hold still"),
    Reason.TOO_DARK: Message("Too dark: find more light"),
    Reason.TOO_BRIGHT: Message("Too bright: turn from light"),
    Reason.BLURRED: Message("Picture blurred: hold still"),
    Reason.HEAD_TILTED: Message("Hold your head straight"),
    Reason.EYES_CLOSED: Message("Open your eyes"),
    Reason.SUNGLASSES: Message("Take off your sunglasses"),
    Reason.FACE_COVERED: Message("Uncover your face"),
    Reason.FACE_TOO_SMALL: Message("Your face is too small"),
    Reason.FACE_CUT_OFF: Message("Show your whole face"),
    Reason.CHECKING: Message("Checking"),
    Reason.WELCOME: Message("Welcome", "Please come in."),
    Reason.ONCE_MORE: Message("Once more, please"),
    Reason.TURN_LEFT: Message("Turn your head to your left"),
    Reason.TURN_RIGHT: Message("Turn your head to your right"),
    Reason.LOOK_UP: Message("Tilt your head up"),
    Reason.LOOK_DOWN: Message("Tilt your head down"),
    Reason.LOOK_STRAIGHT: Message("Look straight again"),
    Reason.FACE_NOT_VISIBLE: Message("Your face was not visible", _ONCE_MORE),
    Reason.FACE_OBSTRUCTED: Message("Your face was covered", _ONCE_MORE),
    Reason.LOW_VIDEO_QUALITY: Message("The picture was not clear", _ONCE_MORE),
    Reason.FACE_NOT_ALIGNED: Message("Stay inside the oval", _ONCE_MORE),
    Reason.LOW_LIGHTING: Message("Too dark here", _OTHER_WAY),
    Reason.HIGH_LIGHTING: Message("Too bright here", _OTHER_WAY),
    Reason.NOT_LIVE: Message("We could not confirm it's you", _OTHER_WAY),
    Reason.LIVENESS_UNSURE: Message("We could not confirm it's you", _OTHER_WAY),
    Reason.INSTRUCTION_MISSED: Message("Please follow the arrow", _ONCE_MORE),
    Reason.BADGE_NEEDED: Message("Please show your badge first", "Then look here again."),
    Reason.NO_FLASH_ALLOWED: Message("Please ask at reception", "This door checks faces with flashing light."),
    Reason.UNKNOWN_PERSON: Message("We don't know your face", "Please ask at reception."),
    Reason.AMBIGUOUS_PERSON: Message("We are not sure who you are", "Please use your badge or ask at reception."),
    Reason.BADGE_MISMATCH: Message("Badge and face do not match", "Please ask at reception."),
    Reason.UNKNOWN_BADGE: Message("We don't know this badge", "Please ask at reception."),
    Reason.FACE_CHANGED: Message("Please stay during the check", _ONCE_MORE),
    Reason.SECOND_FACE: Message("One person at a time", _ONCE_MORE),
    Reason.LEFT_DURING_CHECK: Message("Please stay during the check", _ONCE_MORE),
    Reason.EXPOSURE_NOT_LOCKED: Message("The camera was not ready", _ONCE_MORE),
    Reason.MATCH_FAILED: Message("The check did not work", _ONCE_MORE),
    Reason.MATCH_LATE: Message("The check took too long", _ONCE_MORE),
    Reason.FIT_TIMED_OUT: Message("Let's start again", _ONCE_MORE),
    Reason.CLOCK_WENT_BACK: Message("The check was interrupted", _ONCE_MORE),
    Reason.LOOP_STALLED: Message("The check was interrupted", _ONCE_MORE),
    Reason.CAMERA_LOST: Message("Out of service: camera", _STAFF_TOLD),
    Reason.DISPLAY_LOST: Message("Out of service: screen", _STAFF_TOLD),
    Reason.MODELS_LOST: Message("Out of service: software", _STAFF_TOLD),
    Reason.RECORDS_LOST: Message("Out of service: storage", _STAFF_TOLD),
    Reason.DOOR_LOST: Message("Out of service: door", _STAFF_TOLD),
}


def message_for(reason: Reason) -> Message:
    """The words of one reason."""
    return _MESSAGES[reason]


def message_of(scene: Scene) -> Message | None:
    """The words of a whole scene; None where the picture speaks for itself (guiding with nothing to say)."""
    if scene.faults:
        return _MESSAGES[scene.faults[0]]
    if scene.hint is not None and scene.why is not None:
        return Message(_MESSAGES[scene.hint].headline, _MESSAGES[scene.why].headline + ".")
    if scene.hint is not None:
        return _MESSAGES[scene.hint]
    if scene.kind is SceneKind.IDLE:
        return _WELCOME_UP
    return _PLEASE_WAIT if scene.kind is SceneKind.COOLING_DOWN else None
