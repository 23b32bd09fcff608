"""The simulated screen: what it shows lights the simulated world.

With a renderer the light is that of the real picture; without one a white surround is assumed, and the flash's
colour while flashing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np

from hardware.sim.clock import SimClock
from hardware.sim.light import BLACK, rgb_linear, srgb_to_linear
from hardware.sim.world import World
from kiosk.closing import Closing
from kiosk.errors import DisplayError
from kiosk.values import Panel, Pixels, Scene, SceneKind

Renderer = Callable[[Scene, Pixels | None, tuple[int, int]], Pixels]
"""``render(scene, preview, (width, height)) -> (H, W, 3) uint8 RGB``."""
SURROUND = 0.6
"""Linear light of the white surround where nothing is really drawn."""
_LINEAR = srgb_to_linear(np.arange(256, dtype=np.uint8))


class SimDisplay(Closing):
    """A ``Display`` whose panel is the lamp of ``world``; a picture appears ``latency_s`` after ``show``."""

    def __init__(
        self,
        world: World,
        clock: SimClock,
        size_px: tuple[int, int] = (800, 480),
        renderer: Renderer | None = None,
        latency_s: float = 0.03,
    ) -> None:
        self._world = world
        self._clock = clock
        self._size_px = size_px
        self._renderer = renderer
        self._latency_s = latency_s
        self._open = False
        self.last_picture: Pixels | None = None
        """The picture on the screen; None without a renderer."""
        self.shown = 0
        """How many pictures were shown."""

    def __enter__(self) -> Self:
        self._open = True
        return self

    def close(self) -> None:
        """Go dark; calling it again does nothing."""
        if self._open:
            self._open = False
            self._world.light.add(self._clock.now_s, BLACK, BLACK)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self._size_px

    @property
    def panel(self) -> Panel:
        """The world's panel."""
        return self._world.lamp.panel

    def show(self, scene: Scene, preview: Pixels | None = None) -> float:
        """Show the scene; return when it became visible. Raises DisplayError when the display is not open."""
        if not self._open:
            raise DisplayError("the simulated display is closed", mend="open it with a with-statement")
        if self._renderer is not None:
            self.last_picture = self._renderer(scene, preview, self._size_px)
        top, bottom = self._halves(scene)
        visible_at_s = self._clock.now_s + self._latency_s
        self._world.show(visible_at_s, top, bottom)
        self.shown += 1
        return visible_at_s

    def _halves(self, scene: Scene) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Mean linear colour of the top and the bottom half of the picture."""
        if self.last_picture is not None:
            coarse = _LINEAR[self.last_picture[::6, ::6]]
            middle = (coarse.shape[0] + 1) // 2
            top = coarse[:middle].mean(axis=(0, 1)).tolist()
            bottom = coarse[middle:].mean(axis=(0, 1)).tolist()
            return (top[0], top[1], top[2]), (bottom[0], bottom[1], bottom[2])
        if scene.kind is SceneKind.FLASHING and scene.flash is not None:
            colour = rgb_linear(scene.flash.rgb)
            region = scene.flash.region
            return (BLACK if region == "bottom" else colour), (BLACK if region == "top" else colour)
        white = (SURROUND, SURROUND, SURROUND)
        return white, white
