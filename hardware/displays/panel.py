"""The panel of words: what goes where, at which size, found by trying from large to small.

Rule: the headline never goes below the size that is read at 1.5 m as long as anything else can give way first
(the sign above it, then the second line's comfort).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hardware.displays.icons import stamp
from hardware.displays.layout import Layout
from hardware.displays.text import Block, Typesetter
from hardware.displays.words import Words
from kiosk.values import Pixels, Rgb

if TYPE_CHECKING:
    import pygame

_COMFORT: Final = (1.5, 1.4, 1.3, 1.2, 1.1, 1.0)
"""Headline sizes tried, in shares of the smallest one that is allowed."""
_EMERGENCY: Final = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)


@dataclass(frozen=True, slots=True)
class Plan:
    """One arrangement of the panel; tops in pixels of the screen."""

    icon_side_px: int
    icon_top: int
    title: Block
    title_top: int
    detail: Block | None
    detail_top: int
    code: Block | None
    code_top: int
    bottom: int

    @property
    def overflows(self) -> bool:
        """Kept for tests: nothing was wide or high enough."""
        return self.bottom < 0


def _try(setter: Typesetter, frame: Layout, words: Words, *, title_px: int, detail_px: int, icon: bool) -> Plan | None:
    """The arrangement at exactly these sizes; None when it does not fit."""
    box = frame.panel.inset(frame.margin_px)
    gap = frame.margin_px
    title = setter.block(words.title, title_px, box.w)
    detail = setter.block(words.detail, detail_px, box.w) if words.detail else None
    code = setter.block(words.code, max(8, round(frame.detail_px * 0.8)), box.w) if words.code else None
    if title is None or (words.detail and detail is None) or (words.code and code is None):
        return None
    used = title.height_px + sum(part.height_px + gap for part in (detail, code) if part is not None)
    icon_least = round(frame.headline_px * 1.3)
    spare = box.h - used - ((icon_least + gap) if icon else 0)
    if spare < 0:
        return None
    side = min(icon_least + spare, round(box.h * 0.42), box.w) if icon else 0
    total = used + ((side + gap) if icon else 0)
    top = box.y + (box.h - total) // 2
    icon_top = top
    top += (side + gap) if icon else 0
    title_top = top
    top += title.height_px + gap
    detail_top = top
    top += (detail.height_px + gap) if detail else 0
    code_top = top
    bottom = box.y + (box.h - total) // 2 + total
    return Plan(side, icon_top, title, title_top, detail, detail_top, code, code_top, bottom)


def plan(setter: Typesetter, frame: Layout, words: Words, *, icon: bool) -> Plan:
    """The best arrangement of ``words`` in the panel, with room for a sign if ``icon``."""
    best: Plan | None = None
    # Beside a sign the words stay small and the sign grows: an arrow is understood from farther away than a word.
    # Above a second line they stay moderate, so that the two are read as one message.
    shares = _COMFORT[-2:] if icon else _COMFORT[-3:] if words.detail else _COMFORT
    for share in shares:
        title_px = round(frame.headline_px * share)
        for detail_px in (max(frame.detail_px, round(frame.headline_px * part)) for part in (0.58, 0.52, 0.0)):
            found = _try(setter, frame, words, title_px=title_px, detail_px=detail_px, icon=icon)
            # Fewer lines before larger letters: a phrase is read at a glance, a stack of words is not.
            if found and (best is None or len(found.title.lines) < len(best.title.lines)):
                best = found
    if best:
        return best
    if icon:
        return plan(setter, frame, words, icon=False)
    for shrink in _EMERGENCY:
        sizes = round(frame.headline_px * shrink), round(frame.detail_px * shrink)
        found = _try(setter, frame, words, title_px=max(6, sizes[0]), detail_px=max(5, sizes[1]), icon=False)
        if found:
            return found
    shortened = Words(words.title.split()[0][:6])
    found = _try(setter, frame, shortened, title_px=8, detail_px=8, icon=False)
    return found if found else Plan(0, 0, Block((), 6, 0, 0), 0, None, 0, None, 0, -1)


def paint(
    canvas: Pixels,
    surface: pygame.Surface,
    setter: Typesetter,
    frame: Layout,
    words: Words,
    *,
    icon: str | None,
    colours: tuple[Rgb, Rgb, Rgb],
) -> Plan:
    """Draw the panel; ``canvas`` and ``surface`` share memory. ``colours``: headline, second line, sign."""
    done = plan(setter, frame, words, icon=icon is not None)
    title_colour, detail_colour, icon_colour = colours
    centre = frame.panel.x + frame.panel.w // 2
    if icon is not None and done.icon_side_px:
        stamp(canvas, icon, icon_colour, (centre, done.icon_top + done.icon_side_px // 2), done.icon_side_px)
    setter.draw(surface, done.title, title_colour, centre, done.title_top)
    if done.detail is not None:
        setter.draw(surface, done.detail, detail_colour, centre, done.detail_top)
    if done.code is not None:
        setter.draw(surface, done.code, detail_colour, centre, done.code_top)
    return done
