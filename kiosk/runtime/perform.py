"""Turn effects into deeds, in order; a deed that fails becomes a fault and stops the deeds behind it.

The order is the core's: a grant is on record before the relay moves, so a door that cannot be audited does not open.
"""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.errors import DoorError, RecordsError
from kiosk.ports import Clock, Door, EventRecorder
from kiosk.reasons import Reason
from kiosk.runtime.attempts import Attempts
from kiosk.runtime.health import Health
from kiosk.runtime.journal import Journal
from kiosk.visit.events import DropAttempt, Effect, Event, JudgeMovement, PulseDoor, RecordEvent, StartAttempt

RETRY_S = 5.0


class Performer:
    """Does what the visit asks for."""

    def __init__(
        self,
        clock: Clock,
        attempts: Attempts,
        door: Door,
        recorder: EventRecorder,
        health: Health,
        journal: Journal,
        *,
        pulse_s: float,
    ) -> None:
        """``pulse_s``: how long a grant unlocks the door, seconds."""
        self._clock = clock
        self._attempts = attempts
        self._door = door
        self._recorder = recorder
        self._health = health
        self._journal = journal
        self._pulse_s = pulse_s
        self._retry_at_s = 0.0

    def perform(self, effects: Iterable[Effect]) -> tuple[Event, ...]:
        """Do all effects in order; the events returned are faults that the core must hear of at once."""
        for effect in effects:
            try:
                self._do(effect)
            except DoorError as error:
                return self._health.failed(Reason.DOOR_LOST, error)
            except RecordsError as error:
                return self._health.failed(Reason.RECORDS_LOST, error)
        return ()

    def retry(self, now_s: float) -> None:
        """Records that failed are tried again every RETRY_S with an event of their own; success is a recovery."""
        if self._health.error(Reason.RECORDS_LOST) is None or now_s < self._retry_at_s:
            return
        self._retry_at_s = now_s + RETRY_S
        try:
            self._record(RecordEvent("RECORDS_TRIED", Reason.RECORDS_LOST))
        except RecordsError:
            return
        self._health.recovered(Reason.RECORDS_LOST)

    def _do(self, effect: Effect) -> None:
        match effect:
            case StartAttempt():
                self._attempts.start(effect)
            case JudgeMovement():
                self._attempts.judge_movement(effect)
            case DropAttempt(attempt=attempt):
                self._attempts.drop(attempt)
            case PulseDoor(grant=grant):
                self._door.unlock(grant, duration_s=self._pulse_s)
                self._journal("DOOR_PULSED", attempt=grant.attempt, person_id=grant.person_id)
            case RecordEvent():
                self._record(effect)

    def _record(self, effect: RecordEvent) -> None:
        details: dict[str, str | float | int | None] = {
            "attempt": effect.attempt,
            "similarity": effect.similarity,
            "confidence": effect.confidence,
            "source": effect.source,
            "model_version": effect.model_version,
            "flash": None if effect.flash is None else str(effect.flash),
        }
        details.update({f"gate_{name}": verdict for name, verdict in effect.gates})
        known: dict[str, str | float | int | None] = {k: v for k, v in details.items() if v is not None}
        reason = "" if effect.reason is None else str(effect.reason)
        self._journal(effect.kind, reason=reason, person_id=effect.person_id, **known)
        self._recorder.record_event(
            utc=self._clock.now().utc.isoformat(),
            kind=effect.kind,
            reason=reason,
            person_id=effect.person_id,
            details=known,
        )
