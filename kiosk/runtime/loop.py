"""The loop: newest frame in, events through the pure core, effects and one picture out.

One thread owns the visit. Rules: the loop never waits for the matcher (the worker answers by events), never waits
for a camera longer than a tick, and every fault of a part becomes an event; it never decides anything itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kiosk.errors import DisplayClosed, DisplayError, KioskError, RecordsError
from kiosk.ports import Clock, Display
from kiosk.reasons import Reason
from kiosk.runtime.attempts import Attempts
from kiosk.runtime.badges import Badges
from kiosk.runtime.feed import Feed
from kiosk.runtime.health import Health
from kiosk.runtime.perceive import Perceiver
from kiosk.runtime.perform import Performer
from kiosk.runtime.upkeep import Upkeep
from kiosk.runtime.watchdog import Watchdog
from kiosk.values import Face, Frame, Observation, Scene, SceneKind
from kiosk.visit.events import Event, Observed, Ticked
from kiosk.visit.rules import Rules
from kiosk.visit.scene import scene as scene_of
from kiosk.visit.states import Idle, Visit, keeps_frames, wants_exposure_lock
from kiosk.visit.step import new_visit, step

TICK_S = 0.05
"""Longest wait for a frame: the core hears of time passing at least this often."""

PREVIEW_S = 1.0
"""An older frame is not shown as if it were the present."""


class Watcher(Protocol):
    """Somebody who looks at every turn without touching it: the visit log, the demo's film."""

    def turned(self, turn: Turn) -> None:
        """Called once at the end of each turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened in one turn of the loop."""

    at_s: float
    frame: Frame | None
    face: Face | None
    observation: Observation | None
    events: tuple[Event, ...]
    visit: Visit
    scene: Scene
    visible_at_s: float | None
    """None while the display is out of order."""


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the loop drives; built by the wiring."""

    clock: Clock
    feed: Feed
    perceiver: Perceiver
    display: Display
    attempts: Attempts
    performer: Performer
    health: Health
    watchdog: Watchdog
    badges: Badges | None = None
    """None where there is no badge reader."""
    upkeep: Upkeep | None = None
    """None where the people cannot change (simulation, benches)."""


class Loop:
    """Turns until told to stop. Not thread-safe: one thread owns it."""

    def __init__(
        self, parts: Parts, rules: Rules, frame_size_px: tuple[int, int], watchers: tuple[Watcher, ...] = ()
    ) -> None:
        """Start idle with ``rules`` for the pure core; ``frame_size_px`` is corrected by the first frame."""
        self._parts = parts
        self._rules = rules
        self._watchers = watchers
        self._visit = new_visit(rules, *frame_size_px)
        self._last_sequence = -1
        self._lock_wanted = False
        self._preview: Frame | None = None
        self.frames = 0

    @property
    def visit(self) -> Visit:
        """The state the door is in."""
        return self._visit

    def run(self, stop: Callable[[], bool]) -> None:
        """Turn until ``stop()`` or the clip ends. Faults of parts do not end the loop."""
        while not stop() and not self._parts.feed.ended:
            self.turn()

    def turn(self) -> Turn:
        """One frame or one tick, all answers that arrived, one picture."""
        parts = self._parts
        frame = self._newest()
        face: Face | None = None
        observation: Observation | None = None
        events: list[Event] = list(parts.health.drain())
        if frame is not None:
            observation, face = self._perceive(frame, events)
        events.extend(self._badges())
        events.append(Observed(observation) if observation is not None else Ticked())
        events.extend(parts.attempts.answers(parts.clock.now().monotonic_s))
        for event in events:
            self._step(event)
        self._follow_exposure()
        scene, visible_at_s = self._show()
        if parts.upkeep is not None and isinstance(self._visit.state, Idle):
            parts.upkeep.look(parts.clock.now().monotonic_s, lambda: parts.clock.now().utc)
        parts.performer.retry(parts.clock.now().monotonic_s)
        parts.watchdog.progressed(frame is not None)
        turn = Turn(
            parts.clock.now().monotonic_s, frame, face, observation, tuple(events), self._visit, scene, visible_at_s
        )
        for watcher in self._watchers:
            watcher.turned(turn)
        return turn

    def _badges(self) -> tuple[Event, ...]:
        """Badges that were shown; a book that cannot be read is a fault, which the performer's retry mends."""
        if self._parts.badges is None:
            return ()
        try:
            return self._parts.badges.drain()
        except RecordsError as error:
            return self._parts.health.failed(Reason.RECORDS_LOST, error)

    def _newest(self) -> Frame | None:
        frame = self._parts.feed.latest(self._last_sequence, TICK_S)
        if frame is not None:
            self._last_sequence = frame.sequence
            self._preview = frame
            self.frames += 1
        return frame

    def _perceive(self, frame: Frame, events: list[Event]) -> tuple[Observation | None, Face | None]:
        try:
            observation, face = self._parts.perceiver.perceive(frame)
        except KioskError as error:
            events.extend(self._parts.health.failed(Reason.MODELS_LOST, error))
            return None, None
        events.extend(self._parts.health.recovered(Reason.MODELS_LOST))
        if keeps_frames(self._visit):
            self._parts.attempts.keep(frame, face, observation, self._parts.feed.generation)
        return observation, face

    def _step(self, event: Event) -> None:
        self._visit, effects = step(self._visit, event, self._parts.clock.now(), self._rules)
        for fault in self._parts.performer.perform(effects):
            self._step(fault)
        if not keeps_frames(self._visit):
            self._parts.attempts.forget_frames()

    def _follow_exposure(self) -> None:
        wanted = wants_exposure_lock(self._visit)
        if wanted == self._lock_wanted:
            return
        if wanted:
            self._parts.feed.lock_exposure()
        else:
            self._parts.feed.unlock_exposure()
        self._lock_wanted = wanted

    def _show(self) -> tuple[Scene, float | None]:
        now_s = self._parts.clock.now().monotonic_s
        scene = scene_of(self._visit, now_s)
        preview = self._preview
        if preview is not None and now_s - preview.exposure_start_s > PREVIEW_S:
            preview = None
        try:
            visible_at_s = self._parts.display.show(scene, None if preview is None else preview.pixels)
        except DisplayClosed:
            raise  # somebody closed the window: that is a wish, not a fault
        except DisplayError as error:
            self._parts.health.failed(Reason.DISPLAY_LOST, error)
            return scene, None
        self._parts.health.recovered(Reason.DISPLAY_LOST)
        if scene.kind is SceneKind.FLASHING and scene.flash is not None:
            self._parts.attempts.slot_visible(scene.flash, visible_at_s)
        return scene, visible_at_s
