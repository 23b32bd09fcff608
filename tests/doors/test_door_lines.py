"""What is particular to one kind of line, the factory, the dry probe and the relock command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hardware.doors import make_line, open_door, probe_door_dry
from hardware.doors import relock as relock_command
from hardware.doors.gpiozero_door import GpiozeroLine
from hardware.doors.memory import MemoryDoor
from kiosk.config.tree import DoorSettings
from kiosk.errors import ConfigurationError, DoorError
from kiosk.values import DoorPosition, Grant
from tests.support.wire import Wire, fake_gpiod

GRANT = Grant(attempt=1, person_id="p", decided_at_s=1.0)


@pytest.fixture
def gpiod(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A fake gpiod; ``.wire`` is line 17."""
    wire = Wire()
    module: Any = fake_gpiod(wire)
    module.wire = wire
    monkeypatch.setitem(sys.modules, "gpiod", module)
    monkeypatch.setitem(sys.modules, "gpiod.line", module.line)
    return module


def test_defaults_of_the_relock_command_are_those_of_the_settings() -> None:
    """Two lists of defaults would drift; this keeps them one."""
    settings = DoorSettings()
    assert {key: getattr(settings, key) for key in relock_command.DEFAULTS} == relock_command.DEFAULTS


@pytest.mark.parametrize(
    ("set_up", "word"),
    [("busy", "another process"), ("denied", "permission denied")],
)
def test_gpiod_errors_are_one_plain_line(gpiod: Any, set_up: str, word: str) -> None:
    """The kernel's refusals say what to do."""
    setattr(gpiod, set_up, True)
    with pytest.raises(DoorError, match=word) as caught, open_door(DoorSettings(kind="gpiod", pin="17")):
        pass
    assert "\n" not in str(caught.value)
    assert caught.value.mend


def test_gpiod_names_its_consumer(gpiod: Any) -> None:
    """gpioinfo shows who holds the line."""
    with open_door(DoorSettings(kind="gpiod", pin="GPIO17")):
        assert gpiod.requests == ["door-kiosk"]


def test_gpiod_missing_chip(gpiod: Any) -> None:
    """A chip that is not there is said so."""
    assert gpiod
    with pytest.raises(DoorError, match="no such chip"), open_door(DoorSettings(kind="gpiod", chip="/dev/gpiochip9")):
        pass


def test_old_gpiod_is_named(monkeypatch: pytest.MonkeyPatch, gpiod: Any) -> None:
    """Debian's 1.6 binding has the same module name and another interface."""
    monkeypatch.delattr(gpiod, "request_lines")
    with pytest.raises(DoorError, match=r"1\.x"), open_door(DoorSettings(kind="gpiod")):
        pass


def test_dry_probe_moves_nothing(gpiod: Any) -> None:
    """The probe reads what the kernel knows and requests no line."""
    facts = probe_door_dry(DoorSettings(kind="gpiod", pin="17"))
    assert facts["offset"] == 17
    assert gpiod.requests == []
    assert gpiod.wire.levels == []
    gpiod.busy = True
    with pytest.raises(DoorError, match="somebody"):
        probe_door_dry(DoorSettings(kind="gpiod", pin="17"))


def test_dry_probe_of_memory_says_that_it_opens_nothing() -> None:
    """Nobody mistakes the memory door for a lock."""
    assert probe_door_dry(DoorSettings(kind="memory"))["note"] == "opens nothing"


def test_a_missing_pin_factory_is_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """lgpio that is not installed is an error, not a silent mock."""
    monkeypatch.setitem(sys.modules, "lgpio", None)
    monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", None)
    with pytest.raises(DoorError, match="lgpio is not installed"), open_door(DoorSettings(kind="gpiozero")):
        pass


def test_the_global_pin_factory_stays_untouched() -> None:
    """gpiozero's process-wide factory is not ours to set."""
    from gpiozero import Device

    before = Device.pin_factory
    with open_door(DoorSettings(kind="gpiozero", pin_factory="mock")):
        assert Device.pin_factory is before


def test_a_wrong_pin_name_is_one_line() -> None:
    """gpiozero's complaint comes out as a DoorError, and nothing stays open."""
    line = GpiozeroLine("GPIO99", pin_factory="mock", active_low=True)
    with pytest.raises(DoorError, match=r"check door\.pin"):
        line.open()
    line.release()


def test_unknown_kinds_are_refused() -> None:
    """The relock command reads raw TOML, so the names are checked here as well."""
    with pytest.raises(ConfigurationError, match="kind"):
        make_line("servo", pin="1", pin_factory="lgpio", chip="", active_low=True)
    with pytest.raises(ConfigurationError, match="pin factory"):
        make_line("gpiozero", pin="1", pin_factory="magic", chip="", active_low=True).open()


def test_virtual_door_ends_its_pulse_exactly() -> None:
    """On simulated time the position is right whenever it is looked at."""
    now_s = [10.0]
    with MemoryDoor(lambda: now_s[0]) as door:
        door.unlock(GRANT, duration_s=3.0)
        now_s[0] = 12.99
        assert door.position is DoorPosition.UNLOCKED
        now_s[0] = 13.0
        assert door.position is DoorPosition.LOCKED


def _config(folder: Path, text: str) -> list[str]:
    path = folder / "kiosk.toml"
    path.write_text(text, encoding="utf-8")
    return ["--config", str(path)]


def test_relock_drives_to_locked(gpiod: Any, tmp_path: Path) -> None:
    """After a crash the line is taken at the locked level, and never at the other."""
    arguments = _config(tmp_path, '[door]\nkind = "gpiod"\npin = "17"\nactive_low = true\n[nonsense]\nx = 1\n')
    assert relock_command.main(arguments) == 0
    assert set(gpiod.wire.levels) == {True}


def test_relock_waits_for_a_dying_holder(gpiod: Any, tmp_path: Path) -> None:
    """A busy line is tried again."""
    gpiod.busy = True
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        gpiod.busy = len(pauses) < 3

    assert relock_command.main(_config(tmp_path, '[door]\nkind = "gpiod"\npin = "17"\n'), sleep=pause) == 0
    assert len(pauses) == 3


def test_relock_gives_up_with_one_line(gpiod: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line that stays busy ends in exit code 2 and one plain line."""
    gpiod.busy = True
    assert relock_command.main(_config(tmp_path, '[door]\nkind = "gpiod"\npin = "17"\n'), sleep=lambda _: None) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "another process" in error


@pytest.mark.parametrize("text", ["[door", '[door]\nkind = "servo"\n', "[door]\nactive_low = 1\n"])
def test_relock_with_a_bad_file(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that does not say which relay ends in exit code 2 and one plain line."""
    assert relock_command.main(_config(tmp_path, text)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_relock_imports_little(tmp_path: Path) -> None:
    """For a real relay it starts without numpy, pydantic and cv2, which may be what crashed."""
    script = (
        "import sys; from hardware.doors import relock;"
        f"rc = relock.main({_config(tmp_path, '[door]')!r}, sleep=lambda s: None);"
        "print(rc, sorted({'numpy', 'pydantic', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_the_interpreters_exit_locks() -> None:
    """A program that ends in the middle of a pulse, by an exception and without closing, locks on its way out."""
    script = (
        "from hardware.doors.memory import MemoryLine\n"
        "from hardware.doors.timed import TimedDoor\n"
        "from kiosk.values import Grant\n"
        "class Loud(MemoryLine):\n"
        "    def _write(self, unlocked):\n"
        "        print('unlocked' if unlocked else 'locked', flush=True)\n"
        "        super()._write(unlocked)\n"
        "door = TimedDoor(Loud())\n"
        "door.__enter__()\n"
        "door.unlock(Grant(1, 'p', 0.0), duration_s=60)\n"
        "raise SystemExit('crashed')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["locked", "unlocked", "locked"]
