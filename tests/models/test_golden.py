"""The weights keep their contracts on real photographs: these fail when a channel order, a scale or a file is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hardware.stills import load_image
from kiosk.errors import ModelError
from kiosk.identity.scale import Scale
from kiosk.ports import FaceModels
from kiosk.runtime.measure import measure_face
from kiosk.values import Face, Frame, Pixels
from models import embedder, landmarks, manifest
from models.faces import LocalFaceModels, open_models
from models.passive import PassiveModels
from tests.support import occlusions
from tests.support.facekit import swapped_cosine, weights

PHOTOS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg")


@pytest.fixture(scope="module")
def models() -> Iterator[LocalFaceModels]:
    """The real models, opened once."""
    with open_models(weights("core")) as opened:
        yield opened


@pytest.fixture(scope="module")
def found(models: LocalFaceModels) -> dict[str, tuple[Pixels, Face]]:
    """The largest face of each photograph."""
    data = weights("core", "demo")
    pictures = {name: load_image(manifest.item(name).path(data)) for name in PHOTOS}
    return {name: (pixels, models.find_still(pixels)[0]) for name, pixels in pictures.items()}


def test_it_is_the_port(models: LocalFaceModels) -> None:
    """The protocol's every member (checked by mypy too)."""
    port: FaceModels = models
    assert port.embedding_version == embedder.VERSION
    assert port.passive_models[0] in (1, 2)


def test_the_same_person_is_alike_and_another_is_not(
    models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]
) -> None:
    """On the calibrated scale: beyond 99, and below 80."""
    scale = Scale.from_tables(models.embedding_version, manifest.similarity_tables())
    vectors = {name: models.embed(*pair) for name, pair in found.items()}
    for other in ("obama2.jpg", "obama3.jpg"):
        assert scale.between(vectors["obama.jpg"], vectors[other]) > 99.2
    for name in PHOTOS[:3]:
        assert scale.between(vectors[name], vectors["biden.jpg"]) < 80
    assert np.linalg.norm(vectors["obama.jpg"].vector) == pytest.approx(1.0, abs=1e-5)


def test_colour_order_matters_as_the_contract_says(
    models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]
) -> None:
    """Swapped channels give another embedding: RGB is not taken for BGR unnoticed."""
    assert swapped_cosine(models, *found["obama.jpg"]) < 0.98


def test_landmarks_are_where_they_were(found: dict[str, tuple[Pixels, Face]]) -> None:
    """Within a hundredth of the picture of what was measured when this was written."""
    pixels, face = found["obama.jpg"]
    assert face.landmarks.shape == (478, 3)
    assert face.box.left_px == pytest.approx(375, abs=9)
    assert face.box.width_px == pytest.approx(234, abs=9)
    assert abs(face.pose.yaw_deg) < 6
    assert found["obama2.jpg"][1].pose.yaw_deg < -8
    assert found["biden.jpg"][1].pose.yaw_deg > 5
    assert face.landmarks[468, 0] < face.landmarks[473, 0]
    assert face.landmarks[4, 2] < face.landmarks[234, 2]
    assert len(face.blendshapes) == 52
    assert pixels.shape == (1137, 910, 3)


def test_a_mirrored_picture_turns_the_other_way(models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]) -> None:
    """Yaw and roll change sign, pitch stays."""
    pixels, face = found["obama2.jpg"]
    mirrored = models.find_still(np.ascontiguousarray(pixels[:, ::-1]))[0]
    assert mirrored.pose.yaw_deg == pytest.approx(-face.pose.yaw_deg, abs=4)
    assert mirrored.pose.roll_deg == pytest.approx(-face.pose.roll_deg, abs=3)
    assert mirrored.pose.pitch_deg == pytest.approx(face.pose.pitch_deg, abs=4)


def test_video_mode_agrees_with_still_mode(models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]) -> None:
    """In the frame's own pixels although the frame was narrowed; equal times do not stop it."""
    pixels, face = found["obama.jpg"]
    for sequence in range(3):
        faces = models.find(Frame(pixels, sequence, 1.0, 0.01, None))
    assert len(faces) == 1
    assert faces[0].box.left_px == pytest.approx(face.box.left_px, abs=8)
    assert faces[0].landmarks[4, :2] == pytest.approx(face.landmarks[4, :2], abs=8)


def test_portraits_look_live(models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]) -> None:
    """The passive contract: with a wrong channel order or scale these fall."""
    for name in PHOTOS:
        assert models.passive_live_score(*found[name]) > 0.6, name


def test_small_and_cut_faces_are_found(models: LocalFaceModels, found: dict[str, tuple[Pixels, Face]]) -> None:
    """A face of an eighth of a large picture, and one that fills it."""
    pixels, face = found["biden.jpg"]
    wide = np.full((2400, 3200, 3), 90, np.uint8)
    wide[100:2304, 2000:2970] = pixels
    assert [round(one.box.left_px) for one in models.find_still(wide)] == [
        pytest.approx(face.box.left_px + 2000, abs=12)
    ]
    box = face.box
    tight = pixels[int(box.top_px) : int(box.bottom_px), int(box.left_px) : int(box.right_px)]
    assert len(models.find_still(np.ascontiguousarray(tight))) == 1


def test_nobody_is_nobody(models: LocalFaceModels) -> None:
    """Grey, noise, a tiny picture: no face and no error."""
    noise = np.random.default_rng(3).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    for pixels in (np.full((480, 640, 3), 128, np.uint8), noise, np.zeros((16, 16, 3), np.uint8)):
        assert models.find_still(pixels) == []
        assert models.find(Frame(pixels, 1, 5.0, 0.01, None)) == []


def test_covers_are_told_from_faces(found: dict[str, tuple[Pixels, Face]]) -> None:
    """Painted sunglasses and masks are found on each portrait, and none is found where none is."""
    random = np.random.default_rng(4)
    for name, (pixels, face) in found.items():
        plain = measure_face(pixels, face, faces=1)
        assert plain.sunglasses is not None
        assert plain.covered is not None
        assert max(plain.sunglasses, plain.covered) < 0.5, name
        dark = measure_face(occlusions.sunglasses(pixels, face, random), face, faces=1)
        masked = measure_face(occlusions.mask(pixels, face, random, (150, 195, 225)), face, faces=1)
        assert (dark.sunglasses or 0) > 0.5, name
        assert (masked.covered or 0) > 0.5, name


def test_closing_twice_and_using_after_is_plain() -> None:
    """Closed is closed: ModelError, not a crash."""
    one = landmarks.Landmarker(weights("core"))
    one.close()
    one.close()
    with pytest.raises(ModelError, match="closed"):
        one.find_still(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize("name", [landmarks.WEIGHTS, embedder.KINDS[embedder.DEFAULT].weights, "fr_liveness.onnx"])
def test_each_changed_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """One bit is enough."""
    data = weights("core")
    (tmp_path / "models").mkdir()
    for one in manifest.select(["core"]):
        if one.name == name:
            shutil.copyfile(one.path(data), one.path(tmp_path))
            content = bytearray(one.path(tmp_path).read_bytes())
            content[len(content) // 2] ^= 1
            one.path(tmp_path).write_bytes(content)
        else:
            one.path(tmp_path).symlink_to(one.path(data))
    with pytest.raises(ModelError, match=r"wrong sha256") as caught:
        open_models(tmp_path)
    assert name in str(caught.value)


def test_one_model_of_the_pair_is_none(tmp_path: Path) -> None:
    """The extra pair counts only when both are there."""
    data = weights("core", "passive-extra")
    (tmp_path / "models").mkdir()
    for name in ("fr_liveness.onnx", "MiniFASNetV2.onnx"):
        (tmp_path / "models" / name).symlink_to(data / "models" / name)
    assert PassiveModels(tmp_path).present == (1, 2)
    assert PassiveModels(data).present == (2, 2)
