"""A film appears whole or not at all, on a full disk too."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

import numpy as np
import pytest

from hardware.displays.video import VideoWriter
from kiosk.errors import InputError

FRAMES = 30
ROOM_BYTES = 50_000


def write_noise(path: Path) -> None:
    """A film that compresses badly, over a megabyte."""
    random = np.random.default_rng(4)
    with VideoWriter(path, 15.0) as writer:
        for _ in range(FRAMES):
            writer.write(random.integers(0, 256, (240, 320, 3), dtype=np.uint8))


def test_a_film_that_does_not_fit_is_an_error_and_leaves_the_old_one(tmp_path: Path) -> None:
    """OpenCV says nothing when the disk is full: the writer looks for itself."""
    path = tmp_path / "film.mp4"
    write_noise(path)
    whole = path.read_bytes()
    assert len(whole) > ROOM_BYTES
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, before[1]))  # as a full disk, for this process only
    try:
        with pytest.raises(InputError, match="the film could not be finished; free some space"):
            write_noise(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_ends_the_film_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody plays on for minutes to learn at the end that nothing was written."""
    usage = shutil.disk_usage(tmp_path)._replace(free=4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(InputError, match="the disk is full; free some space"):
        write_noise(tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []
