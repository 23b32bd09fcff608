"""A print of somebody's face worn as a mask: paper bent round the wearer's head, with holes for living eyes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.sim.actors import Standing
from hardware.sim.path import Path
from hardware.sim.portrait import Portrait
from hardware.sim.relief import Relief, pyramid
from hardware.sim.shape import EYES, OVAL
from hardware.sim.sheets import INK_ALBEDO, PAPER_ALBEDO
from kiosk.values import Floats

MARGIN_MM = 12.0
"""Paper left around the face's oval."""
HOLE_MM = 3.0
"""How much wider than the printed eye each hole is cut."""
LIFT_MM = 18.0
"""The sheet's middle rests on nose and brows, so far before the eyes."""
EDGE_MM = 2.0


class EyeholePrint(Standing):
    """``imitated``'s face printed life-size, cut out and worn by ``wearer``, whose own eyes look out and blink."""

    def __init__(
        self, imitated: Portrait, wearer: Portrait, path: Path | None = None, *, radius_mm: float = 95.0
    ) -> None:
        super().__init__(path)
        self._relief = _worn(imitated, wearer, radius_mm)

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - paper does not change
        """The wearer with the sheet before the face."""
        return self._relief


def _worn(imitated: Portrait, wearer: Portrait, radius_mm: float) -> Relief:
    head = wearer.relief
    scale, origin = head.px_per_mm, head.origin_px
    picture = _bent_picture(imitated, wearer, radius_mm)
    marks = imitated.landmarks_mm.copy()
    angle = np.clip(marks[:, 0] / radius_mm, -1.25, 1.25)
    marks[:, 0] = radius_mm * np.sin(angle)
    marks[:, 2] = LIFT_MM + radius_mm * (np.cos(angle) - 1.0)
    cut = _cut(marks, picture.shape[:2], scale, origin)
    levels, closed = (
        pyramid(np.dstack([_over(picture, texture[..., :3], cut, scale), np.maximum(texture[..., 3], cut)]))
        for texture in (head.levels[0], head.closed[0])
    )
    rows, columns = head.surface.shape[:2]
    share = cv2.GaussianBlur(cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA), (0, 0), 0.7)[..., None]
    x_mm = ((np.arange(columns) + 0.5) * head.surface_px - origin[0]) / scale
    slope = np.clip(x_mm / radius_mm, -0.95, 0.95).astype(np.float32)
    sheet = np.zeros_like(head.surface)
    sheet[..., 0] = LIFT_MM + radius_mm * (np.sqrt(1.0 - slope * slope) - 1.0)
    sheet[..., 1] = slope
    surface = np.asarray(head.surface * (1.0 - share) + sheet * share, np.float32)
    return replace(
        head,
        levels=levels,
        closed=closed,
        surface=np.ascontiguousarray(surface),
        landmarks_mm=marks,
        imagined_mm=imitated.landmarks_mm[:, 2].copy(),
    )


def _bent_picture(imitated: Portrait, wearer: Portrait, radius_mm: float) -> Floats:
    """Reflectance (h, w, 3) of the print in the wearer's texture: printed points move inwards as the sheet bends."""
    head = wearer.relief
    height, width = head.levels[0].shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x_mm = (x + 0.5 - head.origin_px[0]) / head.px_per_mm
    arc_mm = radius_mm * np.arcsin(np.clip(x_mm / radius_mm, -0.97, 0.97))
    y_mm = (y + 0.5 - head.origin_px[1]) / head.px_per_mm
    u = arc_mm * imitated.px_per_mm + imitated.origin_px[0] - 0.5
    v = y_mm * imitated.px_per_mm + imitated.origin_px[1] - 0.5
    moved = cv2.remap(imitated.linear, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(INK_ALBEDO + (PAPER_ALBEDO - INK_ALBEDO) * np.clip(moved, 0.0, 1.0), np.float32)


def _cut(marks_mm: Floats, shape: tuple[int, ...], scale: float, origin: tuple[float, float]) -> Floats:
    """1 where there is paper: the face's oval and a margin, without the eyes."""
    mask: NDArray[np.uint8] = np.zeros(shape, np.uint8)
    spots = np.round(marks_mm[:, :2] * scale + np.array(origin)).astype(np.int32)

    def grown(mark: NDArray[np.uint8], by_mm: float) -> NDArray[np.uint8]:
        size = 2 * round(by_mm * scale) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        return np.asarray(cv2.dilate(mark, disc), np.uint8)

    cv2.fillPoly(mask, [spots[list(OVAL)]], 1)
    mask = grown(mask, MARGIN_MM)
    holes: NDArray[np.uint8] = np.zeros(shape, np.uint8)
    for eye in EYES:
        cv2.fillPoly(holes, [spots[list(eye)]], 1)
    mask[grown(holes, HOLE_MM) > 0] = 0
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0), np.float32)


def _over(paper: Floats, behind: Floats, cut: Floats, scale: float) -> Floats:
    """The paper, with a white rim where it was cut, over what is behind it (already times its alpha)."""
    width = 2 * round(EDGE_MM / 2 * scale) + 1
    inner = cv2.erode(cut, np.ones((width, width), np.uint8))
    rim = np.clip(cut - inner, 0.0, 1.0)[..., None]
    printed = paper * (1.0 - rim) + PAPER_ALBEDO * rim
    return np.asarray(printed * cut[..., None] + behind * (1.0 - cut[..., None]), np.float32)
