"""What happened, visit by visit, for ``run --json``, the demo's report and the benches: words and numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kiosk.reasons import Reason
from kiosk.runtime.loop import Turn
from kiosk.values import LivenessResult, Scene, SceneKind
from kiosk.visit.events import LivenessJudged, MatchArrived
from kiosk.visit.plain import liveness_to_json

CHECKED = (SceneKind.FLASHING, SceneKind.MOVING)
ENDED = (SceneKind.GRANTED, SceneKind.DENIED)


@dataclass(slots=True)
class VisitEntry:
    """One visit as it went."""

    began_s: float
    hints: list[Reason] = field(default_factory=list)
    """Hints in the order in which they were shown."""
    attempts: int = 0
    decision: str = "none"
    """granted, denied, or none (the visitor left, or a part failed)."""
    reason: Reason | None = None
    similarity: float | None = None
    liveness: LivenessResult | None = None
    in_oval_at_s: float | None = None
    """When the face fitted for the last time before the flash that decided."""
    decided_at_s: float | None = None
    ended_s: float | None = None

    @property
    def in_oval_to_decision_s(self) -> float | None:
        """Seconds from the fitting face to the decision."""
        if self.in_oval_at_s is None or self.decided_at_s is None:
            return None
        return self.decided_at_s - self.in_oval_at_s

    def to_json(self) -> dict[str, Any]:
        """Plain values; times in seconds."""
        return {
            "decision": self.decision,
            "reason": None if self.reason is None else str(self.reason),
            "similarity": self.similarity,
            "liveness": None if self.liveness is None else liveness_to_json(self.liveness),
            "hints": [str(hint) for hint in self.hints],
            "attempts": self.attempts,
            "in_oval_to_decision_s": _rounded(self.in_oval_to_decision_s),
            "duration_s": _rounded(None if self.ended_s is None else self.ended_s - self.began_s),
        }


class VisitLog:
    """Watches the loop and writes down every visit; a visit lasts from the first guiding scene to idle."""

    def __init__(self) -> None:
        self.visits: list[VisitEntry] = []
        self._open: VisitEntry | None = None
        self._before: Scene | None = None

    def turned(self, turn: Turn) -> None:
        """Take one turn into account."""
        scene = turn.scene
        if self._open is None and scene.kind in (SceneKind.GUIDING, SceneKind.HOLDING):
            self._open = VisitEntry(began_s=turn.at_s)
            self.visits.append(self._open)
        if self._open is not None:
            self._follow(self._open, turn)
            if scene.kind in (SceneKind.IDLE, SceneKind.FAULTED):
                self._close(turn.at_s)
        self._before = scene

    def finish(self, at_s: float) -> None:
        """The loop ended: an open visit ends with it."""
        self._close(at_s)

    def _close(self, at_s: float) -> None:
        if self._open is not None and self._open.ended_s is None:
            self._open.ended_s = at_s
        self._open = None

    def _follow(self, entry: VisitEntry, turn: Turn) -> None:
        scene, before = turn.scene, self._before
        kind_before = None if before is None else before.kind
        guiding = scene.kind in (SceneKind.GUIDING, SceneKind.HOLDING)
        if guiding and scene.hint is not None and entry.hints[-1:] != [scene.hint]:
            entry.hints.append(scene.hint)
        if scene.fits and not (before is not None and before.fits):
            entry.in_oval_at_s = turn.at_s
        if scene.kind in CHECKED and kind_before is not scene.kind:
            entry.attempts += 1
        for event in turn.events:
            if isinstance(event, LivenessJudged):
                entry.liveness = event.result
            elif isinstance(event, MatchArrived):
                entry.similarity = round(event.match.similarity, 2)
        if scene.kind in ENDED and kind_before is not scene.kind:
            entry.decision = str(scene.kind)
            entry.reason = scene.hint
            entry.decided_at_s = turn.at_s


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
