"""The protocol's errors, by the exact names that AWS's clients know; each is a ``RekognitionFault``.

Source: the errors of each operation in botocore's service model, and the common errors of AWS's JSON protocol.
"""

from __future__ import annotations

from kiosk.errors import RekognitionFault


def invalid_parameter(what: str) -> RekognitionFault:
    """A value that the operation cannot work with."""
    return RekognitionFault("InvalidParameterException", what)


def not_found(what: str) -> RekognitionFault:
    """A collection, user or face that is not here."""
    return RekognitionFault("ResourceNotFoundException", what)


def not_ready(what: str) -> RekognitionFault:
    """Here, but not to be compared with; no fault of the picture, so that a door asks another engine."""
    return RekognitionFault("ResourceNotReadyException", what)


def exists(what: str) -> RekognitionFault:
    """A collection of this name is here already."""
    return RekognitionFault("ResourceAlreadyExistsException", what)


def conflict(what: str) -> RekognitionFault:
    """A user of this name is here already, or was changed meanwhile."""
    return RekognitionFault("ConflictException", what)


def denied(what: str) -> RekognitionFault:
    """Known, but not allowed."""
    return RekognitionFault("AccessDeniedException", what)


def throttled(what: str) -> RekognitionFault:
    """Too many requests; a client waits and asks again."""
    return RekognitionFault("ThrottlingException", what)


def bad_token() -> RekognitionFault:
    """A paging token that this list did not hand out."""
    return RekognitionFault("InvalidPaginationTokenException", "NextToken is not one of this list")


def image_format(what: str) -> RekognitionFault:
    """Bytes that are no JPEG or PNG picture."""
    return RekognitionFault("InvalidImageFormatException", what)


def image_too_large(what: str) -> RekognitionFault:
    """More bytes or pixels than are looked at."""
    return RekognitionFault("ImageTooLargeException", what)


def malformed(what: str) -> RekognitionFault:
    """A body that is not what the operation takes."""
    return RekognitionFault("SerializationException", what)


def internal() -> RekognitionFault:
    """Our own mistake or lack; the client may ask again. What it was stands in the log only."""
    return RekognitionFault("InternalServerError", "internal error", status=500)
