"""``kiosk liveness record`` from the command line: consent, labels, folders, and an empty room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hardware.recording.read import read_recording
from hardware.recording.write import write_recording
from hardware.sim.story import Fault
from kiosk.cli import liveness_site
from kiosk.site.shelf import Written
from kiosk.values import Frame, Liveness, LivenessResult, Panel, ShownSlot
from tests.support.clikit import Shell
from tests.support.simrig import EASY, SeenModels, simulated, world_of


def test_consent_must_be_named(kiosk: Shell, bare: Path) -> None:
    """Before anything is opened."""
    complaint = kiosk("liveness", "record", "--out", bare / "new").complaint
    assert "pictures of a person's face" in complaint
    assert "--consent" in complaint
    assert not (bare / "new").exists()


@pytest.mark.parametrize("label", ["Live", "", "print flat", "../x", "é"])
def test_a_label_is_a_species(kiosk: Shell, bare: Path, label: str) -> None:
    """Small letters, digits and underscores."""
    answer = kiosk("liveness", "record", "--out", bare / "new", "--consent", "--label", label)
    assert "is no label" in answer.complaint


def test_an_empty_room_records_nothing(kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and a word; no folder is left."""
    monkeypatch.setattr("kiosk.cli.rig.real_devices", lambda _settings, _data: simulated(world_of("nobody")))
    answer = kiosk("liveness", "record", "--out", bare / "new", "--consent", "--seconds", "2")
    assert (answer.code, answer.out) == (1, "")
    assert "nothing was recorded" in answer.err
    assert not (bare / "new").exists()


def test_a_lost_camera_is_told(kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only that nothing was recorded."""
    world = world_of("nobody")
    world.story = replace(world.story, faults=(Fault(0.5, 1e9, "unplug"),))
    monkeypatch.setattr("kiosk.cli.rig.real_devices", lambda _settings, _data: simulated(world))
    assert "unplugged" in kiosk("liveness", "record", "--out", bare / "n", "--consent", "--seconds", "2").complaint


def test_a_folder_of_other_things_is_refused(kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, nothing filmed."""
    monkeypatch.setattr("kiosk.cli.rig.real_devices", lambda _settings, _data: simulated(world_of("nobody")))
    (bare / "letter.txt").write_text("mine")
    answer = kiosk("liveness", "record", "--out", bare, "--consent", "--seconds", "2")
    assert "letter.txt" in answer.complaint


def test_a_visit_is_recorded(kiosk: Shell, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A painted person in the simulated world: one line, one folder with the label."""
    config = tmp_path / "easy.toml"
    limits = "".join(f"{key} = {value}\n" for key, value in EASY.model_dump(exclude_defaults=True).items())
    config.write_text(f"[camera]\nwidth_px = 320\nheight_px = 240\nfps = 20.0\n[quality.door]\n{limits}")
    world = world_of("live")
    monkeypatch.setattr("kiosk.cli.rig.real_devices", lambda _settings, _data: simulated(world))
    monkeypatch.setattr("models.faces.open_models", lambda _data: SeenModels(world))
    out = bare / "new"
    answer = kiosk("liveness", "record", "--out", out, "--consent", "--label", "live", "--config", config, "--json")
    assert answer.code == 0, answer
    (told,) = answer.lines
    assert (told["recording"], told["verdict"]) == (str(out / "0001"), "live")
    found = read_recording(out / "0001")
    assert (found.species, len(found.frames)) == ("live", told["frames"])
    assert not answer.err
    assert (out / "0001" / "evidence.npz").is_file()
    (scored,) = kiosk("liveness", "score", out / "0001", "--config", config, "--json").lines
    assert scored["verdict"] == "live"


def test_a_recording_is_whole_without_its_evidence(
    kiosk: Shell, bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No weights: one line says so, and the command's answer stays."""
    slots = (ShownSlot((128, 128, 128), "full", 1.0, 0.3),)
    frames = [Frame(np.full((48, 64, 3), 90, np.uint8), 0, 1.1, 0.01, True)]
    write_recording(
        tmp_path / "0001", slots=slots, panel=Panel(155, 88, 500), camera_name="usb:0", exposure_locked=True,
        lag_s=None, ambient_lux=None, frames=frames,
    )  # fmt: skip
    del kiosk, bare
    liveness_site._keep_evidence([tmp_path / "0001"], quiet=True)
    told = capsys.readouterr().err
    assert "recorded, but evidence is not kept" in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "0001" / "evidence.npz").exists()


def test_what_is_not_kept_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, beside the lines of what is."""
    result = LivenessResult(Liveness.UNSURE, 12.0, ())
    liveness_site._teller(False)(Written(Path("0001"), 7, result))
    keeper, shelf = SimpleNamespace(broken_off=2, lost=0), SimpleNamespace(skipped=1)
    liveness_site._tell_lost(keeper, shelf)  # type: ignore[arg-type]
    told = capsys.readouterr()
    assert told.out == "unsure (confidence 12), 7 frames: 0001\n"
    assert told.err.splitlines() == [
        "kiosk: attempts not kept, broken off before a verdict: 2",
        "kiosk: attempts not kept, come while another was being written: 1",
    ]
