"""Folders of recordings and of pictures: broken ones are counted, not fatal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.errors import InputError
from kiosk.evaluation.images import look, passive_figures
from kiosk.evaluation.recording import RecordedFrame, Recording
from kiosk.evaluation.recordings import score_recordings
from kiosk.values import Liveness, LivenessResult, Panel, Pixels, ShownSlot


def ignored(what: str, done: int, total: int) -> None:
    """Nobody watches."""
    assert 0 <= done <= total, what


def nothing() -> Pixels:
    """No frame is ever read here."""
    raise AssertionError


def read(folder: Path) -> Recording:
    """A recording whose species stands in its document; ``broken`` is broken."""
    species = json.loads((folder / "recording.json").read_text(encoding="utf-8"))["species"]
    if species == "broken":
        raise InputError("is no JSON", where=str(folder))
    slots = (ShownSlot((128, 128, 128), "full", 1.0, 0.3), ShownSlot((255, 100, 100), "full", 1.3, 0.3))
    frames = (RecordedFrame("0.png", 1.0, 0.01, (640, 480), nothing),)
    return Recording(slots, Panel(155, 88, 500), "usb:0", True, None, 300.0, frames, species=species)


def judge(_place: Path, recording: Recording) -> LivenessResult:
    """Only the living live."""
    verdict = Liveness.LIVE if recording.species in ("live", "mask_3d") else Liveness.SPOOF
    return LivenessResult(verdict, 80.0, ())


def shelf(tmp_path: Path, *species: str | None) -> Path:
    """A folder with one recording of each, nested differently."""
    for number, one in enumerate(species):
        place = tmp_path / ("deep" if number % 2 else "") / f"r{number}"
        place.mkdir(parents=True)
        (place / "recording.json").write_text(json.dumps({"species": one}), encoding="utf-8")
    return tmp_path


def test_labelled_recordings_become_trials(tmp_path: Path) -> None:
    """Each under its own name; an uncovered species stays uncovered."""
    folder = shelf(tmp_path, "live", "print_flat", "mask_3d")
    trials, broken = score_recordings(folder, read, judge, ["mask_3d"], ignored)
    assert not broken
    assert {(t.id, t.species, t.covered, t.accepted) for t in trials} == {
        ("r0", "live", True, True), ("deep/r1", "print_flat", True, False), ("r2", "mask_3d", False, True),
    }  # fmt: skip
    assert {t.colour_slots for t in trials} == {1}


def test_broken_and_unlabelled_ones_are_told_and_left_out(tmp_path: Path) -> None:
    """One line each, with its place; the rest is still measured."""
    trials, broken = score_recordings(shelf(tmp_path, "live", "broken", None), read, judge, [], ignored)
    assert [one.species for one in trials] == ["live"]
    assert len(broken) == 2
    assert any("r1" in line and "no JSON" in line for line in broken)
    assert any("no label.species" in line for line in broken)


def test_an_empty_shelf_is_an_error(tmp_path: Path) -> None:
    """It is more likely the wrong folder than a measurement of nothing."""
    with pytest.raises(InputError, match=r"no recording\.json"):
        score_recordings(tmp_path, read, judge, [], ignored)


def album(folder: Path, **persons: list[float]) -> Path:
    """Files that hold their score as text."""
    for person, scores in persons.items():
        (folder / person).mkdir(parents=True, exist_ok=True)
        for number, score in enumerate(scores):
            (folder / person / f"{number}.jpg").write_text(str(score), encoding="utf-8")
    return folder


def scored(path: Path) -> tuple[float, ...] | None:
    """Two models, the second one kinder; above 1 there is no face, below 0 the file is broken."""
    value = float(path.read_text(encoding="utf-8"))
    if value < 0:
        raise InputError("cannot be decoded", where=str(path))
    return None if value > 1 else (value, min(1.0, value + 0.2))


def test_pictures_are_counted_by_label_and_person(tmp_path: Path) -> None:
    """Mean 0.1 above the first model: one live picture and one print are wrong, each with its person."""
    folders = {
        "live": album(tmp_path / "a", ann=[0.9, 0.3], bob=[0.8]),
        "print": album(tmp_path / "b", ann=[0.1], bob=[0.45, 2.0, -1.0]),
    }
    found, unusable = look(folders, scored, ignored)
    assert len(unusable) == 2
    report = passive_figures(found, len(unusable), 0.5, ["first", "second"])
    assert list(report["models"]) == ["all", "first", "second"]
    live, print_ = report["models"]["all"]["labels"]
    assert [(p["person"], p["errors"]["count"]) for p in live["persons"]] == [("ann", 1), ("bob", 0)]
    assert [(p["person"], p["errors"]["count"]) for p in print_["persons"]] == [("ann", 0), ("bob", 1)]
    assert report["models"]["all"]["right"]["count"] == 3
    assert report["models"]["first"]["labels"][1]["errors"]["count"] == 0
    assert report["models"]["all"]["separation_percent"] == pytest.approx(100 * 5 / 6, abs=1e-3)


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    """A wrong path must not read as no errors."""
    with pytest.raises(InputError, match="no pictures"):
        look({"live": tmp_path}, scored, ignored)
