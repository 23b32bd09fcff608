"""One contract, every door: memory, gpiod, gpiozero on mock and lgpio pins, both polarities."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.doors.memory import MemoryLine
from hardware.doors.timed import LONGEST_S, RETRY_S, TimedDoor
from kiosk.errors import DoorError
from kiosk.values import DoorPosition, Grant
from tests.support.wire import LIMIT_S, ManualTimer

GRANT = Grant(attempt=1, person_id="p", decided_at_s=1.0)


def test_no_blip_at_start(rig: Any) -> None:
    """Opening never shows the unlocked level, not even for a moment."""
    with rig.door:
        assert rig.history == [False] * len(rig.history) != []
        assert rig.door.position is DoorPosition.LOCKED


def test_unlock_then_relock_by_the_timer_alone(rig: Any) -> None:
    """The loop does nothing after unlocking, as if it hung; the door locks all the same."""
    with rig.door:
        rig.door.unlock(GRANT, duration_s=3.0)
        assert rig.history[-1] is True
        assert rig.door.position is DoorPosition.UNLOCKED
        rig.timer.advance(2.9)
        assert rig.door.position is DoorPosition.UNLOCKED
        rig.timer.advance(0.2)
        assert rig.locks_within_limit()
        assert rig.door.pulses == 1


def test_electrical_level_follows_the_polarity(rig: Any) -> None:
    """Active-low unlocks on low, active-high on high."""
    with rig.door:
        rig.door.unlock(GRANT, duration_s=1.0)
        assert rig.wire.levels[-1] is not rig.active_low


def test_locked_after_close(rig: Any) -> None:
    """Closing in the middle of a pulse locks first; closing twice does nothing."""
    with rig.door:
        rig.door.unlock(GRANT, duration_s=30.0)
        rig.door.close()
        assert rig.history[-1] is False
        writes = len(rig.wire.levels)
        rig.door.close()
        assert len(rig.wire.levels) == writes


def test_locked_after_an_exception(rig: Any) -> None:
    """An exception that unwinds the caller leaves the door locked."""

    def fail_while_open() -> None:
        with rig.door:
            rig.door.unlock(GRANT, duration_s=30.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_open()
    assert rig.history[-1] is False


def test_unlock_after_close_is_refused(rig: Any) -> None:
    """A closed door cannot be opened by anybody."""
    with rig.door:
        pass
    with pytest.raises(DoorError, match="closed"):
        rig.door.unlock(GRANT, duration_s=1.0)
    assert True not in rig.history


def test_unlock_before_open_is_refused(rig: Any) -> None:
    """Nor can one that was never opened."""
    with pytest.raises(DoorError, match="closed"):
        rig.door.unlock(GRANT, duration_s=1.0)
    assert rig.wire.levels == []


@pytest.mark.parametrize("forged", [None, True, "grant", object()])
def test_needs_a_grant(rig: Any, forged: object) -> None:
    """Only a Grant opens."""
    with rig.door:
        with pytest.raises(DoorError, match="grant"):
            rig.door.unlock(cast(Grant, forged), duration_s=1.0)
        assert True not in rig.history


@pytest.mark.parametrize("duration_s", [0.0, -1.0, float("nan"), float("inf"), LONGEST_S + 1])
def test_silly_pulses_are_refused(rig: Any, duration_s: float) -> None:
    """Zero, negative, endless and too long pulses open nothing."""
    with rig.door:
        with pytest.raises(DoorError, match="range"):
            rig.door.unlock(GRANT, duration_s=duration_s)
        assert True not in rig.history


def test_a_broken_wire_is_told_and_tried_again(rig: Any) -> None:
    """Re-locking that fails shows UNKNOWN and a fault, and succeeds as soon as the wire obeys."""
    with rig.door:
        rig.door.unlock(GRANT, duration_s=1.0)
        rig.wire.error = rig.break_error()
        with pytest.raises(DoorError):
            rig.door.lock()
        assert rig.door.position is DoorPosition.UNKNOWN
        assert rig.door.fault is not None
        rig.wire.error = None
        rig.timer.advance(RETRY_S)
        assert rig.locks_within_limit()


def test_unlocking_that_fails_locks(rig: Any) -> None:
    """A write that fails on the way to unlocked never counts as a pulse and never leaves a late one behind."""
    with rig.door:
        rig.wire.error = rig.break_error()
        with pytest.raises(DoorError):
            rig.door.unlock(GRANT, duration_s=1.0)
        assert rig.door.position is DoorPosition.UNKNOWN
        assert rig.door.pulses == 0
        rig.wire.error = None
        rig.timer.advance(RETRY_S)
        assert rig.locks_within_limit()
        assert True not in rig.history


def test_lock_at_once(rig: Any) -> None:
    """Locking by hand ends the pulse; the timer of that pulse has nothing left to do."""
    with rig.door:
        rig.door.unlock(GRANT, duration_s=3.0)
        rig.door.lock()
        assert rig.door.position is DoorPosition.LOCKED
        rig.door.unlock(GRANT, duration_s=10.0)
        rig.timer.advance(4.0)
        assert rig.history[-1] is True


def test_reopened_door_works(rig: Any) -> None:
    """A door that was closed can be opened again; the old timer drives nothing."""
    with rig.door:
        rig.door.unlock(GRANT, duration_s=3.0)
    with rig.door:
        rig.door.unlock(GRANT, duration_s=10.0)
        rig.timer.advance(4.0)
        assert rig.history[-1] is True
        rig.timer.advance(7.0)
        assert rig.locks_within_limit()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.2, 8.0)), min_size=1, max_size=6))
def test_pulses_extend_and_never_add_up(plan: list[tuple[float, float]]) -> None:
    """The door is due to lock at the latest end of any pulse asked for while unlocked, no sooner, no later."""
    line, timer = MemoryLine(), ManualTimer()
    due_s = 0.0
    with TimedDoor(line, timer) as door:
        for pause_s, duration_s in plan:
            timer.advance(pause_s)
            assert line.unlocked[-1] is (timer.now_s < due_s)
            door.unlock(GRANT, duration_s=duration_s)
            running_s = due_s if timer.now_s < due_s else 0.0
            due_s = max(running_s, timer.now_s + duration_s)
            assert door.position is DoorPosition.UNLOCKED
        timer.advance((due_s - timer.now_s) * 0.999)
        assert line.unlocked[-1] is True
        timer.advance(due_s - timer.now_s + 1e-6)
        assert line.unlocked[-1] is False
    assert line.unlocked[0] is False


def test_real_timer_relocks() -> None:
    """The timer on the real clock locks without anybody's help."""
    line = MemoryLine()
    with TimedDoor(line) as door:
        door.unlock(GRANT, duration_s=0.01)
        assert line.wait_for(lambda history: history == [False, True, False], 5.0)


def test_plain_gpiozero_pins_would_click(kind: str, rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why the pins are replaced, and proof that the no-blip test can fail: gpiozero's own pins show the other level."""
    if not kind.startswith("gpiozero") or not rig.active_low:
        pytest.skip("about active-low relays on gpiozero pins")
    monkeypatch.setattr("hardware.doors.gpiozero_door.seamless_pin", lambda kind, base: (kind, base)[1])
    with rig.door:
        assert True in rig.history


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_crashed_timer_is_replaced() -> None:
    """A line that raises something foreign kills one timer thread, not the promise to lock."""

    class Treacherous(MemoryLine):
        crashes = 1

        def drive(self, unlocked: bool) -> None:
            if not unlocked and self.crashes and threading.current_thread() is not threading.main_thread():
                self.crashes -= 1
                raise LookupError("not what was promised")
            super().drive(unlocked)

    line, timer = Treacherous(), ManualTimer()
    with TimedDoor(line, timer) as door:
        door.unlock(GRANT, duration_s=1.0)
        first = door._thread
        assert first is not None
        timer.advance(1.0)
        first.join(LIMIT_S)
        assert door.position is DoorPosition.UNKNOWN
        timer.advance(RETRY_S)
        assert line.unlocked == [False, True, False]
        assert door.position is DoorPosition.LOCKED
