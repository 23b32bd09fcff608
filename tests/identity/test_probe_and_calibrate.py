"""The averaged probe, and the measured scale."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from kiosk.errors import InputError, MatchError
from kiosk.identity import calibrate as calibration
from kiosk.identity.probe import mean_embedding
from kiosk.identity.scale import ANCHORS, Scale
from kiosk.values import Embedding
from tests.support.facekit import VERSION, someone, unit


def test_the_mean_is_nearer_than_its_parts() -> None:
    """Averaging noisy frames brings the probe closer to the person."""
    shots = [someone(1, noise=1.0, shot=n) for n in range(5)]
    mean = mean_embedding(shots)
    near = float(mean.vector @ someone(1).vector)
    assert near > max(float(shot.vector @ someone(1).vector) for shot in shots)
    assert np.linalg.norm(mean.vector) == pytest.approx(1, abs=1e-6)
    assert mean.model_version == VERSION


@pytest.mark.parametrize(
    "embeddings",
    [
        pytest.param([], id="none"),
        pytest.param([someone(1), someone(1, version="other")], id="mixed"),
        pytest.param([unit(np.eye(8)[0]), unit(-np.eye(8)[0])], id="cancel"),
        pytest.param([Embedding(np.full(8, np.nan, np.float32), VERSION)], id="nan"),
    ],
)
def test_unusable_frames_are_an_error(embeddings: list[Embedding]) -> None:
    """MatchError, never a made-up probe."""
    with pytest.raises(MatchError):
        mean_embedding(embeddings)


def a_set(people: int, pictures: int) -> list[tuple[str, Embedding]]:
    """Noisy pictures of random people."""
    return [(f"p{n}", someone(n, noise=0.5, shot=k)) for n in range(people) for k in range(pictures)]


def test_the_cosines_are_those_of_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """No anchor is reached by more impostors than it says, and the next lower cosine is reached by more."""
    monkeypatch.setattr(calibration, "_BLOCK", 64)
    templates = a_set(120, 3)
    result = calibration.calibrate(templates)
    rows = np.array([embedding.vector for _, embedding in templates])
    cosines = rows @ rows.T
    upper = np.triu_indices(len(rows), 1)
    same = np.arange(len(rows))[upper[0]] // 3 == np.arange(len(rows))[upper[1]] // 3
    impostors = cosines[upper][~same]
    assert (result.impostor_pairs, result.genuine_pairs) == (len(impostors), int(same.sum()))
    for (_, share), cosine in zip(ANCHORS[:2], result.cosine_at[:2], strict=True):
        assert cosine is not None
        assert (impostors >= cosine + 1e-6).mean() <= share
        assert (impostors >= cosine - 2e-3).mean() > share
    assert result.found_at[0] == pytest.approx((cosines[upper][same] >= (result.cosine_at[0] or 0)).mean(), abs=0.01)


def test_a_small_set_does_not_claim_what_it_cannot_know() -> None:
    """1 in 100 000 needs a million pairs."""
    result = calibration.calibrate(a_set(120, 3))
    assert result.cosine_at[3] is None
    with pytest.raises(InputError, match="too few"):
        calibration.to_toml(result, "test")


def test_the_table_can_be_read_back() -> None:
    """In the manifest's form."""
    result = calibration.Calibration(VERSION, 10, 5, 40, 5, (0.3, 0.37, 0.43, 0.48), (1.0, 1.0, 0.9, 0.8))
    tables = tomllib.loads(calibration.to_toml(result, 'my "door"\nset'))["similarity"]
    assert Scale.from_tables(VERSION, tables).similarity(0.48) == pytest.approx(99)
    assert "my 'door' set: 10 pictures of 5 people." in tables[VERSION]["how"]


def test_one_person_calibrates_nothing() -> None:
    """There is no impostor pair."""
    with pytest.raises(InputError, match="two people"):
        calibration.calibrate(a_set(1, 4))
    with pytest.raises(InputError, match="different models"):
        calibration.calibrate([*a_set(2, 1), ("x", someone(1, version="other"))])
