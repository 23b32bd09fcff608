"""Registering and asking, with fakes for models, loader and store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from kiosk.config.tree import IdentitySettings, QualityProfile
from kiosk.enrollment.register import Desk, enroll_images, identify_image
from kiosk.enrollment.stills import StillReader, check_quality, choose_face
from kiosk.errors import InputError, RecordsConflict
from kiosk.identity.gallery import Gallery
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.scale import Scale
from kiosk.reasons import Reason
from kiosk.values import Embedding, Face, NewTemplate, Person, Pixels, Pose
from kiosk.visit.quality import FaceMeasures
from tests.support.facekit import VERSION, plain_face, someone
from tests.support.unasked import UnaskedModels

SCALE = Scale.from_anchors(VERSION, [0.30, 0.37, 0.43, 0.48])
GOOD = FaceMeasures(1, 1.0, 120.0, 80.0, Pose(0, 0, 0), 0.1, 50.0, 0.0, 0.0, 50.0, 0.1, 0.1)


class FakeModels(UnaskedModels):
    """A picture's first pixel says whose face it shows, its second how many faces, its third which shot it is."""

    embedding_version = VERSION
    passive_models = (1, 2)

    def find_still(self, pixels: Pixels) -> list[Face]:
        """Side by side."""
        return [plain_face(100 + 200 * n) for n in range(int(pixels[0, 0, 1]))]

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """Of the person that the picture shows."""
        assert face.landmarks.shape == (478, 3)
        return someone(int(pixels[0, 0, 0]), noise=0.3, shot=int(pixels[0, 0, 2]))


class MemoryStore:
    """Keeps people in a list; refuses names twice, as the store does."""

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        self.people: list[tuple[Person, Sequence[NewTemplate]]] = []

    def add_person(self, name: str, badge: str | None = None, templates: Sequence[NewTemplate] = ()) -> Person:
        """All or nothing."""
        if any(person.name == name for person, _ in self.people):
            raise RecordsConflict(f"{name} is taken")
        person = Person(f"id-{len(self.people)}", name, badge)
        self.people.append((person, templates))
        for template in templates:
            self.gallery.add(person.person_id, template.embedding)
        return person


def fixed(measures: FaceMeasures) -> Callable[..., FaceMeasures]:
    """A measurer that says the same of every face."""
    return lambda *_, **__: measures


def load(path: Path) -> Pixels:
    """``who-faces-shot.png`` as pixels."""
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[0, 0] = [int(part) for part in path.stem.split("-")]
    return pixels


@pytest.fixture
def desk() -> Desk:
    """An empty kiosk."""
    gallery = Gallery(VERSION)
    reader = StillReader(FakeModels(), load, fixed(GOOD), QualityProfile())
    store = MemoryStore(gallery)
    return Desk(reader, LocalMatcher(gallery, SCALE, IdentitySettings(), lambda _: None), SCALE.between, store)


def picture(folder: Path, who: int, faces: int = 1, shot: int = 0) -> Path:
    """A file that the loader understands; its bytes differ."""
    path = folder / f"{who}-{faces}-{shot}.png"
    path.write_text(path.name)
    return path


def test_enroll_then_identify(desk: Desk, tmp_path: Path) -> None:
    """From two pictures; a third one is recognised, a stranger is not."""
    seen: list[tuple[str, int, int]] = []
    pictures = [picture(tmp_path, 1, shot=n) for n in range(2)]
    person = enroll_images(desk, "Ada", pictures, badge="77", progress=lambda *row: seen.append(row))
    assert (person.name, person.badge) == ("Ada", "77")
    assert seen == [("pictures", 0, 2), ("pictures", 1, 2), ("pictures", 2, 2)]
    store = desk.store
    assert isinstance(store, MemoryStore)
    templates = store.people[0][1]
    assert len({one.source_sha256 for one in templates}) == 2
    assert templates[0].quality["sharpness"] == 50.0
    match = identify_image(desk, picture(tmp_path, 1, shot=5))
    assert (match.person_id, match.reason) == (person.person_id, Reason.WELCOME)
    assert identify_image(desk, picture(tmp_path, 9)).reason is Reason.UNKNOWN_PERSON


@pytest.mark.parametrize(
    ("bad", "word"),
    [((1, 0), "NO_FACE"), ((1, 2), "ONE_PERSON"), ((2, 1), "somebody else")],
    ids=["none", "two", "other-person"],
)
def test_one_bad_picture_and_nothing_is_written(desk: Desk, tmp_path: Path, bad: tuple[int, int], word: str) -> None:
    """All or nothing, one line."""
    pictures = [picture(tmp_path, 1), picture(tmp_path, *bad, shot=1)]
    with pytest.raises(InputError, match=word) as caught:
        enroll_images(desk, "Ada", pictures)
    assert "\n" not in str(caught.value)
    assert isinstance(desk.store, MemoryStore)
    assert desk.store.people == []


def test_no_picture_is_refused(desk: Desk) -> None:
    """A person without a face would never be recognised."""
    with pytest.raises(InputError, match="no picture"):
        enroll_images(desk, "Ada", [])


def test_nobody_is_enrolled_twice_unless_wanted(desk: Desk, tmp_path: Path) -> None:
    """Two records of one face make every match ambiguous; and the ambiguous are known too."""
    enroll_images(desk, "Ada", [picture(tmp_path, 1)])
    with pytest.raises(RecordsConflict, match="enrolled already as id-0"):
        enroll_images(desk, "Countess", [picture(tmp_path, 1, shot=1)])
    enroll_images(desk, "Countess", [picture(tmp_path, 1, shot=1)], allow_duplicate=True)
    with pytest.raises(RecordsConflict, match="enrolled already"):
        enroll_images(desk, "Third", [picture(tmp_path, 1, shot=2)])


def test_a_poor_picture_is_refused_with_its_number(tmp_path: Path) -> None:
    """The word of the screen, the measure and the limit."""
    blurred = FaceMeasures(1, 1.0, 120.0, 80.0, Pose(0, 0, 0), 0.1, 50.0, 0.0, 0.0, 3.0, 0.1, 0.1)
    reader = StillReader(FakeModels(), load, fixed(blurred), QualityProfile())
    with pytest.raises(InputError, match=r"BLURRED.*sharpness is 3, allowed is at least 15"):
        reader.read(picture(tmp_path, 1))
    for rule in ("none", "low"):
        assert reader.read(picture(tmp_path, 1), quality=rule).measures is blurred


def test_the_rules_of_choosing() -> None:
    """Largest, central, only; background does not count as a second person."""
    large, middle, tiny = plain_face(10, 10, 150), plain_face(270, 180, 100), plain_face(500, 20, 40)
    size = (640, 480)
    assert choose_face([middle, large, tiny], "largest", size) is large
    assert choose_face([large, middle, tiny], "central", size) is middle
    assert choose_face([tiny, large], "only", size) is large
    with pytest.raises(InputError, match="2 faces"):
        choose_face([tiny, large, middle], "only", size)
    for rule in ("largest", "central", "only"):
        with pytest.raises(InputError, match="NO_FACE"):
            choose_face([], rule, size)


@pytest.mark.parametrize(
    ("yaw", "pitch", "face_px", "problems"),
    [
        (44, 0, 51, ()),
        (0, 44, 51, ()),
        (0, -29, 51, ()),
        (-46, 0, 60, (Reason.LOOK_AT_CAMERA,)),
        (0, -31, 60, (Reason.LOOK_AT_CAMERA,)),
        (0, 0, 49, (Reason.FACE_TOO_SMALL,)),
    ],
)
def test_low_quality_means_size_and_outer_pose_only(
    yaw: float, pitch: float, face_px: float, problems: tuple[Reason, ...]
) -> None:
    """A blurred, dark, small-eyed face passes low; none judges nothing."""
    measures = FaceMeasures(1, 0.5, face_px, 10.0, Pose(yaw, pitch, 50), 0.9, 2.0, 0.9, 0.9, 0.0, 0.9, 0.9)
    judged = check_quality(measures, "low", QualityProfile())
    assert judged is not None
    assert judged.problems == problems
    high = check_quality(measures, "high", QualityProfile())
    assert high is not None
    assert not high.ok
    assert check_quality(measures, "none", QualityProfile()) is None


def test_a_file_that_vanishes_is_one_line(tmp_path: Path) -> None:
    """Between loading and hashing."""
    reader = StillReader(FakeModels(), load, fixed(GOOD), QualityProfile())
    with pytest.raises(InputError, match="cannot be read"):
        reader.read(tmp_path / "1-1-0.png")
