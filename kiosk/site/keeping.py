"""Keep the frames of whole attempts while the loop runs, for whoever agreed to it.

Watches the loop and touches nothing. Frames are kept as the camera gave them (encoding comes later, elsewhere), within
a bound of memory: the oldest frames of the approach give way, an attempt whose flash alone is larger is lost and said
to be. What a visit's own evidence must not do - outlive the attempt - is exactly what this is for: only commands that
ask for consent use it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.runtime.loop import Turn
from kiosk.values import Frame, LivenessResult, Panel, SceneKind, ShownSlot, Slot
from kiosk.visit.events import LivenessJudged
from kiosk.visit.states import keeps_frames

APPROACH_S = 3.0
"""Kept of the approach and the hold."""
MOST_BYTES = 300 * 2**20
LAST_LUX = 10


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """One judged attempt with its pictures."""

    slots: tuple[ShownSlot, ...]
    frames: tuple[Frame, ...]
    panel: Panel
    camera_name: str
    exposure_locked: bool | None
    """Over the frames of the flash: every one proven, one refuted, or not told."""
    lag_s: float | None
    ambient_lux: float | None
    hfov_deg: float
    result: LivenessResult


@dataclass(frozen=True, slots=True)
class Place:
    """The installation's facts that go into a recording."""

    panel: Panel
    camera_name: Callable[[], str]
    hfov_deg: float
    lag_s: Callable[[str], float | None]


@dataclass(slots=True)
class _Open:
    """The attempt that is being watched."""

    shown: list[tuple[Slot, float]] = field(default_factory=list)
    ended_s: float | None = None
    """When the picture after the last slot became visible."""
    too_large: bool = False
    broken: bool = False
    """Frames of the flash do not belong together."""


class Keeper:
    """A watcher of the loop; ``take`` gives the attempts that were judged since the last call."""

    def __init__(self, place: Place, *, most_bytes: int = MOST_BYTES, approach_s: float = APPROACH_S) -> None:
        self._place = place
        self._most_bytes = most_bytes
        self._approach_s = approach_s
        self._frames: deque[Frame] = deque()
        self._open = _Open()
        self._done: list[Kept] = []
        self.lost = 0
        """Attempts that were too large for the memory."""
        self.broken_off = 0
        """Attempts without a verdict, or whose camera was lost meanwhile."""

    @property
    def bytes_kept(self) -> int:
        """Of pictures, now."""
        return sum(frame.pixels.nbytes for frame in self._frames)

    def take(self) -> list[Kept]:
        """Attempts judged since the last call, pictures and all."""
        done, self._done = self._done, []
        return done

    def turned(self, turn: Turn) -> None:
        """Take one turn into account."""
        wanted = keeps_frames(turn.visit)
        judged = next((event.result for event in turn.events if isinstance(event, LivenessJudged)), None)
        if turn.frame is not None and (wanted or judged is not None):
            self._append(turn.frame)
        self._follow(turn)
        self._bound()
        if judged is not None and self._open.shown:
            self._finish(judged)
        elif not wanted:
            self.broken_off += bool(self._open.shown)
            self._forget()

    def _append(self, frame: Frame) -> None:
        """A camera that was opened anew begins a new approach; in the middle of a flash it ends the recording."""
        last = self._frames[-1] if self._frames else frame
        if self._frames and (
            frame.exposure_start_s <= last.exposure_start_s or frame.pixels.shape != last.pixels.shape
        ):
            self._open.broken = bool(self._open.shown)
            self._frames.clear()
        self._frames.append(frame)

    def _follow(self, turn: Turn) -> None:
        """Which slot is on the screen, and since when."""
        current = self._open
        flash = turn.scene.flash if turn.scene.kind is SceneKind.FLASHING else None
        if turn.visible_at_s is None:
            return
        if flash is not None and (not current.shown or current.shown[-1][0] is not flash):
            current.shown.append((flash, turn.visible_at_s))
        elif flash is None and current.shown and current.ended_s is None:
            current.ended_s = turn.visible_at_s

    def _bound(self) -> None:
        """Drop the oldest of the approach: by time always, by memory where it must be."""
        begin_s = self._open.shown[0][1] if self._open.shown else None
        until_s = begin_s if begin_s is not None else (self._frames[-1].exposure_start_s if self._frames else 0.0)
        while self._frames and self._frames[0].exposure_start_s < until_s - self._approach_s:
            self._frames.popleft()
        kept = self.bytes_kept
        while self._frames and kept > self._most_bytes:
            if begin_s is not None and self._frames[0].exposure_start_s >= begin_s:
                self._open.too_large = True
            kept -= self._frames.popleft().pixels.nbytes

    def _finish(self, result: LivenessResult) -> None:
        current, frames = self._open, tuple(self._frames)
        self._forget()
        if current.too_large or current.broken:
            self.lost += current.too_large
            self.broken_off += current.broken
            return
        slots = _slots(current)
        first_s = slots[0].visible_at_s
        told = [frame.gains_locked for frame in frames if frame.exposure_start_s >= first_s]
        lux = [frame.lux for frame in frames if frame.lux is not None and frame.exposure_start_s < first_s][-LAST_LUX:]
        camera = self._place.camera_name()
        self._done.append(
            Kept(
                slots=slots,
                frames=frames,
                panel=self._place.panel,
                camera_name=camera,
                exposure_locked=False if False in told or not told else (None if None in told else True),
                lag_s=self._place.lag_s(camera),
                ambient_lux=sum(lux) / len(lux) if lux else None,
                hfov_deg=self._place.hfov_deg,
                result=result,
            )
        )

    def _forget(self) -> None:
        self._frames.clear()
        self._open = _Open()


def _slots(current: _Open) -> tuple[ShownSlot, ...]:
    """As they really appeared: each until the next one, the last until the picture changed or its time was over."""
    (last, last_s) = current.shown[-1]
    end_s = last_s + last.duration_s
    if current.ended_s is not None:
        end_s = min(end_s, current.ended_s)
    ends = [at_s for _slot, at_s in current.shown[1:]] + [max(end_s, last_s + 0.001)]
    return tuple(
        ShownSlot(slot.rgb, slot.region, at_s, until_s - at_s)
        for (slot, at_s), until_s in zip(current.shown, ends, strict=True)
    )
