"""A recorded session as scoring sees it: what was shown, what was filmed, and how to get at each frame's pixels.

No file format here: ``hardware.recording`` reads and writes it (``docs`` describe the fields).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.values import Panel, Pixels, ShownSlot

DEFAULT_HFOV_DEG = 62.2
"""Horizontal field of view where the recording does not say: the one of ``camera.hfov_deg``."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordedFrame:
    """One frame; its pixels are read when asked for."""

    name: str
    exposure_start_s: float
    exposure_s: float
    size_px: tuple[int, int]
    """(width, height)."""
    load: Callable[[], Pixels]
    """Raises InputError when the picture turns out to be broken."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One session."""

    slots: tuple[ShownSlot, ...]
    panel: Panel
    camera_name: str
    exposure_locked: bool | None
    lag_s: float | None
    ambient_lux: float | None
    frames: tuple[RecordedFrame, ...]
    species: str | None = None
    """The label, where there is one: never used for scoring."""
    hfov_deg: float = DEFAULT_HFOV_DEG
