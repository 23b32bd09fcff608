"""Scenes become pictures: one renderer for every display, without a window.

Rules: a scene says all; the renderer adds nothing of its own but what stood in the scene, and keeps no state that
changes a picture (caches only). While FLASHING the slot's colour fills its region exactly; the words and the ring
on it cost under 3 % of the light, and the camera picture is hidden.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hardware.displays import palette
from hardware.displays.icons import stamp
from hardware.displays.layout import layout
from hardware.displays.mirror import Mirror, thin_ring
from hardware.displays.panel import paint
from hardware.displays.text import Typesetter
from hardware.displays.words import SIGNS, Words, denial_sign, words
from kiosk.reasons import Reason
from kiosk.values import Panel, Pixels, Rgb, Scene, SceneKind

if TYPE_CHECKING:
    import pygame

_MIRRORED: Final = {SceneKind.GUIDING, SceneKind.HOLDING, SceneKind.MOVING, SceneKind.DECIDING}
_SIGNED: Final = {SceneKind.GUIDING, SceneKind.MOVING}
_KEPT_BYTES: Final = 40_000_000
"""Grounds kept: all of a 7 inch screen, the last six of full HD. Drawing one anew takes as long as a camera frame."""
_Key = tuple[SceneKind, Words, Reason | None]


class Renderer:
    """Draws scenes for one screen size."""

    def __init__(self, size_px: tuple[int, int], panel: Panel | None = None) -> None:
        """``size_px`` is (width, height); ``panel`` sets how large words must be (short side 88 mm if absent)."""
        self._layout = layout(size_px, panel)
        self._setter = Typesetter()
        import pygame

        self._mirror = Mirror(self._layout)
        self._canvas: Pixels = np.zeros((size_px[1], size_px[0], 3), np.uint8)
        # One memory, two views: cv2 and numpy draw into the array, pygame writes text into the surface.
        self._surface = pygame.image.frombuffer(self._canvas.data, size_px, "RGB")
        self._kept: OrderedDict[_Key, Pixels] = OrderedDict()
        self._on_canvas: _Key | None = None
        self._flash_words: tuple[int, int, NDArray[np.bool_]] | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self._layout.size_px

    def render(self, scene: Scene, preview: Pixels | None = None) -> pygame.Surface:
        """The picture as a 24-bit surface, valid until the next call.

        ``preview`` is the unmirrored camera frame, ``(H, W, 3) uint8 RGB``. Raises DisplayError for another shape.
        """
        if scene.kind is SceneKind.FLASHING:
            self._on_canvas = None
            self._flash(scene, preview)
            return self._surface
        key = (scene.kind, words(scene), scene.hint)
        if self._on_canvas != key:
            np.copyto(self._canvas, self._ground(key))
            self._on_canvas = key
        if scene.kind in _MIRRORED:
            self._mirror.draw(self._canvas, scene, preview)
        return self._surface

    def picture(self, scene: Scene, preview: Pixels | None = None) -> Pixels:
        """The picture as ``(H, W, 3) uint8 RGB``, a copy. Arguments and errors as ``render``."""
        self.render(scene, preview)
        return self._canvas.copy()

    def _ground(self, key: _Key) -> Pixels:
        """All that does not change while a scene lasts, drawn once."""
        if key not in self._kept:
            self._paint_ground(key)
            self._kept[key] = self._canvas.copy()
            if len(self._kept) > max(4, _KEPT_BYTES // self._canvas.nbytes):
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _paint_ground(self, key: _Key) -> None:
        kind, said, hint = key
        ground, title, detail, sign = _GROUNDS.get(kind, _BRIGHT)
        self._canvas[...] = ground
        icon = SIGNS.get(hint) if hint is not None and kind in _SIGNED else None
        if kind is SceneKind.DECIDING:
            icon = "dots"
        paint(self._canvas, self._surface, self._setter, self._layout, said, icon=icon, colours=(title, detail, sign))
        view = self._layout.view
        centre = (view.x + view.w // 2, view.y + view.h // 2)
        for name, colour, share in _signs(kind, hint):
            stamp(self._canvas, name, colour, centre, round(min(view.w, view.h) * share))

    def _flash(self, scene: Scene, preview: Pixels | None) -> None:
        """The lamp: exact colours, black where the slot does not light, thin words and ring."""
        height = self.size_px[1]
        middle = height // 2
        slot = scene.flash
        colour = slot.rgb if slot else palette.FLASH_REST
        region = slot.region if slot else "full"
        if self._flash_words is None:
            self._flash_words = self._draw_flash_words(words(scene))
        top, left, mask = self._flash_words
        placed = self._mirror.placed_for(scene.oval, preview)
        for first, last, dark in ((0, middle, region == "bottom"), (middle, height, region == "top")):
            ground = palette.BLACK if dark else colour
            ink = palette.flash_ink(ground)
            rows = self._canvas[first:last]
            rows[...] = np.tile(np.array(ground, np.uint8), (self.size_px[0], 1))  # row by row: ten times faster
            thin_ring(rows, placed, scene.progress, ink, self._layout.stroke_px, rows_from=first)
            start, stop = max(first, top), min(last, top + mask.shape[0])
            if start < stop:
                part = rows[start - first : stop - first, left : left + mask.shape[1]]
                part[mask[start - top : stop - top]] = ink

    def _draw_flash_words(self, said: Words) -> tuple[int, int, NDArray[np.bool_]]:
        """(top, left, mask) of the words on the screen, drawn once, no larger than needed: they cost light."""
        import pygame

        panel = self._layout.panel
        block = self._setter.block(said.title, self._layout.flash_px, panel.w)
        if block is None:  # a screen too small for any word: the ring says it
            return 0, 0, np.zeros((0, 0), np.bool_)
        scratch = pygame.Surface((block.width_px, block.height_px))
        self._setter.draw(scratch, block, palette.WHITE, block.width_px // 2, 0)
        mask = np.ascontiguousarray(pygame.surfarray.array_red(scratch).T > 127)
        top = panel.y + (panel.h - block.height_px) // 2
        middle = self.size_px[1] // 2
        if top < middle < top + block.height_px:  # half slots would cut the letters in two
            top = middle - block.height_px - self._layout.margin_px
        return max(0, top), panel.x + (panel.w - block.width_px) // 2, mask


_Ground = tuple[Rgb, Rgb, Rgb, Rgb]
"""Ground, headline, second line, sign in the panel."""
_BRIGHT: Final[_Ground] = (palette.PAPER, palette.INK, palette.INK_SOFT, palette.BLUE)
_GROUNDS: Final[dict[SceneKind, _Ground]] = {
    SceneKind.GRANTED: (palette.GRANTED_GROUND, palette.WHITE, palette.WHITE, palette.WHITE),
    SceneKind.FAULTED: (palette.FAULT_GROUND, palette.WHITE, palette.TRACK, palette.AMBER),
}


def _signs(kind: SceneKind, hint: Reason | None) -> tuple[tuple[str, Rgb, float], ...]:
    """The large sign of a state without mirror: layers of (name, colour, share of the view's short side)."""
    if kind is SceneKind.IDLE:
        return ("corners", palette.TRACK, 0.78), ("head", palette.BLUE, 0.62)
    if kind is SceneKind.GRANTED:
        return ("disc", palette.WHITE, 0.66), ("tick", palette.GRANTED_GROUND, 0.66)
    if kind is SceneKind.DENIED:
        sign = denial_sign(hint)
        return ("disc", palette.RED if sign == "cross" else palette.GREY, 0.66), (sign, palette.WHITE, 0.66)
    if kind is SceneKind.COOLING_DOWN:
        return (("aside", palette.GREY, 0.6),)
    if kind is SceneKind.FAULTED:
        return ("triangle", palette.AMBER, 0.62), ("exclamation", palette.FAULT_GROUND, 0.62)
    return ()


@lru_cache(maxsize=4)
def _renderer(size_px: tuple[int, int], panel: Panel | None) -> Renderer:
    return Renderer(size_px, panel)


def render(scene: Scene, preview: Pixels | None, size_px: tuple[int, int], panel: Panel | None = None) -> Pixels:
    """One picture, ``(H, W, 3) uint8 RGB``, of a scene at ``size_px`` (width, height); for one thread.

    ``preview``: unmirrored camera frame ``(H, W, 3) uint8 RGB`` or None. Raises DisplayError.
    """
    return _renderer(size_px, panel).picture(scene, preview)
