"""Pictures of painted faces, and models that see exactly what is painted: for tests of what is done with faces.

A face is a rectangle of one colour ``(person, quality, 200)``: red says who it is, green how good (the measures follow
it). Nothing else in the picture has 200 of blue. A part of the picture shows what of it lies inside.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from kiosk.values import Box, Embedding, Face, Frame, Pixels, Pose
from kiosk.visit.quality import FaceMeasures
from tests.support.facekit import VERSION, plain_face, someone

BLUE = 200
GOOD = 250
"""Quality of a face with which nothing is wrong."""
OTHER_MODEL = 5000
"""Added to persons, to embed them by another model."""
DARK, BLURRED, TURNED, HIDDEN = 10, 20, 30, 40
"""Qualities of faces with one fault each."""


def painting(
    *faces: tuple[int, tuple[int, int, int]] | tuple[int, tuple[int, int, int], int],
    size: tuple[int, int] = (320, 400),
    form: str = "PNG",
) -> bytes:
    """A picture file of ``size`` (rows, columns): each face (person, (left, top, width), quality)."""
    pixels = np.full((*size, 3), 90, np.uint8)
    for person, (left, top, width), *quality in faces:
        pixels[top : top + round(1.3 * width), left : left + width] = (person, quality[0] if quality else GOOD, BLUE)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


class PaintedModels:
    """``FaceModels`` for such pictures."""

    passive_models = (1, 1)

    def __init__(self, version: str = VERSION, before: str | None = None) -> None:
        """Of this embedding version; ``before``: while people move to it from that one."""
        self.embedding_version = version
        self.version_before = before

    def __enter__(self) -> PaintedModels:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def close(self) -> None:
        """Nothing to release."""

    def find(self, frame: Frame) -> list[Face]:
        """As in a still."""
        return self.find_still(frame.pixels)

    def find_still(self, pixels: Pixels) -> list[Face]:
        """One face for each colour, the largest first."""
        marked = pixels[..., 2] == BLUE
        found = []
        colours = np.bincount(pixels[marked][:, 0].astype(np.intp) * 256 + pixels[marked][:, 1]).nonzero()[0]
        for person, quality in (divmod(int(colour), 256) for colour in colours):
            rows, columns = np.nonzero(marked & (pixels[..., 0] == person) & (pixels[..., 1] == quality))
            left, top = float(columns.min()), float(rows.min())
            width, height = float(np.ptp(columns)) + 1.0, float(np.ptp(rows)) + 1.0
            plain = plain_face(left, top, width, yaw=70.0 if quality == TURNED else 0.0)
            found.append(replace(plain, box=Box(left, top, width, height)))
        return sorted(found, key=lambda face: -face.box.area_px)

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """Of the person; a little different from picture to picture."""
        return self._embedded(pixels, face, self.embedding_version)

    def embed_before(self, pixels: Pixels, face: Face) -> Embedding | None:
        """The same by the version of before."""
        return None if self.version_before is None else self._embedded(pixels, face, self.version_before)

    def _embedded(self, pixels: Pixels, face: Face, version: str) -> Embedding:
        """Two versions have nothing in common."""
        person, quality, _ = self._colour(pixels, face)
        return someone(person + OTHER_MODEL * (version != VERSION), noise=0.1, shot=quality, version=version)

    def passive_live_score(self, pixels: Pixels, face: Face) -> float:  # noqa: ARG002 - the port's signature
        """Never asked here."""
        return 1.0

    @staticmethod
    def _colour(pixels: Pixels, face: Face) -> tuple[int, int, int]:
        x, y = face.box.centre_px
        red, green, blue = pixels[int(y), int(x)].tolist()
        return red, green, blue


def measure(pixels: Pixels, face: Face, *, faces: int) -> FaceMeasures:
    """What the colour says."""
    quality = PaintedModels._colour(pixels, face)[1]
    return FaceMeasures(
        faces=faces,
        inside_ratio=1.0,
        face_px=min(face.box.width_px, face.box.height_px),
        eye_distance_px=face.eye_distance_px,
        pose=Pose(face.pose.yaw_deg, 0.0, 0.0),
        blink=0.1,
        brightness=1.0 if quality == DARK else 50.0,
        dark_ratio=0.0,
        clipped_ratio=0.0,
        sharpness=1.0 if quality == BLURRED else 60.0,
        sunglasses=0.0,
        covered=0.95 if quality == HIDDEN else 0.0,
    )


def people(*persons: int, width: int = 90) -> Sequence[tuple[int, tuple[int, int, int]]]:
    """Persons side by side, the first one the largest."""
    return [(person, (10 + at * 100, 60, width - 5 * at)) for at, person in enumerate(persons)]
