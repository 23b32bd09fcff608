"""Many people from few photographs: other skin, another shape of the head, glasses.

All are cheap compared to making a portrait, and print and screen attacks on the new person show the new person too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from hardware.sim.glasses import Spectacles, wear
from hardware.sim.portrait import Portrait
from hardware.sim.relief import pyramid
from kiosk.values import Floats

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
LIGHT_L, DARK_L = 72.0, 30.0
PHOTO_EXPOSURE = 0.6
"""A photographer exposes for the face: so much of a skin's darkness (exponent) is left in the picture."""


def luminance_factor(lightness: float) -> float:
    """Y (0..1) of CIELAB L*: ``((L* + 16) / 116) ** 3``."""
    return float(((lightness + 16.0) / 116.0) ** 3)


def skin_colour(lightness: float, redder: float = 0.0) -> Floats:
    """Linear reflectance (3,) of skin of this L*: dark skin is relatively redder. ``redder`` -1..1 is the person's own.

    r/g runs from 1.35 to 1.9 and b/g from 0.75 to 0.55 between L* 72 and 30, within measured skin's 1.2-2.2 and
    0.45-0.8.
    """
    dark = float(np.clip((LIGHT_L - lightness) / (LIGHT_L - DARK_L), 0.0, 1.0))
    ratios = np.array([1.35 + 0.55 * dark + 0.12 * redder, 1.0, 0.75 - 0.20 * dark - 0.05 * redder], np.float32)
    return np.asarray(ratios * (luminance_factor(lightness) / float(ratios @ LUMA)), np.float32)


def trimmed(portrait: Portrait) -> Portrait:
    """Without the finest picture: for cameras and distances that never show it, at a quarter of the work."""
    head = portrait.relief
    half = replace(
        head,
        levels=head.levels[1:],
        closed=head.closed[1:],
        px_per_mm=head.px_per_mm / 2,
        origin_px=(head.origin_px[0] / 2, head.origin_px[1] / 2),
        surface_px=head.surface_px // 2,
    )
    height, width = portrait.linear.shape[:2]
    linear = cv2.resize(portrait.linear, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return replace(
        portrait,
        relief=half,
        linear=np.asarray(linear, np.float32),
        px_per_mm=portrait.px_per_mm / 2,
        origin_px=(portrait.origin_px[0] / 2, portrait.origin_px[1] / 2),
        upright=portrait.upright / 2,
    )


def with_skin(portrait: Portrait, lightness: float, redder: float = 0.0) -> Portrait:
    """The same person with skin of this L*; texture, eyes, teeth, hair and clothes stay. Gloss stays as it is."""
    head = portrait.relief
    texture = head.levels[0]
    mask = _fitted(portrait.skin, texture)
    sure = (mask > 0.95) & (texture[..., 3] > 0.99)
    albedo = texture[sure][:, :3]
    target = skin_colour(lightness, redder)
    gain = np.asarray(target / np.median(albedo, axis=0), np.float32)
    gain *= luminance_factor(lightness) / float(np.median((albedo * gain) @ LUMA))
    # Nothing reflects more than white paper: the brightest spots of lightened skin end there.
    painted = [pyramid(_multiplied(one[0], mask, gain), len(one)) for one in (head.levels, head.closed)]
    exposed = np.asarray(gain * float(gain @ LUMA) ** (PHOTO_EXPOSURE - 1.0), np.float32)
    linear = _multiplied(portrait.linear, _fitted(portrait.skin, portrait.linear), exposed)
    return replace(
        portrait,
        relief=replace(head, levels=painted[0], closed=painted[1]),
        linear=linear,
    )


def with_shape(portrait: Portrait, wide: float, tall: float, deep: float) -> Portrait:
    """The same person with width, height and depth of the head (and body) multiplied."""
    head = portrait.relief
    rows, columns = head.surface.shape[:2]
    step = head.surface_px
    new = max(8, round(columns * wide)), max(8, round(rows * tall))
    x, y = new[0] / columns, new[1] / rows
    size = new[0] * step, new[1] * step
    surface = np.asarray(cv2.resize(head.surface, new, interpolation=cv2.INTER_LINEAR), np.float32)
    facing = np.sqrt(np.maximum(1.0 - surface[..., 1] ** 2 - surface[..., 2] ** 2, 0.01))
    slope_x, slope_y = surface[..., 1] / facing * (deep / x), surface[..., 2] / facing * (deep / y)
    length = np.sqrt(1.0 + slope_x**2 + slope_y**2)
    surface[..., 0] *= deep
    surface[..., 1], surface[..., 2] = slope_x / length, slope_y / length
    factors = np.array([x, y, deep], np.float32)
    scaled: Callable[[tuple[float, float]], tuple[float, float]] = lambda at: (at[0] * x, at[1] * y)  # noqa: E731 - two lines shorter, used thrice
    whole = columns * step, rows * step

    def stretched(picture: Floats) -> Floats:
        cut = picture[: whole[1], : whole[0]]
        return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_LINEAR), np.float32)

    marks = head.landmarks_mm
    relief = replace(
        head,
        levels=pyramid(stretched(head.levels[0]), len(head.levels)),
        closed=pyramid(stretched(head.closed[0]), len(head.closed)),
        surface=np.ascontiguousarray(surface),
        origin_px=scaled(head.origin_px),
        pivot_mm=_times(head.pivot_mm, factors),
        eyes_mm=tuple(_times(eye, factors) for eye in head.eyes_mm),
        landmarks_mm=None if marks is None else marks * factors,
    )
    return replace(
        portrait,
        relief=relief,
        linear=stretched(portrait.linear),
        origin_px=scaled(portrait.origin_px),
        upright=portrait.upright * np.array([[x], [y]]),
        skin=np.asarray(cv2.resize(portrait.skin, new, interpolation=cv2.INTER_LINEAR), np.float32),
    )


def with_glasses(portrait: Portrait, spectacles: Spectacles) -> Portrait:
    """The same person with glasses on: the frame on all pictures, mirroring lenses on the living head only."""
    return replace(
        portrait,
        relief=wear(portrait.relief, spectacles),
        linear=spectacles.painted(portrait.linear, portrait.px_per_mm, portrait.origin_px, portrait.relief.eyes_mm),
    )


def _times(point: tuple[float, float, float], factors: Floats) -> tuple[float, float, float]:
    x, y, z = (float(a * b) for a, b in zip(point, factors, strict=True))
    return x, y, z


def _fitted(mask: Floats, picture: Floats) -> Floats:
    size = picture.shape[1], picture.shape[0]
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _multiplied(picture: Floats, mask: Floats, gain: Floats) -> Floats:
    """A copy with ``gain`` (3,) on the skin, never above 1 (times alpha); only the skin's rectangle is touched."""
    result = picture.copy()
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0.0), np.flatnonzero(mask.max(axis=0) > 0.0)
    if not len(rows):
        return result
    part = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    channels = picture.shape[2]
    planes = [1.0 + mask[part] * np.float32(one - 1.0) for one in gain]
    planes += [np.ones_like(planes[0])] * (channels - 3)
    most = cv2.merge([picture[part][..., 3] if channels == 4 else np.ones_like(planes[0])] * channels)
    result[part] = cv2.min(cv2.multiply(picture[part], cv2.merge(planes)), most)
    return result
