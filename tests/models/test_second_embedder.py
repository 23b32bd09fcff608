"""The second embedder keeps its contract on real photographs, alone and beside the first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hardware.stills import load_image
from kiosk.config.tree import IdentitySettings
from kiosk.errors import ModelError
from kiosk.ports import FaceModels, probe_of
from kiosk.runtime.wiring import scale_of
from kiosk.values import Face, Pixels
from models import embedder, manifest
from models.faces import LocalFaceModels, open_models
from tests.support.facekit import swapped_cosine, weights

PHOTOS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg")
SECOND = embedder.KINDS["fr_feature"].version


@pytest.fixture(scope="module")
def models() -> Iterator[LocalFaceModels]:
    """The second embedder in use, the first one before it."""
    with open_models(weights("core", "second-embedder"), ("fr_feature", "sface")) as opened:
        yield opened


@pytest.fixture(scope="module")
def found(models: LocalFaceModels) -> dict[str, tuple[Pixels, Face]]:
    """The largest face of each photograph."""
    data = weights("demo")
    pictures = {name: load_image(manifest.item(name).path(data)) for name in PHOTOS}
    return {name: (pixels, models.find_still(pixels)[0]) for name, pixels in pictures.items()}


def test_the_same_person_is_alike_and_another_is_not(
    models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]
) -> None:
    """On each model's own calibrated scale: beyond 99, and below 80."""
    port: FaceModels = models
    probes = {name: probe_of(port, *pair) for name, pair in found.items()}
    for version, vectors in (
        (SECOND, probes),
        (embedder.VERSION, {name: probe.before for name, probe in probes.items()}),
    ):
        scale = scale_of(version)
        for other in PHOTOS[1:3]:
            assert scale.between(vectors["obama.jpg"], vectors[other]) > 99.0, (version, other)  # type: ignore[arg-type]
        for name in PHOTOS[:3]:
            assert scale.between(vectors[name], vectors["biden.jpg"]) < 80, (version, name)  # type: ignore[arg-type]
    assert [len(probes["obama.jpg"].vector), models.embedding_version] == [512, SECOND]
    assert np.linalg.norm(probes["obama.jpg"].vector) == pytest.approx(1.0, abs=1e-5)


def test_colour_order_matters_as_the_contract_says(
    models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]
) -> None:
    """Swapped channels give another embedding, so an order that is wrong does not go unnoticed."""
    assert swapped_cosine(models, *found["obama.jpg"]) < 0.98


def test_the_first_one_beside_it_is_what_it_is_alone(
    models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]
) -> None:
    """Templates of years ago are still met by the very same embedding; without a change there is none."""
    beside = models.embed_before(*found["obama.jpg"])
    with open_models(weights("core")) as alone:
        first = alone.embed(*found["obama.jpg"])
        assert (alone.version_before, alone.embed_before(*found["obama.jpg"])) == (None, None)
    assert beside is not None
    assert (beside.model_version, models.version_before) == (first.model_version, embedder.VERSION)
    assert np.array_equal(beside.vector, first.vector)


@pytest.mark.parametrize("names", [("fr_feature", None), ("sface", "fr_feature")])
def test_absent_weights_are_told_with_their_group(tmp_path: Path, names: tuple[str, str | None]) -> None:
    """A kiosk whose configuration names a model that is not here does not start."""
    data = weights("core")
    (tmp_path / "models").mkdir()
    for one in manifest.select(["core"]):
        one.path(tmp_path).symlink_to(one.path(data))
    with pytest.raises(ModelError, match=r"missing; run `kiosk models fetch --group second-embedder`"):
        open_models(tmp_path, names)


def test_every_name_of_the_configuration_is_a_calibrated_model() -> None:
    """And the other way round."""
    allowed = IdentitySettings.model_json_schema()["properties"]["embedder"]["enum"]
    assert allowed == list(embedder.KINDS)
    for kind in embedder.KINDS.values():
        assert scale_of(kind.version).model_version == kind.version
    with pytest.raises(ModelError, match="no embedder is called x"):
        open_models(Path(), ("x", None))
