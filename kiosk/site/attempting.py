"""One try of a drill on a running rig: wait until the last visitor is gone, then for one visit to be decided."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.errors import KioskError
from kiosk.ports import Clock
from kiosk.runtime.loop import Loop
from kiosk.runtime.visitlog import VisitEntry, VisitLog
from kiosk.site.drill import Step, Try, outcome
from kiosk.values import SceneKind
from kiosk.visit.states import Idle

PATIENCE_S = 60.0
"""Longest wait for a visit to begin; then the try is over without one."""
LONGEST_S = 90.0
"""Longest visit."""
LEAVE_S = 30.0
RESULT_S = 1.0
"""The result stays on the screen this long before the operator is asked."""
DECIDED = (SceneKind.GRANTED, SceneKind.DENIED)


def attempt(
    loop: Loop,
    log: VisitLog,
    clock: Clock,
    step: Step,
    *,
    stop: Callable[[], bool],
    fault: Callable[[], KioskError | None],
) -> Try | None:
    """Play one try; None when ``stop()`` became true meanwhile. ``log`` must be watching ``loop``.

    A try that ended without a decision because a part was out of order is none: what ``fault`` gives is raised.
    """

    def turn_until(over: Callable[[], bool], longest_s: float) -> bool:
        """False: stopped, or it took too long."""
        began_s = clock.now().monotonic_s
        while not over():
            if stop() or clock.now().monotonic_s - began_s >= longest_s:
                return False
            loop.turn()
        return True

    turn_until(lambda: isinstance(loop.visit.state, Idle), LEAVE_S)
    if stop():
        return None
    before = len(log.visits)
    turn_until(lambda: len(log.visits) > before, PATIENCE_S)
    entry = log.visits[-1] if len(log.visits) > before else None
    if entry is not None:
        turn_until(lambda: _over(entry), LONGEST_S)
        turn_until(lambda: False, RESULT_S)
    if stop() and (entry is None or not _over(entry)):
        return None
    broken = fault()
    if broken is not None and (entry is None or entry.decision == "none"):
        raise broken
    return outcome(step.species, entry, clock.now().utc.isoformat(timespec="seconds"))


def _over(entry: VisitEntry) -> bool:
    return entry.ended_s is not None or entry.decision in {str(kind) for kind in DECIDED}
