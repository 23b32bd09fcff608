"""The confidence: better values never lower it, missing ones never raise it, its weights say where they are from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import LivenessSettings
from kiosk.values import Gate, Verdict
from kiosk.visit.reflection import judge
from kiosk.visit.reflection.fusion import FEATURES, SCALES, WHOLE, Model, confidence, goodness
from kiosk.visit.reflection.weights import MODEL, TRAINED
from tests.support.cell_world import session

GENUINE = judge(session(), LivenessSettings()).gates
FALLING = frozenset({"exposure", "lag", "contrast"})
"""Gates whose values are better when smaller."""


def changed(name: str, **changes: object) -> tuple[Gate, ...]:
    """The gates of a genuine visit with one of them changed."""
    return tuple(replace(gate, **changes) if gate.name == name else gate for gate in GENUINE)  # type: ignore[arg-type]


def of(gates: tuple[Gate, ...]) -> float:
    """Their confidence."""
    return confidence(gates, MODEL)


@given(st.sampled_from(sorted(SCALES)), st.floats(-3, 150), st.floats(-3, 150))
def test_a_better_value_never_lowers_the_confidence(name: str, one: float, other: float) -> None:
    """Monotone in each gate, whatever the weights that were trained."""
    worse, better = sorted((one, other), reverse=name in FALLING)
    assert of(changed(name, value=worse)) <= of(changed(name, value=better)) + 1e-9


@given(st.sampled_from(sorted(SCALES)), st.none() | st.just(float("nan")) | st.just(float("inf")))
def test_a_missing_value_never_raises_the_confidence(name: str, nothing: float | None) -> None:
    """No value, or no gate at all: as bad as it can be."""
    missing = of(changed(name, value=nothing))
    assert missing <= of(GENUINE)
    assert missing == of(tuple(gate for gate in GENUINE if gate.name != name))
    assert all(of(changed(name, value=value)) >= missing for value in (-1.0, 0.0, 0.5, 1.0, 99.0))


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_a_fault_beside_the_value_counts_as_missing(name: str) -> None:
    """A second face has the best similarity."""
    good = goodness(changed(name, verdict=Verdict.INSUFFICIENT))
    assert good[name] == 0.0
    assert goodness(GENUINE)[name] > 0.0


def test_goodness_lies_between_nothing_and_all() -> None:
    """For every feature, and for gates that nobody knows."""
    good = goodness((*GENUINE, Gate("unheard", Verdict.PASS, 1.0, 0.5)))
    assert set(good) == set(FEATURES)
    assert all(0.0 <= value <= 1.0 for value in good.values())
    assert of(()) < 1.0 < of(GENUINE)


def test_a_model_has_a_weight_for_each_feature_and_none_is_negative() -> None:
    """Monotony is a property of the model, checked where it is made."""
    weights = dict.fromkeys(FEATURES, 1.0)
    Model(weights, 0.0)
    for wrong in ({**weights, "timing": -0.1}, {**weights, "more": 1.0}, {"timing": 1.0}):
        with pytest.raises(ValueError, match="one weight of at least 0"):
            Model(wrong, 0.0)


def test_the_kept_weights_say_where_they_come_from() -> None:
    """Command, seed, rows, and the hash of the trials."""
    assert set(TRAINED) == {"command", "seed", "visitors", "attacks", "trials_sha256"}
    assert len(str(TRAINED["trials_sha256"])) == 64
    assert set(MODEL.weights) == set(FEATURES)
