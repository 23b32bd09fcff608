"""Stand-ins for the loop's parts: a manual clock, frames by script, models that see what the test says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from kiosk.closing import Closing
from kiosk.errors import CameraError, DisplayClosed, DisplayError, DoorError, KioskError, ModelError, RecordsError
from kiosk.reasons import Reason
from kiosk.values import (
    Box,
    DoorPosition,
    Embedding,
    Face,
    Frame,
    Grant,
    Match,
    Moment,
    Observation,
    Panel,
    Pixels,
    Pose,
    Quality,
    Scene,
    SeenFace,
)

VERSION = "fake-1"
WIDTH, HEIGHT = 640, 480


class ManualClock:
    """Time moves when the test says so."""

    def __init__(self, now_s: float = 100.0) -> None:
        self.now_s = now_s
        self.drawn = 0

    def now(self) -> Moment:
        """A fresh nonce each time."""
        self.drawn += 1
        utc = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now_s)
        return Moment(self.now_s, utc, self.drawn.to_bytes(32, "big"))

    def wait(self, seconds: float) -> None:
        """Pass the time."""
        self.now_s += seconds


class _Context(Closing):
    """Opening and closing without an effect, counted."""

    closed = 0

    def close(self) -> None:
        """Counted."""
        self.closed += 1


class ScriptedFeed(_Context):
    """A frame every 1/30 s of the manual clock; ``fault`` and ``silent`` are set by the test."""

    def __init__(self, clock: ManualClock, gains_locked: Callable[[bool], bool | None] = lambda wanted: wanted) -> None:
        self._clock = clock
        self._proof = gains_locked
        self.name = "scripted:0"
        self.generation = 1
        self.ended = False
        self.tries = 1
        self.fault: CameraError | None = None
        self.silent = False
        self.lock_wanted = False
        self.lock_calls: list[bool] = []
        self.lux: float | None = None
        self.sequence = 0

    @property
    def exposure_locked(self) -> bool | None:
        """What the next frame proves."""
        return self._proof(self.lock_wanted)

    def latest(self, newer_than_sequence: int, timeout_s: float) -> Frame | None:
        """The next frame, or the time-out's end."""
        if self.silent or self.fault is not None:
            self._clock.now_s += timeout_s
            return None
        self._clock.now_s += 1 / 30
        self.sequence = max(self.sequence, newer_than_sequence) + 1
        pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        pixels[0, 0, 0] = self.sequence % 256
        return Frame(pixels, self.sequence, self._clock.now_s - 0.02, 0.01, self.exposure_locked, self.lux)

    def lock_exposure(self) -> None:
        """Remembered."""
        self.lock_wanted = True
        self.lock_calls.append(True)

    def unlock_exposure(self) -> None:
        """Remembered."""
        self.lock_wanted = False
        self.lock_calls.append(False)


def unit(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A unit vector with these leading components."""
    vector = np.zeros(8, np.float32)
    vector[: len(values)] = values
    return vector / np.float32(np.linalg.norm(vector))


def face_like(eye_px: float = 90.0, x_px: float = 320.0, y_px: float = 240.0) -> Face:
    """A frontal mesh: a grid of points with the landmarks that matter at their places."""
    landmarks = np.zeros((478, 3), np.float32)
    columns, rows = np.meshgrid(np.linspace(-1.1, 1.1, 22), np.linspace(-1.3, 1.6, 22))
    points = np.stack([columns.ravel(), rows.ravel()], axis=1)[:478] * eye_px
    landmarks[: len(points), :2] = points
    for index, (dx, dy) in {468: (-0.5, 0.0), 473: (0.5, 0.0), 4: (0.0, 0.6), 61: (-0.4, 1.1), 291: (0.4, 1.1)}.items():
        landmarks[index, :2] = dx * eye_px, dy * eye_px
    landmarks[:, 0] += x_px
    landmarks[:, 1] += y_px - 0.15 * eye_px
    top, bottom = landmarks[:, 1].min(), landmarks[:, 1].max()
    height = float(bottom - top) * 1.15
    box = Box(x_px - 1.1 * eye_px, float(bottom) - height, 2.2 * eye_px, height)
    return Face(box, landmarks, {}, Pose(0.0, 0.0, 0.0))


class FakeModels(_Context):
    """Sees ``faces``; embeds to ``vector``; ``broken`` raises ModelError."""

    embedding_version = VERSION
    version_before: str | None = None
    passive_models = (1, 2)

    def __init__(self) -> None:
        self.faces: list[Face] = []
        self.vector = unit(1.0)
        self.broken = False
        self.embedded = 0
        self.embedded_before = 0

    def find(self, frame: Frame) -> list[Face]:
        """As the test says."""
        del frame
        if self.broken:
            raise ModelError("the landmarker fell over", where="fake")
        return list(self.faces)

    def find_still(self, pixels: Pixels) -> list[Face]:
        """As the test says."""
        del pixels
        return list(self.faces)

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """As the test says."""
        del pixels, face
        self.embedded += 1
        return Embedding(self.vector, VERSION)

    def embed_before(self, pixels: Pixels, face: Face) -> Embedding | None:
        """By ``version_before``, where the test set one."""
        del pixels, face
        if self.version_before is None:
            return None
        self.embedded_before += 1
        return Embedding(self.vector[::-1].copy(), self.version_before)

    def passive_live_score(self, pixels: Pixels, face: Face) -> float:
        """Always fairly live."""
        del pixels, face
        return 0.9


class FakeMatcher:
    """Answers ``match``, or raises ``error``."""

    model_version = VERSION

    def __init__(self) -> None:
        self.match = Match("person-1", 99.5, 20.0, "local", VERSION, Reason.WELCOME)
        self.error: KioskError | None = None
        self.asked: list[str | None] = []
        self.crops: list[Pixels | None] = []
        self.probes: list[Embedding] = []

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """As the test says."""
        del deadline_s
        self.probes.append(probe)
        self.crops.append(crop)
        self.asked.append(badge)
        if self.error is not None:
            raise self.error
        return self.match


class FakeDoor(_Context):
    """Keeps every grant; ``error`` is raised instead when set."""

    def __init__(self) -> None:
        self.grants: list[tuple[Grant, float]] = []
        self.error: KioskError | None = None
        self.position = DoorPosition.LOCKED
        self.fault: DoorError | None = None

    @property
    def pulses(self) -> int:
        """How many."""
        return len(self.grants)

    def unlock(self, grant: Grant, *, duration_s: float) -> None:
        """Remembered."""
        if self.error is not None:
            raise self.error
        self.grants.append((grant, duration_s))

    def lock(self) -> None:
        """Nothing to do."""


class FakeDisplay(_Context):
    """Keeps every scene; ``broken`` raises DisplayError."""

    size_px = (800, 480)
    panel = Panel(155.0, 88.0, 500.0)

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.scenes: list[Scene] = []
        self.previews: list[bool] = []
        self.broken = False
        self.closed_by_hand = False

    def show(self, scene: Scene, preview: Pixels | None = None) -> float:
        """Visible 20 ms later."""
        if self.closed_by_hand:
            raise DisplayClosed("the window was closed")
        if self.broken:
            raise DisplayError("the screen is gone", where="fake")
        self.scenes.append(scene)
        self.previews.append(preview is not None)
        return self._clock.now_s + 0.02


class MemoryRecorder:
    """Keeps events; ``error`` is raised instead when set."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str | None]] = []
        self.details: list[dict[str, str | float | int | None]] = []
        """Of the same events."""
        self.error: RecordsError | None = None

    def record_event(
        self, *, utc: str, kind: str, reason: str, person_id: str | None, details: dict[str, str | float | int | None]
    ) -> None:
        """Remembered."""
        assert utc
        assert all(not isinstance(value, (bytes, list)) for value in details.values())
        if self.error is not None:
            raise self.error
        self.events.append((kind, reason, person_id))
        self.details.append(dict(details))


class ScriptedPerceiver:
    """Sees ``seen`` (pixel-free faces) with ``quality`` on every frame; ``broken`` raises ModelError."""

    def __init__(self) -> None:
        self.seen: tuple[SeenFace, ...] = ()
        self.quality: Quality | None = None
        self.face: Face = face_like()
        self.broken = False

    def perceive(self, frame: Frame) -> tuple[Observation, Face | None]:
        """As the test says."""
        if self.broken:
            raise ModelError("the landmarker fell over", where="fake")
        observation = Observation(
            sequence=frame.sequence,
            at_s=frame.exposure_start_s,
            frame_width_px=frame.width_px,
            frame_height_px=frame.height_px,
            faces=self.seen,
            quality=self.quality if self.seen else None,
            gains_locked=frame.gains_locked,
            lux=frame.lux,
        )
        return observation, self.face if self.seen else None
