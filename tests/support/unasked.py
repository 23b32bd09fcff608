"""FaceModels that are asked nothing: a test's own models derive from it and answer what the test is about."""

from __future__ import annotations

from kiosk.closing import Closing
from kiosk.values import Embedding, Face, Frame, Pixels


class UnaskedModels(Closing):
    """Every question is an error."""

    embedding_version = "none"
    version_before: str | None = None
    passive_models = (1, 1)
    """One of one."""

    def close(self) -> None:
        """Nothing to close."""

    def find(self, frame: Frame) -> list[Face]:
        """Not asked here."""
        raise AssertionError(frame.sequence)

    def find_still(self, pixels: Pixels) -> list[Face]:
        """Not asked here."""
        raise AssertionError(pixels.shape)

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """Not asked here."""
        raise AssertionError((pixels.shape, face))

    def embed_before(self, pixels: Pixels, face: Face) -> Embedding | None:
        """There is no model of before."""
        del pixels, face
        return None

    def passive_live_score(self, pixels: Pixels, face: Face) -> float:
        """Not asked here."""
        raise AssertionError((pixels.shape, face))
