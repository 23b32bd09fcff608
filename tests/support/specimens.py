"""Specimen cards, drawn: ICAO's Utopia and plain badges, photographed by arithmetic. Nobody real is on them.

What is drawn follows ICAO Doc 9303 part 3: a pitch of 2.54 mm, capitals 2.4 mm high, lines 6.35 mm apart. Fonts
that are not monospaced are set on the same grid, a glyph a cell.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kiosk.values import Pixels

PITCH_MM = 2.54
CAPITAL_MM = 2.4
LINES_MM = 6.35
SIZES_MM = {30: (85.6, 54.0), 36: (105.0, 74.0), 44: (125.0, 88.0)}
"""Width and height of a document by the length of its lines."""
_FONTS = {
    "dejavu": "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "liberation": "/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf",
    "ocr-b": "/usr/share/fonts/opentype/ocr-b/OCRB.otf",
}


@dataclass(frozen=True, slots=True)
class Shot:
    """How the card is photographed."""

    px_per_mm: float = 12.0
    turn_deg: float = 0.0
    perspective: float = 0.0
    """By what share of its size one corner of the picture is drawn in."""
    blur_px: float = 0.0
    noise: float = 0.0
    """Standard deviation, in levels."""
    jpeg: int = 0
    shade: float = 0.0
    """By what share the light falls off from one side to the other."""


@cache
def fonts() -> dict[str, Path | None]:
    """Those that are here: two always (they come with packages that the kiosk needs), others where installed."""
    import pygame

    here: dict[str, Path | None] = {"freesans": Path(pygame.__file__).parent / "freesansbold.ttf", "pillow": None}
    return here | {name: Path(path) for name, path in _FONTS.items() if Path(path).is_file()}


def _font(name: str, size_px: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    path = fonts()[name]
    return ImageFont.load_default(size_px) if path is None else ImageFont.truetype(str(path), size_px)


def _sized(name: str, capital_px: float, widest_px: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Capitals of this height, unless a W would leave its cell."""
    box = _font(name, 100.0).getbbox("H")
    size = 100.0 * capital_px / (box[3] - box[1])
    wide = _font(name, size).getbbox("W")
    return _font(name, size * min(1.0, widest_px / (wide[2] - wide[0])))


def card(lines: tuple[str, ...], *, font: str = "freesans", px_per_mm: float = 12.0, seed: int = 0) -> Pixels:
    """A document with a machine-readable zone, upright: ``(H, W, 3) uint8 RGB``."""
    chance = np.random.default_rng(seed)
    width_mm, height_mm = SIZES_MM[len(lines[0])]
    width, height = round(width_mm * px_per_mm), round(height_mm * px_per_mm)
    down, across = np.mgrid[0:height, 0:width] / px_per_mm
    waves = np.sin(down * 3.1 + 2 * np.sin(across / 7)) + np.sin(across * 2.3 + 2 * np.sin(down / 5))
    paper = 226 + 7 * waves[:, :, None] * np.array([1.0, 0.6, 0.9])
    image = Image.fromarray(np.clip(paper, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    portrait = [3 * px_per_mm, 9 * px_per_mm, 24 * px_per_mm, 30 * px_per_mm]
    draw.rectangle(portrait, fill=(150, 150, 155))
    draw.ellipse([8 * px_per_mm, 12 * px_per_mm, 19 * px_per_mm, 26 * px_per_mm], fill=(196, 170, 150))
    small = _sized("pillow", 1.6 * px_per_mm, 10 * px_per_mm)
    for number, words in enumerate(
        ("UTOPIA  IDENTITY CARD", "Name / Nom", "Specimen Anna Maria", "Date of birth 12 AUG")
    ):
        draw.text((29 * px_per_mm, (4 + 5 * number) * px_per_mm), words, fill=(60, 50, 90), font=small)
    face = _sized(font, CAPITAL_MM * px_per_mm, 0.98 * PITCH_MM * px_per_mm)
    left = (width - len(lines[0]) * PITCH_MM * px_per_mm) / 2
    for row, line in enumerate(lines):
        base = height - (4.6 + (len(lines) - 1 - row) * LINES_MM) * px_per_mm
        for column, letter in enumerate(line):
            middle = left + (column + 0.5) * PITCH_MM * px_per_mm
            draw.text((middle, base), letter, fill=(25, 22, 28), font=face, anchor="ms")
    del chance
    return np.array(image)


def photographed(pixels: Pixels, shot: Shot, *, seed: int = 0) -> Pixels:
    """The card lying on a desk, as a camera might have seen it."""
    chance = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    room = round(0.18 * width)
    wide, high = width + 2 * room, height + 2 * room
    desk = np.full((high, wide, 3), (96, 84, 72), dtype=np.float64) + chance.normal(0, 4, (high, wide, 1))
    desk[room : room + height, room : room + width] = pixels
    middle = (wide / 2, high / 2)
    turned = cv2.warpAffine(
        desk, cv2.getRotationMatrix2D(middle, shot.turn_deg, 1.0), (wide, high), borderMode=cv2.BORDER_REFLECT
    )
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], dtype=np.float32)
    pull = shot.perspective * chance.uniform(-1, 1, (4, 2)) * (wide, high) / 2
    moved = (corners + pull).astype(np.float32)
    seen = cv2.warpPerspective(
        turned, cv2.getPerspectiveTransform(corners, moved), (wide, high), borderMode=cv2.BORDER_REFLECT
    )
    if shot.shade:
        seen *= np.linspace(1.0, 1.0 - shot.shade, wide)[None, :, None]
    if shot.blur_px:
        seen = cv2.GaussianBlur(seen, (0, 0), shot.blur_px)
    seen = np.clip(seen + chance.normal(0, shot.noise, seen.shape), 0, 255).astype(np.uint8)
    if not shot.jpeg:
        return seen
    file = io.BytesIO()
    Image.fromarray(seen).save(file, "JPEG", quality=shot.jpeg)
    return np.array(Image.open(file).convert("RGB"))
