"""Passive attack models: does this look like a print or a screen rather than a face?

One vote among the liveness gates, never the only one: each model errs somewhere (close prints filmed by phone pass the
pinned one, backlit small faces fail it). Two models are known: ``fr_liveness`` (always there) and the pair
of MiniFASNets (optional group), which count as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kiosk.errors import ModelError
from kiosk.values import Box, Face, Pixels
from models.manifest import is_present, item, read_verified
from models.session import OnnxSession


@dataclass(frozen=True, slots=True)
class Contract:
    """How one file wants its picture, and which class means live."""

    weights: str
    crop_scale: float
    side_px: int
    live_class: int


PINNED: tuple[Contract, ...] = (Contract("fr_liveness.onnx", 2.7, 128, 0),)
EXTRA: tuple[Contract, ...] = (
    Contract("MiniFASNetV2.onnx", 2.7, 80, 1),
    Contract("MiniFASNetV1SE.onnx", 4.0, 80, 1),
)
NAMES = ("fr_liveness", "minifasnet")
KNOWN = len(NAMES)
"""Models known: the pinned one, and the MiniFASNet pair."""


def crop_square(pixels: Pixels, box: Box, scale: float) -> Pixels:
    """The box enlarged ``scale`` times about its centre, cut at the picture's edge: ``(h, w, 3)``, not empty.

    Raises ModelError when the box lies outside the picture.
    """
    height, width = pixels.shape[:2]
    x, y = box.centre_px
    half_w, half_h = box.width_px * scale / 2, box.height_px * scale / 2
    left, right = int(max(0.0, x - half_w)), int(min(float(width), x + half_w))
    top, bottom = int(max(0.0, y - half_h)), int(min(float(height), y + half_h))
    if right - left < 2 or bottom - top < 2:
        raise ModelError("the face lies outside the picture", where="passive")
    return pixels[top:bottom, left:right]


class _Voter:
    """One file with its contract."""

    def __init__(self, contract: Contract, data_dir: Path, threads: int) -> None:
        self._contract = contract
        self._session = OnnxSession(read_verified(contract.weights, data_dir), name=contract.weights, threads=threads)

    def live(self, pixels: Pixels, box: Box) -> float:
        """Probability 0..1 of the live class."""
        import cv2

        side = self._contract.side_px
        crop = crop_square(pixels, box, self._contract.crop_scale)
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR)
        batch = np.ascontiguousarray(small[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32)
        scores = self._session.run(batch)[0].astype(np.float64)
        shares = np.exp(scores - scores.max())
        return float(shares[self._contract.live_class] / shares.sum())


class PassiveModels:
    """The present passive models. The extra pair is used only when both files are there.

    Raises ModelError where the pinned weights are missing, or any present file is changed or refused.
    """

    def __init__(self, data_dir: Path, *, threads: int = 1) -> None:
        groups = [PINNED]
        if all(is_present(item(one.weights), data_dir) for one in EXTRA):
            groups.append(EXTRA)
        self._models = [[_Voter(one, data_dir, threads) for one in group] for group in groups]

    @property
    def present(self) -> tuple[int, int]:
        """(present, known): "1 of 2"."""
        return len(self._models), KNOWN

    @property
    def names(self) -> tuple[str, ...]:
        """The present models, in the order of ``scores``."""
        return NAMES[: len(self._models)]

    def scores(self, pixels: Pixels, face: Face) -> tuple[float, ...]:
        """One probability 0..1 a present model (the pair counts as one: its mean)."""
        return tuple(float(np.mean([one.live(pixels, face.box) for one in model])) for model in self._models)

    def live_score(self, pixels: Pixels, face: Face) -> float:
        """Mean of ``scores``: probability 0..1 that this is no print or screen."""
        return float(np.mean(self.scores(pixels, face)))
