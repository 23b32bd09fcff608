"""``kiosk drill`` from the command line: with a typed script in the simulated world, and where it cannot be run."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.sim.story import Fault
from tests.support.clikit import Shell
from tests.support.simrig import simulated, world_of


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator who begins once and then stops, in an empty simulated room with little patience."""
    read, write = os.pipe()
    os.write(write, b"\ns\n")
    os.close(write)
    monkeypatch.setattr("kiosk.cli.drill.keyboard", lambda: read)
    monkeypatch.setattr("kiosk.cli.rig.real_devices", lambda _settings, _data: simulated(world_of("nobody")))


@pytest.mark.usefixtures("typed")
def test_a_short_drill_writes_its_report(kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One try of nobody: no answer, not accepted, not finished; the same command would go on."""
    from kiosk.site import attempting

    monkeypatch.setattr(attempting, "PATIENCE_S", 1.0)
    answer = kiosk("drill", "--out", bare / "drill", "--step", "print_flat=2")
    assert answer.code == 0, answer
    assert "0 of 1 accepted; the true share is at most 95 %" in answer.out
    assert "not finished yet" in answer.out
    assert "Hold up a sharp colour print" in answer.err
    report = json.loads((bare / "drill" / "report.json").read_text())
    assert report["species"][0]["no_answer"]["count"] == 1
    assert report["delay"] == "never calibrated"
    assert sorted(one.name for one in (bare / "drill").iterdir()) == [
        "drill.json",
        "report.html",
        "report.json",
        "report.md",
    ]
    assert "other steps" in kiosk("drill", "--out", bare / "drill", "--step", "live=2").complaint


@pytest.mark.usefixtures("typed")
def test_a_lost_camera_is_no_try(kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line; nothing is counted."""
    from kiosk.site import attempting

    world = world_of("nobody")
    world.story = replace(world.story, faults=(Fault(1.0, 1e9, "unplug"),))
    monkeypatch.setattr("kiosk.cli.rig.real_devices", lambda _settings, _data: simulated(world))
    monkeypatch.setattr(attempting, "PATIENCE_S", 3.0)
    answer = kiosk("drill", "--out", bare / "drill", "--step", "print_flat=1")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith("kiosk: sim:0: unplugged\n")
    assert not (bare / "drill").exists()


@pytest.mark.usefixtures("typed")
def test_an_accepted_attack_is_exit_code_1(kiosk: Shell, bare: Path) -> None:
    """Also when it was accepted in an earlier session."""
    from kiosk.site import drillfile
    from kiosk.site.drill import Drill, Step, Try

    through = Try("print_flat", "live", True, "", 1, (), "2026-11-22T09:00:00+00:00")
    drillfile.save(bare / "drill", Drill((Step("print_flat", 1),), "2026-11-22", tries=(through,)))
    answer = kiosk("drill", "--out", bare / "drill", "--json")
    assert answer.code == 1
    assert answer.lines[0]["species"][0]["accepted"]["count"] == 1


def test_a_memory_display_is_refused(kiosk: Shell, bare: Path, no_devices: Path) -> None:
    """A drill before a dark screen would count nothing."""
    assert "a drill needs a screen" in kiosk("drill", "--out", bare / "d", "--config", no_devices).complaint


def test_a_drill_needs_somebody_to_ask(kiosk: Shell, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input that cannot be read."""
    monkeypatch.setattr("kiosk.cli.rig.real_devices", lambda _settings, _data: simulated(world_of("nobody")))
    monkeypatch.setattr("sys.stdin", None)
    assert "run it in a terminal" in kiosk("drill", "--out", bare / "d").complaint
    assert not (bare / "d").exists()


@pytest.mark.parametrize("step", ["print=3", "live=0", "live"])
def test_wrong_steps_are_told(kiosk: Shell, bare: Path, step: str) -> None:
    """One line with what is known."""
    assert kiosk("drill", "--out", bare / "d", "--step", step).complaint.startswith("--step: ")
