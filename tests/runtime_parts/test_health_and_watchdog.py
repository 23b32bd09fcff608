"""Faults are told once per change and never lost; the watchdog is fed by proof only; the notifier speaks plainly."""

from __future__ import annotations

import itertools
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.clock import SystemClock
from hardware.notify import Notifier
from kiosk.errors import CameraUnavailable, DoorError, KioskError, RecordsFull
from kiosk.reasons import Reason
from kiosk.runtime.health import FAULTS, Health
from kiosk.runtime.watchdog import Watchdog
from kiosk.visit.events import PartFailed, PartRecovered
from tests.support.cameras import ManualClock

CAMERA, DOOR = Reason.CAMERA_LOST, Reason.DOOR_LOST


class Notes:
    """A journal that keeps what it heard."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, **keys: Any) -> None:
        """Keep one event."""
        self.events.append((event, keys))


def test_a_loss_is_told_and_journaled_once() -> None:
    """Reporting the same fault again is no news; nor is reporting a recovery twice."""
    notes = Notes()
    health = Health(notes)
    assert health.failed(CAMERA, CameraUnavailable("unplugged")) == (PartFailed(CAMERA),)
    assert health.failed(CAMERA, CameraUnavailable("still")) == ()
    assert health.faults == (CAMERA,)
    assert str(health.error(CAMERA)) == "unplugged"
    assert health.recovered(CAMERA) == (PartRecovered(CAMERA),)
    assert health.recovered(CAMERA) == ()
    assert [event for event, _ in notes.events] == ["PART_FAILED", "PART_RECOVERED"]


def test_an_ignored_event_is_told_by_the_next_drain() -> None:
    """A fault whose returned event was not used still reaches the visit."""
    health = Health(Notes())
    health.failed(DOOR, DoorError("stuck"))
    assert health.drain() == (PartFailed(DOOR),)
    assert health.drain() == ()
    health.recovered(DOOR)
    assert health.drain() == (PartRecovered(DOOR),)


def test_watched_parts_are_asked_each_turn() -> None:
    """The probe's answer decides."""
    wrong: list[KioskError | None] = [None]
    health = Health(Notes())
    health.watch(CAMERA, lambda: wrong[0])
    assert health.drain() == ()
    wrong[0] = CameraUnavailable("unplugged")
    assert health.drain() == (PartFailed(CAMERA),)
    assert health.drain() == ()
    wrong[0] = None
    assert health.drain() == (PartRecovered(CAMERA),)


def test_only_faults_are_faults() -> None:
    """A reason of another kind is a bug."""
    with pytest.raises(ValueError, match="TOO_DARK"):
        Health(Notes()).failed(Reason.TOO_DARK, RecordsFull("x"))


@given(st.lists(st.tuples(st.sampled_from(FAULTS), st.booleans(), st.booleans())))
def test_after_a_drain_the_visit_knows_exactly_the_present_faults(steps: list[tuple[Reason, bool, bool]]) -> None:
    """Whatever was reported, used or ignored in between."""
    health, known, truth = Health(Notes()), set[Reason](), set[Reason]()
    for fault, failed, drain in steps:
        if failed:
            health.failed(fault, DoorError("x"))
            truth.add(fault)
        else:
            health.recovered(fault)
            truth.discard(fault)
        if drain:
            for change in health.drain():
                known.add(change.fault) if isinstance(change, PartFailed) else known.discard(change.fault)
            assert known == truth == set(health.faults)


class _Dog:
    def __init__(self, interval_s: float = 0.0) -> None:
        self.clock = ManualClock()
        self.tries = 0
        self.fed = 0
        self.dog = Watchdog(self.clock, self._feed, interval_s=interval_s, tries=lambda: self.tries)

    def _feed(self) -> None:
        self.fed += 1


def test_turns_alone_do_not_feed() -> None:
    """A loop that turns over a frozen camera feed is not progress."""
    bench = _Dog()
    for _ in range(100):
        bench.dog.progressed(False)
    assert bench.fed == 0


def test_frames_feed_and_tries_feed_once_each() -> None:
    """A perceived frame is proof; so is each further try to open a lost camera, once."""
    bench = _Dog()
    bench.dog.progressed(True)
    assert bench.fed == 1
    for _ in range(10):
        bench.dog.progressed(False)
    assert bench.fed == 1
    bench.tries += 1
    for _ in range(10):
        bench.dog.progressed(False)
    assert bench.fed == 2


def test_feeding_is_limited_but_proof_is_kept() -> None:
    """At most once per interval; proof from within the interval counts at its end."""
    bench = _Dog(interval_s=1.0)
    for _ in range(10):
        bench.dog.progressed(True)
    assert bench.fed == 1
    bench.clock.now_s += 1.0
    bench.dog.progressed(False)
    assert bench.fed == bench.dog.feedings == 2


def test_notifier_speaks_the_protocol(tmp_path: Path) -> None:
    """One datagram a message; a status is one line."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(path))
        ear.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "20000000"})
        notifier.ready()
        notifier.watchdog()
        notifier.status("two\nlines")
        notifier.stopping()
        heard = [ear.recv(256).decode() for _ in range(4)]
    assert heard == ["READY=1", "WATCHDOG=1", "STATUS=two lines", "STOPPING=1"]
    assert notifier.watchdog_s == 20.0


def test_notifier_knows_abstract_sockets() -> None:
    """A leading @ means the abstract name space."""
    name = f"door-kiosk-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name)
        ear.settimeout(5)
        Notifier({"NOTIFY_SOCKET": "@" + name}).ready()
        assert ear.recv(64) == b"READY=1"


def test_notifier_without_a_manager_does_nothing(tmp_path: Path) -> None:
    """No socket, or one that is gone: no error."""
    silent = Notifier({})
    silent.ready()
    assert not silent.listening
    assert silent.watchdog_s is None
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).watchdog()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "x"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": str(os.getpid())}, 5.0),
    ],
)
def test_the_watchdog_may_be_meant_for_another(environment: dict[str, str], seconds: float | None) -> None:
    """WATCHDOG_PID names the process that has to feed."""
    assert Notifier({"NOTIFY_SOCKET": "/nowhere", **environment}).watchdog_s == seconds


def test_system_clock_gives_fresh_nonces_and_never_goes_back() -> None:
    """32 bytes, never the same; UTC is aware."""
    clock = SystemClock()
    moments = [clock.now() for _ in range(50)]
    clock.wait(-1.0)
    assert len({moment.nonce for moment in moments}) == 50
    assert {len(moment.nonce) for moment in moments} == {32}
    assert all(a.monotonic_s <= b.monotonic_s for a, b in itertools.pairwise(moments))
    assert moments[0].utc.utcoffset() is not None
