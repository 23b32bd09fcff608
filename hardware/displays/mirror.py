"""The mirror: the visitor's own picture with the oval, redrawn with every frame, so it must be fast.

Rules: the frame comes unmirrored and leaves mirrored; outside the oval it is washed with white, which shows where to
go and lights the face. Red or green is never the only sign: a face that does not fit sees thin dashes, one that
fits sees a thick unbroken line. The line has a white casing, so that it stands out from any picture.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.displays import palette
from hardware.displays.layout import Layout, Placement, place
from kiosk.errors import DisplayError
from kiosk.values import Oval, Pixels, Rgb, Scene, SceneKind

WASH: Final = 0.70
"""Share of white outside the oval."""
_USUAL_FRAME: Final = (640, 480)
_SHIFT: Final = 4
"""cv2 draws in 1/16 pixels."""
_DASHES: Final = 20


def ring_px(frame: Layout) -> int:
    """How far the lines around the oval reach beyond it."""
    return frame.stroke_px * 3


class Mirror:
    """Draws the view of one screen; keeps masks and buffers between frames."""

    def __init__(self, frame: Layout) -> None:
        """For the view of this layout."""
        self._layout = frame
        self._placed: tuple[Oval, tuple[int, int]] | None = None
        self._placement: Placement | None = None
        self._mask: NDArray[np.uint8] | None = None

    def placement(self, oval: Oval, frame_size_px: tuple[int, int] = _USUAL_FRAME) -> Placement:
        """Where a frame of this size and its oval lie on the screen."""
        key = (oval, frame_size_px)
        if self._placement is None or self._placed != key:
            self._placement = place(oval, frame_size_px, self._layout.view, ring_px(self._layout))
            target = self._placement.target
            mask = np.zeros((max(1, target.h), max(1, target.w)), np.uint8)
            centre = (self._placement.oval_centre[0] - target.x, self._placement.oval_centre[1] - target.y)
            _ellipse(mask, centre, self._placement.oval_axes, 0, 360, 255, -1)
            self._mask, self._placed = mask, key
        return self._placement

    def placed_for(self, oval: Oval, preview: Pixels | None) -> Placement:
        """As ``placement``, for the size of this frame (640 × 480 where there is none)."""
        return self.placement(oval, _USUAL_FRAME if preview is None else (preview.shape[1], preview.shape[0]))

    def draw(self, canvas: Pixels, scene: Scene, preview: Pixels | None) -> None:
        """Paint the whole view into ``canvas`` ((H, W, 3) uint8 RGB). Raises DisplayError for another shape."""
        if preview is not None and (preview.ndim != 3 or preview.shape[2] != 3 or preview.dtype != np.uint8):
            raise DisplayError(
                f"a preview of shape {preview.shape} {preview.dtype} is not (H, W, 3) uint8", where="display"
            )
        placed = self.placed_for(scene.oval, preview)
        target, view = placed.target, self._layout.view
        if preview is None or (target.w, target.h) != (view.w, view.h):
            canvas[view.y : view.y + view.h, view.x : view.x + view.w] = palette.PAPER
        source = placed.source
        if preview is not None and min(target.w, target.h, source.w, source.h) > 0:
            part = preview[source.y : source.y + source.h, source.x : source.x + source.w]
            picture = cv2.flip(cv2.resize(part, (target.w, target.h), interpolation=cv2.INTER_LINEAR), 1)
            washed = cv2.convertScaleAbs(picture, alpha=1 - WASH, beta=WASH * 248)
            assert self._mask is not None  # noqa: S101 - placement() has just made it
            cv2.copyTo(picture, self._mask, washed)
            canvas[target.y : target.y + target.h, target.x : target.x + target.w] = washed
        self.outline(canvas, placed, scene)

    def outline(self, canvas: Pixels, placed: Placement, scene: Scene) -> None:
        """The oval's line and the progress ring."""
        stroke = self._layout.stroke_px
        centre, axes = placed.oval_centre, placed.oval_axes
        thin = max(2, stroke // 4)
        if scene.kind is SceneKind.DECIDING:
            _ellipse(canvas, centre, _grown(axes, stroke / 2), 0, 360, palette.WHITE, stroke + 2 * thin)
            _ellipse(canvas, centre, _grown(axes, stroke / 2), 0, 360, palette.BLUE, stroke)
        elif scene.fits:
            _ellipse(canvas, centre, _grown(axes, stroke / 2), 0, 360, palette.WHITE, stroke + 2 * thin)
            _ellipse(canvas, centre, _grown(axes, stroke / 2), 0, 360, palette.GREEN, stroke)
        else:
            width = max(3, round(stroke * 0.7))
            _ellipse(canvas, centre, _grown(axes, stroke / 2), 0, 360, palette.WHITE, width + 2 * thin)
            step = 360 / _DASHES
            for dash in range(_DASHES):
                start = dash * step
                _ellipse(canvas, centre, _grown(axes, stroke / 2), start, start + step * 0.6, palette.RED, width)
        if scene.progress > 0 or scene.fits:
            ring = _grown(axes, stroke * 2)
            width = max(3, round(stroke * 0.8))
            _ellipse(canvas, centre, ring, 0, 360, palette.WHITE, width + 2 * thin)
            _ellipse(canvas, centre, ring, 0, 360, palette.TRACK, width)
            if scene.progress > 0:
                sweep = 360 * min(1.0, scene.progress)
                colour = palette.BLUE if scene.kind is SceneKind.DECIDING else palette.GREEN
                _ellipse(canvas, centre, ring, -90, -90 + sweep, colour, width)


def _grown(axes: tuple[float, float], by: float) -> tuple[float, float]:
    return axes[0] + by, axes[1] + by


def _ellipse(
    canvas: NDArray[np.uint8],
    centre: tuple[float, float],
    axes: tuple[float, float],
    start_deg: float,
    end_deg: float,
    colour: Rgb | int,
    thickness: int,
) -> None:
    """cv2.ellipse, anti-aliased, with sixteenths of a pixel."""
    scale = 1 << _SHIFT
    cv2.ellipse(
        canvas,
        (round(centre[0] * scale), round(centre[1] * scale)),
        (max(1, round(axes[0] * scale)), max(1, round(axes[1] * scale))),
        0,
        start_deg,
        end_deg,
        colour,
        thickness,
        cv2.LINE_AA,
        _SHIFT,
    )


def thin_ring(rows: Pixels, placed: Placement, progress: float, colour: Rgb, width: int, *, rows_from: int) -> None:
    """A thin outline, a thicker arc for ``progress``; for the flash; ``rows`` begin at screen row ``rows_from``."""
    centre = (placed.oval_centre[0], placed.oval_centre[1] - rows_from)
    _ellipse(rows, centre, placed.oval_axes, 0, 360, colour, max(1, width // 5))
    if progress > 0:
        _ellipse(rows, centre, placed.oval_axes, -90, -90 + 360 * min(1.0, progress), colour, max(2, width // 2))
