"""Pictures of pictures: what the visitor saw beside what the camera saw, as video, and contact sheets.

Rules: arrays are ``(H, W, 3) uint8 RGB``; files appear whole or not at all (written beside, then renamed).
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np

from hardware.cameras.base import quiet_opencv
from hardware.displays import palette
from hardware.displays.text import Typesetter
from kiosk.errors import InputError
from kiosk.values import Pixels, Rgb

_CAPTION_PX: Final = 26
_LOOK_EVERY: Final = 30
"""A film looks for room on its disk before every so many pictures: cv2 would go on writing nothing."""
_LEAST_FREE_BYTES: Final = 1 << 20
_GROUND: Final[Rgb] = palette.FAULT_GROUND


def write_png(path: Path, picture: Pixels) -> None:
    """Write ``(H, W, 3) uint8 RGB`` as PNG, whole or not at all. Raises InputError when it cannot be written."""
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise InputError("cannot be encoded as PNG", where=str(path))
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data.tobytes())
        beside.replace(path)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", where=str(path), mend="choose another folder"
        ) from error


def caption_strip(text: str, width_px: int, *, size_px: int = _CAPTION_PX, setter: Typesetter | None = None) -> Pixels:
    """One line of white text on dark ground, ``(h, width, 3)``; smaller, then shorter, where it would be too long."""
    import pygame

    setter = setter or Typesetter()
    text = " ".join(text.split())
    height = round(size_px * 1.6)
    size = size_px
    while size > 8 and setter.width(text, size) > width_px - 12:
        size -= 1
    strip: Pixels = np.empty((height, width_px, 3), np.uint8)
    strip[...] = _GROUND
    while len(text) > 1 and setter.width(text, size) > width_px - 12:
        text = text[:-2].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    block = setter.block(text, size, width_px)
    if block is not None:
        surface = pygame.image.frombuffer(strip.data, (width_px, height), "RGB")
        setter.draw(surface, block, palette.WHITE, width_px // 2, (height - setter.line_px(size)) // 2)
    return strip


def fitted(picture: Pixels, width_px: int, height_px: int) -> Pixels:
    """``picture`` scaled to fit, centred on the dark ground, ``(height, width, 3)``."""
    scale = min(width_px / picture.shape[1], height_px / picture.shape[0])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    out: Pixels = np.empty((height_px, width_px, 3), np.uint8)
    out[...] = _GROUND
    top, left = (height_px - size[1]) // 2, (width_px - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=way)
    return out


def side_by_side(
    screen: Pixels, camera: Pixels, caption: str, *, height_px: int = 480, setter: Typesetter | None = None
) -> Pixels:
    """The screen at the left, the camera's frame at the right, a caption below; both sides of the result are even."""
    height = height_px - height_px % 2
    sides = [fitted(part, max(2, round(part.shape[1] * height / part.shape[0])), height) for part in (screen, camera)]
    gap: Pixels = np.empty((height, 8, 3), np.uint8)
    gap[...] = _GROUND
    row = np.concatenate([sides[0], gap, sides[1]], axis=1)
    both = np.concatenate([row, caption_strip(caption, row.shape[1], setter=setter)], axis=0)
    return even(both)


def even(picture: Pixels) -> Pixels:
    """Video codecs want even sides: an odd one loses its last row or column (a single one is doubled)."""
    height, width = picture.shape[:2]
    if height == 1 or width == 1:
        picture = np.repeat(np.repeat(picture, 2 if height == 1 else 1, axis=0), 2 if width == 1 else 1, axis=1)
        height, width = picture.shape[:2]
    return np.ascontiguousarray(picture[: height - height % 2, : width - width % 2])


def contact_sheet(
    titled: Sequence[tuple[str, Pixels]], path: Path | None = None, *, columns: int = 0, tile_px: int = 400
) -> Pixels:
    """All pictures small on one sheet with their titles; written to ``path`` if given. Raises InputError when empty."""
    if not titled:
        raise InputError("nothing to put on a contact sheet", where=str(path or "contact sheet"))
    columns = columns or max(1, math.ceil(math.sqrt(len(titled))))
    high = max(round(tile_px * picture.shape[0] / picture.shape[1]) for _, picture in titled)
    setter = Typesetter()
    tiles = []
    for title, picture in titled:
        strip = caption_strip(title, tile_px, size_px=18, setter=setter)
        tile = np.concatenate([fitted(picture, tile_px, high), strip], axis=0)
        tiles.append(np.pad(tile, ((5, 5), (5, 5), (0, 0)), constant_values=_GROUND[0]))
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], _GROUND[0]))
    rows = [np.concatenate(tiles[i : i + columns], axis=1) for i in range(0, len(tiles), columns)]
    sheet: Pixels = np.ascontiguousarray(np.concatenate(rows, axis=0))
    if path is not None:
        write_png(path, sheet)
    return sheet


class VideoWriter:
    """An MP4 (MPEG-4 part 2) of equal-sized pictures; a context manager. The file appears when it is closed."""

    def __init__(self, path: Path, fps: float) -> None:
        """The size is that of the first picture; nothing is written before it."""
        self._path = path
        self._beside = path.with_name(f".{path.stem}.part{path.suffix}")
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size: tuple[int, int] = (0, 0)
        self.frames = 0
        """How many pictures were written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(keep=kind is None)

    def write(self, picture: Pixels) -> None:
        """Append ``(H, W, 3) uint8 RGB``; another size than the first is fitted. Raises InputError."""
        picture = even(picture)
        if self._writer is None:
            self._open((picture.shape[1], picture.shape[0]))
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = fitted(picture, *self._size)
        assert self._writer is not None  # noqa: S101 - _open has just made it, or raised
        if self.frames % _LOOK_EVERY == 0 and shutil.disk_usage(self._path.parent).free < _LEAST_FREE_BYTES:
            raise InputError("the disk is full", where=str(self._path), mend="free some space")
        with quiet_opencv():
            self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        self.frames += 1

    def _open(self, size: tuple[int, int]) -> None:
        mend = "choose a .mp4 in a folder that can be written"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._beside, os.O_CREAT | os.O_WRONLY, 0o644))  # says why; cv2 would only say "no"
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=str(self._path), mend=mend) from error
        try:
            writer = cv2.VideoWriter(str(self._beside), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, size)
        except cv2.error as error:
            raise InputError(f"no video can be written: {error.err}", where=str(self._path), mend=mend) from error
        if not writer.isOpened():
            self._beside.unlink(missing_ok=True)
            raise InputError("no video can be written", where=str(self._path), mend=mend)
        self._writer, self._size = writer, size

    def close(self, *, keep: bool = True) -> None:
        """Finish the file, or throw it away; calling it again does nothing. Raises InputError for a cut-off file."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        if not keep:
            self._beside.unlink(missing_ok=True)
        elif _plays(self._beside):
            self._beside.replace(self._path)
        else:  # cv2 says nothing when the disk is full
            self._beside.unlink(missing_ok=True)
            raise InputError("the film could not be finished", where=str(self._path), mend="free some space")


def _plays(path: Path) -> bool:
    """Whether a film can be opened again: its index is written last."""
    with quiet_opencv():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        return bool(capture.isOpened())
    finally:
        capture.release()
