"""The one vocabulary of reasons.

The word here is the word everywhere: on the screen (through ``kiosk.visit.messages``), in the journal,
in events, in ``--json`` output, in docs and tests. A test proves that each has a message.
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Reason(StrEnum):
    """Why something is shown, refused, retried or out of service."""

    # Guidance: where the face should go. LEFT and RIGHT are the visitor's own, as in a mirror.
    NO_FACE = "NO_FACE"
    ONE_PERSON = "ONE_PERSON"
    MOVE_LEFT = "MOVE_LEFT"
    MOVE_RIGHT = "MOVE_RIGHT"
    MOVE_UP = "MOVE_UP"
    MOVE_DOWN = "MOVE_DOWN"
    MOVE_CLOSER = "MOVE_CLOSER"
    MOVE_BACK = "MOVE_BACK"
    LOOK_AT_CAMERA = "LOOK_AT_CAMERA"
    HOLD_STILL = "HOLD_STILL"

    # Quality of the face region.
    TOO_DARK = "TOO_DARK"
    TOO_BRIGHT = "TOO_BRIGHT"
    BLURRED = "BLURRED"
    HEAD_TILTED = "HEAD_TILTED"
    EYES_CLOSED = "EYES_CLOSED"
    SUNGLASSES = "SUNGLASSES"
    FACE_COVERED = "FACE_COVERED"
    FACE_TOO_SMALL = "FACE_TOO_SMALL"
    FACE_CUT_OFF = "FACE_CUT_OFF"

    # Progress.
    CHECKING = "CHECKING"
    WELCOME = "WELCOME"

    ONCE_MORE = "ONCE_MORE"

    # Instructions of the check without a flash; LEFT and RIGHT are the visitor's own.
    TURN_LEFT = "TURN_LEFT"
    TURN_RIGHT = "TURN_RIGHT"
    LOOK_UP = "LOOK_UP"
    LOOK_DOWN = "LOOK_DOWN"
    LOOK_STRAIGHT = "LOOK_STRAIGHT"

    # Liveness, in the words of Rekognition's feedback codes.
    FACE_NOT_VISIBLE = "FACE_NOT_VISIBLE"
    FACE_OBSTRUCTED = "FACE_OBSTRUCTED"
    LOW_VIDEO_QUALITY = "LOW_VIDEO_QUALITY"
    FACE_NOT_ALIGNED = "FACE_NOT_ALIGNED"
    LOW_LIGHTING = "LOW_LIGHTING"
    HIGH_LIGHTING = "HIGH_LIGHTING"

    # Denials at the door.
    NOT_LIVE = "NOT_LIVE"
    INSTRUCTION_MISSED = "INSTRUCTION_MISSED"
    BADGE_NEEDED = "BADGE_NEEDED"
    NO_FLASH_ALLOWED = "NO_FLASH_ALLOWED"
    LIVENESS_UNSURE = "LIVENESS_UNSURE"
    UNKNOWN_PERSON = "UNKNOWN_PERSON"
    AMBIGUOUS_PERSON = "AMBIGUOUS_PERSON"
    BADGE_MISMATCH = "BADGE_MISMATCH"
    UNKNOWN_BADGE = "UNKNOWN_BADGE"
    FACE_CHANGED = "FACE_CHANGED"
    SECOND_FACE = "SECOND_FACE"
    LEFT_DURING_CHECK = "LEFT_DURING_CHECK"
    EXPOSURE_NOT_LOCKED = "EXPOSURE_NOT_LOCKED"
    MATCH_FAILED = "MATCH_FAILED"
    MATCH_LATE = "MATCH_LATE"
    FIT_TIMED_OUT = "FIT_TIMED_OUT"
    CLOCK_WENT_BACK = "CLOCK_WENT_BACK"
    LOOP_STALLED = "LOOP_STALLED"

    # Faults: out of service, the door stays locked.
    CAMERA_LOST = "CAMERA_LOST"
    DISPLAY_LOST = "DISPLAY_LOST"
    MODELS_LOST = "MODELS_LOST"
    RECORDS_LOST = "RECORDS_LOST"
    DOOR_LOST = "DOOR_LOST"
