"""A real screen through pygame (SDL 2): KMSDRM without a desktop, Wayland, X11, or a window.

Rules: the video driver is chosen by what is there, never a dummy one; pygame is loaded when the display is opened;
``show`` is called from one thread, the one that opened it.

When is a picture visible? With vsync the flip returns when the new picture begins to be scanned out, top row first;
the middle row follows half a refresh later. ``show`` therefore returns the monotonic time after the flip plus half a
refresh. What the panel adds (typically 5 to 30 ms) is part of the installation's calibrated lag.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from hardware.displays.memory import MemoryDisplay
from kiosk.closing import Closing
from kiosk.config.tree import DisplaySettings
from kiosk.errors import DisplayClosed, DisplayError
from kiosk.ports import Display
from kiosk.values import Panel, Pixels, Scene

if TYPE_CHECKING:
    import pygame

    from hardware.displays.render import Renderer

__all__ = ["MemoryDisplay", "PygameDisplay", "open_display", "video_drivers"]

_BLIND: Final = {"dummy", "offscreen", "evdev"}
"""Drivers that nobody can look at."""
_USUAL_HZ: Final = 60.0
_RETRY_S: Final = 1.0
"""Between two tries to open a lost screen."""
_LONGEST_PX: Final = 1920
"""Larger screens are drawn at a fraction of their size and scaled by the GPU: drawing must keep up with the camera."""
_NO_SCREEN_MEND: Final = "attach a screen and let the user join the groups video and render, or choose --display memory"


def video_drivers(environment: Mapping[str, str], *, dri: Path = Path("/dev/dri"), platform: str = "") -> list[str]:
    """SDL video drivers worth trying, best first; "" is SDL's own choice (not on Linux). DisplayError for none."""
    named = environment.get("SDL_VIDEODRIVER", "")
    if named:
        if named in _BLIND:
            raise DisplayError(
                f"SDL_VIDEODRIVER={named} shows nothing to anybody", where="display", mend="unset it, or use memory"
            )
        return [named]
    if (platform or sys.platform) != "linux":
        return [""]
    found = []
    if environment.get("WAYLAND_DISPLAY"):
        found.append("wayland")
    if environment.get("DISPLAY"):
        found.append("x11")
    if any(dri.glob("card*")):
        found.append("kmsdrm")
    if not found:
        raise DisplayError("no screen: no Wayland, no X11, no /dev/dri", where="display", mend=_NO_SCREEN_MEND)
    return found


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """An environment variable for SDL, put back afterwards."""
    before = os.environ.get(name)
    if value:
        os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


class PygameDisplay(Closing):
    """Implements the Display port on a real screen."""

    def __init__(
        self,
        settings: DisplaySettings,
        *,
        driver: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``driver`` forces an SDL video driver by name (tests name "dummy"); None chooses by what is there."""
        self._settings = settings
        self._clock = clock
        self._retry_at_s: float | None = None
        self._closed_by_user = False
        self._driver = driver
        self._size_px = settings.width_px, settings.height_px
        self._window: pygame.Surface | None = None
        self._renderer: Renderer | None = None
        self._half_refresh_s = 0.5 / _USUAL_HZ
        self._last_s = float("-inf")
        self.driver = ""
        """The video driver in use."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) that is drawn; for a full screen known once it is open."""
        return self._size_px

    @property
    def panel(self) -> Panel:
        """The screen as a lamp, from the settings."""
        return Panel(self._settings.width_mm, self._settings.height_mm, self._settings.luminance_cd_m2)

    def __enter__(self) -> Self:
        if self._window is not None:
            return self
        self._closed_by_user = False
        self._retry_at_s = None
        self._start()
        return self

    def _start(self) -> None:
        from hardware.displays.render import Renderer

        try:
            self.driver = self._start_video()
            self._window = self._open_window()
            self._renderer = Renderer(self._size_px, self.panel)
        except DisplayError:
            self._stop()
            raise

    def close(self) -> None:
        """Give the screen back; calling it again does nothing."""
        self._retry_at_s = None
        self._stop()

    def _stop(self) -> None:
        self._renderer = None
        if self._window is None and not self.driver:
            return
        import pygame

        self._window, self.driver = None, ""
        pygame.display.quit()

    def show(self, scene: Scene, preview: Pixels | None = None) -> float:
        """Draw, flip, and return when the middle of the screen shows it (monotonic seconds).

        Raises DisplayError when the screen is lost; later calls try to open it again, once a second. Raises
        DisplayClosed from when the user closed the window (or pressed Escape in one; a full screen ignores keys).
        """
        if self._retry_at_s is not None:
            self._open_again(self._retry_at_s)
        if self._window is None or self._renderer is None:
            raise DisplayError("not open", where="display")
        import pygame

        try:
            self._pump()
            self._window.blit(self._renderer.render(scene, preview), (0, 0))
            pygame.display.flip()
        except pygame.error as error:
            where = f"display {self.driver}"
            self._stop()
            self._retry_at_s = self._clock() + _RETRY_S
            raise DisplayError(f"lost: {error}", where=where, mend="check the screen's cable and power") from error
        self._last_s = max(self._last_s, self._clock() + self._half_refresh_s)
        return self._last_s

    def _open_again(self, retry_at_s: float) -> None:
        """After a loss: open the screen, or raise DisplayError until it can be opened."""
        now_s = self._clock()
        if now_s < retry_at_s:
            raise DisplayError("lost", where="display", mend="check the screen's cable and power")
        self._retry_at_s = now_s + _RETRY_S
        self._start()
        self._retry_at_s = None

    def _pump(self) -> None:
        """Answer the window system; a kiosk that does not is called "not responding"."""
        import pygame

        for event in pygame.event.get():
            escaped = event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE and not self._settings.fullscreen
            self._closed_by_user = self._closed_by_user or escaped or event.type == pygame.QUIT
        if self._closed_by_user:
            raise DisplayClosed("the window was closed", where="display")

    def _start_video(self) -> str:
        """Initialise SDL's video with the first driver that works; returns its name."""
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # SIGTERM belongs to the application: SDL would turn it into a closed window.
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")
        import pygame

        failures = []
        for name in [self._driver] if self._driver else video_drivers(os.environ):
            try:
                with _environment("SDL_VIDEODRIVER", name):
                    pygame.display.init()
            except pygame.error as error:
                failures.append(f"{name}: {error}")
                continue
            used = pygame.display.get_driver().lower()
            if used in _BLIND and used != self._driver:
                pygame.display.quit()
                failures.append(f"{name}: SDL fell back to {used}")
                continue
            return used
        raise DisplayError(f"no screen can be opened ({', '.join(failures)})", where="display", mend=_NO_SCREEN_MEND)

    def _open_window(self) -> pygame.Surface:
        import pygame

        wanted = self._size_px
        if self._settings.fullscreen:
            sizes = pygame.display.get_desktop_sizes()
            wide, high = sizes[0] if sizes else wanted
            part = -(-max(wide, high) // _LONGEST_PX)
            wanted = max(1, wide // part), max(1, high // part)
        try:
            window = self._set_mode(wanted)
        except pygame.error as error:
            raise DisplayError(
                f"{wanted[0]} x {wanted[1]} cannot be opened: {error}",
                where=f"display {self.driver}",
                mend=_NO_SCREEN_MEND,
            ) from error
        pygame.display.set_caption("Door kiosk")
        pygame.mouse.set_visible(not self._settings.fullscreen)
        pygame.display.set_allow_screensaver(False)
        self._size_px = window.get_size()
        self._half_refresh_s = 0.5 / (pygame.display.get_current_refresh_rate() or _USUAL_HZ)
        return window

    def _set_mode(self, wanted: tuple[int, int]) -> pygame.Surface:
        """With vsync where it can be had; SDL gives it only together with SCALED. Raises pygame.error."""
        import pygame

        if not self._settings.fullscreen:
            return pygame.display.set_mode(wanted)
        with warnings.catch_warnings():
            # "no fast renderer available": slower, not wrong.
            warnings.simplefilter("ignore")
            try:
                return pygame.display.set_mode(wanted, pygame.FULLSCREEN | pygame.SCALED, vsync=1)
            except pygame.error:
                return pygame.display.set_mode(wanted, pygame.FULLSCREEN)


def open_display(settings: DisplaySettings) -> Display:
    """The display that the settings name, not yet opened: use it in a ``with``."""
    if settings.kind == "memory":
        panel = Panel(settings.width_mm, settings.height_mm, settings.luminance_cd_m2)
        return MemoryDisplay((settings.width_px, settings.height_px), panel)
    return PygameDisplay(settings)
