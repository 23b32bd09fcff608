"""Picture files as pixels: any common still, or one plain line that says what is wrong with it.

Rules:
- The result is always ``(H, W, 3) uint8 RGB``, upright (EXIF orientation applied), sRGB assumed.
- The size is checked from the header, before a single pixel is decoded: a bomb costs nothing.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kiosk.errors import InputError
from kiosk.values import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 50_000_000
MIN_SIDE_PX = 16
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
"""Decoders that are let near a file from outside; the rest of Pillow's stay shut. JPEG opens phones' MPO files too."""
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, struct.error, zlib.error)
"""What Pillow's decoders raise on damaged files, MemoryError aside."""


def decode_image(
    content: bytes, *, where: str = "picture", formats: tuple[str, ...] = FORMATS, most_pixels: int = MAX_PIXELS
) -> Pixels:
    """``load_image`` of bytes in memory."""
    return _decoded(io.BytesIO(content), where, formats, most_pixels)


def load_image(path: Path) -> Pixels:
    """``(H, W, 3) uint8 RGB`` of a still: grey, 16-bit, CMYK, palette and transparent ones included.

    The first frame of an animation; transparency is laid over white. Raises InputError, one line, for everything
    that cannot be used: absent, empty, no picture, damaged, cut short, tiny, or above 50 million pixels.
    """
    where = str(path)
    try:
        _check_file(path.stat(), where)
    except FileNotFoundError as error:
        raise InputError("no such file", where=where) from error
    except PermissionError as error:
        raise InputError("may not be read", where=where, mend="check its permissions") from error
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({getattr(error, 'strerror', None) or error})", where=where) from error
    return _decoded(path, where, FORMATS, MAX_PIXELS)


def encode_jpeg(pixels: Pixels, most_bytes: int) -> bytes:
    """JPEG of ``(H, W, 3) uint8 RGB`` in at most ``most_bytes``: as good, then as large, as fits. Raises InputError."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    while min(picture.size) >= MIN_SIDE_PX:
        for quality in (92, 80, 60):
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality)
            if file.tell() <= most_bytes:
                return file.getvalue()
        picture = picture.resize((picture.width // 2, picture.height // 2))
    raise InputError(f"cannot be told in {most_bytes} bytes", where="picture")


def _decoded(source: Path | io.BytesIO, where: str, formats: tuple[str, ...], most_pixels: int) -> Pixels:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Our own limit below replaces Pillow's warning; its hard limit stays.
            warnings.simplefilter("ignore")
            with Image.open(source, formats=formats) as image:
                _check_size(image.size, where, most_pixels)
                return _to_rgb(image)
    except UnidentifiedImageError as error:
        mend = f"use one of {', '.join(formats)}"
        raise InputError("not a picture that can be read", where=where, mend=mend) from error
    except Image.DecompressionBombError as error:
        raise InputError(f"more than {MAX_PIXELS // 1_000_000} million pixels", where=where) from error
    except FileNotFoundError as error:
        raise InputError("no such file", where=where) from error
    except PermissionError as error:
        raise InputError("may not be read", where=where, mend="check its permissions") from error
    except MemoryError as error:
        raise InputError("not enough memory to decode it", where=where) from error
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not the decoder's
            raise InputError(f"cannot be read ({error.strerror})", where=where) from error
        raise InputError("the picture is damaged or cut short", where=where) from error


def _check_file(facts: os.stat_result, where: str) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise InputError("is a folder, not a picture", where=where)
    if not stat.S_ISREG(facts.st_mode):  # reading a pipe or a device could wait for ever
        raise InputError("is no regular file", where=where, mend="save the picture as a file first")
    if facts.st_size == 0:
        raise InputError("the file is empty", where=where)


def _check_size(size: tuple[int, int], where: str, most_pixels: int) -> None:
    width, height = size
    if width * height > most_pixels:
        raise InputError(f"{width}x{height} is more than {most_pixels // 1_000_000} million pixels", where=where)
    if min(width, height) < MIN_SIDE_PX:
        raise InputError(f"{width}x{height} is too small for a face", where=where)


def _to_rgb(image: Image) -> Pixels:
    """Upright 8-bit RGB of an opened picture."""
    from PIL import Image as Images
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        grey = _stretch(np.asarray(upright), upright.mode)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        upright = Images.alpha_composite(Images.new("RGBA", layer.size, (255, 255, 255, 255)), layer)
    return np.array(upright.convert("RGB"), dtype=np.uint8)


def _stretch(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], mode: str) -> Pixels:
    """16-bit, 32-bit or float grey as 8 bit. Pillow's own conversion would cut everything above 255 off."""
    numbers = np.nan_to_num(values.astype(np.float64))
    if mode == "F":
        full = 1.0 if numbers.max(initial=0.0) <= 1.0 else 255.0
    else:
        full = 255.0 if mode == "I" and numbers.max(initial=0.0) <= 255 else 65535.0
    scaled: Pixels = np.clip(np.rint(numbers * (255.0 / full)), 0, 255).astype(np.uint8)
    return scaled
