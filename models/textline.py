"""Reads one line of text: PaddleOCR's PP-OCRv4 recogniser, heard only on the characters of machine-readable zones.

The model was trained on Chinese and English text of any kind and names one of 6,624 characters, or none, for each
8 pixels of the line. Only the probabilities of the zone's 37 characters are kept; its lower-case letters and the many
angle brackets of its alphabet are counted as what they look like.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kiosk.errors import ModelError
from kiosk.values import Floats, Pixels
from models.manifest import read_verified
from models.session import OnnxSession

WEIGHTS = "ch_PP-OCRv4_rec_infer.onnx"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
HEIGHT_PX = 48
STEP_PX = 8
"""Width of the line that one row of the scores stands for."""
WIDEST_PX = 4096
_BRACKETS = "\uff1c\u3008\u300a\u00ab\u2039\u304f"  # full-width, angle, double angle, two guillemets, a kana
_ALSO = {"<": _BRACKETS} | {letter: letter.lower() for letter in "CKOSUVWXZPM"}
"""Look-alikes that are no other character of the zone's alphabet."""


class TextLineModel:
    """The recogniser. Raises ModelError where the weights are missing, changed or refused by the runtime."""

    def __init__(self, data_dir: Path, *, threads: int = 2) -> None:
        self._session = OnnxSession(read_verified(WEIGHTS, data_dir), name=WEIGHTS, threads=threads)
        characters = self._session.note("character").splitlines()
        if not set(ALPHABET) <= set(characters):
            raise ModelError("the model names no characters", where=WEIGHTS)
        classes = {character: number + 1 for number, character in enumerate(characters)}  # 0 stands for none
        self._classes = [
            [classes[one] for one in (letter, *_ALSO.get(letter, "")) if one in classes] for letter in ALPHABET
        ]

    def scores(self, line: Pixels) -> Floats:
        """``(steps, 37) float32``: how likely each character of ``ALPHABET`` stands at each step of the line.

        ``line`` is ``(HEIGHT_PX, W, 3) uint8 RGB``, W at most ``WIDEST_PX``. Raises ModelError.
        """
        if line.ndim != 3 or line.shape[0] != HEIGHT_PX or not STEP_PX <= line.shape[1] <= WIDEST_PX:
            raise ModelError(f"a line of {line.shape} cannot be read", where=WEIGHTS)
        batch = line[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / np.float32(127.5) - np.float32(1.0)
        output = self._session.run(np.ascontiguousarray(batch))[0]
        return np.stack([output[:, numbers].sum(axis=1) for numbers in self._classes], axis=1)
