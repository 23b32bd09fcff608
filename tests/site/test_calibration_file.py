"""The stored calibration: whole or not used, of this camera and screen, never from the future."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import CameraSettings, Settings
from kiosk.errors import InputError
from kiosk.runtime import calibration
from kiosk.runtime.calibration import Calibration, lag_of, load, save, why_unusable
from kiosk.values import Panel
from tests.support.stored import GOOD, NOW, PANEL


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """Value for value, and nothing else lies there."""
    path = tmp_path / "new" / calibration.FILE
    save(path, GOOD)
    assert load(path) == GOOD
    assert [one.name for one in path.parent.iterdir()] == [calibration.FILE]


def test_none_is_none(tmp_path: Path) -> None:
    """A kiosk that was never calibrated."""
    assert load(tmp_path / calibration.FILE) is None


def test_what_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses at the last moment."""
    path = tmp_path / calibration.FILE
    save(path, GOOD)

    def refuse(self: Path, target: Path) -> Path:  # noqa: ARG001 - Path.replace's arguments
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(InputError, match="No space left"):
        save(path, replace(GOOD, lag_s=0.2))
    assert load(path) == GOOD
    assert [one.name for one in tmp_path.iterdir()] == [calibration.FILE]


@given(at=st.integers(0, 5000), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed_or_means_the_same(at: int, bit: int) -> None:
    """The checksum is over the values: whatever a flipped bit leaves readable reads the same."""
    content = bytearray(calibration.to_text(GOOD).encode())
    content[at % len(content)] ^= 1 << bit
    with contextlib.suppress(ValueError, KeyError, TypeError):
        assert calibration.from_text(content.decode()) == GOOD


@pytest.mark.parametrize(
    "changed",
    [
        {"lag_s": float("inf")},
        {"lag_s": -0.2},
        {"lag_s": 0.7},
        {"lag_spread_s": -1.0},
        {"measured_utc": "2026-11-01T00:00:00"},
        {"measured_utc": "yesterday"},
        {"colour_matrix": ((1.0, 2.0), (1.0, 2.0))},
    ],
)
def test_impossible_values_are_refused(changed: dict[str, object]) -> None:
    """Even with the right checksum."""
    values = json.loads(calibration.to_text(GOOD))["calibration"] | changed
    document = {"format": 1, "calibration": values, "sha256": calibration._digest(values)}
    with pytest.raises((ValueError, KeyError, TypeError)):
        calibration.from_text(json.dumps(document))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"format": 2}', "\x00", "[" * 100_000])
def test_other_files_are_damaged_ones(text: str, tmp_path: Path) -> None:
    """One line with the mend; a starting kiosk goes on without."""
    path = tmp_path / calibration.FILE
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="kiosk liveness calibrate"):
        load(path)
    told: list[str] = []
    assert calibration.load_or_none(path, lambda event, **_keys: told.append(event)) is None
    assert told == ["CALIBRATION_DAMAGED"]


def lag(configured_s: float | None, stored: Calibration | None, camera: str = GOOD.camera) -> float | None:
    """What an attempt is judged by."""
    return lag_of(Settings(camera=CameraSettings(lag_s=configured_s)), stored, PANEL, lambda: NOW)(camera)


def test_the_setting_comes_first_then_this_cameras_calibration() -> None:
    """Nothing known is None, as before."""
    assert lag(0.09, GOOD) == 0.09
    assert lag(None, GOOD) == GOOD.lag_s
    assert lag(None, None) is None
    assert lag(None, replace(GOOD, lag_s=-0.003)) == 0.0


def test_another_cameras_screens_or_times_calibration_is_not_used() -> None:
    """Nor one from tomorrow's tomorrow; an old one is used (the narrower window) and doctor says so."""
    assert lag(None, GOOD, "v4l2 usb-1.3") is None
    assert lag(None, replace(GOOD, panel=Panel(155.0, 88.0, 900.0))) is None
    assert lag(None, replace(GOOD, measured_utc=(NOW + timedelta(days=2)).isoformat())) is None
    assert lag(None, replace(GOOD, measured_utc=(NOW - timedelta(days=2000)).isoformat())) == GOOD.lag_s
    assert lag(None, replace(GOOD, lag_s=0.21)) is None, "above lag_max_s"
    assert why_unusable(GOOD, camera=None, panel=PANEL, now=NOW, lag_max_s=0.2) == ""
