"""Flat and bent things with a picture on them: paper and screens as reliefs.

A landmarker that looks at a picture of a face imagines the face's depth: every sheet carries the landmarks where
they lie on it and, apart, the heights of the head that was photographed.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from hardware.sim.relief import SURFACE_STEP, Relief, pyramid
from kiosk.values import Floats

PAPER_ALBEDO = 0.86
INK_ALBEDO = 0.035
BORDER_MM = 8.0


def printed(picture: Floats, px_per_mm: float) -> Floats:
    """Reflectance of a print: the picture's light squeezed between ink and paper, a white border around it."""
    print_ = INK_ALBEDO + (PAPER_ALBEDO - INK_ALBEDO) * np.clip(picture, 0.0, 1.0)
    border = max(1, round(BORDER_MM * px_per_mm))
    for side in (print_[:border], print_[-border:], print_[:, :border], print_[:, -border:]):
        side[:] = PAPER_ALBEDO
    return np.asarray(print_, np.float32)


def bezel(picture: Floats, px_per_mm: float, edge_mm: float = 9.0) -> Floats:
    """The picture in a dark frame that does not shine."""
    frame = np.array(picture, np.float32)
    edge = max(1, round(edge_mm * px_per_mm))
    for side in (frame[:edge], frame[-edge:], frame[:, :edge], frame[:, -edge:]):
        side[:] = 0.0
    return frame


def opaque(picture: Floats) -> Floats:
    """RGBA with two transparent pixels around it, so that the edge is smooth."""
    height, width = picture.shape[:2]
    texture = np.zeros((height, width, 4), np.float32)
    texture[2:-2, 2:-2, :3] = picture[2:-2, 2:-2]
    texture[2:-2, 2:-2, 3] = 1.0
    return texture


def sheet(
    picture: Floats,
    px_per_mm: float,
    origin: tuple[float, float],
    landmarks_mm: Floats | None = None,
    gloss: float = 0.0,
) -> Relief:
    """A plane with the picture of a head whose landmarks are given; ``gloss`` is its mirrored share."""
    texture = opaque(picture)
    rows, columns = texture.shape[0] // SURFACE_STEP, texture.shape[1] // SURFACE_STEP
    flat, imagined = on_surface(landmarks_mm, lambda x_mm: (x_mm, np.zeros_like(x_mm)))
    return Relief(
        pyramid(texture),
        np.zeros((rows, columns, 4), np.float32),
        px_per_mm,
        origin,
        mirror=gloss,
        landmarks_mm=flat,
        imagined_mm=imagined,
    )


def on_surface(
    landmarks_mm: Floats | None, lay: Callable[[Floats], tuple[Floats, Floats]]
) -> tuple[Floats | None, Floats | None]:
    """(points on the sheet, heights that a landmarker imagines). ``lay`` maps printed x to (x, h), all mm."""
    if landmarks_mm is None:
        return None, None
    placed = landmarks_mm.copy()
    placed[:, 0], placed[:, 2] = lay(landmarks_mm[:, 0])
    return placed, landmarks_mm[:, 2].copy()


def bent(
    picture: Floats,
    px_per_mm: float,
    origin: tuple[float, float],
    radius_mm: float,
    landmarks_mm: Floats | None = None,
) -> Relief:
    """A sheet on a cylinder: the picture as seen straight on, with its own depth and normals."""
    height, width = picture.shape[:2]
    # Never bent beyond 72 degrees to either side: farther round it is edge-on.
    reach = radius_mm * np.sin(min(width / px_per_mm / 2.0 / radius_mm, 1.25))
    columns = np.arange(width, dtype=np.float32) + 0.5
    x_mm = (columns - np.float32(width / 2)) / np.float32(px_per_mm)
    inside = np.clip(x_mm / np.float32(radius_mm), -0.999, 0.999)
    arc_mm = np.arcsin(inside) * radius_mm
    u = np.broadcast_to((arc_mm * px_per_mm + width / 2 - 0.5).astype(np.float32), (height, width))
    v = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], (height, width))
    flat = cv2.remap(opaque(picture), np.ascontiguousarray(u), np.ascontiguousarray(v), cv2.INTER_LINEAR)
    edge = np.clip((reach - np.abs(x_mm)) * px_per_mm + 0.5, 0.0, 1.0).astype(np.float32)
    warped = np.asarray(flat * edge[None, :, None], np.float32)
    coarse = (np.arange(width // SURFACE_STEP, dtype=np.float32) + 0.5) * SURFACE_STEP
    slope = np.clip((coarse - width / 2) / px_per_mm / radius_mm, -0.95, 0.95)
    surface = np.zeros((height // SURFACE_STEP, len(coarse), 4), np.float32)
    surface[..., 0] = radius_mm * (np.sqrt(1.0 - slope * slope) - 1.0)
    surface[..., 1] = slope
    middle_mm = (width / 2 - origin[0]) / px_per_mm

    def roll(printed_mm: Floats) -> tuple[Floats, Floats]:
        angle = np.clip((printed_mm - middle_mm) / radius_mm, -1.25, 1.25)
        x, h = middle_mm + radius_mm * np.sin(angle), radius_mm * (np.cos(angle) - 1.0)
        return x.astype(np.float32), h.astype(np.float32)

    laid, imagined = on_surface(landmarks_mm, roll)
    return Relief(pyramid(warped), surface, px_per_mm, origin, landmarks_mm=laid, imagined_mm=imagined)
