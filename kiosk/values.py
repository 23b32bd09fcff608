"""The vocabulary of values that cross between parts: frozen, documented, without behaviour beyond arithmetic.

Conventions, everywhere in the project:

- Images are ``(H, W, 3) uint8 RGB``, sRGB, *unmirrored*: the visitor's left is at the image's right.
- Image coordinates: x to the right, y down, pixels, origin at the outer corner of the first pixel.
- Units are in names: ``_s _ms _px _deg _mm _ratio _lux _cd_m2``. ``_s`` on a time point is the monotonic clock.
- ``Observation`` and all that derives from it hold no pixels and no embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiosk.reasons import Reason

Pixels = NDArray[np.uint8]
"""``(H, W, 3) uint8 RGB``."""
Floats = NDArray[np.float32]
Rgb = tuple[int, int, int]
"""sRGB, 0..255 each."""
Region = Literal["full", "top", "bottom"]
"""The part of the screen that a slot lights; the other half is black."""


@dataclass(frozen=True, slots=True)
class Moment:
    """All that is impure about *now*: the only clock and randomness that the pure core sees."""

    monotonic_s: float
    utc: datetime
    nonce: bytes
    """32 fresh bytes from the operating system's CSPRNG; never reused."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels (floats; may reach outside the image)."""

    left_px: float
    top_px: float
    width_px: float
    height_px: float

    @property
    def right_px(self) -> float:
        """The right edge."""
        return self.left_px + self.width_px

    @property
    def bottom_px(self) -> float:
        """The lower edge."""
        return self.top_px + self.height_px

    @property
    def centre_px(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return self.left_px + self.width_px / 2, self.top_px + self.height_px / 2

    @property
    def area_px(self) -> float:
        """Area in square pixels."""
        return self.width_px * self.height_px


@dataclass(frozen=True, slots=True)
class Pose:
    """Head rotation in degrees.

    yaw > 0: the nose points to the image's right. pitch > 0: looking up.
    roll > 0: the head is tilted clockwise as seen in the image.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One exposure of the camera."""

    pixels: Pixels
    sequence: int
    """Grows by at least one per frame of one opened camera."""
    exposure_start_s: float
    exposure_s: float
    gains_locked: bool | None
    """Exposure, gain and white balance proven constant by this frame's metadata. None: the camera cannot tell."""
    lux: float | None = None
    """Scene illuminance where the camera reports one."""

    @property
    def width_px(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face found in one frame: geometry only."""

    box: Box
    """Bounding box of the mesh, 15 % of its height added on top for the forehead, clamped to the image."""
    landmarks: Floats
    """``(478, 3) float32``: x, y in pixels of the frame, z in pixels (negative towards the camera). MediaPipe order."""
    blendshapes: Mapping[str, float]
    """MediaPipe's 52 names (``eyeBlinkLeft`` ...) to 0..1; empty where the model was not asked."""
    pose: Pose

    @property
    def eye_distance_px(self) -> float:
        """Distance of the iris centres (468, 473) in the image, pixels."""
        delta = self.landmarks[473, :2] - self.landmarks[468, :2]
        return float(np.hypot(delta[0], delta[1]))


class Verdict(StrEnum):
    """Outcome of one check: an insufficient check is never a pass."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class Measure:
    """One quality check: what was measured, against which limit, and the word for it."""

    name: str
    value: float
    limit: tuple[float | None, float | None]
    """(lowest, highest) allowed; None where there is no bound."""
    unit: str
    verdict: Verdict
    reason: Reason


@dataclass(frozen=True, slots=True)
class Quality:
    """All quality checks of one face, cheapest first."""

    measures: tuple[Measure, ...]

    @property
    def problems(self) -> tuple[Reason, ...]:
        """Reasons of the measures that did not pass, in order, without repeats."""
        return tuple(dict.fromkeys(m.reason for m in self.measures if m.verdict is not Verdict.PASS))

    @property
    def ok(self) -> bool:
        """Whether every check passed (an empty list of checks is not ok)."""
        return bool(self.measures) and not self.problems


@dataclass(frozen=True, slots=True)
class SeenFace:
    """What the visit needs of a face: pixel-free, embedding-free."""

    track: int
    """The same number as long as it is one uninterrupted face."""
    box: Box
    eye_centre_px: tuple[float, float]
    eye_distance_px: float
    distance_mm: float
    """Estimated from the eye distance (63 mm, foreshortening by yaw removed) and the camera's focal length."""
    pose: Pose


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame as the visit sees it."""

    sequence: int
    at_s: float
    frame_width_px: int
    frame_height_px: int
    faces: tuple[SeenFace, ...]
    """Largest first. Background faces smaller than the configured share of the largest are left out."""
    quality: Quality | None
    """Of the largest face; None when there is none, or when it was not measured on this frame."""
    gains_locked: bool | None
    lux: float | None


@dataclass(frozen=True, slots=True)
class Slot:
    """One step of a challenge: the colour, the part of the screen, and how long."""

    rgb: Rgb
    region: Region
    duration_s: float


@dataclass(frozen=True, slots=True)
class Challenge:
    """A drawn colour sequence, guards included, in order. Single use."""

    slots: tuple[Slot, ...]

    @property
    def duration_s(self) -> float:
        """Whole length in seconds."""
        return sum(slot.duration_s for slot in self.slots)


@dataclass(frozen=True, slots=True)
class ShownSlot:
    """A slot as it really appeared: ``visible_at_s`` is what the display reported."""

    rgb: Rgb
    region: Region
    visible_at_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Panel:
    """The screen as a light source."""

    width_mm: float
    height_mm: float
    luminance_cd_m2: float


class Liveness(StrEnum):
    """The three liveness verdicts."""

    LIVE = "live"
    SPOOF = "spoof"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Gate:
    """One liveness gate with what it measured."""

    name: str
    verdict: Verdict
    value: float | None
    threshold: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class LivenessResult:
    """What the gates say together. ``LIVE`` only when every gate passed."""

    verdict: Liveness
    confidence: float
    """0..100; never shown to the visitor."""
    gates: tuple[Gate, ...]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A face as a vector: biometric data, never logged."""

    vector: Floats
    """``(D,) float32``, unit length."""
    model_version: str
    before: Embedding | None = None
    """The same face by the model of before, while people move from one model to another. Never stored."""


@dataclass(frozen=True, slots=True)
class Person:
    """A data subject as the store knows them."""

    person_id: str
    """UUID4 text; the only part of a person that logs and events may hold."""
    name: str
    badge: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NewTemplate:
    """A template to keep: the embedding, the SHA-256 (hex) of the picture it came from, its quality figures."""

    embedding: Embedding
    source_sha256: str
    quality: Mapping[str, float] = field(default_factory=dict)


LOCAL = "local"
"""Source of a match by the gallery on this machine."""


@dataclass(frozen=True, slots=True)
class Match:
    """An answer of the matcher; "nobody" is an answer, not an error."""

    person_id: str | None
    """None: nobody above threshold and margin."""
    similarity: float
    """0..100 of the best candidate, ``kiosk.identity.scale``; 0 with an empty gallery."""
    runner_up: float
    """0..100 of the best *other* person; 0 when there is none."""
    source: str
    """Which engine answered: ``local``, ``aws``, ``site``."""
    model_version: str
    reason: Reason
    """WELCOME when a person is named, else UNKNOWN_PERSON, AMBIGUOUS_PERSON, BADGE_MISMATCH, UNKNOWN_BADGE."""

    @property
    def margin(self) -> float:
        """Best minus runner-up."""
        return self.similarity - self.runner_up


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission to unlock once. Built by ``kiosk.visit.policy.decide`` and nowhere else (a test counts)."""

    attempt: int
    person_id: str
    decided_at_s: float


@dataclass(frozen=True, slots=True)
class IndexedFace:
    """One face of a person in a collection of another engine."""

    engine: str
    """``aws`` or ``site``."""
    collection: str
    face_id: str
    model_version: str


@dataclass(frozen=True, slots=True)
class Deny:
    """A refusal and its word."""

    reason: Reason


Decision = Grant | Deny


class DoorPosition(StrEnum):
    """What the door is known to be; UNKNOWN is never treated as unlocked."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    OPEN = "open"
    FORCED = "forced"
    HELD = "held"
    UNKNOWN = "unknown"


class SceneKind(StrEnum):
    """Which picture is on the screen."""

    IDLE = "idle"
    GUIDING = "guiding"
    HOLDING = "holding"
    FLASHING = "flashing"
    MOVING = "moving"
    DECIDING = "deciding"
    GRANTED = "granted"
    DENIED = "denied"
    COOLING_DOWN = "cooling_down"
    FAULTED = "faulted"


@dataclass(frozen=True, slots=True)
class Oval:
    """The target on the screen, in ratios of the *camera frame* (unmirrored): the display maps it."""

    centre_x_ratio: float
    centre_y_ratio: float
    width_ratio: float
    height_ratio: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What the screen should show: a function of the visit, without pixels."""

    kind: SceneKind
    oval: Oval
    fits: bool = False
    """Green oval when True, red when False (where an oval is drawn at all)."""
    hint: Reason | None = None
    progress: float = 0.0
    """0..1, the ring around the oval."""
    flash: Slot | None = None
    """Only while FLASHING: the colour that fills the screen."""
    faults: tuple[Reason, ...] = field(default=())
    why: Reason | None = None
    """Only with ONCE_MORE: why there is another try."""
