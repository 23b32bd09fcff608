"""The closed vocabularies of the labels: what each label may say, and nothing else.

A word that is not here is published as ``other``, so the number of series is bounded and no text that came from a
person, a card, a file or a server ever becomes a label.
"""

from __future__ import annotations

from kiosk.reasons import Reason

NONE = "none"
"""The label does not apply."""
OTHER = "other"
"""A word that the table does not hold; never the word itself."""

ENGINES = frozenset({"aws", "site", "local"})
"""Sources of a match and homes of faces."""
STEPS = frozenset({"quality", "liveness", "duplicate", "badge", "index", "store", "card", "face"})
"""Where in a registration it ended."""
SOURCES = frozenset({"photo", "card", "batch", "session"})
"""What a registration was made from."""
CALL_OUTCOMES = frozenset({"ok", "throttled", "refused", "unreachable", "late", "unreadable"})
"""How a call of an engine ended: throttled and refused are its own answers, late is no answer in time."""
OPERATIONS = frozenset(
    {
        *("SearchFacesByImage", "SearchFaces", "SearchUsersByImage", "SearchUsers", "CompareFaces", "DetectFaces"),
        *("IndexFaces", "DeleteFaces", "ListFaces"),
        *("CreateUser", "DeleteUser", "ListUsers", "AssociateFaces", "DisassociateFaces"),
        *("CreateCollection", "DeleteCollection", "DescribeCollection", "ListCollections"),
        *("CreateFaceLivenessSession", "StartFaceLivenessSession", "GetFaceLivenessSessionResults"),
        *("PutObject", "GetObject", "HeadObject", "DeleteObject"),
        *("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "TransactWriteItems"),
    }
)
"""AWS's names of what may be asked of an engine or of the stores beside it; the local gallery's are the same."""

QUALITY_CHECKS = frozenset(
    {
        *(Reason.ONE_PERSON, Reason.FACE_CUT_OFF, Reason.FACE_TOO_SMALL, Reason.LOOK_AT_CAMERA, Reason.HEAD_TILTED),
        *(Reason.EYES_CLOSED, Reason.TOO_DARK, Reason.TOO_BRIGHT, Reason.BLURRED, Reason.SUNGLASSES),
        *(Reason.FACE_COVERED, Reason.NO_FACE),
    }
)
"""The checks of the quality gate, by the word with which each fails."""

DUPLICATE = "DUPLICATE_FACE"
REGISTRATION_REASONS = frozenset(
    {
        *(str(reason) for reason in Reason),
        DUPLICATE,
        *("NAME_TAKEN", "BADGE_TAKEN", "PICTURE_TAKEN", "TAKEN", "MOVED"),
        *(
            "UNUSABLE_PICTURE",
            "UNUSABLE_LINE",
            "UNUSABLE_NAME",
            "UNUSABLE_BADGE",
            "SEVERAL_PEOPLE",
            "NO_OLD_FACE",
            "SESSION_NOT_DONE",
        ),
        *("UNUSABLE_CARD", "CARD_MISMATCH", "CARD_EXPIRED", "NO_FACE_ON_CARD"),
        *("ENGINE_REFUSED", "ENGINE_REFUSED_FACE", "ENGINE_UNREACHABLE", "UNKNOWN_MODEL"),
        # Of engines, for faces that they do not index.
        *("EXCEEDS_MAX_FACES", "EXTREME_POSE", "LOW_BRIGHTNESS", "LOW_SHARPNESS", "LOW_CONFIDENCE"),
        *("SMALL_BOUNDING_BOX", "LOW_FACE_QUALITY", "NOT_ASSOCIATED"),
        *("INTERRUPTED", "FAILED", "NOT_REACHED"),
    }
)
"""The kiosk's reasons, and the words of registering that the door has no use for."""

PROVEN = frozenset(
    {
        *(Reason.NOT_LIVE, Reason.INSTRUCTION_MISSED, Reason.UNKNOWN_PERSON, Reason.AMBIGUOUS_PERSON),
        *(Reason.BADGE_MISMATCH, Reason.UNKNOWN_BADGE, Reason.FACE_CHANGED, Reason.SECOND_FACE),
    }
)
"""Refusals that say something of the visitor: an authentication that failed."""
UNPROVEN = frozenset(
    {
        *(Reason.LIVENESS_UNSURE, Reason.FACE_NOT_VISIBLE, Reason.FACE_OBSTRUCTED, Reason.LOW_VIDEO_QUALITY),
        *(Reason.FACE_NOT_ALIGNED, Reason.LOW_LIGHTING, Reason.HIGH_LIGHTING, Reason.LEFT_DURING_CHECK),
        *(Reason.EXPOSURE_NOT_LOCKED, Reason.MATCH_FAILED, Reason.MATCH_LATE, Reason.CLOCK_WENT_BACK),
        *(Reason.LOOP_STALLED, Reason.BADGE_NEEDED, Reason.NO_FLASH_ALLOWED),
    }
)
"""Refusals because the check came to no verdict: an authentication that is incomplete."""
