"""Any still, or one plain line."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hardware.stills import load_image
from kiosk.errors import InputError

COLOURS = np.zeros((40, 60, 3), np.uint8)
COLOURS[:20, :30] = (200, 30, 30)
COLOURS[:20, 30:] = (30, 200, 30)
COLOURS[20:, :30] = (30, 30, 200)
COLOURS[20:, 30:] = (230, 230, 230)
"""A red, green, blue and white quarter."""


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    """The picture as a file."""
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tiff", "a.ppm", "a.gif"])
def test_common_formats(tmp_path: Path, name: str) -> None:
    """RGB in the right order and place."""
    pixels = load_image(saved(tmp_path / name, Image.fromarray(COLOURS)))
    assert pixels.dtype == np.uint8
    assert pixels.shape == COLOURS.shape
    assert np.abs(pixels[5:15, 5:25].astype(int) - (200, 30, 30)).max() < 30
    assert np.abs(pixels[25:35, 5:25].astype(int) - (30, 30, 200)).max() < 30


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_are_undone(tmp_path: Path, orientation: int) -> None:
    """The eight orientations all come out upright."""
    turn = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, 3),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turn(COLOURS)))
    pixels = load_image(saved(tmp_path / "a.png", stored, exif=exif))
    np.testing.assert_array_equal(pixels, COLOURS)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA", "YCbCr"])
def test_other_modes(tmp_path: Path, mode: str) -> None:
    """Grey, bilevel, palette, CMYK and transparency become RGB."""
    suffix = "jpg" if mode in ("CMYK", "YCbCr") else "png"
    pixels = load_image(saved(tmp_path / f"a.{suffix}", Image.fromarray(COLOURS).convert(mode)))
    assert pixels.shape == COLOURS.shape
    assert pixels[30, 45].min() > 200
    if mode in ("P", "CMYK", "RGBA", "YCbCr"):
        red, green, blue = pixels[10, 15].astype(int)
        assert red > green + 80
        assert red > blue + 80


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    """Not on black, where a cut-out face would look unlit."""
    layer = np.zeros((40, 40, 4), np.uint8)
    assert (load_image(saved(tmp_path / "a.png", Image.fromarray(layer))) == 255).all()


def test_sixteen_bits_keep_their_range(tmp_path: Path) -> None:
    """A ramp over 0..65535 becomes one over 0..255, not a clipped one."""
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    pixels = load_image(saved(tmp_path / "a.png", Image.fromarray(ramp)))
    assert pixels.shape == (32, 64, 3)
    np.testing.assert_allclose(pixels[0, :, 0], np.linspace(0, 255, 64), atol=1)


def test_floating_grey(tmp_path: Path) -> None:
    """TIFF with 0..1 floats."""
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (32, 1))
    pixels = load_image(saved(tmp_path / "a.tiff", Image.fromarray(ramp)))
    np.testing.assert_allclose(pixels[0, :, 1], np.linspace(0, 255, 64), atol=1)


def a_bomb(width: int, height: int) -> bytes:
    """A PNG header that promises this size, with no pixels behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Every kind of unusable file, with a word of its line."""
    whole = saved(
        folder / "whole.jpg", Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8))
    )
    png = saved(folder / "whole.png", Image.fromarray(COLOURS)).read_bytes()
    flipped = bytearray(png)
    flipped[len(flipped) // 2] ^= 0xFF
    contents = {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"This is a letter, not a picture.\n" * 20, "not a picture"),
        "short.jpg": (whole.read_bytes()[:1500], "cut short"),
        "flipped.png": (bytes(flipped), "damaged"),
        "head.png": (png[:20], "picture"),
        "wide.png": (a_bomb(20_000, 20_000), "million pixels"),
        "bomb.png": (a_bomb(60_000, 60_000), "million pixels"),
        "tiny.png": (a_bomb(8, 8), "too small"),
        "nothing.png": (a_bomb(64, 64), "cut short"),
        "vector.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        "page.pdf": (b"%PDF-1.4\n%%EOF", "not a picture"),
    }
    files = {}
    for name, (content, word) in contents.items():
        (folder / name).write_bytes(content)
        files[name] = (folder / name, word)
    files["absent"] = (folder / "absent.jpg", "no such file")
    files["folder"] = (folder, "is a folder")
    return files


def test_each_unusable_file_is_one_line(tmp_path: Path) -> None:
    """InputError with the path, never a traceback of the decoder."""
    for name, (path, word) in bad_files(tmp_path).items():
        with pytest.raises(InputError, match=word) as caught:
            load_image(path)
        assert str(path) in str(caught.value), name
        assert "\n" not in str(caught.value), name
