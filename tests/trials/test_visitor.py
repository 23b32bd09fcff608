"""Trials played for real on a painted face: small pictures, the kiosk's own gates."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from hardware.sim.conditions import Conditions
from hardware.sim.species import Cast, build
from kiosk.config.tree import Settings, VisitSettings
from kiosk.evaluation.trial import Trial
from kiosk.trials.attempt import play
from kiosk.trials.plan import FPS, SIZE_PX, Planned, plan
from kiosk.trials.troupe import Troupe
from kiosk.trials.visitor import led, visit
from kiosk.values import Face, Frame, Liveness
from kiosk.visit.challenge import FLOOR
from tests.support import simfaces

SETTINGS = Settings()


@cache
def troupe() -> Troupe:
    """A painted visitor and a painted stranger."""
    return Troupe("test", [simfaces.portrait(3)], [simfaces.portrait(4)], SETTINGS)


def planned(species: str, **conditions: float) -> Planned:
    """One trial in an ordinary room."""
    first = plan([species], 1, 1, "test")[0]
    room = Conditions(width_px=SIZE_PX[0], height_px=SIZE_PX[1], fps=FPS, ambient_lux=200.0)
    return replace(first, conditions=replace(room, **conditions), calibrated=True)  # type: ignore[arg-type]


@cache
def played(species: str, lux: float, *, adaptive: bool = True) -> Trial:
    """One trial, once for all tests."""
    return visit(planned(species, ambient_lux=lux), troupe(), SETTINGS, adaptive=adaptive)


def test_a_living_visitor_is_accepted_early_and_a_print_is_refused_after_all_slots() -> None:
    """The sequential test ends only the flashes that have passed."""
    live, print_ = played("live", 200.0), played("print_flat", 200.0)
    assert live.accepted
    assert FLOOR <= live.colour_slots < SETTINGS.liveness.colour_slots
    assert live.in_oval_to_verdict_s is not None
    assert live.fixed_length_s is not None
    assert live.in_oval_to_verdict_s < live.fixed_length_s
    assert not print_.accepted
    assert print_.colour_slots == SETTINGS.liveness.colour_slots


def test_a_fixed_length_is_played_to_its_end() -> None:
    """What the adaptive length saves is measured against this."""
    live = played("live", 200.0, adaptive=False)
    assert live.accepted
    assert live.colour_slots == SETTINGS.liveness.colour_slots
    assert live.in_oval_to_verdict_s == pytest.approx(live.fixed_length_s)


def test_too_bright_for_a_flash_is_the_other_path() -> None:
    """No verdict, no second try."""
    bright = played("live", 20_000.0)
    assert (bright.flash, bright.accepted, bright.attempts, bright.colour_slots) == ("none", False, 1, 0)


def test_a_trial_can_be_played_again_bit_for_bit() -> None:
    """Whatever was played before it."""
    assert visit(planned("live", ambient_lux=200.0), troupe(), SETTINGS, adaptive=True) == played("live", 200.0)


def test_an_unsure_verdict_asks_for_as_many_tries_as_the_door_allows() -> None:
    """Without any exposure lock there is no verdict, never a pass."""
    drifting = planned("live")
    drifting = replace(drifting, conditions=replace(drifting.conditions, exposure_locked="ignored"))
    patient = Settings(visit=VisitSettings(hold_s=0.3))
    trial = visit(drifting, troupe(), patient, adaptive=False)
    assert (trial.verdict, trial.accepted) == (Liveness.UNSURE, False)
    assert trial.attempts == 1 + patient.liveness.tries
    assert len(trial.earlier) == patient.liveness.tries


def test_another_face_in_the_end_is_refused() -> None:
    """The comparison's answer reaches the gates."""
    asked: list[int] = []

    def another(kept: list[tuple[Frame, Face]]) -> tuple[float, ...]:
        asked.append(len(kept))
        return (99.0,) * (len(kept) - 2) + (20.0,)

    one = planned("live")
    cast = Cast(troupe().visitors[0], troupe().others[0])
    world = build("live", cast, one.conditions, 5)
    outcome = play(world, SETTINGS, seed=5, lag_s=None, adaptive=True, same_face=another)
    assert outcome.result.verdict is Liveness.SPOOF
    assert min(asked) == 3


def test_a_second_face_ends_the_visit_as_it_does_in_the_kiosk() -> None:
    """No flash for two, and no further try."""
    two = visit(planned("second_person"), troupe(), SETTINGS, adaptive=True)
    assert (two.accepted, two.attempts, two.colour_slots) == (False, 1, 0)
    assert two.reasons == ("SECOND_FACE",)


@pytest.mark.parametrize("wide", [0.9, 1.0, 1.1])
def test_everybody_stands_where_the_kiosk_leads(wide: float) -> None:
    """By its eyes a narrow head seems farther off; what is within the kiosk's reach stays where it is."""
    guidance = SETTINGS.guidance
    for distance_mm in (280.0, 300.0, 400.0, 500.0, 560.0):
        here = replace(planned("live").conditions, distance_mm=distance_mm, shape=(wide, 1.0, 1.0))
        there = led(here, SETTINGS)
        assert guidance.near_mm <= there.distance_mm / wide <= guidance.far_mm
        assert (there == here) == (guidance.near_mm <= distance_mm / wide <= guidance.far_mm)
