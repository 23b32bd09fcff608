"""The camera feed: newest frame only, loss, back-off, recovery, generations; step by step, without sleeps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import (
    CameraEnded,
    CameraStalled,
    CameraUnavailable,
    ConfigurationError,
    InputError,
    KioskError,
)
from kiosk.ports import Camera
from kiosk.runtime.feed import InlineFeed
from kiosk.runtime.reopen import JITTER, OPEN_S, STEADY_S, Backoff, FeedEngine
from kiosk.values import Frame
from tests.support.cameras import ManualClock, plain_frame
from tests.support.scripted import ScriptedCamera

LIMIT_S = 5.0
Script = list[Frame | KioskError]


class Bench:
    """A factory that hands out scripted cameras in order; a KioskError in the plan fails that opening."""

    def __init__(self, clock: ManualClock, plan: Iterable[Script | KioskError]) -> None:
        self.clock = clock
        self.plan = list(plan)
        self.cameras: list[ScriptedCamera] = []

    def __call__(self) -> Camera:
        """The next camera of the plan."""
        item = self.plan.pop(0) if self.plan else CameraUnavailable("nothing is plugged in")
        opening, script = (item, []) if isinstance(item, KioskError) else (None, item)
        camera = ScriptedCamera(script, clock=self.clock, opening=opening)
        self.cameras.append(camera)
        return camera


@pytest.fixture
def clock() -> ManualClock:
    """The test's time."""
    return ManualClock()


@pytest.fixture
def engine_of(clock: ManualClock) -> Callable[..., tuple[FeedEngine, Bench]]:
    """Makes an engine without jitter over a plan."""

    def make(*plan: Script | KioskError) -> tuple[FeedEngine, Bench]:
        bench = Bench(clock, plan)
        return FeedEngine(bench, Backoff(stall_s=2.0, first_s=0.5, max_s=4.0), clock, _NoJitter()), bench

    return make


class _NoJitter(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def frames(start_s: float, count: int, *, first: int = 0) -> Script:
    """``count`` frames at 10 per second."""
    return [plain_frame(first + index, start_s + index / 10) for index in range(count)]


def run(engine: FeedEngine, steps: int) -> list[Frame]:
    """Steps without regard to the waits; the frames that came."""
    found = (engine.step()[0] for _ in range(steps))
    return [frame for frame in found if frame is not None]


def test_opening_then_frames(engine_of: Callable[..., tuple[FeedEngine, Bench]]) -> None:
    """The first step opens, the others read."""
    engine, bench = engine_of(frames(50.1, 3))
    assert (engine.generation, engine.tries, engine.fault) == (0, 0, None)
    assert len(run(engine, 4)) == 3
    assert (engine.generation, engine.tries, engine.name) == (1, 1, "scripted:0")
    assert bench.cameras[0].calls == ["open"]


def test_unplugging_is_a_fault_and_recovers_by_itself(engine_of: Callable[..., tuple[FeedEngine, Bench]]) -> None:
    """Lost, closed, opened again: recovered with the first frame, not with the opening; sequences grow on."""
    engine, bench = engine_of(
        [*frames(50.1, 2), CameraUnavailable("unplugged")], CameraUnavailable("still gone"), frames(60.0, 2)
    )
    before = run(engine, 3)
    assert engine.fault is None
    assert engine.step() == (None, 0.5)
    assert isinstance(engine.fault, CameraUnavailable)
    assert bench.cameras[0].calls == ["open", "close"]
    assert engine.step() == (None, 1.0)
    assert engine.step() == (None, 0.0)
    assert engine.fault is not None
    after = run(engine, 2)
    assert engine.fault is None
    assert (engine.generation, engine.tries) == (2, 3)
    sequences = [frame.sequence for frame in before + after]
    assert sequences == sorted(set(sequences))


def test_waits_double_up_to_the_longest(engine_of: Callable[..., tuple[FeedEngine, Bench]]) -> None:
    """0.5, 1, 2, 4, 4, ... seconds."""
    engine, _ = engine_of()
    assert [engine.step()[1] for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


def test_a_flapping_camera_does_not_reset_the_waits(engine_of: Callable[..., tuple[FeedEngine, Bench]]) -> None:
    """One frame is no recovery that counts; STEADY_S of frames is."""
    lost = CameraUnavailable("flapped")
    steady = [plain_frame(0, 100.0), plain_frame(1, 100.0 + STEADY_S), lost]
    engine, _ = engine_of([*frames(50.1, 1), lost], [*frames(60.0, 1), lost], steady)
    waits = [wait_s for _, wait_s in (engine.step() for _ in range(10)) if wait_s]
    assert waits == [0.5, 1.0, 0.5]


def test_silence_becomes_a_stall_only_after_stall_s(
    clock: ManualClock, engine_of: Callable[..., tuple[FeedEngine, Bench]]
) -> None:
    """Short reads that find nothing are no fault; after two seconds the camera is closed and opened again."""
    engine, bench = engine_of([*frames(50.1, 1), *[CameraStalled("nothing") for _ in range(20)]], frames(60.0, 1))
    run(engine, 2)
    while engine.fault is None:
        assert clock.now_s - 50.1 < 2.5
        engine.step()
    assert clock.now_s - 50.1 >= 2.0
    assert bench.cameras[0].calls[-1] == "close"
    assert len(run(engine, 2)) == 1
    assert engine.generation == 2


def test_a_read_that_hangs_is_seen_from_outside(
    clock: ManualClock, engine_of: Callable[..., tuple[FeedEngine, Bench]]
) -> None:
    """Nobody steps (the driver hangs): the fault shows all the same, in reading and in opening."""
    engine, _ = engine_of(frames(50.1, 1))
    clock.now_s += OPEN_S - 0.1
    assert engine.fault is None
    clock.now_s += 0.2
    assert isinstance(engine.fault, CameraStalled)
    run(engine, 2)
    assert engine.fault is None
    clock.now_s += 2.5
    assert isinstance(engine.fault, CameraStalled)


def test_the_lock_is_asked_of_every_opened_camera(engine_of: Callable[..., tuple[FeedEngine, Bench]]) -> None:
    """Forwarded before the next read, once; a reopened camera is asked anew; unlocking likewise."""
    engine, bench = engine_of([*frames(50.1, 3), CameraUnavailable("gone")], frames(60.0, 3))
    run(engine, 2)
    engine.lock_wanted = True
    run(engine, 6)
    engine.lock_wanted = False
    run(engine, 1)
    assert bench.cameras[0].calls == ["open", "lock", "close"]
    assert bench.cameras[1].calls[:3] == ["open", "lock", "unlock"]


def test_a_lock_that_fails_is_a_lost_camera(engine_of: Callable[..., tuple[FeedEngine, Bench]]) -> None:
    """A camera that raises at locking is closed and opened again like any other loss."""
    engine, bench = engine_of(frames(50.1, 3), frames(60.0, 1))
    run(engine, 2)

    def refuse() -> None:
        raise CameraUnavailable("gone while locking")

    bench.cameras[0].lock_exposure = refuse  # type: ignore[method-assign]
    engine.lock_wanted = True
    engine.step()
    assert engine.fault is not None
    assert len(run(engine, 2)) == 1


@pytest.mark.parametrize("error", [InputError("no frames in it"), ConfigurationError("no camera")])
def test_what_cannot_be_mended_is_not_tried_again(
    clock: ManualClock, error: KioskError, engine_of: Callable[..., tuple[FeedEngine, Bench]]
) -> None:
    """An unusable file ends the feed; the error reaches who asks for frames."""
    engine, bench = engine_of(error)
    run(engine, 1)
    assert engine.finished
    assert engine.unusable is error
    with InlineFeed(Bench(clock, [error]), clock) as feed, pytest.raises(type(error)):
        feed.latest(-1, 0.05)
    assert len(bench.cameras) == 1


@given(st.integers(1, 200), st.floats(-1, 1))
def test_backoff_stays_in_its_bounds(failures: int, jitter: float) -> None:
    """Never shorter than the first wait less jitter, never longer than the longest plus jitter."""
    wait_s = Backoff(first_s=0.5, max_s=15.0).wait_s(failures, jitter)
    assert 0.5 * (1 - JITTER) <= wait_s <= 15.0 * (1 + JITTER)


@given(st.lists(st.sampled_from(["frame", "stall", "lost", "fail"]), max_size=60))
def test_whatever_happens_sequences_grow_and_generations_follow(happenings: list[str]) -> None:
    """Any mixture of frames, stalls, losses and failing openings: numbers only grow, a fault ends with a frame."""
    clock = ManualClock()
    plan: list[Script | KioskError] = []
    script: Script = []
    time_s = 50.0
    for happening in happenings:
        time_s += 0.1
        if happening == "frame":
            script.append(plain_frame(len(script), time_s))
        elif happening == "stall":
            script.append(CameraStalled("nothing"))
        else:
            script.append(CameraUnavailable("gone"))
            plan.append(script)
            script = []
            if happening == "fail":
                plan.append(CameraUnavailable("cannot be opened"))
    plan.append([*script, CameraEnded("over")])
    engine = FeedEngine(Bench(clock, plan), Backoff(), clock, random.Random(1))
    seen: list[tuple[int, int]] = []
    for _ in range(400):
        if engine.finished:
            break
        frame, wait_s = engine.step()
        assert wait_s >= 0
        clock.now_s += wait_s
        if frame is not None:
            assert engine.fault is None
            seen.append((frame.sequence, engine.generation))
    assert engine.ended
    assert [sequence for sequence, _ in seen] == sorted({sequence for sequence, _ in seen})
    assert [generation for _, generation in seen] == sorted(generation for _, generation in seen)


def test_inline_feed_delivers_every_frame_then_ends(clock: ManualClock) -> None:
    """Nothing is dropped; the end is flagged, and is no fault."""
    with InlineFeed(Bench(clock, [frames(50.1, 5)]), clock) as feed:
        found, last = [], -1
        while not feed.ended:
            frame = feed.latest(last, 1.0)
            if frame is not None:
                found.append(frame)
                last = frame.sequence
        assert [frame.exposure_start_s for frame in found] == pytest.approx([50.1, 50.2, 50.3, 50.4, 50.5])
        assert feed.fault is None
        assert feed.latest(last, 0.05) is None


def test_inline_feed_waits_on_its_clock_while_the_camera_is_lost(clock: ManualClock) -> None:
    """Each call takes at most its time-out of the clock, and the camera comes back after the back-off."""
    lost = CameraUnavailable("gone")
    feed = InlineFeed(
        Bench(clock, [[*frames(50.1, 1), lost], lost, frames(60.0, 1)]), clock, Backoff(first_s=0.5), _NoJitter()
    )
    with feed:
        assert feed.latest(-1, 1.0) is not None
        began_s, calls = clock.now_s, 0
        while (frame := feed.latest(0, 0.05)) is None:
            calls += 1
            assert feed.fault is not None
            assert clock.now_s <= began_s + 0.05 * calls + 1e-6
        assert frame.sequence > 0
        assert clock.waits == pytest.approx([0.05] * len(clock.waits), abs=0.051)
        assert feed.generation == 2
        assert feed.fault is None


def test_a_long_wait_for_the_camera_shows_signs_of_life(clock: ManualClock) -> None:
    """Patience is not death: while waiting a minute for the next try, the signs grow at least every few seconds."""
    lost = CameraUnavailable("gone")
    with InlineFeed(Bench(clock, [lost, lost]), clock, Backoff(first_s=60.0, max_s=60.0), _NoJitter()) as feed:
        feed.latest(-1, 0.05)
        signs = feed.tries
        for _ in range(5):
            for _ in range(60):
                feed.latest(-1, 0.05)
            assert feed.tries > signs
            signs = feed.tries


def test_inline_feed_never_spins(clock: ManualClock) -> None:
    """A camera that fails at once without taking time lets the tick pass."""

    class Instant(ScriptedCamera):
        def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
            del newer_than_s, timeout_s
            raise CameraStalled("at once")

    with InlineFeed(lambda: Instant([], clock=clock), clock) as feed:
        assert feed.latest(-1, 0.05) is None
        assert clock.now_s == pytest.approx(50.05)
