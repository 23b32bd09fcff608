"""Faces and embeddings without weights, and the weights where they are: shared by the tests of models and identity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kiosk.config.paths import data_dir
from kiosk.ports import FaceModels
from kiosk.values import Box, Embedding, Face, Pixels, Pose
from models import manifest

VERSION = "test-model+1"


def unit(vector: np.ndarray, version: str = VERSION) -> Embedding:
    """The vector at unit length."""
    return Embedding((vector / np.linalg.norm(vector)).astype(np.float32), version)


def someone(seed: int, *, noise: float = 0.0, shot: int = 0, version: str = VERSION) -> Embedding:
    """The embedding of person ``seed``; with ``noise`` a further picture of them."""
    base = np.random.default_rng(seed).standard_normal(64)
    return unit(base + noise * np.random.default_rng([seed, shot + 1]).standard_normal(64), version)


def plain_face(
    left: float = 100.0, top: float = 100.0, width: float = 120.0, *, yaw: float = 0.0, pitch: float = 0.0
) -> Face:
    """A face whose landmarks fill a box as a mesh does (rows of points), with open eyes."""
    height = width * 1.3
    x, y = np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 24))
    points = np.column_stack([x.ravel()[:478], y.ravel()[:478], np.zeros(478)])
    points[[468, 473]] = [[0.28, 0.35, 0], [0.72, 0.35, 0]]
    points[[0, 477]] = [[0, 0, 0], [1, 1, 0]]
    landmarks = (points * (width, height, width) + (left, top, 0)).astype(np.float32)
    blinks = {"eyeBlinkLeft": 0.1, "eyeBlinkRight": 0.05}
    box = Box(left, top - 0.15 * height, width, 1.15 * height)
    return Face(box, landmarks, blinks, Pose(yaw, pitch, 0.0))


def swapped_cosine(models: FaceModels, pixels: Pixels, face: Face) -> float:
    """Cosine of a face and itself with red and blue swapped: near 1 where the channel order goes unnoticed."""
    swapped = models.embed(np.ascontiguousarray(pixels[:, :, ::-1]), face)
    return float(models.embed(pixels, face).vector @ swapped.vector)


def weights(*groups: str) -> Path:
    """The data directory that holds these groups; skips the test where it does not."""
    data = data_dir()
    absent = manifest.missing(data, groups or ("core",))
    if absent:
        pytest.skip(f"needs {absent[0].name} in {data}: kiosk models fetch")
    return data
