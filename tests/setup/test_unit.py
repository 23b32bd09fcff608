"""The systemd units keep their promises: locked after every stop, sandboxed, quiet; each line explained."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.config.load import parse
from kiosk.config.needs import network
from kiosk.records.store import DATABASE

ROOT = Path(__file__).resolve().parents[2]
DOOR, SETTLE, TIMER = UNITS = "kiosk.service", "kiosk-settle.service", "kiosk-settle.timer"
PROGRAM = "/opt/kiosk/venv/bin/kiosk"


def lines(unit: str = DOOR) -> list[tuple[str, str]]:
    """(name, value) of every setting, in order."""
    found = re.findall(r"(?m)^([A-Z]\w+)=(.*)$", (ROOT / "systemd" / unit).read_text(encoding="utf-8"))
    assert found
    return found


def test_the_door_is_locked_after_every_stop() -> None:
    """Whatever ended the kiosk, and never ignored with a leading dash."""
    stop = [value for name, value in lines() if name == "ExecStopPost"]
    assert stop == ["/opt/kiosk/venv/bin/python -m hardware.doors.relock --config /etc/kiosk/kiosk.toml"]


def test_a_hung_kiosk_is_ended() -> None:
    """The watchdog, a limit on starts, and no core dumps, which would hold faces."""
    settings = dict(lines())
    assert settings["Type"] == "notify"
    assert int(settings["WatchdogSec"]) <= 15
    assert settings["Restart"] == "always"
    assert settings["LimitCORE"] == "0"
    assert int(settings["StartLimitBurst"]) > 0


@pytest.mark.parametrize("unit", UNITS)
def test_every_line_is_explained(unit: str) -> None:
    """systemd/README.md says why each is there."""
    text = (ROOT / "systemd" / "README.md").read_text(encoding="utf-8")
    missing = {name for name, _ in lines(unit) if f"`{name}" not in text}
    assert not missing


def test_only_the_kiosks_devices_are_open() -> None:
    """Camera, screen, touch, relay."""
    allowed = {value.split()[0] for name, value in lines() if name == "DeviceAllow"}
    wanted = {"video4linux", "media", "dma_heap", "drm", "input", "gpiochip"}
    assert allowed == {f"char-{kind}" for kind in wanted}


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze; the test is skipped where it is not installed."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed; CI installs it")
    return subprocess.run([tool, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("unit", [DOOR, SETTLE])
def test_the_exposure_is_low(unit: str) -> None:
    """systemd's own judgement, 2.0 of 10 at most."""
    judged = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(ROOT / "systemd" / unit))
    assert judged.returncode == 0, judged.stdout[-500:]


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """All three together, with a program that is there."""
    (tmp_path / "python").symlink_to(sys.executable)
    (tmp_path / "kiosk").symlink_to(sys.executable)
    for unit in UNITS:
        text = (ROOT / "systemd" / unit).read_text(encoding="utf-8")
        (tmp_path / unit).write_text(text.replace("/opt/kiosk/venv/bin", str(tmp_path)))
    for unit in UNITS:
        verified = analyze("verify", "--recursive-errors=one", str(tmp_path / unit))
        assert (verified.returncode, verified.stderr) == (0, "")


# Settling


def test_what_was_left_is_settled_every_hour() -> None:
    """By the command as it is; missed hours are made up for; never at the same second at all kiosks."""
    timer, service = dict(lines(TIMER)), dict(lines(SETTLE))
    assert (timer["OnCalendar"], timer["Persistent"], timer["WantedBy"]) == ("hourly", "yes", "timers.target")
    assert timer["RandomizedDelaySec"]
    assert service["ExecStart"] == f"{PROGRAM} enroll settle --config /etc/kiosk/kiosk.toml"
    assert (service["Type"], "Restart" in service) == ("oneshot", False)


def test_settling_has_no_more_rights_than_the_door_but_the_network() -> None:
    """Line by line; no device at all, and nothing of the running kiosk's goes when it ends."""
    door, settle = lines(DOOR), lines(SETTLE)
    own = {"DeviceAllow", "PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies", "ExecStart", "ExecStopPost"}
    running = {"RuntimeDirectory", "RuntimeDirectoryMode", "WorkingDirectory", "Environment", "Type", "NotifyAccess"}
    starting = {"Restart", "RestartSec", "WatchdogSec", "TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec"}
    unit = {"Description", "After", "Conflicts", "StartLimitIntervalSec", "StartLimitBurst", "WantedBy"}
    assert {line for line in door if line[0] not in own | running | starting | unit} <= set(settle)
    assert ("PrivateDevices", "yes") in settle
    assert not {name for name, _ in settle} & {"RuntimeDirectory", "DeviceAllow", "WantedBy"}


def test_where_there_is_nothing_to_settle_nothing_fails() -> None:
    """Without a database it is not started; exit code 1, something is left for the next hour, is no failure."""
    settings = dict(lines(SETTLE))
    assert settings["ConditionPathExists"] == f"/var/lib/kiosk/{DATABASE}"
    assert settings["SuccessExitStatus"] == "1"


INSTALL = """
set -euo pipefail
ROOT={root}
say() {{ printf '%s\n' "$*"; }}
fail() {{ say "FAILED $*"; exit 1; }}
has() {{ [ "$1" = systemctl ]; }}
systemctl() {{ say "systemctl $*"; }}
getent() {{ return 1; }}
source "$ROOT/systemd/install.sh"
need_root() {{ :; }}
UNITS={place}/units TMPFILES={place}/tmpfiles/kiosk.conf
PREFIX={place}/opt STATE={place}/state SETTINGS={place}/settings COMMAND={place}/kiosk
"""


def installer(place: Path, *commands: str) -> list[str]:
    """What these commands of systemd/install.sh say, and which calls of systemctl they make; in a folder."""
    text = INSTALL.format(root=ROOT, place=place) + "\n".join(commands)
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_all_units_are_installed_enabled_and_removed_again(tmp_path: Path) -> None:
    """The timer, not the service that it starts, is enabled; what somebody else put there stays."""
    said = installer(tmp_path, "install_unit", "install_unit")
    assert {path.name for path in (tmp_path / "units").iterdir()} == set(UNITS)
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in (tmp_path / "units").iterdir())
    assert said[0] == f"systemctl --quiet enable {DOOR} {TIMER}"
    (tmp_path / "units" / "other.service").touch()
    said = installer(tmp_path, "device_uninstall")
    assert f"systemctl --quiet disable {DOOR} {TIMER}" in said
    assert [path.name for path in (tmp_path / "units").iterdir()] == ["other.service"]
    assert not (tmp_path / "tmpfiles" / "kiosk.conf").exists()


# Network


def with_program(place: Path, config: str) -> None:
    """A folder that looks installed: this Python in its place, and a configuration."""
    (place / "opt" / "venv" / "bin").mkdir(parents=True)
    program = place / "opt" / "venv" / "bin" / "python"
    program.write_text(f'#!/bin/sh\ncd {ROOT}\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    (place / "settings").mkdir(exist_ok=True)
    (place / "settings" / "kiosk.toml").write_text(config)


def test_the_network_follows_the_configuration(tmp_path: Path) -> None:
    """Given when an engine is enabled, taken when it is not any more; a drop-in of somebody else's stays."""
    folder = tmp_path / "units" / "kiosk.service.d"
    with_program(tmp_path, '[kpi]\nprometheus = "127.0.0.1:9464"\n')
    said = installer(tmp_path, "write_network")
    assert "may use the network" in said[0]
    assert "PrivateNetwork=no" in (folder / "network.conf").read_text()
    (folder / "mine.conf").touch()
    (tmp_path / "settings" / "kiosk.toml").write_text("")
    assert installer(tmp_path, "write_network") == []
    assert [path.name for path in folder.iterdir()] == ["mine.conf"]
    (tmp_path / "settings" / "kiosk.toml").write_text("[kpi.cloudwatch]\nenabled = true\n")
    installer(tmp_path, "write_network", "device_uninstall")
    assert [path.name for path in folder.iterdir()] == ["mine.conf"]


def test_packages_follow_the_configuration_and_words(tmp_path: Path) -> None:
    """Before anything is installed only the board's; words stay for the next time; an unknown one is refused."""
    assert installer(tmp_path, "wanted_extras pi") == ["pi"]
    with_program(tmp_path, "[kpi.cloudwatch]\nenabled = true\n")
    assert installer(tmp_path, "remember_extras server cards", "wanted_extras pi") == ["cards,cloud,pi,server"]
    assert installer(tmp_path, "remember_extras", "wanted_extras jetson") == ["cards,cloud,jetson,server"]
    (tmp_path / "settings" / "kiosk.toml").write_text("nonsense")  # nothing is taken from a kiosk that works
    (tmp_path / "opt" / "venv" / ".complete").write_text("cards,kpi,pi,server\n")
    assert installer(tmp_path, "wanted_extras pi") == ["cards,kpi,pi,server"]
    assert "FAILED" in installer_fails(tmp_path, "remember_extras boto3")
    assert "kiosk.toml" in installer_fails(tmp_path, "write_network")


def installer_fails(place: Path, command: str) -> str:
    """What a command of systemd/install.sh says that must fail."""
    text = INSTALL.format(root=ROOT, place=place) + command
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_systemd_understands_the_drop_in_and_the_exposure_stays_low(tmp_path: Path) -> None:
    """As installed: the unit with the drop-in of a door that asks AWS and listens for Prometheus."""
    engine = '[rekognition.aws]\nenabled = true\n[identity.models."7.0"]\nthreshold = 99.0\n'
    config = engine + '[kpi]\nprometheus = "0.0.0.0:9464"\n'
    text = (ROOT / "systemd" / DOOR).read_text(encoding="utf-8")
    (tmp_path / DOOR).write_text(
        text.replace("/opt/kiosk/venv/bin/kiosk", sys.executable).replace("/opt/kiosk/venv/bin/python", sys.executable)
    )
    (tmp_path / f"{DOOR}.d").mkdir()
    (tmp_path / f"{DOOR}.d" / "network.conf").write_text(network(parse(config, "kiosk.toml")))
    verified = analyze("verify", "--recursive-errors=one", str(tmp_path / DOOR))
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(tmp_path / DOOR))
    assert judged.returncode == 0, judged.stdout[-500:]
    assert "PrivateNetwork" in judged.stdout
