"""Sheets bent in the light of one lamp: the hardest prints, since their shadow edge is as steep as a face."""

from __future__ import annotations

import math

import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.values import Liveness, Verdict
from kiosk.visit.reflection import judge
from tests.support.cell_world import session

SETTINGS = LivenessSettings()


def lamp(azimuth_deg: float) -> tuple[float, float, float]:
    """A lamp 20 degrees above the face, at this angle from the camera."""
    a, e = math.radians(azimuth_deg), math.radians(20.0)
    return math.sin(a) * math.cos(e), -math.sin(e), math.cos(a) * math.cos(e)


@pytest.mark.parametrize("azimuth_deg", [-95, -70, -45, 0, 45, 70, 95])
@pytest.mark.parametrize("bend_mm", [65.0, 90.0, 120.0])
def test_a_bent_sheet_in_a_lamps_light_shows_no_relief(azimuth_deg: float, bend_mm: float) -> None:
    """Whatever the bend and the lamp, a sheet answers alike along its straight lines."""
    evidence = session(surface="bent", bend_mm=bend_mm, lamp=lamp(azimuth_deg))
    result = judge(evidence, SETTINGS)
    assert result.verdict is Liveness.SPOOF
    assert next(gate for gate in result.gates if gate.name == "relief").verdict is Verdict.FAIL


@pytest.mark.parametrize("azimuth_deg", [-80, -60, -30, 0, 30, 60, 80])
def test_a_head_in_a_lamps_light_keeps_its_relief(azimuth_deg: float) -> None:
    """What no sheet explains is left of a head, from whichever side its room is lit."""
    evidence = session(lamp=lamp(azimuth_deg), scattered=0.4)
    assert judge(evidence, SETTINGS).verdict is Liveness.LIVE
