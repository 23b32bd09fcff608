"""What doctor says of the calibration: a warning with the mend, a fault only for a damaged file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.cli import doctor
from kiosk.config.tree import CameraSettings, DisplaySettings, Settings
from kiosk.runtime import calibration
from kiosk.runtime.calibration import Calibration
from kiosk.values import Panel
from tests.support.stored import GOOD

SCREEN = DisplaySettings()
CAMERA = "v4l2 usb-1.2"


def stored(days: float = 3.0, **changed: object) -> Calibration:
    """A good one, ``days`` old."""
    panel = Panel(SCREEN.width_mm, SCREEN.height_mm, SCREEN.luminance_cd_m2)
    measured = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    good = replace(GOOD, measured_utc=measured, panel=panel, camera=CAMERA, lag_s=0.0521)
    return replace(good, **changed)


def checked(data: Path, cameras: list[str] | None = None, **camera: float) -> doctor.Check:
    """Doctor's line."""
    settings = Settings(camera=CameraSettings(**camera))
    return doctor._calibration(settings, data, [CAMERA] if cameras is None else cameras)


def test_a_good_one_is_told(tmp_path: Path) -> None:
    """Also when the camera could not be probed: its own line says so."""
    calibration.save(tmp_path / calibration.FILE, stored())
    for cameras in ([CAMERA], []):
        check = checked(tmp_path, cameras)
        assert (check.result, check.mend) == ("ok", "")
        assert check.found.startswith("calibrated: lag 52 ms, spread 4 ms")


def test_the_setting_needs_none(tmp_path: Path) -> None:
    """It comes first."""
    assert checked(tmp_path, lag_s=0.09).found == "lag 0.09 s, as set"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"days": 181.0}, "181 days old"),
        ({"days": -2.0}, "in the future, so it is not used"),
        ({"camera": "v4l2 usb-1.3"}, "of another camera (v4l2 usb-1.3), so it is not used"),
        ({"panel": Panel(155.0, 88.0, 300.0)}, "another screen"),
        ({"lag_spread_s": 0.031}, "not steady"),
        ({"lag_s": 0.25}, "above liveness.lag_max_s"),
    ],
)
def test_each_trouble_is_a_warning_with_the_mend(tmp_path: Path, changed: dict[str, object], words: str) -> None:
    """Never a fault: the kiosk works without, within the wider window."""
    calibration.save(tmp_path / calibration.FILE, stored(**changed))
    check = checked(tmp_path)
    assert check.result == "warning"
    assert words in check.found
    assert "kiosk liveness calibrate" in check.mend


def test_none_is_a_warning(tmp_path: Path) -> None:
    """As shipped."""
    check = checked(tmp_path)
    assert (check.result, check.found) == ("warning", "never calibrated: the lag is unknown")


def test_the_age_is_a_setting(tmp_path: Path) -> None:
    """A site that is rebuilt often asks sooner."""
    calibration.save(tmp_path / calibration.FILE, stored(31.0))
    assert checked(tmp_path).result == "ok"
    assert checked(tmp_path, calibration_days=30).result == "warning"


def test_a_damaged_one_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the whole examination, told with the mend."""
    (tmp_path / calibration.FILE).write_text("{")
    for part in ("_clock", "_storage", "_records", "_weights", "_passive", "_engines", "_door", "_display"):
        monkeypatch.setattr(doctor, part, lambda *_: doctor.Check("part", "ok", ""))
    settings = Settings(camera=CameraSettings(source="nothing"))
    last = list(doctor.examine(settings, tmp_path))[-1]
    assert (last.part, last.result, last.mend) == ("liveness", "fault", calibration.AGAIN)
    assert "damaged" in last.found
