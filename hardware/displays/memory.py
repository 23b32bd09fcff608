"""A display without a screen: keeps what it was told to show; draws only when asked to.

Chosen by name (``display.kind = "memory"``), never a fallback. ``lose()`` makes it behave like an unplugged screen.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kiosk.closing import Closing
from kiosk.errors import DisplayError
from kiosk.values import Panel, Pixels, Scene

if TYPE_CHECKING:
    from hardware.displays.render import Renderer

USUAL_PANEL = Panel(155.0, 88.0, 500.0)


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the past."""

    scene: Scene
    visible_at_s: float


class MemoryDisplay(Closing):
    """Implements the Display port in memory."""

    def __init__(
        self,
        size_px: tuple[int, int] = (800, 480),
        panel: Panel = USUAL_PANEL,
        *,
        draw_every: int = 0,
        clock: Callable[[], float] = time.monotonic,
        kept: int = 2000,
    ) -> None:
        """``draw_every`` n draws each n-th scene into ``last_picture`` (0: none); ``history`` keeps ``kept``."""
        self._size_px = size_px
        self._panel = panel
        self._draw_every = draw_every
        self._clock = clock
        self._renderer: Renderer | None = None
        self._open = False
        self._lost = ""
        self._last_s = float("-inf")
        self.history: deque[Shown] = deque(maxlen=kept)
        self.shown = 0
        """How many scenes were shown since it was made."""
        self.last_picture: Pixels | None = None
        """``(H, W, 3) uint8 RGB`` of the last scene that was drawn."""

    def __enter__(self) -> Self:
        self._open = True
        return self

    def close(self) -> None:
        """Keep the history, show no more."""
        self._open = False

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self._size_px

    @property
    def panel(self) -> Panel:
        """The screen as a lamp."""
        return self._panel

    def lose(self, what: str = "the screen was unplugged") -> None:
        """From now on ``show`` raises, until ``find``."""
        self._lost = what

    def find(self) -> None:
        """The screen is back."""
        self._lost = ""

    def show(self, scene: Scene, preview: Pixels | None = None) -> float:
        """Keep the scene; the time is the clock's, never earlier than the last one. Raises DisplayError."""
        if not self._open:
            raise DisplayError("not open", where="display")
        if self._lost:
            raise DisplayError(self._lost, where="display", mend="check the screen's cable and power")
        if self._draw_every and self.shown % self._draw_every == 0:
            self.last_picture = self._draw(scene, preview)
        self.shown += 1
        self._last_s = max(self._last_s, self._clock())
        self.history.append(Shown(scene, self._last_s))
        return self._last_s

    def _draw(self, scene: Scene, preview: Pixels | None) -> Pixels:
        if self._renderer is None:
            from hardware.displays.render import Renderer  # fonts are loaded only where pictures are wanted

            self._renderer = Renderer(self._size_px, self._panel)
        return self._renderer.picture(scene, preview)
