"""The command line in this process: what it printed on either stream and its exit code; pictures good and bad."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kiosk.cli.app import run_app
from models import manifest
from tests.support.facekit import weights


@dataclass(frozen=True)
class Answer:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON, one value a line; NaN and Infinity are no JSON."""

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        return [json.loads(line, parse_constant=refuse) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """The one line on standard error of a command that could not do what was asked."""
        assert self.code == 2, self
        assert not self.out, self
        (line,) = self.err.splitlines()
        assert line.startswith("kiosk: "), line
        assert "Traceback" not in line
        assert "internal error" not in line
        return line.removeprefix("kiosk: ")


@dataclass(frozen=True)
class Shell:
    """Runs commands; made by the fixture ``kiosk``."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> Answer:
        """One command."""
        self.capsys.readouterr()
        code = run_app([str(one) for one in arguments])
        out, err = self.capsys.readouterr()
        return Answer(code, out, err)


def linked_data(folder: Path, *groups: str) -> Path:
    """A fresh data directory on the real weights and photographs; skips the test where they are absent."""
    data = weights(*groups)
    for name in ("models", "demo/photos"):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (data / name).exists():
            place.symlink_to(data / name)
    return folder


def photo(name: str) -> Path:
    """A demo photograph in the data directory of ``KIOSK_DATA_DIR``."""
    return manifest.item(name).path(Path(os.environ["KIOSK_DATA_DIR"]))


def save_bad_pictures(folder: Path) -> dict[str, str]:
    """Unusable pictures in ``folder`` by name, each with words of its complaint."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = Image.fromarray(np.full((300, 300, 3), 120, np.uint8))
    plain.save(folder / "nobody.jpg")
    whole = (folder / "nobody.jpg").read_bytes()
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("these are words, not a picture\n")
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "folder.jpg").mkdir()
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    os.mkfifo(folder / "pipe.jpg")
    Image.new("RGB", (8, 8)).save(folder / "tiny.png")
    Image.new("1", (9000, 9000)).save(folder / "huge.png")
    return {
        "absent.jpg": "no such file",
        "nobody.jpg": "no face found (NO_FACE)",
        "empty.jpg": "the file is empty",
        "text.jpg": "not a picture that can be read",
        "cut.jpg": "damaged or cut short",
        "folder.jpg": "is a folder",
        "loop.jpg": "cannot be read",
        "pipe.jpg": "is no regular file",
        "tiny.png": "8x8 is too small for a face",
        "huge.png": "more than 50 million pixels",
    }
