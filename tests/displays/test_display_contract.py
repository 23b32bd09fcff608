"""The contract of the Display port, run over every display that can run here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from hardware.displays.screen import MemoryDisplay, PygameDisplay, open_display
from hardware.displays.screens import all_scenes
from hardware.displays.standin import standin
from kiosk.config.tree import DisplaySettings
from kiosk.errors import DisplayError
from kiosk.ports import Display
from kiosk.reasons import Reason
from kiosk.values import Oval, Panel, Scene, SceneKind

IDLE = Scene(SceneKind.IDLE, Oval(0.5, 0.5, 0.27, 0.48))
Maker = Callable[[], Display]


def _window(driver: str, *, fullscreen: bool = False) -> Maker:
    settings = DisplaySettings(kind="pygame", width_px=800, height_px=480, fullscreen=fullscreen)
    return lambda: PygameDisplay(settings, driver=driver)


@pytest.fixture(scope="session")
def x_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of an X server without a screen; skips where there is none."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("Xvfb is not installed: no X11 to open a window on")
    log = tmp_path_factory.mktemp("x") / "log"
    with log.open("wb") as errors:
        command = [program, "-displayfd", "1", "-screen", "0", "1024x600x24", "-nolisten", "tcp", "-noreset"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        assert server.stdout is not None
        number = server.stdout.readline().decode().strip()
        if not number:
            server.wait(timeout=10)
            pytest.skip(f"Xvfb does not start: {log.read_text()[-200:]}")
        yield f":{number}"
        server.terminate()
        server.wait(timeout=10)
        server.stdout.close()


@pytest.fixture(params=["memory", "memory drawing", "pygame window", "pygame full screen", "x11 window", "x11 full"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """Makes a fresh, unopened display of one kind."""
    kind: str = request.param
    if kind.startswith("x11"):
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("x_server"))
        return _window("x11", fullscreen=kind == "x11 full")
    makers: dict[str, Maker] = {
        "memory": MemoryDisplay,
        "memory drawing": lambda: MemoryDisplay(draw_every=1),
        "pygame window": _window("dummy"),
        "pygame full screen": _window("dummy", fullscreen=True),
    }
    return makers[kind]


def test_times_never_go_back(make: Maker) -> None:
    """Each picture became visible no earlier than the one before, and not before it was asked for."""
    with make() as display:
        times = [display.show(scene, standin()) for _, scene in all_scenes()[:8]]
        assert times == sorted(times)
        assert times[0] > 0


def test_every_scene_can_be_shown_with_and_without_a_preview(make: Maker) -> None:
    """No scene is special to a display."""
    preview = standin()
    with make() as display:
        for _, scene in all_scenes():
            display.show(scene, preview)
        display.show(IDLE)
        display.show(IDLE, None)


def test_size_and_panel_are_known(make: Maker) -> None:
    """The screen is also a lamp: both are needed to predict its light."""
    with make() as display:
        width, height = display.size_px
        assert width >= 320
        assert height >= 240
        assert isinstance(display.panel, Panel)
        assert display.panel.luminance_cd_m2 > 0


def test_showing_on_a_closed_display_is_an_error(make: Maker) -> None:
    """Before it is opened and after it is closed."""
    display = make()
    with pytest.raises(DisplayError, match="not open"):
        display.show(IDLE)
    with display:
        display.show(IDLE)
    with pytest.raises(DisplayError, match="not open"):
        display.show(IDLE)


def test_closing_twice_does_nothing(make: Maker) -> None:
    """Also before it was ever opened."""
    display = make()
    display.close()
    with display:
        display.close()
        display.close()
    display.close()


def test_it_can_be_opened_again(make: Maker) -> None:
    """After a lost screen the shell opens it anew."""
    display = make()
    with display:
        first = display.show(IDLE)
    with display:
        assert display.show(IDLE) >= first


def test_the_preview_is_not_changed(make: Maker) -> None:
    """The same pixels go on to be measured."""
    preview = standin()
    before = preview.copy()
    with make() as display:
        display.show(Scene(SceneKind.GUIDING, IDLE.oval, hint=Reason.MOVE_UP), preview)
    assert np.array_equal(preview, before)


def test_a_display_is_chosen_by_name_only() -> None:
    """Memory when memory is named, a screen when a screen is named, none in place of the other."""
    assert isinstance(open_display(DisplaySettings(kind="memory")), MemoryDisplay)
    assert isinstance(open_display(DisplaySettings(kind="pygame")), PygameDisplay)
    memory = open_display(DisplaySettings(kind="memory", width_px=1024, height_px=600, luminance_cd_m2=900.0))
    assert memory.size_px == (1024, 600)
    assert memory.panel.luminance_cd_m2 == 900.0
