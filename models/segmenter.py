"""Cuts a person out of a photograph: only the simulated world needs it, so the weight is in the demo's group."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from kiosk.values import Floats, Pixels
from models.landmarks import quiet
from models.manifest import read_verified

WEIGHTS = "selfie_segmenter.tflite"


def person_matte(pixels: Pixels, data_dir: Path) -> Floats:
    """``(H, W) float32`` 0..1: how much of each pixel of ``(H, W, 3) uint8 RGB`` is person.

    MediaPipe's selfie segmenter (256×256 inside). Raises ModelError where
    the weight is missing.
    """
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_buffer=read_verified(WEIGHTS, data_dir)),
        output_confidence_masks=True,
        output_category_mask=False,
    )
    with quiet(), vision.ImageSegmenter.create_from_options(options) as segmenter:
        answer = segmenter.segment(mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(pixels)))
        mask = np.array(answer.confidence_masks[-1].numpy_view(), dtype=np.float32).squeeze()
    height, width = pixels.shape[:2]
    if mask.shape != (height, width):
        mask = np.asarray(cv2.resize(mask, (width, height)), dtype=np.float32)
    return np.clip(mask, 0.0, 1.0)
