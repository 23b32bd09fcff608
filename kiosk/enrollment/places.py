"""Where enrolling writes beside the book: other engines, a directory that several kiosks share, kept pictures.

Rules for every adapter:
- People are named by the UUID alone; no name ever gets there (``person_key``).
- Each call happens whole or not at all, and may be repeated: who cannot tell whether a call arrived makes it again.
- Foreign errors are wrapped in ``kiosk.errors``; no wait is without a time-out.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Literal, Protocol

from kiosk.errors import RecordsError
from kiosk.values import IndexedFace

__all__ = [
    "LEASE",
    "MOST_PICTURE_BYTES",
    "Directory",
    "FaceEngine",
    "IndexedFace",
    "PictureShelf",
    "person_key",
    "picture_suffix",
]

LEASE = timedelta(hours=1)
"""A claim that was not confirmed within this time may be taken over: its kiosk died between the two."""
MOST_PICTURE_BYTES = 15_728_640
"""15 MiB: what the Rekognition server takes as a whole request; pictures of phones have a third of it."""


class FaceEngine(Protocol):
    """Another engine that must know whoever is enrolled."""

    @property
    def name(self) -> str:
        """``aws`` or ``site``."""

    @property
    def address(self) -> str:
        """Where it is; another server of the same name is another engine. Empty: not known."""

    @property
    def collections(self) -> Sequence[str]:
        """All of its collections."""

    def collection_of(self, person_id: str) -> str:
        """Where this person's faces lie."""

    def homes(self, person_id: str) -> Sequence[str]:
        """Every collection in which faces of this person may lie, during a change of collections too."""

    def alike(self, picture: bytes) -> Mapping[str, float]:
        """Whom the picture may show, by the engine's own threshold: person id to similarity 0..100, the best first.

        Raises MatchError.
        """

    def compare(self, source: bytes, target: bytes) -> float:
        """Similarity 0..100 of the largest face of one picture and the most alike of the other. Raises MatchError."""

    def index(self, person_id: str, picture: bytes, quality: str = "high") -> IndexedFace:
        """Add the picture's face if it is good enough by the rule ``none``, ``low`` or ``high``.

        Raises MatchError: ``undone`` tells whether it is sure that nothing was added.
        """

    def erase(self, faces: Sequence[IndexedFace]) -> None:
        """Take faces away, and make sure that they are. Raises MatchError."""

    def of_person(self, person_id: str, collection: str) -> Sequence[IndexedFace]:
        """A person's faces in a collection, whoever added them; may take minutes. Raises MatchError."""

    def forget_user(self, person_id: str, collection: str) -> None:
        """Whatever else bears the person's id there. Raises MatchError."""


class Directory(Protocol):
    """What several kiosks must agree on before a person exists; the embedded store alone needs none."""

    def claim(self, person_id: str, badge: str | None) -> None:
        """Reserve the badge for this person, atomically across kiosks; the same claim again is no error.

        Somebody else's claim that is older than LEASE and was never confirmed is taken over; the other is then
        forgotten, as by ``release``. Raises RecordsConflict when the badge is somebody else's or the person is known
        with another badge, RecordsError.
        """

    def confirm(self, person_id: str, faces: Sequence[IndexedFace]) -> None:
        """The registration (or photo update) is done: replace the person's faces.

        Raises UnknownPerson when nothing was claimed or the claim was taken over, RecordsError.
        """

    def release(self, person_id: str) -> None:
        """Forget the person with badge and faces (roll-back, deletion); one who is not there is no error.

        Raises RecordsError.
        """

    def holder(self, badge: str) -> str | None:
        """person_id of whoever claimed the badge, confirmed or not; None: it is free, or no badge number.

        A claim counts until it is taken over, however old. Raises RecordsError.
        """

    def faces(self, person_id: str) -> Sequence[IndexedFace] | None:
        """The person's faces, none before the first ``confirm``; None: nothing is known of this person.

        Raises RecordsError.
        """


class PictureShelf(Protocol):
    """Enrollment pictures, only where the site's policy keeps them."""

    def keep(self, person_id: str, sha256: str, picture: bytes) -> None:
        """Keep a JPEG or PNG as given; the same picture again changes nothing.

        Raises RecordsError: ``sha256`` is not the picture's, it is neither JPEG nor PNG, or it cannot be kept.
        """

    def kept(self, person_id: str) -> Sequence[tuple[str, bytes]]:
        """(sha256, picture) of each, by sha256. Raises RecordsError, also for a picture that is not what was kept."""

    def names(self, person_id: str) -> frozenset[str]:
        """SHA-256 of each, without reading them. Raises RecordsError."""

    def forget(self, person_id: str, but: Collection[str] = ()) -> int:
        """Remove this person's pictures but those of these SHA-256, and prove by listing again that nothing is left.

        Returns how many were removed; none is no error. Raises RecordsError when something is left.
        """


def person_key(person_id: str) -> str:
    """The UUID in its one spelling. Raises RecordsError for anything else: a name must never leave the building."""
    try:
        return str(uuid.UUID(person_id))
    except (AttributeError, TypeError, ValueError):
        raise RecordsError("a person is named by the UUID only") from None


def picture_suffix(sha256: str, picture: bytes) -> Literal["jpg", "png"]:
    """What kind of picture this is. Raises RecordsError: too large, neither kind, or not the one of this SHA-256."""
    if len(picture) > MOST_PICTURE_BYTES:
        raise RecordsError(f"a picture of {len(picture)} bytes", mend=f"at most {MOST_PICTURE_BYTES} are kept")
    if hashlib.sha256(picture).hexdigest() != sha256:
        raise RecordsError("the SHA-256 is not that of the picture", where=sha256[:12])
    if picture.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    raise RecordsError("neither JPEG nor PNG", where=sha256[:12])
