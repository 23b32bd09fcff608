"""Reads a machine-readable zone off a picture: places, columns, characters.

Rules:
- A zone is printed at one pitch and filled to its last place, so its characters stand in columns that are found before
  they are read. The recogniser's scores are then heard column by column: it swallows characters of such widely set
  print, and of repeated ones, but it errs little about where it sees one.
- What comes out are candidates, likeliest first. Check digits judge them (``kiosk.enrollment.cards.mrz``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.cards.finding import MARGIN_PX, Place, find_places, ink
from kiosk.enrollment.cards.mrz import ALPHABET, LOOK_ALIKES, allowed
from kiosk.values import Floats, Pixels

LENGTHS = {3: (30,), 2: (44, 36)}
"""Characters of a line by the number of lines."""
LINE_PX = 48
STEP_PX = 8
"""Of the recogniser: the height it takes, and the width that one row of its scores stands for."""
PITCH_PX = 16
"""Columns are squeezed to this width: print set as wide as a zone's is mostly missed. Of widths from 12 to 28 this errs
least (drawn specimens, two fonts)."""
BODIES = (0.7, 0.8)
"""Shares of the line's height that the capitals take, one look each."""
LEAST = 0.4
"""Mean score of a zone's characters: below it the place is no print, or upside down (0.1 to 0.3 there, synthetic)."""


class LineScores(Protocol):
    """``models.textline.TextLineModel.scores``."""

    def __call__(self, line: Pixels) -> Floats:
        """``(steps, 37)``: how likely each character of the zone's alphabet stands at each step. Raises ModelError."""


@dataclass(frozen=True, slots=True, repr=False)
class ZoneText:
    """A candidate for a zone. Personal data: never logged."""

    lines: tuple[str, ...]
    sure: tuple[tuple[float, ...], ...]
    """0..1 for each character."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The edges of the columns, and how much ink lies on them in shares of what lies anywhere: the less, the surer."""

    edges_px: NDArray[np.float64]
    cost: float


def zone_texts(pixels: Pixels, scores: LineScores) -> Iterator[ZoneText]:
    """Candidates for the lines of a zone in a picture that lies any way up. Raises ModelError."""
    for place in find_places(pixels):
        upside_down = Place(np.ascontiguousarray(place.pixels[::-1, ::-1]), place.rows_px, place.spacing_px)
        for way in (place, upside_down):
            bands = _bands(way)
            fits = sorted((_columns(way, bands, length) for length in LENGTHS[len(bands)]), key=lambda fit: fit.cost)
            for fit in fits:
                places = allowed(len(bands), len(fit.edges_px) - 1)
                heard = [_heard(way, band, fit.edges_px, scores) for band in bands]
                if np.mean([row.max(axis=1) for row in heard]) < LEAST:
                    break  # no other column width would make these letters
                read = [_text(row, places) for row, places in zip(heard, places, strict=True)]
                yield ZoneText(tuple(text for text, _ in read), tuple(sure for _, sure in read))


def _text(heard: Floats, places: tuple[str, ...]) -> tuple[str, tuple[float, ...]]:
    """The likeliest character of each column among those that may stand there, and how sure it is."""
    text, sure = "", []
    for row, letters in zip(heard, places, strict=True):
        told = {letter: float(row[ALPHABET.index(letter)]) for letter in letters}
        for pair in LOOK_ALIKES:  # one that may not stand here is the other
            here = [letter for letter in pair if letter in told]
            if len(here) == 1:
                told[here[0]] = sum(float(row[ALPHABET.index(letter)]) for letter in pair)
        best = max(told, key=lambda letter: told[letter])
        text += best
        sure.append(min(1.0, told[best]))
    return text, tuple(sure)


def _bands(place: Place) -> list[tuple[float, float]]:
    """Top and bottom of the capitals of each line, in pixels of the place."""
    dark = ink(place.pixels, _stroke_px(place)).astype(np.float64)
    found = []
    for row in place.rows_px:
        low, high = int(row - place.spacing_px / 2), int(row + place.spacing_px / 2)
        profile = dark[max(0, low) : high].mean(axis=1)
        profile = np.convolve(profile, np.ones(3) / 3, mode="same")
        rows = np.flatnonzero(profile > 0.25 * np.percentile(profile, 95))
        middle = int(np.searchsorted(rows, row - max(0, low)).clip(0, len(rows) - 1))
        first = last = middle
        while first > 0 and rows[first] - rows[first - 1] <= 3:
            first -= 1
        while last < len(rows) - 1 and rows[last + 1] - rows[last] <= 3:
            last += 1
        found.append((float(max(0, low) + rows[first]), float(max(0, low) + rows[last] + 1)))
    tall = float(np.median([bottom - top for top, bottom in found]))
    return [((top + bottom - tall) / 2, (top + bottom + tall) / 2) for top, bottom in found]


def _stroke_px(place: Place) -> int:
    return 2 * int(0.15 * place.spacing_px) + 1


def _columns(place: Place, bands: list[tuple[float, float]], count: int) -> _Columns:
    """Where ``count`` columns fit best: the edges with the least ink, over offset, pitch and a bow (a remaining
    perspective)."""
    dark = ink(place.pixels, _stroke_px(place)).astype(np.float64)
    profile = sum(dark[int(top) : int(np.ceil(bottom))].mean(axis=0) for top, bottom in bands)
    profile = np.convolve(np.asarray(profile), np.ones(5) / 5, mode="same")
    profile = np.maximum(0.0, profile - np.percentile(profile, 5))
    printed = np.flatnonzero(profile > 0.2 * np.percentile(profile, 90))
    printed = printed[(printed > MARGIN_PX / 4) & (printed < len(profile) - MARGIN_PX / 4)]
    left, right = float(printed[0]), float(printed[-1] + 1)
    share = np.linspace(0.0, 1.0, count + 1)
    best = _Columns(left + (right - left) * share, float("inf"))
    for spare in np.linspace(0.05, 0.75, 15):  # of a column: what the first and last character leave free
        pitch = (right - left) / (count - spare)
        for offset in np.linspace(-0.7, 0.05, 16):
            straight = left + offset * pitch + pitch * count * share
            for bow in np.linspace(-0.4, 0.4, 9):
                edges = straight + 4 * bow * pitch * share * (1 - share)
                cost = float(np.interp(edges, np.arange(len(profile)), profile).mean() / profile.mean())
                if cost < best.cost - 1e-9 or (cost < best.cost + 1e-9 and not bow):
                    best = _Columns(edges, cost)
    return best


def _heard(place: Place, band: tuple[float, float], edges_px: NDArray[np.float64], scores: LineScores) -> Floats:
    """``(columns, 37)``: how likely each character stands in each column of a line, the mean of the looks."""
    count = len(edges_px) - 1
    total = np.zeros((count, len(ALPHABET)), dtype=np.float32)
    for body in BODIES:
        heard = scores(_drawn(place.pixels, band, edges_px, body))
        columns = np.floor((np.arange(len(heard)) + 0.5) * STEP_PX / PITCH_PX - 1.0)
        for column in range(count):
            here = heard[columns == column]
            if len(here):
                total[column] += here.max(axis=0)
    return total / np.float32(len(BODIES))


def _drawn(pixels: Pixels, band: tuple[float, float], edges_px: NDArray[np.float64], body: float) -> Pixels:
    """A line drawn anew with columns of one width and an empty one at either side, black on white."""
    import cv2

    count = len(edges_px) - 1
    middle, tall = (band[0] + band[1]) / 2, (band[1] - band[0]) / body
    width = (count + 2) * PITCH_PX
    width += -width % STEP_PX
    pitch = (edges_px[-1] - edges_px[0]) / count
    at = (np.arange(width) + 0.5) / PITCH_PX - 1.0
    x = np.interp(at, np.arange(count + 1), edges_px)
    x += pitch * (np.minimum(0.0, at) + np.maximum(0.0, at - count))
    y = middle + tall * ((np.arange(LINE_PX) + 0.5) / LINE_PX - 0.5)
    line = cv2.remap(
        _softened(pixels, pitch / PITCH_PX),
        np.tile(x.astype(np.float32), (LINE_PX, 1)), np.tile(y.astype(np.float32)[:, None], (1, width)),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return _blackened(np.asarray(cv2.cvtColor(line, cv2.COLOR_RGB2GRAY), dtype=np.uint8))


def _blackened(grey: NDArray[np.uint8]) -> Pixels:
    """Paper white and print black, whatever the light and the colours were."""
    import cv2

    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (31, 31))
    paper = cv2.blur(cv2.morphologyEx(cv2.GaussianBlur(grey, (3, 3), 0), cv2.MORPH_CLOSE, kernel), (31, 31))
    share = grey.astype(np.float32) / np.maximum(paper.astype(np.float32), 1.0)
    black = min(0.9, float(np.percentile(share, 3)))
    level = np.clip((share - black) / (0.97 - black), 0.0, 1.0)
    return np.repeat((level * 255.0).astype(np.uint8)[:, :, None], 3, axis=2)


def _softened(pixels: Pixels, shrink: float) -> Pixels:
    """Without what a picture drawn that much narrower could not hold."""
    import cv2

    if shrink <= 1.2:
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigmaX=0.4 * shrink, sigmaY=0.1), dtype=np.uint8)
