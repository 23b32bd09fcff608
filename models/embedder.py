"""Identity embeddings of the aligned face, by one of several models.

Contract (measured, see ``models/manifest.toml``): similarity transform of five points (iris centres 468 and 473, nose
4, mouth corners 61 and 291) to the ArcFace 112x112 template, the same for all; channel order and scaling by ``Kind``;
output L2-normalised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kiosk.errors import ModelError
from kiosk.values import Embedding, Face, Floats, Pixels
from models.manifest import read_verified
from models.session import OnnxSession


@dataclass(frozen=True, slots=True)
class Kind:
    """One model that embeds faces: its weights, and what it wants to see."""

    weights: str
    """As the manifest calls them."""
    version: str
    """Carried by every embedding. Changes whenever the weights, the alignment or the input contract change."""
    length: int
    """Numbers of an embedding."""
    bgr: bool = False
    """Channel order of the input; else RGB."""
    middle: float = 0.0
    """Taken from every channel value 0..255."""
    divisor: float = 1.0
    """Of what is left."""


DEFAULT = "sface"
KINDS: Mapping[str, Kind] = {
    "sface": Kind("face_recognition_sface_2021dec_int8bq.folded.onnx", "sface-2021dec-int8bq+folded1", 128),
    "fr_feature": Kind("fr_feature.onnx", "faceplugin-fr-feature-0.0.1", 512, bgr=True, middle=127.5, divisor=128.0),
}
"""By the names of ``[identity] embedder``."""
LENGTHS: Mapping[str, int] = {kind.version: kind.length for kind in KINDS.values()}
"""Numbers of an embedding by its version."""
VERSION = KINDS[DEFAULT].version
"""Of the default model."""

SIDE_PX = 112
POINTS = (468, 473, 4, 61, 291)
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
"""ArcFace's five points in the 112x112 picture: the eyes (image left first), the nose, the mouth corners."""


def align(pixels: Pixels, landmarks: Floats) -> Pixels:
    """``(112, 112, 3) uint8 RGB``: the face brought onto the template by a least-squares similarity transform."""
    import cv2

    matrix = similarity_transform(landmarks[list(POINTS), :2].astype(np.float64), TEMPLATE)
    aligned = cv2.warpAffine(pixels, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(aligned, dtype=np.uint8)


def similarity_transform(
    source: np.ndarray[tuple[int, int], np.dtype[np.float64]], target: np.ndarray[tuple[int, int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """``(2, 3)`` rotation, scale and shift that takes ``(N, 2)`` source points closest to the target (Umeyama 1991).

    Raises ModelError when the source points coincide.
    """
    from_centre, to_centre = source.mean(axis=0), target.mean(axis=0)
    a, b = source - from_centre, target - to_centre
    spread = float((a * a).sum())
    if not np.isfinite(spread) or spread < 1e-9:
        raise ModelError("the face's five points coincide", where="align")
    # In the plane without reflection the solution is a complex number: scale * e^(i angle).
    real = float((a * b).sum()) / spread
    imaginary = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    linear = np.array([[real, -imaginary], [imaginary, real]])
    return np.column_stack([linear, to_centre - linear @ from_centre])


class Embedder:
    """Embeds aligned faces. Raises ModelError where the weights are missing, changed or refused."""

    def __init__(self, data_dir: Path, kind: Kind = KINDS[DEFAULT], *, threads: int = 2) -> None:
        self._kind = kind
        self._session = OnnxSession(read_verified(kind.weights, data_dir), name=kind.weights, threads=threads)

    @property
    def version(self) -> str:
        """Carried by every embedding."""
        return self._kind.version

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """``Kind.length`` numbers of unit length. ``pixels`` is the picture that the face was found in."""
        kind = self._kind
        aligned = align(pixels, face.landmarks)
        planes = (aligned[:, :, ::-1] if kind.bgr else aligned).transpose(2, 0, 1)[None]
        batch = (np.ascontiguousarray(planes, dtype=np.float32) - np.float32(kind.middle)) / np.float32(kind.divisor)
        vector = self._session.run(batch)[0]
        length = float(np.linalg.norm(vector))
        if vector.shape != (kind.length,) or not np.isfinite(length) or length < 1e-6:
            raise ModelError("the embedding is not a usable vector", where=kind.weights)
        return Embedding(vector / np.float32(length), kind.version)
