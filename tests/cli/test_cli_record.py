"""``kiosk liveness record`` from the command line: consent, labels, folders, and an empty room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hardware.sim.story import Fault
from tests.support.clikit import Shell
from tests.support.simrig import simulated, world_of


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
