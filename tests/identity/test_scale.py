"""The similarity scale."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import MatchError, ModelError
from kiosk.identity.scale import ANCHORS, Scale
from tests.support.facekit import VERSION, someone

SCALE = Scale.from_anchors(VERSION, [0.30, 0.37, 0.43, 0.48])
cosines = st.floats(-1, 1)


@given(cosines, cosines)
def test_it_grows_with_the_cosine(one: float, other: float) -> None:
    """Strictly, wherever two cosines differ by more than rounding."""
    low, high = sorted((one, other))
    assert SCALE.similarity(low) <= SCALE.similarity(high)
    if high - low > 1e-6:
        assert SCALE.similarity(low) < SCALE.similarity(high)


@given(cosines)
def test_it_has_an_inverse_and_stays_in_range(cosine: float) -> None:
    """There and back."""
    similarity = SCALE.similarity(cosine)
    assert 0 <= similarity <= 100
    assert SCALE.cosine(similarity) == pytest.approx(cosine, abs=1e-9)


def test_the_anchors_are_met() -> None:
    """99 is the measured cosine of a false match rate of 1e-5, and so on."""
    assert [SCALE.similarity(c) for c in (0.30, 0.37, 0.43, 0.48)] == pytest.approx([name for name, _ in ANCHORS])
    assert (SCALE.similarity(-1), SCALE.similarity(0), SCALE.similarity(1)) == (0, 20, 100)
    assert SCALE.similarity(1.5) == 100


@pytest.mark.parametrize("cosine", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_similarity(cosine: float) -> None:
    """NaN must never pass a threshold."""
    assert SCALE.similarity(cosine) == 0


@pytest.mark.parametrize("cosines", [[0.3, 0.3, 0.4, 0.5], [0.3, 0.2, 0.4, 0.5], [0.3, 0.4, 0.5], [0.3, 0.4, 0.5, 1.0]])
def test_a_calibration_that_does_not_grow_is_refused(cosines: list[float]) -> None:
    """It would not be a scale."""
    with pytest.raises(ModelError):
        Scale.from_anchors(VERSION, cosines)


def test_an_unknown_version_is_refused() -> None:
    """No calibration, no similarity."""
    with pytest.raises(ModelError, match="no similarity calibration for other"):
        Scale.from_tables("other", {VERSION: {}})
    with pytest.raises(ModelError, match="incomplete"):
        Scale.from_tables(VERSION, {VERSION: {"cosine_at": {"80": 0.3}}})


def test_versions_never_mix() -> None:
    """Not even between two embeddings."""
    assert SCALE.between(someone(1), someone(1)) == pytest.approx(100)
    with pytest.raises(MatchError, match="on the scale of"):
        SCALE.between(someone(1), someone(1, version="other"))
