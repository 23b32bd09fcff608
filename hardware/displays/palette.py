"""The screen's colours and the arithmetic of contrast.

Rules: text on its ground has a contrast of at least 4.5:1, signs and the large words of the flash
at least 3:1 (WCAG 2.2, 1.4.3 and 1.4.11); no
meaning rests on colour alone (dashes, shapes and words say it too). The grounds of IDLE to DECIDING are bright on
purpose: the screen is also the lamp by which the camera finds the face at night.
"""

from __future__ import annotations

from typing import Final

from kiosk.values import Rgb

WHITE: Final[Rgb] = (255, 255, 255)
BLACK: Final[Rgb] = (0, 0, 0)
INK: Final[Rgb] = (16, 26, 44)
"""Text on bright grounds."""
INK_SOFT: Final[Rgb] = (66, 78, 98)
"""Second line on bright grounds."""
PAPER: Final[Rgb] = (246, 248, 251)
"""The bright ground, which also lights the face."""
TRACK: Final[Rgb] = (196, 204, 216)
"""The part of the ring that is still to come."""
RED: Final[Rgb] = (196, 22, 38)
GREEN: Final[Rgb] = (0, 122, 61)
BLUE: Final[Rgb] = (23, 84, 196)
GREY: Final[Rgb] = (84, 94, 112)
GRANTED_GROUND: Final[Rgb] = (0, 104, 55)
FAULT_GROUND: Final[Rgb] = (30, 34, 42)
AMBER: Final[Rgb] = (255, 190, 40)
FLASH_REST: Final[Rgb] = (128, 128, 128)
"""While FLASHING without a slot."""

TEXT_CONTRAST: Final = 4.5
SIGN_CONTRAST: Final = 3.0


def linear(rgb: Rgb) -> tuple[float, float, float]:
    """Linear light 0..1 of an sRGB colour (IEC 61966-2-1)."""
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in rgb))
    return red, green, blue


def luminance(rgb: Rgb) -> float:
    """Relative luminance 0..1, WCAG 2.2."""
    red, green, blue = linear(rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio 1..21, WCAG 2.2; the order does not matter."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def flash_ink(ground: Rgb) -> Rgb:
    """The grey that reads on ``ground`` at 3:1 (large text) and costs least light: black, else the darkest such."""
    for level in range(256):
        grey = (level, level, level)
        if contrast(grey, ground) >= SIGN_CONTRAST:
            return grey
    return WHITE
