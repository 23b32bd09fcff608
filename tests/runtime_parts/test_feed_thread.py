"""The camera feed on its own thread: newest frame only, lock forwarded, clean end, death noticed."""

from __future__ import annotations

import threading

import pytest

from kiosk.errors import CameraEnded, CameraError, CameraStalled, CameraUnavailable, InputError
from kiosk.ports import Camera
from kiosk.runtime.feed import CameraFeed
from kiosk.runtime.reopen import Backoff
from kiosk.values import Frame
from tests.support.cameras import ManualClock, plain_frame

LIMIT_S = 5.0


@pytest.fixture
def clock() -> ManualClock:
    """The test's time."""
    return ManualClock()


def refusing(error: InputError | CameraUnavailable) -> Camera:
    """A factory's failure."""
    raise error


class Gate:
    """A camera whose frames are let through one by one by the test."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.script: list[Frame | CameraError] = []
        self.more = threading.Condition()
        self.calls: list[str] = []

    name = "gate:0"
    exposure_locked: bool | None = None

    def __enter__(self) -> Gate:
        self.calls.append("open")
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def close(self) -> None:
        """Noted."""
        self.calls.append("close")

    def lock_exposure(self) -> None:
        """Noted."""
        self.calls.append("lock")

    def unlock_exposure(self) -> None:
        """Noted."""
        self.calls.append("unlock")

    def let(self, *items: Frame | CameraError) -> None:
        """Give the reader these."""
        with self.more:
            self.script.extend(items)
            self.more.notify_all()

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """Wait for the test."""
        del newer_than_s, timeout_s
        with self.more:
            if not self.more.wait_for(lambda: bool(self.script), 0.02):
                raise CameraStalled("nothing yet")
            item = self.script.pop(0)
        if isinstance(item, CameraError):
            raise item
        return item


def test_threaded_feed_keeps_the_newest_only(clock: ManualClock) -> None:
    """A slow loop gets the newest frame, not the oldest."""
    gate = Gate(clock)
    with CameraFeed(lambda: gate, clock) as feed:
        gate.let(*[plain_frame(index, 50.1 + index / 10) for index in range(5)])
        frame = feed.latest(3, LIMIT_S)
        assert frame is not None
        assert frame.sequence == 4
        assert feed.latest(4, 0.0) is None
        assert feed.generation == 1


def test_threaded_feed_forwards_the_lock_and_closes_on_its_own_thread(clock: ManualClock) -> None:
    """The camera is touched by the reader only."""
    gate = Gate(clock)
    with CameraFeed(lambda: gate, clock) as feed:
        feed.lock_exposure()
        gate.let(plain_frame(0, 50.1, locked=True))
        assert feed.latest(-1, LIMIT_S) is not None
        assert feed.exposure_locked is True
    assert gate.calls == ["open", "lock", "close"]
    feed.close()


def test_threaded_feed_delivers_the_last_frame_of_a_clip_before_it_ends(clock: ManualClock) -> None:
    """``ended`` waits for the last frame to be fetched."""
    gate = Gate(clock)
    with CameraFeed(lambda: gate, clock) as feed:
        gate.let(plain_frame(0, 50.1), CameraEnded("over"))
        while not feed._engine.ended:
            feed.latest(5, 0.02)
        assert not feed.ended
        frame = feed.latest(-1, LIMIT_S)
        assert frame is not None
        assert feed.ended
        assert feed.fault is None


def test_threaded_feed_raises_what_cannot_be_mended(clock: ManualClock) -> None:
    """A file without frames is an InputError for the caller, not a camera to wait for."""
    feed = CameraFeed(lambda: refusing(InputError("no frames in it")), clock)
    with feed, pytest.raises(InputError, match="no frames"):
        feed.latest(-1, LIMIT_S)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_reader_that_died_is_a_lost_camera(clock: ManualClock) -> None:
    """A bug in an adapter ends the thread; the feed says so at once and for good."""

    def broken() -> Camera:
        raise ZeroDivisionError

    with CameraFeed(broken, clock) as feed:
        thread = feed._thread
        assert thread is not None
        thread.join(LIMIT_S)
        assert isinstance(feed.fault, CameraUnavailable)
        assert feed.latest(-1, 0.0) is None


def test_threaded_feed_stops_in_the_middle_of_a_wait(clock: ManualClock) -> None:
    """Closing does not wait for the back-off."""
    feed = CameraFeed(lambda: refusing(CameraUnavailable("gone")), clock, Backoff(first_s=300.0, max_s=300.0))
    with feed:
        thread = feed._thread
        assert thread is not None
        feed.latest(-1, 0.05)
    thread.join(LIMIT_S)
    assert not thread.is_alive()
