"""Who or what stands before the kiosk: a live head and the things that pretend to be one.

All are reliefs of the same portrait, so that they differ in physics only: a head has its own shape and gloss, prints
are matte sheets with an edge, a replay shines by itself, a mask has the shape but not the skin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from hardware.sim.path import Path, Stand
from hardware.sim.portrait import Portrait
from hardware.sim.relief import SURFACE_STEP, Relief, pyramid
from kiosk.values import Floats, Pixels

PAPER_ALBEDO = 0.86
INK_ALBEDO = 0.035
BORDER_MM = 8.0


class _Standing:
    """An actor that follows a path."""

    def __init__(self, path: Path | None) -> None:
        self.path = path if path is not None else Path.standing()

    def stand(self, t_s: float) -> Stand | None:
        """Where it is at story time ``t_s``."""
        return self.path.at(t_s)


class Nobody:
    """An empty place."""

    def stand(self, t_s: float) -> Stand | None:  # noqa: ARG002 - the port's signature
        """Never to be seen."""
        return None

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - the port's signature
        """Nothing is ever filmed of nobody."""
        raise LookupError("nobody has no surface")


class LiveHead(_Standing):
    """A person: the portrait on its own mesh, with skin gloss, catch-lights and (if the path has any) blinks."""

    def __init__(self, portrait: Portrait, path: Path | None = None) -> None:
        super().__init__(path)
        self._relief = portrait.relief

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - a head does not change
        """The relit portrait."""
        return self._relief


class Mask(_Standing):
    """A good 3-D mask: the person's shape, paint instead of skin, more gloss, no blinks. Not expected to be caught."""

    def __init__(self, portrait: Portrait, path: Path | None = None) -> None:
        super().__init__(path)
        head = portrait.relief
        surface = head.surface.copy()
        surface[..., 3] = np.minimum(surface[..., 3] * 2.0, 2.0)
        paint = tuple(level * np.array([0.95, 0.9, 0.85, 1.0], np.float32) for level in head.levels)
        self._relief = replace(head, levels=paint, surface=surface, eyes_mm=(), closed=())

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - a mask does not change
        """The painted head."""
        return self._relief


class FlatPrint(_Standing):
    """A matte life-size print of the photograph on a flat sheet, held where the face would be."""

    def __init__(
        self,
        portrait: Portrait,
        path: Path | None = None,
        *,
        size_mm: tuple[float, float] = (210.0, 297.0),
        gloss: float = 0.0,
    ) -> None:
        super().__init__(path)
        picture, origin = portrait.crop(size_mm)
        self._relief = _sheet(_printed(picture, portrait.px_per_mm), portrait.px_per_mm, origin, gloss=gloss)

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - paper does not change
        """The sheet."""
        return self._relief


class BentPrint(_Standing):
    """A print bent about a vertical axis with ``radius_mm``, its middle nearest to the camera."""

    def __init__(
        self,
        portrait: Portrait,
        path: Path | None = None,
        *,
        radius_mm: float = 100.0,
        size_mm: tuple[float, float] = (210.0, 297.0),
    ) -> None:
        super().__init__(path)
        picture, origin = portrait.crop(size_mm)
        flat = _printed(picture, portrait.px_per_mm)
        self._relief = _bent(flat, portrait.px_per_mm, origin, radius_mm)

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - paper does not change
        """The bent sheet."""
        return self._relief


class ScreenReplay(_Standing):
    """The photograph (or a clip of equally large pictures) on a tablet that shines by itself."""

    def __init__(
        self,
        portrait: Portrait,
        path: Path | None = None,
        *,
        clip: Sequence[Pixels] = (),
        clip_fps: float = 30.0,
        luminance_cd_m2: float = 300.0,
        diffuse: float = 0.01,
        mirror: float = 0.004,
        size_mm: tuple[float, float] = (180.0, 250.0),
    ) -> None:
        super().__init__(path)
        pictures = [portrait.crop(size_mm)[0]] if not clip else [portrait.crop_of(p, size_mm) for p in clip]
        _, origin = portrait.crop(size_mm)
        self._clip_fps = clip_fps
        self._reliefs = [
            replace(
                _sheet(_bezel(picture, portrait.px_per_mm), portrait.px_per_mm, origin),
                emission_cd_m2=luminance_cd_m2,
                diffuse=diffuse,
                mirror=mirror,
            )
            for picture in pictures
        ]

    def relief(self, t_s: float) -> Relief:
        """The tablet with the picture of the moment."""
        return self._reliefs[int(max(t_s, 0.0) * self._clip_fps) % len(self._reliefs)]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A bare relief for measurements: an actor without a portrait."""

    surface: Relief
    path: Path

    def stand(self, t_s: float) -> Stand | None:
        """Where it is at story time ``t_s``."""
        return self.path.at(t_s)

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - it does not change
        """The relief it was given."""
        return self.surface


def grey_card(albedo: float = 0.18, size_mm: tuple[float, float] = (200.0, 200.0)) -> Relief:
    """A flat matte card of one reflectance."""
    px_per_mm = 1.0
    width, height = round(size_mm[0]), round(size_mm[1])
    return _sheet(np.full((height, width, 3), albedo, np.float32), px_per_mm, (width / 2, height / 2))


def _printed(picture: Floats, px_per_mm: float) -> Floats:
    """Reflectance of a print: the picture's light squeezed between ink and paper, a white border around it."""
    print_ = INK_ALBEDO + (PAPER_ALBEDO - INK_ALBEDO) * np.clip(picture, 0.0, 1.0)
    border = max(1, round(BORDER_MM * px_per_mm))
    for side in (print_[:border], print_[-border:], print_[:, :border], print_[:, -border:]):
        side[:] = PAPER_ALBEDO
    return np.asarray(print_, np.float32)


def _bezel(picture: Floats, px_per_mm: float) -> Floats:
    """The picture in a dark frame that does not shine."""
    frame = np.array(picture, np.float32)
    edge = max(1, round(9.0 * px_per_mm))
    for side in (frame[:edge], frame[-edge:], frame[:, :edge], frame[:, -edge:]):
        side[:] = 0.001
    return frame


def _opaque(picture: Floats) -> Floats:
    """RGBA with two transparent pixels around it, so that the edge is smooth."""
    height, width = picture.shape[:2]
    texture = np.zeros((height, width, 4), np.float32)
    texture[2:-2, 2:-2, :3] = picture[2:-2, 2:-2]
    texture[2:-2, 2:-2, 3] = 1.0
    return texture


def _sheet(picture: Floats, px_per_mm: float, origin: tuple[float, float], gloss: float = 0.0) -> Relief:
    """A plane; ``gloss`` is its mirrored share."""
    texture = _opaque(picture)
    rows, columns = texture.shape[0] // SURFACE_STEP, texture.shape[1] // SURFACE_STEP
    return Relief(pyramid(texture), np.zeros((rows, columns, 4), np.float32), px_per_mm, origin, mirror=gloss)


def _bent(picture: Floats, px_per_mm: float, origin: tuple[float, float], radius_mm: float) -> Relief:
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
    flat = cv2.remap(_opaque(picture), np.ascontiguousarray(u), np.ascontiguousarray(v), cv2.INTER_LINEAR)
    edge = np.clip((reach - np.abs(x_mm)) * px_per_mm + 0.5, 0.0, 1.0).astype(np.float32)
    warped = np.asarray(flat * edge[None, :, None], np.float32)
    coarse = (np.arange(width // SURFACE_STEP, dtype=np.float32) + 0.5) * SURFACE_STEP
    slope = np.clip((coarse - width / 2) / px_per_mm / radius_mm, -0.95, 0.95)
    surface = np.zeros((height // SURFACE_STEP, len(coarse), 4), np.float32)
    surface[..., 0] = radius_mm * (np.sqrt(1.0 - slope * slope) - 1.0)
    surface[..., 1] = slope
    return Relief(pyramid(warped), surface, px_per_mm, origin)
