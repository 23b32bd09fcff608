"""The loop joins the parts: a whole visit through fakes, and every part failing under it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from kiosk.config.tree import IdentitySettings, LivenessSettings
from kiosk.errors import CameraUnavailable, DisplayClosed, DoorError, MatchError, RecordsFull
from kiosk.identity.scale import Scale
from kiosk.reasons import Reason
from kiosk.runtime.attempt import Site
from kiosk.runtime.attempts import Attempts
from kiosk.runtime.extract import Extractor
from kiosk.runtime.health import Health
from kiosk.runtime.journal import no_journal
from kiosk.runtime.loop import Loop, Parts, Turn, Watcher
from kiosk.runtime.perform import Performer
from kiosk.runtime.visitlog import VisitLog
from kiosk.runtime.watchdog import Watchdog
from kiosk.runtime.worker import InlineWorker, Worker
from kiosk.values import Liveness, LivenessResult, SceneKind
from kiosk.visit.evidence import Evidence
from tests.support.parts import (
    VERSION,
    FakeDisplay,
    FakeDoor,
    FakeMatcher,
    FakeModels,
    ManualClock,
    MemoryRecorder,
    ScriptedFeed,
    ScriptedPerceiver,
    unit,
)
from tests.support.visits import GOOD, RULES, face_at, liveness

SCALE = Scale.from_anchors(VERSION, (0.3, 0.36, 0.43, 0.48))


@dataclass
class Bench:
    """A loop over fakes; ``judged`` collects the evidence that the gates were given."""

    result: LivenessResult = field(default_factory=liveness)
    judged: list[Evidence] = field(default_factory=list)
    enough_after: int = 99
    """Colour slots after which a look says LIVE."""
    settings: LivenessSettings = field(default_factory=LivenessSettings)
    looks: list[Evidence] = field(default_factory=list)
    worker: Worker = field(default_factory=InlineWorker)
    watchers: tuple[Watcher, ...] = ()

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.feed = ScriptedFeed(self.clock)
        self.perceiver = ScriptedPerceiver()
        self.perceiver.quality = GOOD
        self.models = FakeModels()
        self.matcher = FakeMatcher()
        self.door = FakeDoor()
        self.display = FakeDisplay(self.clock)
        self.recorder = MemoryRecorder()
        self.fed = 0
        self.log = VisitLog()
        health = Health(no_journal)
        health.watch(Reason.CAMERA_LOST, lambda: self.feed.fault)
        self.attempts = Attempts(
            self.worker,
            self.models,
            self.matcher,
            Extractor(),
            self._judge,
            SCALE,
            Site(lambda: self.feed.name, self.display.panel, 62.2, lambda _camera: None),
            self.settings,
            IdentitySettings(),
            no_journal,
            enough=self._look,
        )
        performer = Performer(self.clock, self.attempts, self.door, self.recorder, health, no_journal, pulse_s=3.0)
        parts = Parts(
            clock=self.clock,
            feed=self.feed,
            perceiver=self.perceiver,
            display=self.display,
            attempts=self.attempts,
            performer=performer,
            health=health,
            watchdog=Watchdog(self.clock, self._fed),
        )
        self.loop = Loop(parts, RULES, (640, 480), (self.log, *self.watchers))

    def _judge(self, evidence: Evidence, _settings: LivenessSettings) -> LivenessResult:
        self.judged.append(evidence)
        return self.result

    def _look(self, evidence: Evidence, _settings: LivenessSettings) -> LivenessResult | None:
        self.looks.append(evidence)
        return liveness() if len(evidence.slots) - 1 >= self.enough_after else None

    def _fed(self) -> None:
        self.fed += 1

    def stand(self) -> None:
        """A person stands right."""
        self.perceiver.seen = (face_at(),)

    def until(self, *kinds: SceneKind, turns: int = 400) -> Turn:
        """Turn until one of these pictures is on the screen."""
        for _ in range(turns):
            turn = self.loop.turn()
            if turn.scene.kind in kinds:
                return turn
        raise AssertionError(f"never reached {kinds}, the picture is {turn.scene.kind}")

    def kinds(self) -> list[str]:
        """Recorded event kinds in order."""
        return [kind for kind, _reason, _person in self.recorder.events]


def test_a_known_live_person_opens_the_door_once() -> None:
    """From an empty scene to the granted picture; the grant is on record, the exposure free again."""
    bench = Bench()
    bench.loop.turn()
    assert bench.display.scenes[-1].kind is SceneKind.IDLE
    bench.stand()
    bench.until(SceneKind.GRANTED)
    for _ in range(30):
        bench.loop.turn()
    assert [(grant.person_id, duration_s) for grant, duration_s in bench.door.grants] == [("person-1", 3.0)]
    assert bench.kinds()[:3] == ["VISIT_STARTED", "ATTEMPT_STARTED", "GRANTED"]
    assert [one.get("flash") for one in bench.recorder.details[:3]] == [None, "normal", "normal"]
    assert bench.feed.lock_calls == [True, False]
    assert bench.log.visits[0].decision == "granted"
    assert bench.log.visits[0].in_oval_to_decision_s is not None
    assert bench.fed > 0


def test_the_gates_get_the_slots_as_they_were_seen_and_the_approach_before_them() -> None:
    """Visible times come from the display, each slot lasts until the next one appears, frames are in order."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.GRANTED)
    (evidence,) = bench.judged
    times = [slot.visible_at_s for slot in evidence.slots]
    assert len(times) == len(RULES.draw(bytes(32)).slots)
    assert times == sorted(times)
    for slot, following in zip(evidence.slots, evidence.slots[1:], strict=False):
        assert slot.visible_at_s + slot.duration_s == pytest.approx(following.visible_at_s)
    starts = [frame.exposure_start_s for frame in evidence.frames]
    assert starts == sorted(starts)
    assert sum(start < times[0] for start in starts) > 10
    assert len(evidence.passive_live) >= 5
    assert len(evidence.same_face) == 2 + len(bench.looks)


def test_a_swapped_face_shows_in_the_evidence() -> None:
    """The probe is taken before the flash, two embeddings during it: another face is dissimilar."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.FLASHING)
    bench.models.vector = unit(0.0, 1.0)
    bench.until(SceneKind.GRANTED)
    assert max(bench.judged[0].same_face) < 30


@pytest.mark.parametrize("verdict", [Liveness.SPOOF, Liveness.UNSURE])
def test_no_proof_of_life_no_door(verdict: Liveness) -> None:
    """Whatever the matcher says."""
    bench = Bench(result=liveness(verdict))
    bench.stand()
    bench.until(SceneKind.DENIED, turns=1500)
    assert bench.door.grants == []
    assert len(bench.judged) == (1 if verdict is Liveness.SPOOF else 3)


def test_a_matcher_that_fails_denies() -> None:
    """An error of the matcher is MATCH_FAILED, not a pass and not a crash."""
    bench = Bench()
    bench.matcher.error = MatchError("nobody answers")
    bench.stand()
    turn = bench.until(SceneKind.DENIED)
    assert turn.scene.hint is Reason.MATCH_FAILED
    assert bench.door.grants == []


def test_a_grant_that_cannot_be_recorded_does_not_open() -> None:
    """Out of service instead, and in service again as soon as events can be written."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.FLASHING)
    bench.recorder.error = RecordsFull("the disk is full")
    turn = bench.until(SceneKind.FAULTED)
    assert turn.scene.faults == (Reason.RECORDS_LOST,)
    assert bench.door.grants == []
    bench.perceiver.seen = ()
    for _ in range(200):
        assert bench.loop.turn().scene.kind is SceneKind.FAULTED
    bench.recorder.error = None
    bench.until(SceneKind.IDLE)
    assert bench.door.grants == []


def test_a_door_that_fails_is_out_of_service() -> None:
    """The relay raises: the visitor is not told "welcome"."""
    bench = Bench()
    bench.door.error = DoorError("no such line")
    bench.stand()
    turn = bench.until(SceneKind.FAULTED, SceneKind.GRANTED)
    assert turn.scene.kind is SceneKind.FAULTED
    assert turn.scene.faults == (Reason.DOOR_LOST,)


def test_an_unplugged_camera_is_out_of_service_and_comes_back() -> None:
    """During the flash: no decision, evidence forgotten, service again with the camera."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.FLASHING)
    bench.feed.fault = CameraUnavailable("unplugged")
    assert bench.until(SceneKind.FAULTED).scene.faults == (Reason.CAMERA_LOST,)
    assert bench.attempts.last_evidence is None
    bench.perceiver.seen = ()
    bench.feed.fault = None
    bench.feed.generation += 1
    bench.until(SceneKind.IDLE)
    bench.stand()
    bench.until(SceneKind.GRANTED)
    assert len(bench.door.grants) == 1


def test_a_reopened_camera_brings_no_old_approach() -> None:
    """Evidence of another camera generation is never mixed in."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.HOLDING)
    bench.feed.generation += 1
    reopened_s = bench.clock.now_s
    bench.until(SceneKind.GRANTED)
    assert all(frame.exposure_start_s >= reopened_s for frame in bench.judged[0].frames)


def test_a_camera_changed_under_the_flash_is_told_to_the_gates() -> None:
    """The stream gate learns that it was not one camera."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.FLASHING)
    bench.feed.generation += 1
    bench.until(SceneKind.GRANTED, SceneKind.DENIED)
    assert bench.judged[0].camera_changed


def test_broken_models_are_a_fault_and_recover() -> None:
    """Perception fails: out of service, then in service again."""
    bench = Bench()
    bench.perceiver.broken = True
    assert bench.until(SceneKind.FAULTED).scene.faults == (Reason.MODELS_LOST,)
    bench.perceiver.broken = False
    bench.until(SceneKind.IDLE)


def test_a_lost_display_is_a_fault() -> None:
    """Nobody can be guided or flashed without a screen."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.HOLDING)
    bench.display.broken = True
    assert bench.until(SceneKind.FAULTED).visible_at_s is None
    bench.perceiver.seen = ()
    bench.display.broken = False
    bench.until(SceneKind.IDLE)
    assert bench.door.grants == []


def test_closing_the_window_ends_the_loop() -> None:
    """A wish, not a fault."""
    bench = Bench()
    bench.display.closed_by_hand = True
    with pytest.raises(DisplayClosed):
        bench.loop.turn()


def test_nothing_is_kept_of_a_face_that_left() -> None:
    """No frame, no evidence once nobody is served."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.GRANTED)
    bench.loop.turn()
    assert bench.attempts.last_evidence is None
    assert bench.attempts.kept == 0


def test_an_old_frame_is_not_shown_as_the_present() -> None:
    """The mirror goes blank when the camera falls silent."""
    bench = Bench()
    bench.loop.turn()
    assert bench.display.previews[-1]
    bench.feed.silent = True
    for _ in range(30):
        bench.loop.turn()
    assert not bench.display.previews[-1]


def test_a_silent_camera_does_not_feed_the_watchdog() -> None:
    """Turning without frames is no progress."""
    bench = Bench()
    bench.loop.turn()
    fed = bench.fed
    bench.feed.silent = True
    for _ in range(100):
        bench.loop.turn()
    assert bench.fed == fed
