"""Judge one calibration run: a Calibration, or one plain line why there is none.

Rules: no figure is stored from a run in which the exposure was not locked, the light changed, the target was clipped,
uneven or moved, or the screen was hardly seen. What is only worth a word (a panel that is not as bright as set) is a
remark.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from kiosk import __version__
from kiosk.errors import KioskError
from kiosk.runtime.calibration import EARLIEST_S, LARGE_SPREAD_S, Calibration, Matrix
from kiosk.site.filming import Filmed
from kiosk.site.fitting import Fit, fit
from kiosk.values import Panel
from kiosk.visit.light import screen_lux

LEAST_SWITCHES = 8
LEAST_MODULATION = 0.005
LEAST_SIGNAL = 6.0
"""White step over what is not explained."""
MOST_CLIPPED = 0.02
MOST_UNEVEN = 0.35
MOST_DRIFT = 0.3
"""Change of the room's light, in shares of the white step."""
BRIGHTNESS = (0.4, 2.5)
"""Measured over predicted modulation: outside, panel or distance are not as set. Cameras know lux roughly only."""
MOST_SPREAD_S = 0.05
"""A delay that jumps by more than the window around it (``liveness.lag_window_s`` at most) is none."""
WEAK_MODULATION = 0.02
"""Below this flashes will often be too weak at this place."""
Target = Literal["card", "wall"]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The result with what the operator should hear."""

    calibration: Calibration
    remarks: tuple[str, ...] = ()


def calibrate(
    filmed: Filmed, panel: Panel, *, target: Target, distance_mm: float, lag_max_s: float, now: datetime
) -> Calibrated:
    """The calibration from one run. Raises KioskError: one line that says what was wrong and what helps."""
    _refuse_bad_frames(filmed)
    found = fit(filmed)
    _refuse_bad_fit(found, lag_max_s)
    # A camera's lux is of the whole picture: while the screen is black it is the room's alone.
    lux = [s.lux for s in filmed.samples if s.lux is not None and _black_at(filmed, s.start_s - found.lag_s)]
    ambient_lux = float(np.median(lux)) if lux else None
    ratio = None
    if ambient_lux is not None and ambient_lux > 0:
        ratio = found.modulation / (screen_lux(panel, distance_mm) / ambient_lux)
    calibration = Calibration(
        measured_utc=now.isoformat(timespec="seconds"),
        software=__version__,
        camera=filmed.camera,
        panel=panel,
        target=target,
        distance_mm=distance_mm,
        lag_s=round(found.lag_s, 5),
        lag_spread_s=round(found.spread_s, 5),
        switches=len(found.lags_s),
        colour_matrix=_matrix(found),
        modulation=round(found.modulation, 5),
        ambient_lux=None if ambient_lux is None else round(ambient_lux, 1),
        luminance_ratio=None if ratio is None else round(ratio, 3),
        residual=round(found.residual, 5),
    )
    return Calibrated(calibration, tuple(_remarks(calibration)))


def _refuse(what: str, mend: str) -> KioskError:
    return KioskError(what, where="calibration", mend=mend)


def _refuse_bad_frames(filmed: Filmed) -> None:
    samples = filmed.samples
    if any(sample.locked is False for sample in samples) or len({sample.locked for sample in samples}) > 1:
        raise _refuse("the camera did not hold its exposure", "see kiosk doctor, part camera")
    if max((sample.clipped_ratio for sample in samples), default=0.0) > MOST_CLIPPED:
        raise _refuse("the target is overexposed", "take a grey card, or turn lamps away from it")
    if float(np.median([sample.unevenness for sample in samples])) > MOST_UNEVEN:
        raise _refuse(
            "the middle of the picture is no even surface", "hold a plain card or sheet that fills the middle"
        )


def _refuse_bad_fit(found: Fit, lag_max_s: float) -> None:
    if found.white[1] <= 0 or found.modulation < LEAST_MODULATION or found.residual > 1.0:
        raise _refuse("the screen's light is hardly seen", "hold the card nearer, or darken the room")
    if found.drift > MOST_DRIFT:
        raise _refuse("the light in the room changed meanwhile", "try again; keep people and doors still")
    if found.residual > 1.0 / LEAST_SIGNAL:
        raise _refuse("the picture does not follow the screen", "hold the card still; a flickering lamp disturbs, too")
    if len(found.lags_s) < LEAST_SWITCHES:
        raise _refuse(f"only {len(found.lags_s)} switches were seen", "give the camera more frames a second")
    if found.spread_s > MOST_SPREAD_S:
        raise _refuse(
            f"the delay jumps by {found.spread_s * 1000:.0f} ms", "end other programs; use a wired screen and camera"
        )
    if not EARLIEST_S <= found.lag_s <= lag_max_s:
        raise _refuse(
            f"a delay of {found.lag_s * 1000:.0f} ms is not believable (0 to {lag_max_s * 1000:.0f} ms)",
            "check that camera times and screen times are of this computer",
        )


def _black_at(filmed: Filmed, at_s: float) -> bool:
    slot = next((s for s in reversed(filmed.slots) if s.visible_at_s <= at_s), None)
    return slot is not None and sum(slot.rgb) == 0


def _matrix(found: Fit) -> Matrix:
    scaled = (found.gains / found.white[1]).round(5).tolist()
    return tuple((float(row[0]), float(row[1]), float(row[2])) for row in scaled)


def _remarks(made: Calibration) -> list[str]:
    remarks = []
    if made.lag_spread_s > LARGE_SPREAD_S:
        remarks.append("the delay is not steady: end other programs, then calibrate again")
    if made.modulation < WEAK_MODULATION:
        remarks.append("the screen is weak against the light here: expect TOO_BRIGHT and HIGH_LIGHTING")
    ratio = made.luminance_ratio
    if ratio is not None and not BRIGHTNESS[0] <= ratio <= BRIGHTNESS[1]:
        remarks.append(
            f"the screen gives about {ratio:.1f} times the light that is set: check display.luminance_cd_m2, "
            "its brightness, and the distance"
        )
    return remarks
