"""Where gain and lag condemn, and where they only doubt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Verdict
from kiosk.visit.reflection.amplitude import Amplitudes, gain_gate
from kiosk.visit.reflection.fitting import Answer
from kiosk.visit.reflection.signals import gather
from kiosk.visit.reflection.timing import align, lag_gate
from tests.support.cell_world import session

SETTINGS = LivenessSettings()


def answer(mean: float, error: float = 0.001) -> Answer:
    """A surface of this modulation."""
    return Answer(np.full(3, mean), error, 0.99, mean)


def amplitudes(*parts: float, face: float = 0.2, expected: float | None = 0.2, error: float = 0.001) -> Amplitudes:
    """Forehead, left and right cheek."""
    forehead, left, right = (answer(part, error) for part in parts)
    return Amplitudes(answer(face), forehead, left, right, None, None, expected, 5.0, 0.2)


@pytest.mark.parametrize(
    ("found", "verdict", "reason"),
    [
        (amplitudes(0.2, 0.2, 0.2), Verdict.PASS, None),
        (amplitudes(0.2, 0.01, 0.2), Verdict.INSUFFICIENT, Reason.FACE_OBSTRUCTED),
        (amplitudes(0.2, 0.2, 0.9), Verdict.INSUFFICIENT, Reason.FACE_OBSTRUCTED),
        (amplitudes(0.2, 0.01, 0.01), Verdict.FAIL, Reason.NOT_LIVE),
        (amplitudes(0.9, 0.01, 0.2), Verdict.FAIL, Reason.NOT_LIVE),
        (amplitudes(0.02, 0.02, 0.02, face=0.02), Verdict.FAIL, Reason.NOT_LIVE),
        (amplitudes(0.02, 0.02, 0.001, face=0.02), Verdict.FAIL, Reason.NOT_LIVE),
        (amplitudes(0.9, 0.9, 0.9, face=0.9), Verdict.FAIL, Reason.NOT_LIVE),
        (amplitudes(0.2, 0.01, 0.01, error=0.1), Verdict.INSUFFICIENT, Reason.HIGH_LIGHTING),
        (amplitudes(0.2, 0.2, 0.2, expected=None), Verdict.PASS, None),
        (amplitudes(9.0, 9.0, 9.0, face=9.0, expected=None), Verdict.FAIL, Reason.NOT_LIVE),
    ],
)
def test_one_part_that_is_off_is_a_doubt_and_two_are_an_attack(
    found: Amplitudes, verdict: Verdict, reason: Reason | None
) -> None:
    """A screen or an injected stream is off as a whole."""
    said = gain_gate(found, SETTINGS)
    assert (said.verdict, said.reason) == (verdict, reason)
    assert said.gate.value is not None
    assert (said.gate.value >= said.gate.threshold) == (verdict is Verdict.PASS)


def test_a_lag_that_is_not_known_well_enough_is_a_doubt() -> None:
    """Beyond the window by the best fit, and within it by what fits as well: neither a pass nor an attack."""
    evidence = session(lag_s=0.2)
    timing = align(gather(evidence), SETTINGS)
    assert timing is not None
    calibrated = replace(evidence, lag_s=0.1)
    assert lag_gate(timing, calibrated, SETTINGS).verdict is Verdict.FAIL
    vague = replace(timing, reach_s=(0.14, 0.26))
    assert lag_gate(vague, calibrated, SETTINGS).verdict is Verdict.INSUFFICIENT
    assert lag_gate(replace(timing, reach_s=(0.16, 0.26)), calibrated, SETTINGS).verdict is Verdict.FAIL
    never = replace(evidence, lag_s=None)
    assert lag_gate(vague, never, SETTINGS).verdict is Verdict.INSUFFICIENT
    assert lag_gate(replace(vague, reach_s=(0.15, 0.2)), never, SETTINGS).verdict is Verdict.FAIL


def test_the_reach_of_a_lag_holds_the_lag() -> None:
    """And is narrow in good light."""
    for lag_s in (0.03, 0.09, 0.2):
        timing = align(gather(session(lag_s=lag_s)), SETTINGS)
        assert timing is not None
        least_s, most_s = timing.reach_s
        assert least_s - 0.01 <= lag_s <= most_s + 0.01
        assert least_s <= timing.lag_s <= most_s
        assert most_s - least_s < 0.1


def test_lags_that_fit_alike_but_for_the_model_are_one_plateau() -> None:
    """Frames that leave out every switch cannot tell the lag: the middle of what fits is found, not its edge."""
    evidence = session(lag_s=0.06, noise=0.0, sensor_noise=0.02)
    switches = [slot.visible_at_s for slot in evidence.slots]
    kept = [
        frame for frame in evidence.frames if min(abs(frame.exposure_start_s - at_s - 0.06) for at_s in switches) > 0.05
    ]
    timing = align(gather(replace(evidence, frames=tuple(kept))), SETTINGS)
    assert timing is not None
    assert abs(timing.lag_s - 0.06) < 0.03
    assert timing.reach_s[0] <= 0.03
    assert timing.reach_s[1] >= 0.08
