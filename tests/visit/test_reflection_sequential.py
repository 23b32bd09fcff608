"""Ending the flash early: what a look asks for, and that wrong sequences do not pass any of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.values import Liveness
from kiosk.visit.challenge import FLOOR
from kiosk.visit.evidence import Evidence
from kiosk.visit.reflection import judge
from kiosk.visit.reflection.chance import LEAST_R, least_r
from kiosk.visit.reflection.sequential import ENOUGH, enough
from tests.bench.chance import challenges, correlations
from tests.support.cell_world import session

SETTINGS = LivenessSettings()


def look(evidence: Evidence, colours: int) -> Evidence:
    """What was filmed when that many colours had been shown."""
    coloured = np.cumsum([len(set(slot.rgb)) > 1 for slot in evidence.slots])
    shown = evidence.slots[: int(np.flatnonzero(coloured == colours)[0]) + 1]
    end_s = shown[-1].visible_at_s + shown[-1].duration_s + 0.1
    frames = tuple(frame for frame in evidence.frames if frame.exposure_start_s < end_s)
    return replace(evidence, slots=shown, frames=frames)


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_clear_visit_ends_after_six_colours(seed: int) -> None:
    """The floor, no earlier."""
    visit = session(seed=seed)
    result = enough(look(visit, FLOOR), SETTINGS)
    assert result is not None
    assert result.verdict is Liveness.LIVE
    assert result.confidence >= ENOUGH
    assert enough(look(visit, FLOOR - 1), SETTINGS) is None
    assert judge(look(visit, FLOOR - 1), SETTINGS).verdict is not Liveness.LIVE


def test_colours_that_were_not_filmed_do_not_count() -> None:
    """Six shown, five seen."""
    visit = look(session(), FLOOR)
    last = visit.slots[-1]
    unseen = replace(visit, frames=tuple(f for f in visit.frames if f.exposure_start_s < last.visible_at_s + 0.09))
    assert enough(unseen, SETTINGS) is None


@pytest.mark.parametrize(
    "changes",
    [{"surface": "plane"}, {"surface": "bent"}, {"surface": "veil"}, {"answers": 77}, {"background": 1.0},
     {"locked": False}, {"modulation": 0.004}],
    ids=str,
)  # fmt: skip
def test_no_look_ends_for_anything_else(changes: dict[str, object]) -> None:
    """Only LIVE ends a flash early."""
    visit = session(**changes)
    assert all(enough(look(visit, colours), SETTINGS) is None for colours in range(FLOOR, 11))


def test_fewer_colours_ask_for_a_better_answer() -> None:
    """Never looser with less, and nothing passes below the floor."""
    limits = [least_r(colours) for colours in range(15)]
    assert limits == sorted(limits, reverse=True)
    assert set(limits[:FLOOR]) == {1.0}
    assert limits[12] == limits[14] == LEAST_R[-1]


def test_wrong_challenges_pass_all_looks_together_no_more_often_than_one_test_may() -> None:
    """The sum over the looks (Boole) stays within the permutation test's own error, over 360 000 pairs."""
    drawn = challenges(600, seed=5)
    chances = [float((correlations(drawn, FLOOR + n) >= limit).mean()) for n, limit in enumerate(LEAST_R)]
    assert sum(chances) <= SETTINGS.timing_p
    assert chances[0] > 0, "two challenges alike in their first six colours do occur: the test sees them"
