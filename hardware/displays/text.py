"""Text: the one font (FreeSans Bold, which comes inside pygame), wrapping and fitting.

Rules: pygame is loaded at first use; text is set as large as its box allows, never below the size that can be read
unless nothing else fits (``Block.size_px`` tells); lines are balanced, words are never cut.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kiosk.errors import DisplayError
from kiosk.values import Rgb

if TYPE_CHECKING:
    import pygame


OVERSAMPLE: Final = 3
"""Text is drawn larger and scaled down: drawn at its size, whole-pixel hinting spaces the letters unevenly."""


_BASE_PER_EM: Final = 0.9
"""The base line lies this far below the top of a line: room for capitals with accents."""


@dataclass(frozen=True, slots=True)
class Block:
    """Text broken into lines at one font size."""

    lines: tuple[str, ...]
    size_px: int
    width_px: int
    height_px: int


class Typesetter:
    """Measures, wraps and draws text; keeps the fonts of the sizes it was asked for."""

    def __init__(self) -> None:
        """Load the font module. Raises DisplayError where pygame has none."""
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        import pygame
        import pygame.font

        try:
            pygame.font.init()
        except (pygame.error, NotImplementedError) as error:
            raise DisplayError(f"no fonts: {error}", where="display", mend="install pygame-ce again") from error
        # By path: asked for by name, pygame shrinks its own font to 69 %.
        self._path = Path(pygame.__file__).parent / pygame.font.get_default_font()
        self._fonts: dict[int, pygame.font.Font] = {}

    def font(self, size_px: int) -> pygame.font.Font:
        """The font at ``size_px`` pixels an em."""
        import pygame.font

        if size_px not in self._fonts:
            try:
                self._fonts[size_px] = pygame.font.Font(self._path, size_px)
            except (pygame.error, OSError) as error:
                raise DisplayError(
                    f"the font cannot be read: {error}", where=str(self._path), mend="install pygame-ce again"
                ) from error
        return self._fonts[size_px]

    def width(self, text: str, size_px: int) -> int:
        """Width of one line, pixels."""
        return math.ceil(sum(self._advances(text, size_px)) / OVERSAMPLE)

    def _advances(self, text: str, size_px: int) -> list[int]:
        """Advance of each letter in oversampled pixels. Never kerned: this font's pair table tears words apart."""
        measured = self.font(size_px * OVERSAMPLE).metrics(text)
        return [0 if letter is None else letter[4] for letter in measured]

    def _line(self, text: str, size_px: int, colour: Rgb) -> pygame.Surface:
        """One line as a surface with alpha, at its final size."""
        import pygame

        font = self.font(size_px * OVERSAMPLE)
        advances = self._advances(text, size_px)
        letters = [font.render(letter, True, colour) for letter in text]
        # A letter taller than the font says it is (Ä, g) is drawn on a taller surface: they meet at the base line.
        rises = [max(font.get_ascent(), m[3] if m else 0) for m in font.metrics(text)]
        base = round(size_px * OVERSAMPLE * _BASE_PER_EM)
        height = max(
            (base - rise + letter.get_height() for letter, rise in zip(letters, rises, strict=True)), default=1
        )
        large = pygame.Surface((max(1, sum(advances)), height), pygame.SRCALPHA)
        large.fill((*colour, 0))
        x = 0
        for letter, rise, advance in zip(letters, rises, advances, strict=True):
            large.blit(letter, (x, base - rise))
            x += advance
        size = math.ceil(large.get_width() / OVERSAMPLE), math.ceil(large.get_height() / OVERSAMPLE)
        return pygame.transform.smoothscale(large, size)

    def line_px(self, size_px: int) -> int:
        """Distance of two lines, pixels: from the top of an accent to the end of a tail."""
        return round(size_px * 1.12)

    def _wrap(self, words: list[str], size_px: int, width_px: int) -> list[str] | None:
        """Greedy lines no wider than ``width_px``; None when a single word is wider."""
        lines: list[str] = []
        for word in words:
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(longer, size_px) <= width_px:
                lines[-1] = longer
            elif self.width(word, size_px) <= width_px:
                lines.append(word)
            else:
                return None
        return lines

    def block(self, text: str, size_px: int, width_px: int) -> Block | None:
        """``text`` at exactly ``size_px`` within ``width_px``, lines balanced; None when a word is too wide."""
        words = text.split()
        lines = self._wrap(words, size_px, width_px)
        if lines is None:
            return None
        low, high = 1, width_px  # the narrowest width that needs no further line balances the lines
        while low < high:
            middle = (low + high) // 2
            tried = self._wrap(words, size_px, middle)
            if tried is not None and len(tried) == len(lines):
                high, lines = middle, tried
            else:
                low = middle + 1
        widest = max((self.width(line, size_px) for line in lines), default=0)
        return Block(tuple(lines), size_px, widest, len(lines) * self.line_px(size_px))

    def draw(self, surface: pygame.Surface, block: Block, colour: Rgb, centre_x: int, top: int) -> None:
        """Draw the lines of ``block`` centred on ``centre_x``."""
        for index, line in enumerate(block.lines):
            drawn = self._line(line, block.size_px, colour)
            surface.blit(drawn, (centre_x - drawn.get_width() // 2, top + index * self.line_px(block.size_px)))
