"""All that the step function needs to know besides the visit, the event and the moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.config.tree import GuidanceSettings, IdentitySettings, LivenessSettings, VisitSettings
from kiosk.values import Challenge, Panel

QUALITY_FRESH_S = 0.5
"""A quality measured longer ago than this counts as unknown."""
STEADY_ENTER = 0.75
"""To begin holding, the drift must be below this share of the limit that ends it (hysteresis)."""
NOBODY_S = 0.4
"""During a check the face may be lost this long (a blink of the detector), not longer."""
FAR_OFFSET = 2.0
"""During the flash the face may drift this many ``offset_leave_ratio`` from the oval's centre."""
FAR_DISTANCE = 1.25
"""During the flash the face may be nearer or farther than allowed by this factor."""
AGAIN_S = 1.5
"""After an unsure verdict the visitor reads for this long why there is another try."""
COOL_S = 8.0
"""A face that stays may begin a new visit after this time."""
COOL_LONG_S = 30.0
"""The same after ``DENIALS_IN_A_ROW`` denials."""
DENIALS_IN_A_ROW = 3
SERVED_GONE_S = 0.5
"""After a grant (or an approach that came to nothing) the face counts as gone after this time."""
BADGE_LASTS_S = 10.0
"""A badge that was read without a visit is forgotten after this time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings and physics of one installation."""

    visit: VisitSettings
    guidance: GuidanceSettings
    liveness: LivenessSettings
    identity: IdentitySettings
    panel: Panel
    focal_px: float
    """Focal length in pixels of frames of the size that ``new_visit`` is told."""
    draw: Callable[[bytes], Challenge]
    """Makes a fresh challenge of a fresh nonce; must be a pure function of it."""
    badges: bool = False
    """A badge reader is there: a visitor may be asked for a badge."""
