"""Settings of a change: of face models, collections, shards. What would change nothing is a mistake, and told."""

from __future__ import annotations

import pytest

from kiosk.config.engines import EndpointSettings
from kiosk.config.load import parse
from kiosk.errors import ConfigurationError


@pytest.mark.parametrize(
    "before",
    [
        {"collection_before": "door"},
        {"shards": 4, "collection_before": "door"},
        {"shards": 4, "collection_before": "door", "shards_before": 3},
        {"collection": "door-1", "collection_before": "door", "shards_before": 2},
    ],
)
def test_a_collection_is_not_asked_twice(before: dict[str, str | int]) -> None:
    """Under any names that the shards may have."""
    with pytest.raises(ValueError, match="collection_before is the collection itself"):
        EndpointSettings.model_validate(before)


@pytest.mark.parametrize(
    "before",
    [
        {"collection_before": "door-v6"},
        {"shards": 4, "collection_before": "door", "shards_before": 1},
        {"collection_before": "door", "shards_before": 4},
    ],
)
def test_from_one_to_many_and_back_is_a_change(before: dict[str, str | int]) -> None:
    """A single collection bears another name than the shards of the same one."""
    EndpointSettings.model_validate(before)


@pytest.mark.parametrize("before", [{"shards": 4, "shards_before": 1}, {"users": True, "users_before": False}])
def test_a_change_without_the_collection_of_before_is_told(before: dict[str, int | bool]) -> None:
    """It would be no change: whoever is in the old collection would be known to nobody there."""
    with pytest.raises(ValueError, match="need collection_before"):
        EndpointSettings.model_validate(before)


def test_the_model_of_before_is_another_one() -> None:
    """Told with the line."""
    with pytest.raises(ConfigurationError, match=r"kiosk.toml:.*embedder_before is the embedder itself"):
        parse('[identity]\nembedder = "fr_feature"\nembedder_before = "fr_feature"\n', "kiosk.toml")
