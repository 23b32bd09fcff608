"""The recording format: what is written is read back, and every broken file is one plain line."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hardware.recording import read_recording, write_recording
from hardware.recording.pngs import read_png, write_png
from kiosk.errors import InputError
from kiosk.values import Frame, Panel, ShownSlot

PANEL = Panel(155.0, 88.0, 500.0)
SLOTS = (ShownSlot((128, 128, 128), "full", 1.0, 0.3), ShownSlot((255, 100, 100), "top", 1.3, 0.3))


def frames(count: int = 4) -> list[Frame]:
    """Small noisy frames."""
    rng = np.random.default_rng(1)
    return [
        Frame(rng.integers(0, 255, (24, 32, 3)).astype(np.uint8), n, 0.9 + n / 30, 0.01, True) for n in range(count)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound recording."""
    place = tmp_path / "session"
    write_recording(
        place,
        slots=SLOTS,
        panel=PANEL,
        camera_name="sim:0",
        exposure_locked=True,
        lag_s=0.09,
        ambient_lux=None,
        frames=frames(),
        species="live",
        hfov_deg=70.0,
    )
    return place


def test_what_is_written_is_read(folder: Path) -> None:
    """Every field and every pixel."""
    found = read_recording(folder)
    assert found.slots == SLOTS
    assert found.panel == PANEL
    assert (found.camera_name, found.exposure_locked, found.lag_s, found.ambient_lux) == ("sim:0", True, 0.09, None)
    assert (found.species, found.hfov_deg) == ("live", 70.0)
    for recorded, original in zip(found.frames, frames(), strict=True):
        np.testing.assert_array_equal(recorded.load(), original.pixels)
        assert recorded.exposure_start_s == original.exposure_start_s
        assert recorded.size_px == (32, 24)


def test_optional_fields_may_be_absent_and_unknown_ones_are_ignored(folder: Path) -> None:
    """No label, no lag, an unknown lock, somebody's own key, empty lines in the table."""

    def change(document: dict[str, Any]) -> None:
        document.pop("label")
        document["camera"] = {"name": "c", "exposure_locked": None, "extra": 1}
        document["tool"] = "other"

    edit(folder, change)
    (folder / "frames.csv").write_text((folder / "frames.csv").read_text() + "\n\n")
    found = read_recording(folder)
    assert (found.species, found.lag_s, found.exposure_locked, found.hfov_deg) == (None, None, None, 62.2)


def test_labels_without_a_species_are_no_label(folder: Path) -> None:
    """``{}`` and null."""
    edit(folder, lambda document: document.update(label={}))
    assert read_recording(folder).species is None


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the document in place."""
    path = folder / "recording.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def slot(document: dict[str, Any], **changes: object) -> None:
    """Change the second slot."""
    document["challenge"]["slots"][1].update(changes)


BROKEN: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("format", lambda d: d.update(format=2), "format is 2"),
    ("format true", lambda d: d.update(format=True), "format is True"),
    ("no format", lambda d: d.pop("format"), "format is missing"),
    ("no challenge", lambda d: d.pop("challenge"), "challenge is missing"),
    ("no slots", lambda d: d["challenge"].update(slots=[]), "challenge.slots"),
    ("slots of numbers", lambda d: d["challenge"].update(slots=[1]), "challenge.slots"),
    ("rgb of two", lambda d: slot(d, rgb=[1, 2]), r"challenge.slots\[1\].rgb"),
    ("rgb too large", lambda d: slot(d, rgb=[1, 2, 256]), "whole numbers"),
    ("rgb of floats", lambda d: slot(d, rgb=[1.0, 2, 3]), "whole numbers"),
    ("region", lambda d: slot(d, region="left"), "full, top or bottom"),
    ("slots back in time", lambda d: slot(d, visible_at_s=0.5), "does not advance"),
    ("endless slot", lambda d: slot(d, duration_s=1e9), "duration_s"),
    ("time as text", lambda d: slot(d, visible_at_s="1"), "visible_at_s"),
    ("time not a number", lambda d: slot(d, visible_at_s=float("nan")), "visible_at_s"),
    ("true is no number", lambda d: slot(d, duration_s=True), "duration_s"),
    ("no display", lambda d: d.update(display=[]), "display"),
    ("no luminance", lambda d: d["display"].pop("luminance_cd_m2"), "luminance_cd_m2 is missing"),
    ("negative width", lambda d: d["display"].update(width_mm=-1), "width_mm"),
    ("no camera", lambda d: d.pop("camera"), "camera"),
    ("camera name", lambda d: d["camera"].update(name=""), "camera.name"),
    ("lock as text", lambda d: d["camera"].update(exposure_locked="yes"), "exposure_locked"),
    ("lock as number", lambda d: d["camera"].update(exposure_locked=1), "exposure_locked"),
    ("lag", lambda d: d["camera"].update(lag_s=-1), "lag_s"),
    ("lux", lambda d: d.update(ambient_lux="bright" * 20), r"ambient_lux is '.*\.\.\."),
    ("label", lambda d: d.update(label="live"), "label"),
    ("species", lambda d: d.update(label={"species": 3}), "label.species"),
]


@pytest.mark.parametrize(("change", "words"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_document_is_one_line(folder: Path, change: Callable[[dict[str, Any]], object], words: str) -> None:
    """Names the file, the field and what is allowed."""
    edit(folder, change)
    with pytest.raises(InputError, match=words) as caught:
        read_recording(folder)
    assert "\n" not in str(caught.value)
    assert "recording.json" in str(caught.value)


HEADER = "file,exposure_start_s,exposure_s\n"
TABLES = [
    ("", "does not begin"),
    ("a,b\n", "does not begin"),
    (HEADER, "lists no frames"),
    (HEADER + "00000.png,1\n", "2 fields"),
    (HEADER + "00000.png,now,0.01\n", "no number"),
    (HEADER + "00000.png,nan,0.01\n", "impossible time"),
    (HEADER + "00000.png,1,0\n", "impossible time"),
    (HEADER + "../other.png,1,0.01\n", "outside"),
    (HEADER + "/etc/hostname,1,0.01\n", "outside"),
    (HEADER + ",1,0.01\n", "outside"),
    (HEADER + "a\0b.png,1,0.01\n", "names no file|no CSV"),
    (HEADER + "missing.png,1,0.01\n", "missing"),
    (HEADER + "00000.png,1,0.01\n00001.png,1,0.01\n", "does not advance"),
    (HEADER + "00000.png,2,0.01\n00001.png,1,0.01\n", "does not advance"),
    (HEADER + '"00000.png,1,0.01\n', "no CSV"),
    (HEADER + "00000.png,1,0.01\n" * 3001, "at most 3000"),
]


@pytest.mark.parametrize(("table", "words"), TABLES)
def test_a_broken_table_is_one_line(folder: Path, table: str, words: str) -> None:
    """Rows, times and names."""
    (folder / "frames.csv").write_text(table)
    with pytest.raises(InputError, match=words) as caught:
        read_recording(folder)
    assert "\n" not in str(caught.value)


def test_missing_and_unreadable_files_are_one_line(folder: Path, tmp_path: Path) -> None:
    """No folder, no document, no JSON, another encoding, too large, a folder in a file's place."""
    with pytest.raises(InputError, match=r"has no recording\.json"):
        read_recording(tmp_path / "nowhere")
    document = folder / "recording.json"
    for content, words in (
        (b"{", "no JSON"),
        (b"[1]", "no JSON object"),
        (b"\xff\xfe", "no UTF-8"),
        (b"[" * 200_000, "no usable JSON|no JSON"),
        (b" " * (5 * 1024 * 1024), "too large"),
    ):
        document.write_bytes(content)
        with pytest.raises(InputError, match=words):
            read_recording(folder)
    document.unlink()
    document.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_recording(folder)


def png(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that is only its header."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no PNG"),
        (b"a text file that is named like a picture", "no PNG"),
        (png(60_000, 60_000), "60000 x 60000"),
        (png(32, 24, depth=16), "8-bit RGB"),
        (png(32, 24, colour=0), "8-bit RGB"),
        (png(0, 24), "0 x 24"),
        (png(64, 24), "frames before are not"),
    ],
)
def test_frames_are_checked_before_any_is_decoded(folder: Path, content: bytes, words: str) -> None:
    """Empty, no picture, huge, deep, grey, of another size."""
    (folder / "00002.png").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_recording(folder)


def test_damaged_pictures_are_found_when_they_are_read(folder: Path) -> None:
    """Cut short, a flipped bit, no image data, gone in between."""
    path = folder / "00002.png"
    sound = path.read_bytes()
    frame = read_recording(folder).frames[2]
    flipped = bytearray(sound)
    flipped[len(sound) // 2] ^= 1
    for content in (sound[: len(sound) // 2], bytes(flipped), sound[:33]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            frame.load()
    end = b"IEND"
    path.write_bytes(png(32, 24) + struct.pack(">I", 0) + end + struct.pack(">I", zlib.crc32(end)))
    with pytest.raises(InputError, match="decoded"):
        frame.load()
    path.unlink()
    with pytest.raises(InputError, match="missing"):
        frame.load()


def test_huge_files_are_not_read(folder: Path) -> None:
    """A sparse file of 200 MB."""
    with (folder / "00001.png").open("r+b") as file:
        file.truncate(200 * 1024 * 1024)
    with pytest.raises(InputError, match="larger"):
        read_recording(folder)


def test_nothing_is_overwritten_and_nothing_is_left_half_written(folder: Path, tmp_path: Path) -> None:
    """A folder in use is refused; a failure in the middle leaves no trace."""
    arguments: dict[str, Any] = {
        "slots": SLOTS, "panel": PANEL, "camera_name": "c", "exposure_locked": True, "lag_s": None, "ambient_lux": None,
    }  # fmt: skip
    with pytest.raises(InputError, match="there already"):
        write_recording(folder, frames=frames(), **arguments)

    def failing() -> Any:
        yield frames()[0]
        raise InputError("the camera went away")

    with pytest.raises(InputError, match="went away"):
        write_recording(tmp_path / "new", frames=failing(), **arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["session"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write_recording(tmp_path / "file" / "new", frames=frames(), **arguments)
    empty = tmp_path / "empty"
    empty.mkdir()
    write_recording(empty, frames=frames(), **arguments)
    assert read_recording(empty).species is None


def test_single_pictures_round_trip(tmp_path: Path) -> None:
    """RGB order, and a fourth channel that is dropped."""
    pixels = np.zeros((5, 7, 3), np.uint8)
    pixels[..., 0] = 200
    write_png(tmp_path / "a.png", pixels)
    np.testing.assert_array_equal(read_png(tmp_path / "a.png"), pixels)
    with_alpha = np.dstack([pixels[..., ::-1], np.full((5, 7), 255, np.uint8)])
    cv2.imwrite(str(tmp_path / "b.png"), with_alpha)
    np.testing.assert_array_equal(read_png(tmp_path / "b.png"), pixels)
    with pytest.raises(InputError, match="cannot be written"):
        write_png(tmp_path / "none" / "a.png", pixels)
