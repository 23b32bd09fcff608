"""setup.sh explains itself and every failure in one line; the world around it is a folder of small fake programs.

The whole way, from a bare system to the demo, is what ``.ci/run`` walks; here are the turnings it seldom takes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kiosk.records.store import DATABASE

ROOT = Path(__file__).resolve().parents[2]
TOOLS = (
    *("awk", "basename", "bash", "cat", "cut", "df", "dirname", "env", "find", "grep", "head", "mkdir", "mktemp", "mv"),
    *("rm", "sed", "sh", "sha256sum", "tail", "touch", "tr"),
)
PYTHON = """#!/bin/sh
case "$*" in
    *version_info*) exit {old} ;;
    *ensurepip*) exit {no_venv} ;;
    *CDLL*) exit {no_library} ;;
    *sys.version*) echo "3.11.fake" ;;
    --version) echo "Python 3.{minor}.0" ;;
    *"-m venv"*)
        for last; do :; done
        mkdir -p "$last/bin"; cp "$0" "$last/bin/python"; cp "{kiosk}" "$last/bin/kiosk" ;;
    *"-m pip --version"*) exit 0 ;;
    *"-m pip install"*) echo "pip $*" >>"$LOG"; {pip} ;;
    "-m pytest"*) echo "$*" >>"$LOG" ;;
esac
"""
KIOSK = '#!/bin/sh\necho "kiosk $*" >>"$LOG"\n'


class Machine:
    """A checkout in a folder with a blank in its name, and a PATH that holds only what the test puts there."""

    def __init__(self, place: Path) -> None:
        self.bin = place / "bin"
        self.bin.mkdir()
        self.root = place / "a checkout"
        (self.root / "systemd").mkdir(parents=True)
        for name in ("setup.sh", "pyproject.toml", "systemd/install.sh"):
            shutil.copy(ROOT / name, self.root / name)
        self.log = place / "log"
        self.log.touch()
        for tool in (*TOOLS, "cp"):
            found = shutil.which(tool)
            assert found, f"{tool} is missing on this machine"
            (self.bin / tool).symlink_to(found)
        self.program("kiosk-fake", KIOSK)
        self.program("id", '#!/bin/sh\n[ "$1" = -u ] && echo 1000\n')

    def program(self, name: str, text: str) -> None:
        """Put a program on the PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def python(self, *, old: int = 0, no_venv: int = 0, no_library: int = 0, pip: str = "exit 0") -> None:
        """Put a fake python3 on the PATH."""
        minor = 9 if old else 11
        text = PYTHON.format(
            old=old, no_venv=no_venv, no_library=no_library, minor=minor, pip=pip, kiosk=self.bin / "kiosk-fake"
        )
        self.program("python3", text)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """setup.sh from another folder, without a terminal and without HOME."""
        environ = {"PATH": str(self.bin), "LOG": str(self.log)}
        return subprocess.run(
            [str(self.bin / "bash"), str(self.root / "setup.sh"), *words],
            cwd="/",
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def refusal(self, *words: str) -> str:
        """The one line of a failure."""
        done = self.run(*words)
        lines = done.stderr.splitlines()
        assert done.returncode == 1, done
        assert len(lines) == 1, done.stderr
        return lines[0]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with everything the demo needs."""
    made = Machine(tmp_path)
    made.python()
    made.program("npm", "#!/bin/sh\n")
    return made


def test_alone_it_prints_what_it_can_do(machine: Machine) -> None:
    """No argument: the commands, and nothing happens."""
    done = machine.run()
    assert done.returncode == 0
    for command in ("demo", "test", "install", "uninstall", "KIOSK_DATA_DIR"):
        assert command in done.stdout
    assert not (machine.root / ".venv").exists()


def test_the_demo_installs_fetches_and_plays(machine: Machine) -> None:
    """In this order, and words after the command reach the demo."""
    done = machine.run("demo", "--window")
    assert done.returncode == 0, done.stderr
    pip, fetch, demo = machine.log.read_text().splitlines()
    assert pip.startswith("pip -m pip install")
    assert pip.endswith(f"--editable {machine.root}")
    assert (fetch, demo) == ("kiosk models fetch --group core --group demo", "kiosk demo --window")


def test_the_tests_fetch_the_optional_weights_too(machine: Machine) -> None:
    """What the demo does without."""
    machine.run("test", "tests/visit")
    assert (
        "kiosk models fetch --group core --group demo --group cards --group second-embedder"
        in machine.log.read_text().splitlines()
    )


def test_the_second_run_leaves_pip_alone(machine: Machine) -> None:
    """No network is needed once all is there."""
    machine.run("demo")
    machine.log.write_text("")
    done = machine.run("demo")
    assert "pip" not in machine.log.read_text()
    assert done.stdout == ""


def test_a_changed_dependency_list_builds_the_environment_anew(machine: Machine) -> None:
    """Old packages would linger otherwise."""
    machine.run("demo")
    (machine.root / ".venv" / "left-over").touch()
    with (machine.root / "pyproject.toml").open("a") as file:
        file.write("\n# changed\n")
    machine.run("demo")
    assert machine.log.read_text().count("pip -m pip install") == 2
    assert not (machine.root / ".venv" / "left-over").exists()


def test_an_interrupted_installation_is_repeated(machine: Machine) -> None:
    """The stamp is written last."""
    machine.python(pip='kill -9 "$PPID"')
    machine.run("demo")
    machine.python()
    shutil.copy(machine.bin / "python3", machine.root / ".venv" / "bin" / "python")
    assert machine.run("demo").returncode == 0
    assert machine.log.read_text().count("pip -m pip install") == 2


@pytest.mark.parametrize(("cores", "processes"), [("echo 1", 1), ("echo 3", 3), ("echo 64", 4), ("exit 127", 1)])
def test_the_tests_run_in_a_process_a_core(machine: Machine, cores: str, processes: int) -> None:
    """Four at most; what is said after the command comes last, so that it counts: ``-n 0`` is one process."""
    machine.program("nproc", f"#!/bin/sh\n{cores}\n")
    machine.run("test", "tests/visit", "-k", "holding or moving", "-n", "0")
    (line,) = (line for line in machine.log.read_text().splitlines() if line.startswith("-m pytest"))
    assert line.startswith(f"-m pytest -n {processes} ")
    assert line.endswith(" tests/visit -k holding or moving -n 0")
    assert "--cov" not in line


def test_the_whole_suite_is_judged_by_its_coverage(machine: Machine) -> None:
    """A part of the tests is not: it covers a part of the code."""
    done = machine.run("test")
    assert "--cov" in machine.log.read_text()
    assert "core covered" in done.stdout
    assert "core covered" not in machine.run("test", "tests/visit").stdout


def test_an_unknown_command_is_refused(machine: Machine) -> None:
    """With the way to the list."""
    assert 'there is no command "dmeo"; run ./setup.sh without' in machine.refusal("dmeo")


def test_an_old_python_is_refused(machine: Machine) -> None:
    """With what to use instead."""
    machine.python(old=1)
    assert "Python 3.9.0 is too old; Python 3.11 or newer is needed" in machine.refusal("demo")


def test_without_sudo_it_names_the_command_for_root(machine: Machine) -> None:
    """What is missing is listed, and only that."""
    machine.python(no_library=1)
    machine.program("apt-get", "#!/bin/sh\nexit 1\n")
    line = machine.refusal("demo")
    assert "sudo is missing and this is not root; as root, run: apt-get install" in line
    assert line.endswith("libgl1 libglib2.0-0 libegl1 libgles2")


def test_sudo_that_wants_a_password_is_not_waited_for(machine: Machine) -> None:
    """It never asks questions."""
    machine.python(no_venv=1)
    machine.program("apt-get", "#!/bin/sh\nexit 1\n")
    machine.program("sudo", "#!/bin/sh\nexit 1\n")
    line = machine.refusal("demo")
    assert "sudo would ask for a password; run: sudo apt-get install --no-install-recommends python3-venv" in line


def test_a_system_without_apt_is_told_what_it_needs(machine: Machine) -> None:
    """Somebody on another distribution can go on by hand."""
    machine.python(no_venv=1)
    assert "apt-get is missing on this system; install what corresponds to: python3-venv" in machine.refusal("demo")


def test_what_is_missing_is_installed_once_and_announced(machine: Machine) -> None:
    """Python's venv, libraries and npm in one go, through sudo."""
    machine.python(no_venv=1)
    (machine.bin / "npm").unlink()
    machine.program("sudo", '#!/bin/sh\nwhile [ "$1" != env ] && [ "$1" != true ]; do shift; done\nexec "$@"\n')
    (machine.bin / "true").symlink_to(shutil.which("true") or "/bin/true")
    machine.program("apt-get", '#!/bin/sh\necho "apt-get $*" >>"$LOG"\n')
    done = machine.run("demo")
    assert done.returncode == 0, done.stderr
    assert "Installing with apt-get: python3-venv npm" in done.stdout
    assert "apt-get install -y -q --no-install-recommends python3-venv npm" in machine.log.read_text()


@pytest.mark.parametrize(
    ("complaint", "expected"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "the disk is full;",
        ),
        ("WARNING: Retrying: NewConnectionError: Temporary failure in name resolution", "no network; connect"),
        ("OSError: [Errno 30] Read-only file system: 'x'", "the file system is read-only; copy"),
        ("ERROR: No matching distribution found for numpy", "(ERROR: No matching distribution found for numpy);"),
    ],
)
def test_a_failing_pip_is_explained(machine: Machine, complaint: str, expected: str) -> None:
    """The cause in a line, not pip's page."""
    machine.python(pip=f'echo "{complaint}" >&2; exit 1')
    line = machine.refusal("demo")
    assert "pip could not install the packages" in line
    assert expected in line


def test_a_full_disk_is_seen_before_the_download(machine: Machine) -> None:
    """Rather than after half of it."""
    (machine.bin / "df").unlink()
    machine.program("df", "#!/bin/sh\necho 'Filesystem 1M Used Available'; echo '/dev/x 9999 9000 999'\n")
    line = machine.refusal("demo")
    assert "only 999 MB free in" in line
    assert "free at least 2500 MB" in line


def test_a_read_only_checkout_is_told(machine: Machine) -> None:
    """A live system or a mounted archive."""
    (machine.bin / "mktemp").unlink()
    machine.program("mktemp", "#!/bin/sh\nexit 1\n")
    assert "cannot be written; copy this folder to a place that can be written" in machine.refusal("demo")


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_the_device_commands_need_root(machine: Machine, command: str) -> None:
    """Told before anything is touched."""
    assert f"{command} needs root; run: sudo ./setup.sh {command}" in machine.refusal(command)


def test_a_given_data_directory_is_honoured(machine: Machine, tmp_path: Path) -> None:
    """Relative ones count from where the command was given."""
    machine.program("kiosk-fake", '#!/bin/sh\necho "$KIOSK_DATA_DIR" >>"$LOG"\n')
    text = (machine.root / "setup.sh").read_text()
    assert 'DATA="${KIOSK_DATA_DIR:-$ROOT/var}"' in text
    environ = {"PATH": str(machine.bin), "LOG": str(machine.log), "KIOSK_DATA_DIR": "data"}
    subprocess.run(
        [str(machine.bin / "bash"), str(machine.root / "setup.sh"), "demo"], cwd=tmp_path, env=environ, check=True
    )
    assert machine.log.read_text().splitlines()[-1] == str(tmp_path / "data")


def test_an_old_database_never_gets_a_new_key() -> None:
    """The installer looks for the database under the name that the store gives it."""
    names = set(re.findall(r'"\$STATE/(\w+\.db)"', (ROOT / "systemd" / "install.sh").read_text()))
    assert names == {DATABASE}


@pytest.mark.parametrize("script", ["setup.sh", "systemd/install.sh", ".ci/run"])
def test_the_scripts_are_clean(script: str) -> None:
    """shellcheck, where it is installed; the shell's own syntax check everywhere."""
    subprocess.run(["bash", "-n", str(ROOT / script)], check=True)
    checker = shutil.which("shellcheck")
    if checker is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([checker, "-x", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_scripts_may_be_executed() -> None:
    """The two commands of the README work as they stand."""
    for script in ("setup.sh", ".ci/run"):
        assert os.access(ROOT / script, os.X_OK)
