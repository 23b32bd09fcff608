"""One attempt as the shell keeps it: what was shown, what was seen, and the evidence for the gates made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kiosk.config.tree import LivenessSettings
from kiosk.identity.scale import Scale
from kiosk.values import Embedding, Face, Floats, Frame, LivenessResult, Panel, ShownSlot, Slot
from kiosk.visit.challenge import GROUP, colour_indices
from kiosk.visit.events import StartAttempt
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.geometry import focal_px
from kiosk.visit.movement import Turned

SAMPLE_S = 0.7
STRAIGHT_DEG = 12.0
MOST_SAMPLES = 5
USUAL_LAG_S = 0.1
"""From visible to exposed where it was never calibrated: when a slot's frames are taken to be in."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A whole frame kept for a moment: pixels, so never beyond the attempt."""

    frame: Frame
    face: Face
    track: int
    goodness: float
    """Sharpness 0..100 minus the turn in degrees; the best become the probe."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a look before the end found: the face in its last frame, what was judged, and the verdict if any."""

    face: Embedding
    evidence: Evidence
    result: LivenessResult | None


@dataclass(slots=True)
class Attempt:
    """One flash, or one check by movements: what was shown, what was seen, what is still awaited."""

    effect: StartAttempt
    approach: tuple[FrameEvidence, ...]
    generation: int
    shown: list[tuple[Slot, float]] = field(default_factory=list)
    frames: list[FrameEvidence] = field(default_factory=list)
    newest: tuple[Frame, Face] | None = None
    """The newest frame, when it has a face: what a look embeds."""
    passive: tuple[float, ...] = ()
    probe: Embedding | None = None
    later: list[Embedding] = field(default_factory=list)
    sampled: int = 0
    sampled_s: float = -math.inf
    looked: int = 0
    """Colour slots that the latest look knew."""
    camera_changed: bool = False
    judging: bool = False
    """The last word is asked for or spoken: no more frames are kept."""
    turned: tuple[Turned, ...] | None = None
    """Of a check by movements: the instructions, once all were followed."""
    awaited: set[str] = field(default_factory=set)
    """Answers that the judging needs and that have not been drained yet."""


@dataclass(frozen=True, slots=True)
class Site:
    """The installation's facts that the evidence needs."""

    camera_name: Callable[[], str]
    panel: Panel
    hfov_deg: float
    lag_s: Callable[[str], float | None]
    """Calibrated delay from visible to exposed of the camera of this name; None: unknown."""


def colours_seen(attempt: Attempt, settings: LivenessSettings, lag_s: float | None) -> int:
    """How many colour slots are over with all their settled frames filmed."""
    if not attempt.frames:
        return 0
    newest_s = attempt.frames[-1].exposure_start_s
    grace_s = (USUAL_LAG_S if lag_s is None else lag_s) - settings.settle_before_s
    over = sum(1 for _slot, visible_at_s in attempt.shown[1:] if newest_s >= visible_at_s + grace_s)
    return sum(1 for index in colour_indices(attempt.effect.challenge) if index < over)


def look_is_due(attempt: Attempt, settings: LivenessSettings, lag_s: float | None) -> int:
    """The number of colour slots that a look would know now; 0 when there is nothing new or something is missing.

    A look needs the match and the passive score, and never waits beside another job: the match comes first.
    """
    never = not settings.adaptive or attempt.effect.movement
    if never or attempt.judging or attempt.awaited:
        return 0
    if attempt.probe is None or attempt.newest is None:
        return 0
    seen = colours_seen(attempt, settings, lag_s)
    return seen if seen >= max(attempt.effect.least_colours, attempt.looked + 1) else 0


def is_over(attempt: Attempt, now_s: float) -> bool:
    """Whether the whole challenge was shown to its end, or every instruction followed."""
    if attempt.effect.movement:
        return attempt.turned is not None
    return len(attempt.shown) >= len(attempt.effect.challenge.slots) and now_s >= end_of(attempt)


def shown_until(shown: Sequence[tuple[Slot, float]], end_s: float) -> tuple[ShownSlot, ...]:
    """The slots that were visible before ``end_s``, each until the next one appeared, the last until ``end_s``."""
    seen = [(slot, at_s) for slot, at_s in shown if at_s < end_s]
    ends = [*(at_s for _slot, at_s in seen[1:]), end_s]
    return tuple(
        ShownSlot(slot.rgb, slot.region, at_s, to_s - at_s) for (slot, at_s), to_s in zip(seen, ends, strict=True)
    )


def end_of(attempt: Attempt) -> float:
    """When the slot that was shown last is over."""
    slot, visible_at_s = attempt.shown[-1]
    return visible_at_s + slot.duration_s


def filmed_until(attempt: Attempt) -> float:
    """When the exposure of the newest frame ended."""
    newest = attempt.frames[-1]
    return newest.exposure_start_s + newest.exposure_s


def sample_is_due(attempt: Attempt, frame: Frame, face: Face) -> bool:
    """Whether this frame is to be embedded, so that the face is known to be the same one all the time.

    During a flash: in its middle and, where no look does it, near its end. During movements: looking straight, not
    more often than every ``SAMPLE_S``.
    """
    if attempt.effect.movement:
        straight = abs(face.pose.yaw_deg) <= STRAIGHT_DEG and abs(face.pose.pitch_deg) <= STRAIGHT_DEG
        rested = frame.exposure_start_s - attempt.sampled_s >= SAMPLE_S
        return attempt.turned is None and straight and rested and attempt.sampled < MOST_SAMPLES
    due = (GROUP + 1, len(attempt.effect.challenge.slots) - 1)
    return attempt.sampled < len(due) and len(attempt.shown) > due[attempt.sampled]


def span(attempt: Attempt) -> tuple[Slot, float]:
    """A check by movements as one dark slot, from its first instruction to the newest frame: (slot, begin)."""
    begin_s = attempt.turned[0].given_s if attempt.turned else filmed_until(attempt)
    return Slot((0, 0, 0), "full", max(filmed_until(attempt) - begin_s, 1e-3)), begin_s


def evidence_of(attempt: Attempt, site: Site, scale: Scale, mesh_normals: Floats, end_s: float) -> Evidence:
    """What the gates judge: the slots that were visible before ``end_s`` and all frames so far."""
    frames = (*attempt.approach, *attempt.frames)
    lux = [item.lux for item in attempt.approach if item.lux is not None]
    probe = attempt.probe
    camera_name = site.camera_name()
    return Evidence(
        camera_name=camera_name,
        camera_changed=attempt.camera_changed,
        panel=site.panel,
        focal_px=focal_px(site.hfov_deg, frames[-1].frame_size_px[0]),
        lag_s=site.lag_s(camera_name),
        ambient_lux=sum(lux[-10:]) / len(lux[-10:]) if lux else None,
        slots=shown_until(attempt.shown, end_s),
        frames=frames,
        passive_live=attempt.passive,
        same_face=() if probe is None else tuple(scale.between(probe, later) for later in attempt.later),
        mesh_normals=mesh_normals,
    )
