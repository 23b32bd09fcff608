"""One probe out of several frames: the normalised mean of their embeddings.

Averaging three to five good frames removes what is chance in each of them (blink, motion, noise) and keeps the face.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kiosk.errors import MatchError
from kiosk.values import Box, Embedding, Pixels

AROUND = 0.5
"""Added on every side of a crop, in shares of the face box: face finders want to see where a head ends."""


def mean_embedding(embeddings: Sequence[Embedding]) -> Embedding:
    """Unit-length mean, of the embeddings by the model of before too.

    Raises MatchError for no embedding, mixed model versions, or vectors that cancel out or are not finite.
    """
    if not embeddings:
        raise MatchError("no usable frame for the match")
    older = [one.before for one in embeddings if one.before is not None]
    if older and len(older) < len(embeddings):
        raise MatchError("only some frames were embedded by the model of before")
    before = mean_embedding(older) if older else None
    versions = {one.model_version for one in embeddings}
    if len(versions) != 1:
        raise MatchError(f"embeddings of different models: {', '.join(sorted(versions))}")
    mean = np.mean([one.vector for one in embeddings], axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if not np.isfinite(length) or length < 1e-6:
        raise MatchError("the embeddings of the frames have no usable mean")
    return Embedding(np.asarray(mean / length, dtype=np.float32), embeddings[0].model_version, before)


def face_crop(pixels: Pixels, box: Box) -> Pixels:
    """The face with ``AROUND`` it, as far as the picture goes; a copy, nothing else of the picture stays alive."""
    height, width = pixels.shape[:2]
    wide, high = AROUND * box.width_px, AROUND * box.height_px
    left, top = max(0, int(box.left_px - wide)), max(0, int(box.top_px - high))
    right, bottom = min(width, int(box.right_px + wide) + 1), min(height, int(box.bottom_px + high) + 1)
    return pixels[top:bottom, left:right].copy()
