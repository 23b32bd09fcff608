"""Bringing packages: what a client does to its own folders meanwhile must not end the fetch."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from models import packages


def test_folders_that_vanish_while_they_are_counted_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client removes its build folders while its progress is looked at."""
    for number in range(20):
        (tmp_path / f"build{number}" / "deep").mkdir(parents=True)
        (tmp_path / f"build{number}" / "deep" / "file").write_bytes(b"12345")
    counted = os.scandir

    def vanishing(path: Any = ".") -> Any:
        if isinstance(path, str) and Path(path).name == "deep":
            shutil.rmtree(path)
        return counted(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert packages._size_of(tmp_path) == 0
