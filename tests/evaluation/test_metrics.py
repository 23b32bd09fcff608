"""Presentation-attack figures: what is counted where, and what must never be pooled."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kiosk.evaluation.metrics import (
    alone,
    attack_figures,
    cells,
    det,
    in_target,
    live_figures,
    margin,
    percentile,
    stopped,
    times,
    worst,
)
from kiosk.evaluation.trial import Trial
from kiosk.values import Verdict
from tests.support.trialkit import trial

VERDICTS = st.sampled_from(["live", "unsure", "spoof"])


@st.composite
def trials(draw: st.DrawFn) -> list[Trial]:
    """Up to sixty trials of four species."""
    count = draw(st.integers(0, 60))
    species = st.sampled_from(["live", "print_flat", "replay_lcd", "mask_3d"])
    found = []
    for number in range(count):
        kind = draw(species)
        flash = draw(st.sampled_from(["normal", "normal", "normal", "long", "none"]))
        confidence = draw(st.floats(0, 100))
        found.append(
            trial(
                number,
                kind,
                draw(VERDICTS),
                flash=flash,
                confidence=confidence,
                covered=kind != "mask_3d",
                skin_l=draw(st.sampled_from([72.0, 50.0, 30.0])),
            )
        )
    return found


def test_the_worst_species_is_the_result_and_nothing_is_pooled() -> None:
    """One accepted in ten of one kind is ten percent, however many of another kind were refused."""
    many = [trial(n, "print_flat", "spoof") for n in range(990)]
    few = [trial(n, "replay_lcd", "live" if n == 0 else "spoof") for n in range(10)]
    top = worst(attack_figures([*many, *few]))
    assert top is not None
    assert (top.species, top.accepted.count, top.accepted.total) == ("replay_lcd", 1, 10)


def test_an_uncovered_species_is_reported_but_is_not_the_result() -> None:
    """A mask that gets in is told of, under its own name."""
    figures = attack_figures([trial(1, "mask_3d", "live", covered=False), trial(1, "print_flat", "spoof")])
    assert [one.species for one in figures] == ["print_flat", "mask_3d"]
    top = worst(figures)
    assert top is not None
    assert top.species == "print_flat"


@given(trials())
def test_every_flashed_attack_is_counted_once(some: list[Trial]) -> None:
    """In its own species, and the other path beside it."""
    figures = attack_figures(some)
    attacks = [one for one in some if one.species != "live"]
    assert sum(one.accepted.total + one.other_path for one in figures) == len(attacks)
    assert sum(one.accepted.count for one in figures) == sum(one.accepted for one in attacks)


@given(trials())
def test_refusals_are_attacks_plus_silence(some: list[Trial]) -> None:
    """A genuine visitor is accepted, taken for an attack, or left without an answer."""
    figures = live_figures(some, "all")
    assert figures.as_attack.count + figures.silent.count == figures.refused.count
    accepted = sum(one.accepted for one in some if one.species == "live")
    assert figures.refused.total - figures.refused.count == accepted


def test_who_was_let_in_at_the_second_try_was_not_at_the_first() -> None:
    """Refused by nobody, and yet asked again: that is told beside the refusals."""
    some = [trial(0), replace(trial(1), attempts=2), trial(2, verdict="spoof"), trial(3, "print_flat", "spoof")]
    live = live_figures(some, "all")
    assert (live.refused.count, live.again.count, live.again.total) == (1, 2, 3)


@given(trials())
def test_cells_and_margins_hold_every_genuine_visitor(some: list[Trial]) -> None:
    """Nobody is lost between the cells."""
    whole = live_figures(some, "all")
    for groups in ([one for _key, one in cells(some)], margin(some, "skin_l")):
        assert sum(one.refused.total for one in groups) == whole.refused.total
        assert sum(one.refused.count for one in groups) == whole.refused.count
        assert sum(one.other_path for one in groups) == whole.other_path


@given(trials())
def test_a_higher_threshold_refuses_more_of_everybody(some: list[Trial]) -> None:
    """The DET curve is monotone."""
    points = det(some, range(0, 101, 5))
    for before, after in itertools.pairwise(points):
        assert math.isnan(before.apcer) or after.apcer <= before.apcer
        assert math.isnan(before.bpcer) or after.bpcer >= before.bpcer


def test_the_other_path_is_in_no_rate() -> None:
    """Sent away by the light: neither accepted nor refused by the gates."""
    some = [trial(1), trial(2, verdict="unsure", flash="none"), trial(3, "print_flat", "unsure", flash="none")]
    live, attacks = live_figures(some, "all"), attack_figures(some)
    assert (live.refused.total, live.other_path) == (1, 1)
    assert (attacks[0].accepted.total, attacks[0].other_path) == (0, 1)
    assert worst(attacks) is None


def test_targets_hold_where_they_say() -> None:
    """Up to 1 000 lx and from 30 to 50 cm; what was not noted counts as inside."""
    assert in_target(trial(1, ambient_lux=1000.0, distance_mm=500.0))
    assert not in_target(trial(1, ambient_lux=2000.0))
    assert not in_target(trial(1, distance_mm=650.0))
    assert not in_target(trial(1, split="information"))
    assert in_target(trial(1, ambient_lux=None, distance_mm=None))


def test_which_gate_stopped_what() -> None:
    """Shares of trials; a gate that alone did not pass is the only thing between them and the door."""
    some = [
        trial(1, "print_flat", "spoof", failing=["shape"]),
        trial(2, "print_flat", "spoof", failing=["shape", "gain"]),
        trial(3, "print_flat", "unsure", insufficient=["timing"]),
    ]
    assert stopped(some)["print_flat"] == {"timing": 0.0, "gain": 1 / 3, "shape": 2 / 3}
    assert stopped(some, Verdict.INSUFFICIENT)["print_flat"]["timing"] == 1 / 3
    assert alone(some) == {"print_flat": {"shape": 1, "timing": 1}}


def test_times_are_nearest_rank() -> None:
    """Of twenty, the 95th percentile is the nineteenth; unmeasured ones are left out."""
    some = [trial(n, seconds=float(n + 1)) for n in range(20)] + [trial(99, seconds=None)]
    figures = times(some, lambda one: one.in_oval_to_verdict_s)
    assert (figures.count, figures.median_s, figures.p95_s) == (20, 10.0, 19.0)
    assert math.isnan(percentile([], 0.5))
