"""The demo's film: what the visitor saw beside what the camera saw, and one still per visit for the contact sheet."""

from __future__ import annotations

import numpy as np

from hardware.displays.video import VideoWriter, side_by_side
from hardware.sim.display import SimDisplay
from kiosk.ports import Display
from kiosk.reasons import Reason
from kiosk.runtime.loop import Turn
from kiosk.values import Pixels, SceneKind

EVERY = 2
"""Every second turn becomes a frame of the film: 15 a second are enough to follow it."""
PICTURE_FPS = 15.0
_TELLING = (SceneKind.GRANTED, SceneKind.DENIED)


class Film:
    """Watches the loop and films it; ``stills`` collects the picture that tells each visit best."""

    def __init__(self, writer: VideoWriter) -> None:
        self._writer = writer
        self._title = ""
        self._display: SimDisplay | None = None
        self._turns = 0
        self._telling: Reason | None = None
        self._best: tuple[int, Pixels] | None = None
        self.stills: list[tuple[str, Pixels]] = []

    def begin(self, title: str, display: SimDisplay, telling: Reason | None = None) -> None:
        """The next visit starts on ``display``; ``telling`` is the hint that shows best what it is about."""
        self._title, self._display, self._turns, self._best = title, display, 0, None
        self._telling = telling

    def end(self, caption: str) -> None:
        """The visit is over; its most telling picture goes to the contact sheet under ``caption``."""
        if self._best is not None:
            self.stills.append((caption, self._best[1]))

    def turned(self, turn: Turn) -> None:
        """Film one turn."""
        self._turns += 1
        display = self._display
        if display is None or display.last_picture is None or turn.frame is None or self._turns % EVERY:
            return
        caption = f"{self._title}   |   {turn.scene.kind}"
        if turn.scene.hint is not None:
            caption += f"   |   {turn.scene.hint}"
        picture = side_by_side(display.last_picture, turn.frame.pixels, caption)
        self._writer.write(picture)
        rank = self._rank(turn)
        if self._best is None or rank >= self._best[0]:
            self._best = rank, np.array(picture)

    def _rank(self, turn: Turn) -> int:
        if turn.scene.kind in _TELLING:
            return 3
        if self._telling is not None and turn.scene.hint is self._telling:
            return 2
        return 1 if turn.scene.hint is not None and turn.observation is not None and turn.observation.faces else 0


class Window:
    """Shows the kiosk's screen in a real window while the demo plays."""

    def __init__(self, display: Display) -> None:
        self._display = display

    def turned(self, turn: Turn) -> None:
        """Show what the visitor sees. Raises DisplayClosed when the window is closed."""
        self._display.show(turn.scene, None if turn.frame is None else turn.frame.pixels)
