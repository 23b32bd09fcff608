"""``kiosk liveness calibrate`` from the command line: with a simulated screen and camera, and without any."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.config.tree import CameraSettings, DisplaySettings, DoorSettings, Settings
from kiosk.runtime import calibration
from kiosk.runtime.calibration import Calibration
from kiosk.runtime.wiring import open_kiosk
from tests.support.cardworld import Site
from tests.support.clikit import Shell
from tests.support.stored import GOOD


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """A simulated wall in place of the configured devices."""
    site = Site()
    camera, display, clock = site.open()
    monkeypatch.setattr("hardware.cameras.open_camera", lambda *_args, **_keys: camera)
    monkeypatch.setattr("hardware.displays.screen.open_display", lambda _settings: display)
    monkeypatch.setattr("hardware.clock.SystemClock", lambda: clock)
    return site


def test_it_measures_and_stores(kiosk: Shell, bare: Path, site: Site) -> None:
    """The answer, the file, and what a run of the kiosk will use."""
    answer = kiosk("liveness", "calibrate", "--wall", "--distance-mm", "400")
    assert answer.code == 0, answer
    assert "delay     46" in answer.out
    stored = calibration.load(bare / calibration.FILE)
    assert stored is not None
    assert stored.lag_s == pytest.approx(site.true_lag_s, abs=0.003)
    assert (stored.target, stored.camera) == ("wall", "sim:0")


def test_json_and_another_file(kiosk: Shell, bare: Path, site: Site, tmp_path: Path) -> None:
    """One object; the kiosk's own file is left alone."""
    answer = kiosk("liveness", "calibrate", "--out", tmp_path / "other.json", "--json")
    (document,) = answer.lines
    assert document["switches"] >= 12
    assert document["written"] == str(tmp_path / "other.json")
    assert not (bare / calibration.FILE).exists()
    assert site.true_lag_s == pytest.approx(document["lag_s"], abs=0.003)


def test_a_refused_run_leaves_the_old_calibration(kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, exit code 2, nothing written."""
    camera, display, clock = Site().but(locking="ignored").open()
    monkeypatch.setattr("hardware.cameras.open_camera", lambda *_args, **_keys: camera)
    monkeypatch.setattr("hardware.displays.screen.open_display", lambda _settings: display)
    monkeypatch.setattr("hardware.clock.SystemClock", lambda: clock)
    (bare / calibration.FILE).write_text("old")
    assert "does not hold its exposure" in kiosk("liveness", "calibrate").complaint
    assert [(one.name, one.read_text()) for one in bare.iterdir()] == [(calibration.FILE, "old")]


def test_a_memory_display_is_refused(kiosk: Shell, bare: Path, no_devices: Path) -> None:
    """Nobody sees it, the camera least."""
    complaint = kiosk("liveness", "calibrate", "--config", no_devices).complaint
    assert complaint == "display.kind: calibrating needs a screen that lights up; set pygame"
    assert not list(bare.iterdir())


def test_a_starting_kiosk_takes_the_calibration_in(fresh: Path, tmp_path: Path) -> None:
    """As stored; a damaged one is told in the journal and not used, and the kiosk starts all the same."""
    told: list[str] = []
    (tmp_path / "pictures").mkdir()
    settings = Settings(
        camera=CameraSettings(source=str(tmp_path / "pictures")),
        display=DisplaySettings(kind="memory"),
        door=DoorSettings(kind="memory"),
    )

    def taken() -> Calibration | None:
        with open_kiosk(settings, fresh, lambda event, **_keys: told.append(event), paced=False) as opened:
            return opened.adapters.calibration

    assert taken() is None
    calibration.save(fresh / calibration.FILE, GOOD)
    assert taken() == GOOD
    assert told == []
    (fresh / calibration.FILE).write_text("{")
    assert taken() is None
    assert told == ["CALIBRATION_DAMAGED"]
