"""The door's figures: watches the loop and counts each visit once, by how it ended. Touches nothing.

How a visit ends:
- approved: the door was opened.
- failed: refused with a word about the visitor (``kiosk.kpi.words.PROVEN``): not live, unknown, another's badge ...
- incomplete: a check was due or begun and came to no verdict: unsure, no answer in time, a part failed, the visitor
  left during the check or between two tries, the program ended.
- abandoned: the visitor left while being guided, or never fitted (``FIT_TIMED_OUT``), before any check.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.closing import Closing
from kiosk.kpi.words import NONE, QUALITY_CHECKS, UNPROVEN
from kiosk.ports import Kpis
from kiosk.reasons import Reason
from kiosk.runtime.loop import Turn
from kiosk.values import SceneKind
from kiosk.visit.events import MatchArrived, PartFailed
from kiosk.visit.states import CoolingDown, Denied, Faulted, Granted, Guiding, Holding, Idle

DOOR_CHECKS = QUALITY_CHECKS - {Reason.NO_FACE}
"""Nobody there is no picture of bad quality at a door: it is how every visit ends."""


@dataclass(slots=True)
class _Visit:
    """What is known of the visit that is going on."""

    attempt_before: int
    """Number of the latest attempt when it began."""
    attempted: bool = False
    again: Reason | None = None
    """Why the last try was unsure."""
    engine: str = NONE
    similarity: float | None = None
    checks: set[Reason] = field(default_factory=set)
    """Checks of the quality gate that were told to the visitor."""


class DoorKpis(Closing):
    """A Watcher of the loop; its end is the loop's."""

    def __init__(self, kpis: Kpis) -> None:
        self._kpis = kpis
        self._open: _Visit | None = None

    def turned(self, turn: Turn) -> None:
        """Take one turn into account."""
        state = turn.visit.state
        if self._open is None and isinstance(state, (Guiding, Holding)):
            self._open = _Visit(turn.visit.attempt)
        if self._open is None:
            return
        self._follow(self._open, turn)
        ended = _ending(self._open, turn)
        if ended is not None:
            self._end(self._open, *ended)

    def close(self) -> None:
        """The loop ended: a visit that was going on is incomplete."""
        if self._open is not None:
            self._end(self._open, "incomplete", None)

    def _follow(self, visit: _Visit, turn: Turn) -> None:
        scene, state = turn.scene, turn.visit.state
        guided = scene.kind in (SceneKind.GUIDING, SceneKind.HOLDING)
        if guided and scene.hint in DOOR_CHECKS and scene.hint not in visit.checks:
            visit.checks.add(scene.hint)
            self._kpis.count("kiosk_quality_failures_total", check=scene.hint, at="door")
        visit.attempted = visit.attempted or turn.visit.attempt != visit.attempt_before
        if isinstance(state, Guiding) and state.again is not None:
            visit.again = state.again
        for event in turn.events:
            if isinstance(event, MatchArrived) and event.attempt == turn.visit.attempt:
                visit.engine = event.match.source
                compared = event.match.reason is not Reason.UNKNOWN_BADGE
                visit.similarity = event.match.similarity if compared else None

    def _end(self, visit: _Visit, outcome: str, reason: Reason | None) -> None:
        self._open = None
        word = NONE if reason is None else str(reason)
        self._kpis.count("kiosk_authentications_total", outcome=outcome, reason=word, engine=visit.engine)
        if visit.similarity is not None:
            self._kpis.observe("kiosk_similarity", visit.similarity, outcome=outcome, engine=visit.engine)


def _ending(visit: _Visit, turn: Turn) -> tuple[str, Reason | None] | None:
    """(outcome, reason) when this turn ended the visit."""
    match turn.visit.state:
        case Granted():
            return "approved", Reason.WELCOME
        case Denied(reason=reason):
            return _refusal(reason)
        case Faulted():
            failed = [event.fault for event in turn.events if isinstance(event, PartFailed)]
            return "incomplete", failed[0] if failed else turn.visit.faults[0]
        case CoolingDown(reason=Reason.FIT_TIMED_OUT):
            return _left(visit, Reason.FIT_TIMED_OUT)
        case CoolingDown(reason=None):  # a part failed and came back within the turn
            return "incomplete", next((event.fault for event in turn.events if isinstance(event, PartFailed)), None)
        case CoolingDown(reason=Reason() as reason):  # refused, and the clock was set in the same turn
            return _refusal(reason)
        case Idle():
            return _left(visit, Reason.NO_FACE)
    return None


def _refusal(reason: Reason) -> tuple[str, Reason]:
    """A word that is in neither list is a refusal all the same."""
    return "incomplete" if reason in UNPROVEN else "failed", reason


def _left(visit: _Visit, reason: Reason) -> tuple[str, Reason]:
    """No verdict, and nobody to give one to."""
    return ("incomplete", visit.again or reason) if visit.attempted else ("abandoned", reason)
