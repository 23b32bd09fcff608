"""From a recording to what the gates judge: find faces in every frame, reduce each to numbers, keep no picture.

No setting plays a part in it: thresholds come in afterwards, when the evidence is judged. That is what makes evidence
worth keeping (``kiosk.evaluation.kept``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kiosk.evaluation.recording import RecordedFrame, Recording
from kiosk.identity.scale import Scale
from kiosk.ports import FaceModels
from kiosk.runtime.extract import Extractor
from kiosk.runtime.perceive import Tracker, without_background
from kiosk.values import Embedding, Frame
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.geometry import focal_px
from kiosk.visit.reflection.mesh import mesh

PASSIVE_FRAMES = 5
SMALL_RATIO = 0.35
"""A face narrower than this share of the largest is background (``guidance.small_face_ratio``)."""


@dataclass(slots=True)
class _Gathered:
    """What is collected on the way through the frames."""

    evidence: list[FrameEvidence] = field(default_factory=list)
    embeddings: dict[str, Embedding] = field(default_factory=dict)
    passive: list[float] = field(default_factory=list)


def gather_evidence(
    recording: Recording, models: FaceModels, scale: Scale, *, progress: Callable[[int, int], None] | None = None
) -> Evidence:
    """Everything the gates need of a recording. ``progress(done, all)`` is called after each frame.

    Raises InputError for a broken picture, ModelError when the models fail.
    """
    extractor, tracker, gathered = Extractor(), Tracker(), _Gathered()
    wanted, passive = _identity_frames(recording), _passive_frames(recording)
    for number, recorded in enumerate(recording.frames):
        frame = Frame(
            recorded.load(), number, recorded.exposure_start_s, recorded.exposure_s, recording.exposure_locked
        )
        counted = without_background(models.find(frame), SMALL_RATIO)
        tracks = tracker.follow(counted, recorded.exposure_start_s)
        face, track = (counted[0], tracks[0]) if counted else (None, -1)
        gathered.evidence.append(extractor.extract(frame, face, track=track, faces=len(counted)))
        if face is not None:
            for part in ("before", "middle", "end"):
                if part not in gathered.embeddings and number >= wanted[part]:
                    gathered.embeddings[part] = models.embed(frame.pixels, face)
            if number in passive:
                gathered.passive.append(models.passive_live_score(frame.pixels, face))
        if progress is not None:
            progress(number + 1, len(recording.frames))
    before = gathered.embeddings.get("before")
    later = [gathered.embeddings[part] for part in ("middle", "end") if part in gathered.embeddings]
    same_face = () if before is None else tuple(scale.between(before, other) for other in later)
    return assembled(recording, gathered.evidence, gathered.passive, same_face)


def assembled(
    recording: Recording, frames: Sequence[FrameEvidence], passive: Sequence[float], same_face: Sequence[float]
) -> Evidence:
    """What was measured, with what the recording says of itself."""
    width = recording.frames[0].size_px[0]
    return Evidence(
        camera_name=recording.camera_name,
        camera_changed=False,
        panel=recording.panel,
        focal_px=focal_px(recording.hfov_deg, width),
        lag_s=recording.lag_s,
        ambient_lux=recording.ambient_lux,
        slots=recording.slots,
        frames=tuple(frames),
        passive_live=tuple(passive),
        same_face=tuple(same_face),
        mesh_normals=mesh().normals,
    )


def _approach(frames: Sequence[RecordedFrame], begin_s: float) -> int:
    """How many frames end before the first slot."""
    return sum(1 for frame in frames if frame.exposure_start_s + frame.exposure_s <= begin_s)


def _identity_frames(recording: Recording) -> dict[str, int]:
    """From which frame on the face is embedded: just before the flash, in its middle, near its end."""
    first, last = recording.slots[0], recording.slots[-1]
    count = len(recording.frames)
    approach = _approach(recording.frames, first.visible_at_s)
    end_s = last.visible_at_s + last.duration_s
    flashed = approach + sum(1 for frame in recording.frames[approach:] if frame.exposure_start_s < end_s)
    return {
        "before": max(0, approach - 3),
        "middle": min(count - 1, (approach + flashed) // 2),
        "end": max(0, min(count, flashed) - 4),
    }


def _passive_frames(recording: Recording) -> frozenset[int]:
    """Frames of the approach, spread evenly; empty when the recording begins with the flash."""
    approach = _approach(recording.frames, recording.slots[0].visible_at_s)
    if approach == 0:
        return frozenset()
    return frozenset(round(float(at)) for at in np.linspace(0, approach - 1, min(PASSIVE_FRAMES, approach)))
