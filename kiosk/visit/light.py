"""How much light the screen can throw on a face, and whether that is enough to see it flash.

Rules:
- ``plan`` is the one place that says how to flash in which light: the visit asks it before every flash, and whoever
  plays attempts for an evaluation asks it too.
- The screen is a rectangular Lambertian panel, seen on its axis by a face that is parallel to it.
- Modulation is ``E_screen / E_ambient``: it decides whether a flash can be measured at all and does not depend
  on the colour of the skin. Below ``liveness.modulation_low`` no flash is started.

Source of the formula: Howell, "A Catalog of Radiation Heat Transfer Configuration Factors", factor B-3
(differential element to a parallel rectangle, normal through a corner), four times for the four quarters;
``E = pi L F``. A 155 x 88 mm panel of 500 cd/m2 gives 41 lx at 400 mm.
"""

from __future__ import annotations

import math
from enum import StrEnum

from kiosk.config.tree import LivenessSettings
from kiosk.values import Panel
from kiosk.visit.challenge import FLOOR, LONG_FLOOR


class Flash(StrEnum):
    """How to flash in the light there is."""

    NORMAL = "normal"
    """May end as soon as the gates are sure."""
    LONG = "long"
    """Weak, but visible: goes on for longer before it may end (``challenge.LONG_FLOOR``)."""
    NONE = "none"
    """Could not be seen: no flash is started."""


def least_colours(flash: Flash) -> int:
    """How many colour slots are shown before such a flash may end early."""
    return LONG_FLOOR if flash is Flash.LONG else FLOOR


def screen_lux(panel: Panel, distance_mm: float) -> float:
    """Illuminance in lux that the full white panel makes on its axis at ``distance_mm``."""
    a = panel.width_mm / 2.0 / distance_mm
    b = panel.height_mm / 2.0 / distance_mm
    root_a, root_b = math.hypot(1.0, a), math.hypot(1.0, b)
    quarters = a / root_a * math.atan(b / root_a) + b / root_b * math.atan(a / root_b)
    return 2.0 * panel.luminance_cd_m2 * quarters


def modulation(panel: Panel, distance_mm: float, ambient_lux: float) -> float:
    """Screen light in shares of ambient light at the face; infinite in the dark."""
    if ambient_lux <= 0.0:
        return math.inf
    return screen_lux(panel, distance_mm) / ambient_lux


def plan(panel: Panel, distance_mm: float, ambient_lux: float | None, settings: LivenessSettings) -> Flash:
    """How to flash at a face this far away in this much ambient light.

    Unknown light (None: the camera reports none) gets a normal flash; the gates then judge the modulation that they
    measure. A distance or a light that is not a number is no light in which to flash.
    """
    if ambient_lux is None:
        return Flash.NORMAL
    share = modulation(panel, distance_mm, ambient_lux)
    if not share >= settings.modulation_low:
        return Flash.NONE
    return Flash.NORMAL if share >= settings.modulation_long else Flash.LONG
