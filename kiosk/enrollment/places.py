"""Where enrolling writes beside the book: other engines, a directory that several kiosks share, kept pictures.

Rules for every one: a foreign error is wrapped (MatchError for engines, RecordsError for the others); no wait is
without a limit; whatever is repeated after a crash may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from kiosk.values import IndexedFace

__all__ = ["Directory", "FaceEngine", "IndexedFace", "PictureShelf"]


class FaceEngine(Protocol):
    """Another engine that must know whoever is enrolled."""

    @property
    def name(self) -> str:
        """``aws`` or ``site``."""

    @property
    def collections(self) -> Sequence[str]:
        """All of its collections."""

    def collection_of(self, person_id: str) -> str:
        """Where this person's faces lie."""

    def alike(self, picture: bytes) -> Mapping[str, float]:
        """Whom the picture may show, by the engine's own threshold: person id to similarity 0..100, the best first.

        Raises MatchError.
        """

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
        """Reserve the badge for this person. Raises RecordsConflict when it is somebody else's, RecordsError."""

    def confirm(self, person_id: str, faces: Sequence[IndexedFace]) -> None:
        """The registration or update is done: these are the person's faces. Raises UnknownPerson: nothing claimed."""

    def release(self, person_id: str) -> None:
        """Forget the person with badge and faces; one who is not there is no error."""

    def holder(self, badge: str) -> str | None:
        """Whose the badge is."""

    def faces(self, person_id: str) -> Sequence[IndexedFace] | None:
        """None: nothing is known of this person."""


class PictureShelf(Protocol):
    """Enrollment pictures, only where the site's policy keeps them."""

    def keep(self, person_id: str, sha256: str, picture: bytes) -> None:
        """JPEG or PNG as given; may be repeated."""

    def kept(self, person_id: str) -> Sequence[tuple[str, bytes]]:
        """(sha256, content)."""

    def forget(self, person_id: str) -> int:
        """How many there were; afterwards there are none."""
