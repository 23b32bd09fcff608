"""Whether the process that began something is still at it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.errors import RecordsError
from kiosk.runtime import working

CHILD = """
import sys
from pathlib import Path
from kiosk.runtime import working
with working.owner(Path(sys.argv[1])) as name:
    print(name, flush=True)
    sys.stdin.read()
"""


def test_an_owner_is_alive_as_long_as_its_block(tmp_path: Path) -> None:
    """Its file goes with it; other names, and what is no name, belong to nobody."""
    with working.owner(tmp_path) as name:
        assert working.is_alive(tmp_path, name)
        assert not working.is_alive(tmp_path, "somebody")
    assert not working.is_alive(tmp_path, name)
    assert list((tmp_path / working.FOLDER).iterdir()) == []
    assert not working.is_alive(tmp_path, "")
    assert not working.is_alive(tmp_path, "../records.key")


def test_a_killed_process_is_not_alive(tmp_path: Path) -> None:
    """The kernel drops the lock; the file that it left is cleared away by whoever asks."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert working.is_alive(tmp_path, name)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / working.FOLDER / name).exists()
    assert not working.is_alive(tmp_path, name)
    assert not (tmp_path / working.FOLDER / name).exists()


def test_a_folder_that_cannot_be_locked_or_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, or a file system without locks."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsError, match="cannot be written"), working.owner(tmp_path / "file"):
        pass

    def refused(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refused)
    with pytest.raises(RecordsError, match="cannot be locked"), working.owner(tmp_path):
        pass
