"""``LocalFaceModels``: all that runs weights on this machine, behind the ``FaceModels`` port.

The bytes that are loaded are the bytes that were hashed. Nothing here downloads: ``models.fetch`` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from kiosk.closing import Closing
from kiosk.errors import ModelError
from kiosk.values import Embedding, Face, Frame, Pixels
from models.embedder import DEFAULT, KINDS, Embedder, Kind
from models.landmarks import Landmarker
from models.passive import PassiveModels

Embedders = tuple[str, str | None]
"""Names of the present embedding model, and of the one before during a change of models (``IdentitySettings``)."""
ONLY_DEFAULT: Embedders = (DEFAULT, None)


class LocalFaceModels(Closing):
    """FaceModels on this machine; open it with ``with``.

    ``find`` belongs to the frame loop's thread; the other methods may run on another one.
    Raises ModelError where weights are missing, cut short, of the wrong hash, or refused.
    """

    def __init__(
        self,
        data_dir: Path,
        embedders: Embedders = ONLY_DEFAULT,
        *,
        embed_threads: int = 2,
        passive_threads: int = 1,
    ) -> None:
        present, before = embedders
        self._embedder = Embedder(data_dir, kind_of(present), threads=embed_threads)
        self._before = None if before is None else Embedder(data_dir, kind_of(before), threads=embed_threads)
        self._landmarker = Landmarker(data_dir)
        self._passive = PassiveModels(data_dir, threads=passive_threads)

    def __enter__(self) -> Self:
        self._landmarker.warm_up()
        return self

    def close(self) -> None:
        """Release everything; calling it again does nothing."""
        self._landmarker.close()

    @property
    def embedding_version(self) -> str:
        """Version that every embedding of the present model carries."""
        return self._embedder.version

    @property
    def version_before(self) -> str | None:
        """Version of the model of before, during a change of models; None without one."""
        return None if self._before is None else self._before.version

    @property
    def passive_models(self) -> tuple[int, int]:
        """(present, known) passive attack models: "1 of 2"."""
        return self._passive.present

    @property
    def passive_names(self) -> tuple[str, ...]:
        """Names of the present passive attack models, in the order of ``passive_scores``."""
        return self._passive.names

    def forget(self) -> None:
        """Begin another video: ``find`` follows no face from the last one."""
        self._landmarker.forget()

    def find(self, frame: Frame) -> list[Face]:
        """Faces of a frame of the running video, largest first."""
        return self._landmarker.find(frame)

    def find_still(self, pixels: Pixels) -> list[Face]:
        """Faces of a single picture, largest first."""
        return self._landmarker.find_still(pixels)

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """Unit-length embedding of the aligned face by the present model."""
        return self._embedder.embed(pixels, face)

    def embed_before(self, pixels: Pixels, face: Face) -> Embedding | None:
        """The same by the model of before, during a change of models; None without one."""
        return None if self._before is None else self._before.embed(pixels, face)

    def passive_live_score(self, pixels: Pixels, face: Face) -> float:
        """Mean probability 0..1 over the present passive models that this is no print or screen."""
        return self._passive.live_score(pixels, face)

    def passive_scores(self, pixels: Pixels, face: Face) -> tuple[float, ...]:
        """The same, one probability for each present model."""
        return self._passive.scores(pixels, face)


def open_models(
    data_dir: Path, embedders: Embedders = ONLY_DEFAULT, *, embed_threads: int = 2, passive_threads: int = 1
) -> LocalFaceModels:
    """The models of this data directory; use it as a context manager. Raises ModelError."""
    return LocalFaceModels(data_dir, embedders, embed_threads=embed_threads, passive_threads=passive_threads)


def kind_of(name: str) -> Kind:
    """The embedding model that the configuration calls so. Raises ModelError for an unknown name."""
    if name not in KINDS:
        raise ModelError(f"no embedder is called {name}", where="models", mend=f"known: {', '.join(KINDS)}")
    return KINDS[name]
