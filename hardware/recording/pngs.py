"""8-bit RGB PNG files, checked before a decoder sees them.

The structure (signature, chunk lengths and checksums, header) is checked here, so that a broken or huge file is one
plain line instead of a decoder's noise on stderr.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from kiosk.errors import InputError
from kiosk.values import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PX = 4096
"""Longest side."""
MOST_BYTES = 96 * 1024 * 1024


def header(path: Path) -> tuple[int, int]:
    """(width, height) of an 8-bit RGB (or RGBA) PNG. Raises InputError for anything else."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("is larger than a frame can be", where=str(path))
        with path.open("rb") as file:
            start = file.read(33)
    except FileNotFoundError as error:
        raise InputError("the frame file is missing", where=str(path)) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    if len(start) < 33 or start[:8] != SIGNATURE or start[12:16] != b"IHDR":
        raise InputError("is no PNG picture", where=str(path))
    width, height, depth, colour = struct.unpack(">IIBB", start[16:26])
    if not (1 <= width <= MOST_PX and 1 <= height <= MOST_PX):
        raise InputError(f"is {width} x {height} pixels; at most {MOST_PX} a side are allowed", where=str(path))
    if depth != 8 or colour not in (2, 6):
        raise InputError("is not an 8-bit RGB picture", where=str(path))
    return int(width), int(height)


def read_png(path: Path) -> Pixels:
    """``(H, W, 3) uint8 RGB``. Raises InputError for a broken file."""
    import cv2  # only where a picture is really decoded: judging kept evidence needs none

    header(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    if not _sound(content):
        raise InputError("the picture is cut short or damaged", where=str(path))
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise InputError("the picture cannot be decoded", where=str(path)) from error
    if decoded is None:
        raise InputError("the picture cannot be decoded", where=str(path))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def write_png(path: Path, pixels: Pixels) -> None:
    """Write ``(H, W, 3) uint8 RGB``. Raises InputError when the disk refuses."""
    import cv2

    done, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise InputError("the picture cannot be encoded", where=str(path))
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from error


def _sound(content: bytes) -> bool:
    """Whether all chunks are whole, their checksums right, and the last one is there."""
    at = len(SIGNATURE)
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        body = content[at + 4 : end]
        if content[end : end + 4] != zlib.crc32(body).to_bytes(4, "big"):
            return False
        if body[:4] == b"IEND":
            return True
        at = end + 4
    return False
