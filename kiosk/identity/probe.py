"""One probe out of several frames: the normalised mean of their embeddings.

Averaging three to five good frames removes what is chance in each of them (blink, motion, noise) and keeps the face.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kiosk.errors import MatchError
from kiosk.values import Embedding


def mean_embedding(embeddings: Sequence[Embedding]) -> Embedding:
    """Unit-length mean.

    Raises MatchError for no embedding, mixed model versions, or vectors that cancel out or are not finite.
    """
    if not embeddings:
        raise MatchError("no usable frame for the match")
    versions = {one.model_version for one in embeddings}
    if len(versions) != 1:
        raise MatchError(f"embeddings of different models: {', '.join(sorted(versions))}")
    mean = np.mean([one.vector for one in embeddings], axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if not np.isfinite(length) or length < 1e-6:
        raise MatchError("the embeddings of the frames have no usable mean")
    return Embedding(np.asarray(mean / length, dtype=np.float32), embeddings[0].model_version)
