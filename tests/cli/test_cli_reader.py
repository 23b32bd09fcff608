"""A reader that goes away (``| head -1``) and a full disk behind standard output: only processes have pipes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from kiosk.cli import main; main()"]


def test_a_reader_that_went_away_ends_the_command_quietly(bare: Path) -> None:
    """As SIGPIPE would: no trace, no complaint, the code that shells know."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [*COMMAND, "models", "list"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")
    assert list(bare.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.usefixtures("bare")
def test_a_full_disk_behind_standard_output_is_one_line() -> None:
    """The answer that was not written is not called done."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*COMMAND, "models", "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 2
    assert ended.stderr == "kiosk: standard output: cannot be written (No space left on device)\n"
