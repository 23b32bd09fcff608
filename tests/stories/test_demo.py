"""The demo on real weights and photographs: some of its acts, what it writes, and a camera that is unplugged.

These are synthetic visits: real photographs in simulated light. They skip where weights or photographs are absent.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from hardware.sim.actors import LiveHead
from hardware.sim.clock import START_S
from hardware.sim.light import Ambient
from hardware.sim.path import Path as Walk
from hardware.sim.story import Fault, Story
from hardware.stills import load_image
from kiosk.demo.cast import ROOM_LUX, acts
from kiosk.demo.play import _write_report, judge_act, open_stage, play, run_story
from kiosk.errors import InputError, ModelError
from kiosk.reasons import Reason
from kiosk.runtime.loop import Turn
from kiosk.runtime.visitlog import VisitEntry, VisitLog
from kiosk.values import SceneKind
from tests.support.facekit import weights

PLAYED = ("A, live", "a flat print of A", "nobody")
LEAVES_S = 9.0
"""When the first visitor turns away: after the flash, whatever its length."""
FILES = ["contact-sheet.png", "demo.mp4", "records", "report.json"]


class Progress:
    """Remembers how far the work was said to be."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        """One call."""
        self.calls.append((what, done, total))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], Progress]:
    """Three acts, played once for all tests: somebody real, somebody flat, nobody."""
    data = weights("core", "demo")
    out = tmp_path_factory.mktemp("demo") / "made" / "here"
    (out / "records").mkdir(parents=True)
    (out / "records" / "mine.txt").write_text("mine")
    progress = Progress()
    cast = [act for act in acts() if act.name in PLAYED]
    return out, play(data, out, progress=progress, cast=cast), progress


def visit(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The visit of this name."""
    (found,) = (one for one in report["visits"] if one["name"] == name)
    assert isinstance(found, dict)
    return found


def test_a_live_person_who_is_enrolled_gets_in(played: tuple[Path, dict[str, Any], Progress]) -> None:
    """Another photograph than the enrolled one, proven live by all gates, one pulse."""
    found = visit(played[1], "A, live")
    assert (found["decision"], found["reason"], found["door_pulses"]) == ("granted", "WELCOME", 1)
    assert found["similarity"] >= 98.5
    assert found["liveness"]["verdict"] == "live"
    assert {gate["verdict"] for gate in found["liveness"]["gates"]} == {"pass"}
    assert found["in_oval_to_decision_s"] > 0


def test_a_flat_print_of_the_same_person_does_not(played: tuple[Path, dict[str, Any], Progress]) -> None:
    """However well it matches."""
    found = visit(played[1], "a flat print of A")
    assert (found["decision"], found["door_pulses"]) == ("denied", 0)
    assert found["liveness"] is None or found["liveness"]["verdict"] != "live"


def test_nobody_is_no_visit(played: tuple[Path, dict[str, Any], Progress]) -> None:
    """An empty room decides nothing."""
    found = visit(played[1], "nobody")
    assert (found["decision"], found["liveness"], found["door_pulses"]) == ("none", None, 0)


def test_the_report_the_film_and_the_sheet_are_written(played: tuple[Path, dict[str, Any], Progress]) -> None:
    """Nothing else is left, what was there before stays, and the report on the disk is the one that was returned."""
    out, report, progress = played
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert (out / "records" / "mine.txt").read_text() == "mine"
    assert json.loads((out / "report.json").read_text(encoding="utf-8")) == report
    assert (report["passed"], report["failed"]) == (3, 0)
    assert {one["name"] for one in report["visits"]} == set(PLAYED)
    assert load_image(out / "contact-sheet.png").shape[1] > 400
    film = cv2.VideoCapture(str(out / "demo.mp4"))
    frames = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
    film.release()
    assert frames > 100
    assert progress.calls[-1] == ("visits", 3, 3)


def test_the_judge_is_not_easily_pleased() -> None:
    """A wrong decision, a wrong word, a pulse too many or a missing hint is a failed visit."""
    guided = next(act for act in acts() if act.hints)
    right = VisitEntry(0.0, hints=list(guided.hints), decision="granted", reason=Reason.WELCOME)
    assert judge_act(guided, [right], 1)["passed"] is True
    wrong = [
        ([right], 0),
        ([right], 2),
        ([replace(right, hints=list(guided.hints[::-1]))], 1),
        ([replace(right, decision="denied")], 1),
        ([replace(right, reason=Reason.CHECKING)], 1),
        ([], 0),
    ]
    for visits, pulses in wrong:
        assert judge_act(guided, visits, pulses)["passed"] is False


def test_the_cast_of_the_issue_is_complete() -> None:
    """Eleven visits, each with its own name; every attack is expected to fail."""
    cast = acts()
    assert len({act.name for act in cast}) == len(cast) >= 11
    assert sum(act.expected == "granted" for act in cast) == 3
    assert all(Reason.WELCOME not in act.reasons for act in cast if act.expected != "granted")


def test_without_weights_nothing_is_made(tmp_path: Path) -> None:
    """The missing files are named."""
    with pytest.raises(ModelError, match=r"the demo needs face_landmarker\.task"):
        play(tmp_path, tmp_path / "out", progress=Progress())
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """And no half of it stays."""
    (tmp_path / "report.json").mkdir()
    with pytest.raises(InputError, match="cannot be written") as caught:
        _write_report(tmp_path / "report.json", {"visits": []})
    assert "\n" not in str(caught.value)
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(ValueError, match="JSON"):
        _write_report(tmp_path / "other.json", {"similarity": float("nan")})
    assert not (tmp_path / "other.json").exists()


class Watch:
    """What was on the screen, turn by turn."""

    def __init__(self) -> None:
        self.kinds: list[SceneKind] = []
        self.faults: set[Reason] = set()
        self.flash_s: float | None = None
        """Story time of the first flash."""

    def turned(self, turn: Turn) -> None:
        """Remember one turn."""
        if self.kinds[-1:] != [turn.scene.kind]:
            self.kinds.append(turn.scene.kind)
        self.faults.update(turn.scene.faults)
        if turn.scene.kind is SceneKind.FLASHING and self.flash_s is None:
            self.flash_s = turn.at_s - START_S


@dataclass(frozen=True)
class UnpluggedInTheFlash(Story):
    """A story whose camera is gone for two seconds, from shortly after the first flash began."""

    watch: Watch = field(default_factory=Watch)

    def fault(self, t_s: float) -> Fault | None:
        """The fault that holds at story time ``t_s``."""
        if self.watch.flash_s is None:
            return None
        fault = Fault(self.watch.flash_s + 0.6, self.watch.flash_s + 2.6, "unplug")
        return fault if fault.from_s <= t_s < fault.until_s else None


def test_a_camera_unplugged_during_the_flash_locks_out_and_comes_back() -> None:
    """Out of service with the door locked; plugged in again it serves the same person without anybody's help."""
    data = weights("core", "demo")
    with ExitStack() as stack:
        stage = open_stage(data, stack)
        leaving = LiveHead(stage.props.walking, Walk.walk_up().leaving(LEAVES_S))
        again = LiveHead(stage.props.walking, replace(Walk.walk_up(), enter_s=LEAVES_S + 3.5))
        watch, log = Watch(), VisitLog()
        lights = ((0.0, Ambient(lux=ROOM_LUX)),)
        story = UnpluggedInTheFlash(actors=(leaving, again), lights=lights, watch=watch)
        pulses = run_story(stage, story, LEAVES_S + 25.0, (watch, log))
    faulted = watch.kinds.index(SceneKind.FAULTED)
    assert watch.kinds[faulted - 1] is SceneKind.FLASHING
    assert SceneKind.GRANTED not in watch.kinds[:faulted]
    assert Reason.CAMERA_LOST in watch.faults
    assert watch.kinds[-1] is SceneKind.GRANTED
    assert pulses == 1
    assert (log.visits[0].decision, log.visits[-1].decision) == ("none", "granted")
