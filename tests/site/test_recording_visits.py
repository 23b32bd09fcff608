"""Recording in the simulated world: what is written is what was shown and filmed; no door, no half recordings."""

from __future__ import annotations

import itertools
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.recording.read import read_recording
from hardware.sim.clock import SimClock
from kiosk.cli.rig import free_bytes, place_of, rig_loop, write_kept
from kiosk.errors import DisplayClosed, DoorError, InputError
from kiosk.evaluation.gather import gather_evidence
from kiosk.reasons import Reason
from kiosk.runtime.loop import Turn
from kiosk.runtime.visitlog import VisitLog
from kiosk.runtime.wiring import scale_of
from kiosk.runtime.worker import InlineWorker
from kiosk.site.keeping import Keeper, Kept, Place
from kiosk.site.nobody import NobodyMatcher, NoDoor
from kiosk.site.recording import record
from kiosk.site.shelf import SPARE_BYTES, Shelf, Written, numbered
from kiosk.values import (
    Challenge,
    DoorPosition,
    Embedding,
    Frame,
    Grant,
    Liveness,
    LivenessResult,
    Oval,
    Panel,
    Scene,
    SceneKind,
    Slot,
    Verdict,
)
from kiosk.visit.events import LivenessJudged
from kiosk.visit.guidance import NO_HINTS
from kiosk.visit.reflection import judge
from kiosk.visit.states import Approach, Check, Deciding, Flashing, Guiding, Idle, State, Visit
from tests.support.simrig import SETTINGS, SeenModels, simulated, world_of
from tests.support.stored import GOOD

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLENTY = 10**12
OVAL = Oval(0.5, 0.5, 0.3, 0.5)
RESULT = LivenessResult(Liveness.LIVE, 90.0, ())
STORED = replace(GOOD, camera="sim:0", lag_s=-0.0035, measured_utc="2026-01-01T00:00:00+00:00")
"""What calibrating the simulated kiosk gives."""


@dataclass
class Recorded:
    """One live visit, recorded once for all tests."""

    folder: Path
    written: list[Written]
    log: VisitLog
    kept: list[Kept] = field(default_factory=list)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Of a painted person in the simulated world."""
    folder = tmp_path_factory.mktemp("recorded") / "visits"
    world, kept = world_of("live"), []

    def write(path: Path, one: Kept, species: str | None, notes: Mapping[str, object]) -> None:
        kept.append(one)
        write_kept(path, one, species, notes)

    with simulated(world, stored=STORED) as devices:
        keeper, log = Keeper(place_of(SETTINGS, devices)), VisitLog()
        loop = rig_loop(SETTINGS, devices, (keeper, log))
        shelf = Shelf(folder, write, devices.writer, lambda: PLENTY, lambda: NOW, species="live")
        written: list[Written] = []
        late = devices.clock.now().monotonic_s + 20.0
        record(
            loop,
            keeper,
            shelf,
            devices.clock,
            count=1,
            stop=lambda: devices.clock.now().monotonic_s > late,
            told=written.append,
        )
        log.finish(devices.clock.now().monotonic_s)
    return Recorded(folder, written, log, kept)


def test_a_live_visit_is_recorded(recorded: Recorded) -> None:
    """One folder, readable, labelled, with approach, hold and flash."""
    (written,) = recorded.written
    assert written.path == recorded.folder / "0001"
    assert written.result.verdict is Liveness.LIVE
    found = read_recording(written.path)
    assert found.species == "live"
    assert found.camera_name == "sim:0"
    assert found.exposure_locked is True
    assert found.lag_s == 0.0, "as calibrated: no delay"
    assert found.ambient_lux == pytest.approx(250.0, rel=0.3)
    before = sum(1 for frame in found.frames if frame.exposure_start_s < found.slots[0].visible_at_s)
    assert 20 <= before <= 61, "three seconds at 20 frames a second"
    assert len(found.slots) >= 9
    assert [one.name for one in recorded.folder.iterdir()] == ["0001"]


def test_the_written_frames_and_slots_are_the_real_ones(recorded: Recorded) -> None:
    """Pixel for pixel, and each slot lasts until the next one is visible."""
    (kept,) = recorded.kept
    found = read_recording(recorded.folder / "0001")
    assert found.slots == kept.slots
    assert [frame.exposure_start_s for frame in found.frames] == [frame.exposure_start_s for frame in kept.frames]
    for number in (0, len(kept.frames) // 2, len(kept.frames) - 1):
        assert np.array_equal(found.frames[number].load(), kept.frames[number].pixels)
    for slot, after in zip(found.slots, found.slots[1:], strict=False):
        assert slot.visible_at_s + slot.duration_s == pytest.approx(after.visible_at_s)


def test_the_document_says_who_wrote_it_and_what_was_found(recorded: Recorded) -> None:
    """Beside the format's own fields, which readers of other makers ignore."""
    document = json.loads((recorded.folder / "0001" / "recording.json").read_text())
    assert document["result"]["verdict"] == "live"
    assert document["recorded_utc"].startswith("2026-11-22")


def test_scoring_it_again_finds_the_same(recorded: Recorded) -> None:
    """The recording holds all that the verdict stood on."""
    models = SeenModels(world_of("live"))
    evidence = gather_evidence(read_recording(recorded.folder / "0001"), models, scale_of(models.embedding_version))
    result = judge(evidence, SETTINGS.liveness)
    assert result.verdict is Liveness.LIVE, result


def test_the_visit_was_judged_by_the_calibration(recorded: Recorded) -> None:
    """The kiosk's own loop used the narrow window around the calibrated lag; another camera's lag would not pass."""
    (kept,) = recorded.kept
    lag = next(gate for gate in kept.result.gates if gate.name == "lag")
    assert lag.threshold == SETTINGS.liveness.lag_window_s
    found, models = read_recording(recorded.folder / "0001"), SeenModels(world_of("live"))
    evidence = gather_evidence(replace(found, lag_s=0.15), models, scale_of(models.embedding_version))
    late = judge(evidence, SETTINGS.liveness)
    assert late.verdict is not Liveness.LIVE
    assert next(gate for gate in late.gates if gate.name == "lag").verdict is not Verdict.PASS


def test_nobody_is_let_in(recorded: Recorded) -> None:
    """A live visit without identity ends in a refusal, and there is no door."""
    assert all(visit.decision != "granted" for visit in recorded.log.visits)
    door = NoDoor()
    with door, pytest.raises(DoorError, match="no door"):
        door.unlock(Grant(1, "somebody", 0.0), duration_s=3.0)  # only a test may make one
    assert (door.pulses, door.position, door.fault) == (0, DoorPosition.UNKNOWN, None)
    found = NobodyMatcher("m").search(Embedding(np.zeros(2, np.float32), "m"), deadline_s=1.0, badge="17")
    assert (found.person_id, found.reason) == (None, Reason.UNKNOWN_PERSON)


# --- the keeper alone, turn by turn


def place() -> Place:
    """A kiosk."""
    return Place(Panel(155.0, 88.0, 500.0), lambda: "camera", 62.2, lambda _name: 0.05)


SLOTS = tuple(Slot(rgb, "full", 0.3) for rgb in ((128, 128, 128), (255, 100, 100), (100, 255, 100)))
GUIDING = Guiding(Approach(0.0, 0.0, hints=NO_HINTS))
CHECK = Check(1, 1, 1, Challenge(SLOTS), 0.0, 0.0)
FLASHING, DECIDED = Flashing(CHECK), Deciding(Check(1, 1, 1, Challenge(SLOTS), 0.0, 0.0, liveness=RESULT), 9.0)


def turn(
    at_s: float,
    state: State,
    *,
    slot: Slot | None = None,
    judged: bool = False,
    locked: bool | None = True,
    visible: bool = True,
    side_px: int = 20,
) -> Turn:
    """One turn with a frame of its own."""
    kind = SceneKind.FLASHING if slot is not None else SceneKind.GUIDING
    frame = Frame(np.zeros((side_px, side_px, 3), np.uint8), round(at_s * 100), at_s, 0.01, locked, 300.0)
    events = (LivenessJudged(1, RESULT),) if judged else ()
    scene = Scene(kind, OVAL, flash=slot)
    return Turn(
        at_s, frame, None, None, events, Visit(state, OVAL, 20, 20, 20.0), scene, at_s + 0.01 if visible else None
    )


def flash(keeper: Keeper, begin_s: float = 1.0, **options: object) -> None:
    """Three slots, a quarter of a second each, then the verdict."""
    for number, slot in enumerate(SLOTS):
        for step in range(3):
            keeper.turned(turn(begin_s + 0.3 * number + 0.1 * step, FLASHING, slot=slot, **options))  # type: ignore[arg-type]
    keeper.turned(turn(begin_s + 0.9, DECIDED, judged=True))


def test_the_last_slot_ends_when_the_picture_changes() -> None:
    """An early end is a shorter last slot; else it ends with its own time."""
    keeper = Keeper(place())
    keeper.turned(turn(1.0, FLASHING, slot=SLOTS[0]))
    keeper.turned(turn(1.3, FLASHING, slot=SLOTS[1]))
    keeper.turned(turn(1.42, DECIDED, judged=True))
    (kept,) = keeper.take()
    assert [slot.duration_s for slot in kept.slots] == pytest.approx([0.3, 0.12])
    flash(keeper)
    (kept,) = keeper.take()
    assert [slot.duration_s for slot in kept.slots] == pytest.approx([0.3, 0.3, 0.3])


def test_only_judged_attempts_are_kept() -> None:
    """Who leaves during the flash leaves no pictures behind."""
    keeper = Keeper(place())
    keeper.turned(turn(0.5, GUIDING))
    keeper.turned(turn(1.0, FLASHING, slot=SLOTS[0]))
    assert keeper.bytes_kept > 0
    keeper.turned(turn(1.1, Idle()))
    assert (keeper.take(), keeper.bytes_kept, keeper.broken_off) == ([], 0, 1)
    keeper.turned(turn(1.2, Idle()))
    assert (keeper.bytes_kept, keeper.broken_off) == (0, 1)


def test_two_tries_are_two_recordings() -> None:
    """The second one's approach begins after the first one's verdict."""
    keeper = Keeper(place())
    flash(keeper, 1.0)
    keeper.turned(turn(2.0, GUIDING))
    flash(keeper, 3.0)
    first, second = keeper.take()
    assert first.frames[0].exposure_start_s == 1.0
    assert second.frames[0].exposure_start_s == 2.0


@pytest.mark.parametrize(("locked", "told"), [(True, True), (None, None), (False, False)])
def test_the_lock_is_that_of_the_flash(locked: bool | None, told: bool | None) -> None:
    """What the approach says does not count."""
    keeper = Keeper(place())
    keeper.turned(turn(0.5, GUIDING, locked=False))
    flash(keeper, locked=locked)
    assert keeper.take()[0].exposure_locked is told


def test_a_slot_that_never_became_visible_is_not_claimed() -> None:
    """The display was out of order for a moment."""
    keeper = Keeper(place())
    keeper.turned(turn(1.0, FLASHING, slot=SLOTS[0]))
    keeper.turned(turn(1.3, FLASHING, slot=SLOTS[1], visible=False))
    keeper.turned(turn(1.6, FLASHING, slot=SLOTS[2]))
    keeper.turned(turn(1.9, DECIDED, judged=True))
    (kept,) = keeper.take()
    assert [slot.rgb for slot in kept.slots] == [SLOTS[0].rgb, SLOTS[2].rgb]


def test_memory_is_bounded() -> None:
    """The approach gives way first; an attempt whose flash is too large is lost, and counted."""
    keeper = Keeper(place(), most_bytes=10 * 1200, approach_s=100.0)
    for step in range(50):
        keeper.turned(turn(0.01 * step, GUIDING))
        assert keeper.bytes_kept <= 10 * 1200
    flash(keeper)
    (kept,) = keeper.take()
    assert kept.frames[0].exposure_start_s == pytest.approx(1.0)
    keeper = Keeper(place(), most_bytes=5 * 1200)
    flash(keeper)
    assert (keeper.take(), keeper.lost) == ([], 1)


def test_a_camera_opened_anew_begins_anew() -> None:
    """Frames of two cameras are never one recording; a flash that spans both is broken off."""
    keeper = Keeper(place())
    keeper.turned(turn(0.7, GUIDING, side_px=30))
    keeper.turned(turn(0.8, GUIDING))
    flash(keeper)
    (kept,) = keeper.take()
    assert kept.frames[0].exposure_start_s == 0.8
    keeper.turned(turn(1.0, FLASHING, slot=SLOTS[0]))
    keeper.turned(turn(0.2, FLASHING, slot=SLOTS[0]))
    keeper.turned(turn(1.3, DECIDED, judged=True))
    assert (keeper.take(), keeper.broken_off) == ([], 1)


def test_what_was_begun_is_written_even_when_the_window_is_closed(tmp_path: Path) -> None:
    """The loop fails in the turn after the verdict, while the writer still writes."""

    class Slow(InlineWorker):
        """Answers only at the third look."""

        looks = 0

        def drain(self) -> list[tuple[Hashable, object]]:
            """Late."""
            self.looks += 1
            return super().drain() if self.looks > 3 else []

    class Closing:
        """One attempt, then the window is closed."""

        def __init__(self, keeper: Keeper) -> None:
            self.keeper, self.turns = keeper, 0

        def turn(self) -> None:
            """As the loop."""
            self.turns += 1
            if self.turns > 1:
                raise DisplayClosed("the window was closed")
            flash(self.keeper)

    keeper, told, clock = Keeper(place()), [], SimClock()
    shelf = Shelf(tmp_path / "new", write_kept, Slow(), lambda: PLENTY, lambda: NOW)
    with pytest.raises(DisplayClosed):
        record(Closing(keeper), keeper, shelf, clock, count=5, stop=lambda: False, told=told.append)  # type: ignore[arg-type]
    assert [one.path.name for one in told] == ["0001"]


STEP = st.tuples(st.sampled_from(["guide", "flash", "judge", "idle"]), st.integers(0, 2), st.floats(-0.05, 0.4))


@given(steps=st.lists(STEP, max_size=60), most=st.integers(1, 20))
def test_whatever_happens_a_recording_is_sound(steps: list[tuple[str, int, float]], most: int) -> None:
    """Any order of states and times: memory bounded, frames and slots in order, nothing kept of who left."""
    keeper, at_s = Keeper(place(), most_bytes=most * 1200), 1.0
    for kind, slot, passed_s in steps:
        at_s += passed_s
        state = {"guide": GUIDING, "flash": FLASHING, "judge": DECIDED, "idle": Idle()}[kind]
        keeper.turned(turn(at_s, state, slot=SLOTS[slot] if kind == "flash" else None, judged=kind == "judge"))
        assert keeper.bytes_kept <= most * 1200
        if kind == "idle":
            assert keeper.bytes_kept == 0
        for kept in keeper.take():
            starts = [frame.exposure_start_s for frame in kept.frames]
            assert all(b > a for a, b in itertools.pairwise(starts))
            begins = [one.visible_at_s for one in kept.slots]
            assert all(b > a for a, b in itertools.pairwise(begins))
            assert all(one.duration_s > 0 for one in kept.slots)
            assert kept.frames


def test_an_old_approach_is_forgotten() -> None:
    """Who looks around for a minute is not filmed for a minute."""
    keeper = Keeper(place(), approach_s=2.0)
    for step in range(100):
        keeper.turned(turn(0.1 * step, GUIDING))
    flash(keeper, 10.0)
    assert keeper.take()[0].frames[0].exposure_start_s == pytest.approx(8.0, abs=0.11)


# --- the shelf


def kept() -> Kept:
    """A small attempt."""
    keeper = Keeper(place())
    flash(keeper)
    return keeper.take()[0]


def shelf(folder: Path, *, free: int = PLENTY) -> Shelf:
    """Writes at once."""
    return Shelf(folder, write_kept, InlineWorker(), lambda: free, lambda: NOW)


def test_numbers_go_on_and_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second session adds to the first."""
    for number in (1, 2):
        one = shelf(tmp_path / "all")
        assert one.put(kept())
        assert [written.path.name for written in one.look()] == [f"{number:04d}"]
    assert numbered(tmp_path / "all") == [1, 2]


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    """Nothing is mixed with what is there."""
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="letter"):
        shelf(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        shelf(tmp_path / "letter.txt")


def test_a_full_disk_is_told_before_it_is_full(tmp_path: Path) -> None:
    """Nothing is begun."""
    with pytest.raises(InputError, match="too little space"):
        shelf(tmp_path / "new", free=1000)
    with pytest.raises(InputError, match="too little space"):
        shelf(tmp_path / "new", free=SPARE_BYTES + 1).put(kept())
    assert not (tmp_path / "new").exists()


def test_one_at_a_time(tmp_path: Path) -> None:
    """Memory for one."""
    one = shelf(tmp_path / "new")
    assert one.put(kept())
    assert not one.put(kept())
    assert (one.waiting, one.skipped) == (1, 1)
    one.look()
    assert one.waiting == 0
    assert one.put(kept())


def test_a_failed_write_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses in the middle of the frames."""
    from hardware.recording import write

    calls: list[Path] = []

    def refuse(path: Path, pixels: object) -> None:
        del pixels
        calls.append(path)
        if len(calls) > 3:
            raise InputError("cannot be written (No space left on device)", where=str(path))
        path.touch()

    monkeypatch.setattr(write, "write_png", refuse)
    one = shelf(tmp_path / "new")
    one.put(kept())
    with pytest.raises(InputError, match="No space left"):
        one.look()
    assert one.waiting == 0
    assert list((tmp_path / "new").iterdir()) == []


def test_free_space_is_that_of_the_disk_to_be(tmp_path: Path) -> None:
    """Of folders that do not exist yet, too."""
    assert free_bytes(tmp_path / "not" / "there") == free_bytes(tmp_path) > 0
