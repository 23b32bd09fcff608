"""Registering and asking on this machine, over a real store with painted faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.stills import load_image
from kiosk.config.tree import QualityProfile
from kiosk.enrollment.register import enroll_images, identify_image
from kiosk.enrollment.stills import StillReader, check_quality, choose_face
from kiosk.errors import InputError, RecordsConflict
from kiosk.reasons import Reason
from kiosk.values import Pixels, Pose
from kiosk.visit.quality import FaceMeasures
from tests.support.enrolling import World, open_world, photo
from tests.support.facekit import plain_face
from tests.support.painted import DARK, PaintedModels, measure, painting


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A kiosk that knows nobody and has no engine elsewhere."""
    with open_world(tmp_path, engines=()) as opened:
        yield opened


def test_enroll_then_identify(world: World, tmp_path: Path) -> None:
    """From two pictures; a third one is recognised, a stranger is not."""
    seen: list[tuple[str, int, int]] = []
    pictures = [photo(tmp_path, 1), photo(tmp_path, 1, 240)]
    person = enroll_images(world.desk, "Ada", pictures, badge="77", progress=lambda *row: seen.append(row))
    assert seen == [("pictures", 0, 2), ("pictures", 1, 2), ("pictures", 2, 2)]
    assert world.store.details("Ada").templates == {"test-model+1": 2}
    assert world.events("REGISTERED", "PERSON_ADDED") == [("PERSON_ADDED", ""), ("REGISTERED", "")]
    match = identify_image(world.desk, photo(tmp_path, 1, 230))
    assert (match.person_id, match.reason) == (person.person_id, Reason.WELCOME)
    assert identify_image(world.desk, photo(tmp_path, 9)).reason is Reason.UNKNOWN_PERSON


@pytest.mark.parametrize(
    ("bad", "words", "reason"),
    [
        ("none", "no face found", "NO_FACE"),
        ("two", r"2 faces found \(ONE_PERSON\)", "ONE_PERSON"),
        ("dark", "not good enough: TOO_DARK", "TOO_DARK"),
        ("other", "shows somebody else than 1-250.png", "SEVERAL_PEOPLE"),
    ],
)
def test_one_bad_picture_and_nothing_is_written(
    world: World, tmp_path: Path, bad: str, words: str, reason: str
) -> None:
    """Whichever comes last; the reason is an event, without a name."""
    path = tmp_path / "bad.png"
    faces = {
        "none": [],
        "two": [(1, (10, 60, 220)), (2, (240, 60, 220))],
        "dark": [(1, (120, 60, 220), DARK)],
        "other": [(2, (120, 60, 220))],
    }
    path.write_bytes(painting(*faces[bad], size=(480, 480)))  # type: ignore[arg-type]  # tuples of two lengths
    with pytest.raises(InputError, match=words):
        enroll_images(world.desk, "Ada", [photo(tmp_path, 1), path])
    assert world.store.people() == []
    assert world.events() == [("REGISTRATION_REFUSED", reason)]
    assert world.store.events()[0].details == {"step": "quality", "source": "photo"}


def test_no_picture_is_refused(world: World) -> None:
    """One line."""
    with pytest.raises(InputError, match="no picture given"):
        enroll_images(world.desk, "Ada", [])


def test_nobody_is_enrolled_twice_unless_wanted(world: World, tmp_path: Path) -> None:
    """The refusal names who it is; wanted, it is written, and then nobody new of this face is clear."""
    ada = enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    with pytest.raises(RecordsConflict, match=f"enrolled already as Ada {ada.person_id}"):
        enroll_images(world.desk, "Countess", [photo(tmp_path, 1, 240)])
    enroll_images(world.desk, "Countess", [photo(tmp_path, 1, 240)], allow_duplicate=True)
    with pytest.raises(RecordsConflict, match="several people"):
        enroll_images(world.desk, "Third", [photo(tmp_path, 1, 230)])
    assert world.events("REGISTRATION_REFUSED") == [("REGISTRATION_REFUSED", "DUPLICATE_FACE")] * 2


def test_two_desks_that_enroll_one_face_at_once(world: World, tmp_path: Path) -> None:
    """Another process writes between the search and the writing: it is searched again, and refused."""
    other = world.restarted()
    pictures = photo(tmp_path, 1), photo(tmp_path, 1, 240)
    follow = world.desk.known.follow

    def late() -> str:
        stamp = follow()
        if not other.store.people():
            enroll_images(other.desk, "Countess", [pictures[1]])
        return stamp

    object.__setattr__(world.desk.known, "follow", late)
    with pytest.raises(RecordsConflict, match="enrolled already as"):
        enroll_images(world.desk, "Ada", [pictures[0]])
    assert [one.person.name for one in world.store.people()] == ["Countess"]


def test_somebody_else_enrolled_meanwhile_is_no_reason_to_refuse(world: World, tmp_path: Path) -> None:
    """The search is done again, over the new people."""
    other = world.restarted()
    follow = world.desk.known.follow

    def late() -> str:
        stamp = follow()
        if not other.store.people():
            enroll_images(other.desk, "Bob", [photo(tmp_path, 2)])
        return stamp

    object.__setattr__(world.desk.known, "follow", late)
    enroll_images(world.desk, "Ada", [photo(tmp_path, 1)])
    assert [one.person.name for one in world.store.people()] == ["Ada", "Bob"]


def test_a_poor_picture_is_refused_with_its_number(tmp_path: Path) -> None:
    """The word of the screen, the measure and the limit."""
    blurred = FaceMeasures(1, 1.0, 120.0, 80.0, Pose(0, 0, 0), 0.1, 50.0, 0.0, 0.0, 3.0, 0.1, 0.1)
    reader = StillReader(PaintedModels(), load_image, lambda *_, **__: blurred, QualityProfile())
    with pytest.raises(InputError, match=r"BLURRED.*sharpness is 3, allowed is at least 15"):
        reader.read(photo(tmp_path, 1))
    for rule in ("none", "low"):
        assert reader.read(photo(tmp_path, 1), quality=rule).measures is blurred


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
    path = photo(tmp_path, 1)
    pixels = load_image(path)

    def gone(_: Path) -> Pixels:
        path.unlink()
        return pixels

    with pytest.raises(InputError, match="cannot be read"):
        StillReader(PaintedModels(), gone, measure, QualityProfile()).read(path)
