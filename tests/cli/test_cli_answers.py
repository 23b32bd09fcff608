"""What the longer commands print and which exit code their answer has: demo, liveness score, calibrate, doctor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hardware.recording.write import write_recording
from hardware.stills import load_image
from kiosk.cli import doctor
from kiosk.config.tree import DisplaySettings, Settings
from kiosk.values import Frame, Panel, ShownSlot
from tests.support.clikit import Shell, photo

SLOT_S = 0.3
FPS = 15.0


@pytest.fixture
def recording(enrolled: Path, tmp_path: Path) -> Path:
    """A still photograph "filmed" through a challenge: it answers nothing."""
    assert enrolled.is_dir()
    pixels = load_image(photo("obama.jpg"))
    pixels = pixels[:: pixels.shape[0] // 480, :: pixels.shape[0] // 480][:480]
    colours = [(255, 100, 100), (100, 255, 100), (100, 100, 255), (255, 255, 100)] * 2
    slots = [ShownSlot(rgb, "full", 2.0 + n * SLOT_S, SLOT_S) for n, rgb in enumerate([*colours, (128, 128, 128)])]
    frames = [Frame(pixels, n, n / FPS, 0.01, True) for n in range(round(FPS * 5.0))]
    folder = tmp_path / "recording"
    write_recording(
        folder,
        slots=slots,
        panel=Panel(155.0, 88.0, 500.0),
        camera_name="test",
        exposure_locked=True,
        lag_s=0.09,
        ambient_lux=200.0,
        frames=frames,
        species="print_flat",
    )
    return folder


def test_a_recording_is_scored_whatever_the_verdict(kiosk: Shell, recording: Path) -> None:
    """Exit code 0, one JSON object of the documented shape; a picture that answers nothing is not live."""
    answer = kiosk("liveness", "score", recording, "--json")
    assert (answer.code, answer.err) == (0, "")
    (result,) = answer.lines
    assert set(result) == {"verdict", "confidence", "reasons", "gates"}
    assert result["verdict"] in ("spoof", "unsure")
    assert 0 <= result["confidence"] <= 100
    for gate in result["gates"]:
        assert set(gate) == {"name", "verdict", "value", "threshold"}
        assert gate["verdict"] in ("pass", "fail", "insufficient")
    text = kiosk("liveness", "score", recording)
    assert text.code == 0
    assert text.out.startswith(f"{result['verdict']}  confidence ")
    assert len(text.out.splitlines()) == 1 + len(result["gates"])


def test_a_recording_with_a_broken_frame_is_one_line(kiosk: Shell, recording: Path) -> None:
    """Cut short in the middle."""
    frame = sorted(recording.glob("*.png"))[40]
    frame.write_bytes(frame.read_bytes()[:2000])
    assert frame.name in kiosk("liveness", "score", recording, "--json").complaint


def test_the_scale_is_measured_on_a_folder_of_people(kiosk: Shell, enrolled: Path, tmp_path: Path) -> None:
    """An unusable picture is left out and said so; one person alone cannot calibrate anything."""
    assert enrolled.is_dir()
    people = tmp_path / "people"
    for person, names in (("a", ("obama.jpg", "obama2.jpg")), ("b", ("biden.jpg",))):
        (people / person).mkdir(parents=True)
        for name in names:
            shutil.copy(photo(name), people / person / name)
    (people / "b" / "text.jpg").write_text("words")
    answer = kiosk("models", "calibrate", people, "--json")
    assert answer.code == 0
    assert "left out" in answer.err
    assert "text.jpg" in answer.err
    (result,) = answer.lines
    assert (result["pictures"], result["people"], result["impostor_pairs"]) == (3, 2, 2)
    text = kiosk("models", "calibrate", people)
    assert text.out.startswith("3 pictures, 2 people, 2 impostor pairs")
    assert "too few pairs" in text.out
    shutil.rmtree(people / "b")
    assert "at least two people" in kiosk("models", "calibrate", people).complaint


def reported(passed: bool) -> Callable[..., dict[str, Any]]:
    """A demo that has been played."""
    visit: dict[str, Any] = {
        "name": "A, live",
        "expected": "granted",
        "decision": "granted" if passed else "denied",
        "reason": "WELCOME" if passed else None,
        "similarity": 99.2 if passed else None,
        "liveness": {"verdict": "live"} if passed else None,
        "in_oval_to_decision_s": 4.2 if passed else None,
        "door_pulses": int(passed),
        "hints": [],
        "passed": passed,
    }

    def play(_data: Path, out: Path, *, progress: Callable[[str, int, int], None], window: bool) -> dict[str, Any]:
        del out, window
        progress("visits", 1, 1)
        return {"visits": [visit], "passed": int(passed), "failed": int(not passed)}

    return play


@pytest.mark.parametrize("passed", [True, False])
def test_the_demo_prints_its_visits_and_fails_with_them(
    kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch, passed: bool
) -> None:
    """Exit code 1 when a visit was not as expected, as table and as JSON."""
    monkeypatch.setattr("kiosk.demo.play.play", reported(passed))
    answer = kiosk("demo", "--json")
    assert answer.code == int(not passed)
    assert answer.lines[0]["failed"] == int(not passed)
    monkeypatch.setenv("COLUMNS", "200")
    table = kiosk("demo")
    assert table.code == int(not passed)
    assert ("NOT AS EXPECTED" in table.out) is not passed
    assert f"{int(passed)} passed, {int(not passed)} failed; see {bare}/demo/demo.mp4" in table.out


@pytest.mark.parametrize(
    ("facts", "result"),
    [
        ({"fps": 29.0, "lock": True}, "ok"),
        ({"fps": 12.0, "lock": True}, "warning"),
        ({"fps": 29.0, "lock": False}, "fault"),
        ({"fps": 29.0, "lock": None}, "ok"),
    ],
)
def test_doctor_judges_what_the_camera_delivers(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, object], result: str
) -> None:
    """Slow is a warning; a camera that refuses to lock can never prove anything."""
    monkeypatch.setattr("hardware.cameras.probe_camera", lambda _settings: facts)
    check = doctor._camera(Settings(), Path(), [])
    assert check.result == result
    assert bool(check.mend) is (result != "ok")


def test_doctor_knows_a_clock_that_cannot_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board without a battery wakes up in the past."""
    monkeypatch.setattr(doctor, "BUILT", datetime.now(UTC) + timedelta(days=400))
    check = doctor._clock(Settings(), Path())
    assert (check.result, check.mend) == ("fault", "set the time, enable NTP")


def test_doctor_opens_the_configured_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its real size is shown."""
    from hardware.displays.screen import open_display

    monkeypatch.setattr(
        "hardware.displays.screen.open_display", lambda one: open_display(one.model_copy(update={"kind": "memory"}))
    )
    check = doctor._display(Settings(display=DisplaySettings(width_px=1024, height_px=600)), Path())
    assert (check.result, check.found) == ("ok", "1024x600, set as 500 cd/m2")
