"""The real screen: found by what is there, lost loudly, loaded late; and the memory display's own habits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hardware.displays.memory import MemoryDisplay
from hardware.displays.render import render
from hardware.displays.screen import PygameDisplay, video_drivers
from hardware.displays.standin import standin
from kiosk.config.tree import DisplaySettings
from kiosk.errors import DisplayClosed, DisplayError
from kiosk.reasons import Reason
from kiosk.values import Oval, Scene, SceneKind

IDLE = Scene(SceneKind.IDLE, Oval(0.5, 0.5, 0.27, 0.48))
GUIDING = Scene(SceneKind.GUIDING, IDLE.oval, hint=Reason.MOVE_CLOSER)
WINDOW = DisplaySettings(kind="pygame", width_px=800, height_px=480, fullscreen=False)
FULL = DisplaySettings(kind="pygame")


@pytest.mark.parametrize(
    ("environment", "cards", "drivers"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, True, ["wayland", "x11", "kmsdrm"]),
        ({"DISPLAY": ":0"}, False, ["x11"]),
        ({}, True, ["kmsdrm"]),
        ({"SDL_VIDEODRIVER": "kmsdrm", "DISPLAY": ":0"}, False, ["kmsdrm"]),
    ],
)
def test_drivers_are_chosen_by_what_is_there(
    environment: dict[str, str], cards: bool, drivers: list[str], tmp_path: Path
) -> None:
    """A desktop first, then the bare screen; a named driver alone."""
    if cards:
        (tmp_path / "card0").touch()
    assert video_drivers(environment, dri=tmp_path, platform="linux") == drivers


def test_without_a_screen_it_says_so(tmp_path: Path) -> None:
    """One line with a mend, never a dummy."""
    with pytest.raises(DisplayError, match=r"no screen.*--display memory"):
        video_drivers({}, dri=tmp_path, platform="linux")


@pytest.mark.parametrize("blind", ["dummy", "offscreen"])
def test_a_driver_that_nobody_sees_is_refused(blind: str, tmp_path: Path) -> None:
    """A kiosk that shows its hints to nobody is out of order, whatever the environment says."""
    with pytest.raises(DisplayError, match="shows nothing"):
        video_drivers({"SDL_VIDEODRIVER": blind}, dri=tmp_path)


def test_elsewhere_the_system_chooses(tmp_path: Path) -> None:
    """Developers on other systems get a window."""
    assert video_drivers({}, dri=tmp_path, platform="darwin") == [""]


def test_a_driver_that_does_not_exist_is_one_plain_error() -> None:
    """And leaves no half-open video behind."""
    display = PygameDisplay(WINDOW, driver="nosuchdriver")
    with pytest.raises(DisplayError, match="nosuchdriver"):
        display.__enter__()
    with PygameDisplay(WINDOW, driver="dummy") as second:
        second.show(IDLE)


def test_the_environment_is_put_back() -> None:
    """SDL is told its driver through the environment, which belongs to others too."""
    before = os.environ.get("SDL_VIDEODRIVER")
    with PygameDisplay(WINDOW, driver="dummy"):
        assert os.environ.get("SDL_VIDEODRIVER") == before


def test_the_window_shows_the_rendered_picture() -> None:
    """Pixel for pixel what the renderer draws."""
    import pygame

    with PygameDisplay(WINDOW, driver="dummy") as display:
        display.show(GUIDING, standin())
        shown = pygame.surfarray.array3d(pygame.display.get_surface()).transpose(1, 0, 2)
        assert np.array_equal(shown, render(GUIDING, standin(), (800, 480), display.panel))


def test_visible_time_is_half_a_refresh_after_the_flip() -> None:
    """The middle of the screen follows the top row by half a refresh (60 Hz where SDL does not know)."""
    with PygameDisplay(WINDOW, driver="dummy") as display:
        before = time.monotonic()
        shown = display.show(IDLE)
        assert before < shown <= time.monotonic() + 0.5 / 30


def test_a_full_screen_takes_the_size_of_the_screen_and_hides_the_pointer() -> None:
    """Whatever the settings say about pixels."""
    import pygame

    with PygameDisplay(FULL, driver="dummy") as display:
        assert display.size_px == pygame.display.get_desktop_sizes()[0]
        assert not pygame.mouse.get_visible()


def _press(key: int) -> None:
    import pygame

    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def test_escape_ends_a_window_but_not_a_full_screen() -> None:
    """Nobody leaves the kiosk with a keyboard that they brought."""
    import pygame

    with PygameDisplay(WINDOW, driver="dummy") as display:
        _press(pygame.K_ESCAPE)
        with pytest.raises(DisplayClosed):
            display.show(IDLE)
    with PygameDisplay(FULL, driver="dummy") as display:
        _press(pygame.K_ESCAPE)
        display.show(IDLE)


def test_closing_the_window_is_told_apart_from_losing_the_screen() -> None:
    """The first ends the program, the second is mended."""
    import pygame

    with PygameDisplay(WINDOW, driver="dummy") as display:
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        for _ in range(2):
            with pytest.raises(DisplayClosed):
                display.show(IDLE)
    with PygameDisplay(WINDOW, driver="dummy") as display:
        pygame.display.quit()
        with pytest.raises(DisplayError, match="lost") as caught:
            display.show(IDLE)
        assert not isinstance(caught.value, DisplayClosed)


def test_a_lost_screen_is_opened_again_once_a_second() -> None:
    """The kiosk mends itself when the cable is back, and does not hammer the driver until then."""
    import pygame

    now = [100.0]
    with PygameDisplay(WINDOW, driver="dummy", clock=lambda: now[0]) as display:
        first = display.show(IDLE)
        pygame.display.quit()
        for now[0] in (101.0, 101.5, 101.9):
            with pytest.raises(DisplayError, match="lost"):
                display.show(IDLE)
            assert not pygame.display.get_init()
        now[0] = 102.1
        assert display.show(IDLE) > first
        assert pygame.display.get_init()


def test_closing_a_lost_screen_ends_the_tries() -> None:
    """Closed is closed."""
    import pygame

    now = [100.0]
    with PygameDisplay(WINDOW, driver="dummy", clock=lambda: now[0]) as display:
        pygame.display.quit()
        with pytest.raises(DisplayError, match="lost"):
            display.show(IDLE)
    now[0] = 200.0
    with pytest.raises(DisplayError, match="not open"):
        display.show(IDLE)


def test_pygame_is_loaded_only_when_a_screen_is_opened() -> None:
    """Importing the displays, or using memory without pictures, costs nothing."""
    code = (
        "import sys; import hardware.displays.screen, hardware.displays.render, hardware.displays.screens\n"
        "from kiosk.values import *\n"
        "with hardware.displays.screen.MemoryDisplay() as d: d.show(Scene(SceneKind.IDLE, Oval(.5, .5, .3, .5)))\n"
        "sys.exit('pygame' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_memory_keeps_what_was_shown_and_draws_each_nth() -> None:
    """History holds scenes and times, never pixels; pictures only when asked for."""
    ticks = iter([1.0, 2.0, 1.5, 4.0])
    with MemoryDisplay(draw_every=2, clock=lambda: next(ticks), kept=3) as display:
        for scene in (IDLE, GUIDING, IDLE, GUIDING):
            display.show(scene, standin())
        assert [shown.visible_at_s for shown in display.history] == [2.0, 2.0, 4.0]
        assert display.shown == 4
        assert display.last_picture is not None
        assert np.array_equal(display.last_picture, render(IDLE, standin(), (800, 480), display.panel))


def test_memory_can_lose_its_screen_and_find_it_again() -> None:
    """As a cable would."""
    with MemoryDisplay() as display:
        display.lose()
        with pytest.raises(DisplayError, match="unplugged"):
            display.show(IDLE)
        display.find()
        display.show(IDLE)
        assert display.shown == 1
