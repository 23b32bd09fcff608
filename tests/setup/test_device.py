"""The device part of setup.sh, function by function, in folders of the test's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
set -euo pipefail
umask 022
say() { printf '%s\\n' "$*"; }
fail() { printf 'setup: %s; %s\\n' "$1" "$2" >&2; exit 1; }
. "$1/systemd/install.sh"
ROOT="$1" PREFIX="$2/opt" SETTINGS="$2/etc" STATE="$2/state" VENV_MB=1
"""


def run(place: Path, script: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A few lines after the functions are there; ``place`` has a blank in its name."""
    command = ["bash", "-c", BEGIN + script, "bash", str(ROOT), str(place)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A device with an environment and a configuration."""
    made = tmp_path / "a device"
    (made / "opt/venv-old/bin").mkdir(parents=True)
    (made / "opt/venv").symlink_to("venv-old")
    python = made / "opt/venv-old/bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (made / "etc").mkdir()
    (made / "etc/kiosk.toml").write_text('[kpi]\nprometheus = "127.0.0.1:9464"\n')
    return made


def test_root_imports_nothing_from_where_it_stands(place: Path, tmp_path: Path) -> None:
    """The command is run in anybody's folder."""
    theirs = tmp_path / "kiosk/config"
    theirs.mkdir(parents=True)
    for file in (theirs.parent / "__init__.py", theirs / "__init__.py"):
        file.touch()
    (theirs / "needs.py").write_text('print("taken over")\n')
    done = run(place, "configured extras", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "kpi\n"), done.stderr


def test_words_are_remembered_beside_each_other(place: Path) -> None:
    """Asked for the cards once and for the server later: both stay, with what the configuration needs."""
    done = run(place, "remember_extras cards; remember_extras server; remember_extras; wanted_extras pi")
    assert (done.returncode, done.stdout) == (0, "cards,kpi,pi,server\n"), done.stderr
    (place / "etc/extras").write_text("cards\r\ncloud\r\n", newline="")
    assert run(place, "remember_extras; wanted_extras pi").stdout == "cards,cloud,kpi,pi\n"


@pytest.mark.parametrize("kept", ["cards # for licences\n", "*\n", "cards; touch x\n"])
def test_words_that_somebody_mistyped_are_told(place: Path, kept: str) -> None:
    """In the file too, and before anything is built."""
    (place / "etc/extras").write_text(kept)
    done = run(place, "remember_extras")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"known: cards, server, cloud, kpi, postgres (kept in {place}/etc/extras)" in done.stderr


def test_the_running_door_keeps_its_environment_until_the_end(place: Path) -> None:
    """A configuration that cannot be read ends an installation after the build: what runs must not lose its files."""
    fakes = """
        source_mark() { say new; }; check_space() { :; }; pip_install() { :; }
        python() { mkdir -p -- "${@: -1}"; }
        PYTHON=python
        build_venv jetson
    """
    done = run(place, fakes)
    assert done.returncode == 0, done.stderr
    assert (place / "opt/venv").readlink() == Path("venv-new")
    assert (place / "opt/venv-old/bin/python").exists()
    assert run(place, "drop_old_venvs").returncode == 0
    assert {one.name for one in (place / "opt").iterdir()} == {"venv", "venv-new"}
    text = (ROOT / "systemd/install.sh").read_text(encoding="utf-8")
    assert "    install_unit\n    drop_old_venvs\n" in text
