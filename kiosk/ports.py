"""The ports: what the application asks of the world, as Protocols.

Rules for every adapter: it is a context manager (``__enter__`` opens, ``__exit__`` closes); ``close()`` may be
called twice; foreign errors are wrapped in ``kiosk.errors``; no wait is without a time-out. A memory or
simulated adapter is chosen only by name and is never a fallback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

from kiosk.errors import DoorError
from kiosk.values import (
    DoorPosition,
    Embedding,
    Face,
    Frame,
    Grant,
    Match,
    Moment,
    Panel,
    Pixels,
    Scene,
)


class Closeable(Protocol):
    """Opened by ``with``, closed once or more."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None:
        """Release everything; calling it again does nothing."""


class Clock(Protocol):
    """Time and randomness for the shell."""

    def now(self) -> Moment:
        """Monotonic time, UTC, and 32 fresh random bytes."""

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass (simulated clocks advance at once)."""


class Camera(Closeable, Protocol):
    """A source of frames."""

    @property
    def name(self) -> str:
        """Stable identity of the device: the continuity of a visit depends on it."""

    @property
    def exposure_locked(self) -> bool | None:
        """Proven by metadata read back, never hoped. None: this camera cannot tell."""

    def read(self, *, newer_than_s: float, timeout_s: float) -> Frame:
        """The newest frame whose exposure began after ``newer_than_s``.

        Raises CameraStalled on time-out, CameraUnavailable when the device went away, CameraEnded at the end of a clip.
        """

    def lock_exposure(self) -> None:
        """Ask for constant exposure, gain and white balance; the proof comes with the frames."""

    def unlock_exposure(self) -> None:
        """Back to automatic."""


class Display(Closeable, Protocol):
    """The screen that the visitor sees, which is also the lamp."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""

    @property
    def panel(self) -> Panel:
        """Physical size and luminance of the screen."""

    def show(self, scene: Scene, preview: Pixels | None = None) -> float:
        """Draw the scene (over the unmirrored camera frame, mirrored by the display) and return when it became visible.

        The return value is on the monotonic clock, seconds. Raises DisplayError.
        """


class FaceModels(Closeable, Protocol):
    """All that runs weights."""

    @property
    def embedding_version(self) -> str:
        """Version that every embedding of the present model carries."""

    @property
    def version_before(self) -> str | None:
        """Version of the model of before, while people move to the present one; None: there is no such change."""

    @property
    def passive_models(self) -> tuple[int, int]:
        """(present, known) passive attack models: "1 of 2"."""

    def find(self, frame: Frame) -> list[Face]:
        """Faces of a frame of the running video, largest first. Times must grow."""

    def find_still(self, pixels: Pixels) -> list[Face]:
        """Faces of a single picture, largest first."""

    def embed(self, pixels: Pixels, face: Face) -> Embedding:
        """Unit-length embedding of the aligned face by the present model."""

    def embed_before(self, pixels: Pixels, face: Face) -> Embedding | None:
        """The same by the model of before; None where ``version_before`` is."""

    def passive_live_score(self, pixels: Pixels, face: Face) -> float:
        """Mean probability 0..1 over the present passive models that this is no print or screen."""


def versions_of(models: FaceModels) -> tuple[str, ...]:
    """Of all embeddings that can be made: by the present model, and by the one before during a change."""
    before = models.version_before
    return (models.embedding_version,) if before is None else (models.embedding_version, before)


def probe_of(models: FaceModels, pixels: Pixels, face: Face) -> Embedding:
    """The face as people are searched by: by the present model, and by the one before while people are known by it.

    Raises ModelError.
    """
    return replace(models.embed(pixels, face), before=models.embed_before(pixels, face))


class Matcher(Protocol):
    """Who is it."""

    @property
    def model_version(self) -> str:
        """The embedding version this matcher can compare."""

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """1:N, or 1:1 against the holder of ``badge``. Raises MatchError when it cannot answer.

        ``crop``: the face with a little around it, ``(H, W, 3) uint8 RGB``, for engines that look for themselves.
        """


class Door(Closeable, Protocol):
    """The lock."""

    @property
    def position(self) -> DoorPosition:
        """What is known, without I/O that can hang."""

    @property
    def fault(self) -> DoorError | None:
        """Why the relay cannot be trusted now; None when it works. Never waits."""

    @property
    def pulses(self) -> int:
        """How often it was unlocked since opening."""

    def unlock(self, grant: Grant, *, duration_s: float) -> None:
        """Unlock now and re-lock after ``duration_s`` by the adapter's own timer. Raises DoorError."""

    def lock(self) -> None:
        """Lock at once."""


class BadgeReader(Closeable, Protocol):
    """A reader beside the screen."""

    def read(self) -> str | None:
        """The number of a badge that was shown since the last call; None: none was. Never waits."""


class BadgeBook(Protocol):
    """What the records say of a badge's holder before anybody is recognised."""

    def no_flash(self, badge: str) -> bool:
        """Whether the screen must not flash at the holder. Raises RecordsError."""


class EventRecorder(Protocol):
    """Where the visit's events go (the store, or memory)."""

    def record_event(
        self,
        *,
        utc: str,
        kind: str,
        reason: str,
        person_id: str | None,
        details: dict[str, str | float | int | None],
    ) -> None:
        """Append one event; durable when it returns. No pixels, embeddings or names in ``details``."""


class Kpis(Protocol):
    """Where the figures of what happens go. Never raises, never waits, and takes no word that names a person."""

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        """A counter of ``kiosk.kpi.catalogue`` grows by ``value``; a word that it does not hold becomes ``other``."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """One more value of a histogram of the catalogue, in the unit that its name tells."""


class TemplateSource(Protocol):
    """Where the gallery is rebuilt from."""

    def templates(self, model_version: str, *, without: str | None = None) -> Sequence[tuple[str, Embedding]]:
        """(person_id, template) of every active template of this model version.

        ``without``: only of people who have no template of that version.
        """

    def badge_holder(self, badge: str) -> str | None:
        """person_id of the holder, None when the badge is unknown."""
