"""The camera of a simulated try with everything that looks at its frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.seen import Tremble, faces
from hardware.sim.world import World
from kiosk.reasons import Reason
from kiosk.runtime.extract import Extractor
from kiosk.runtime.perceive import Tracker, without_background
from kiosk.values import Face, Frame
from kiosk.visit.evidence import FrameEvidence
from kiosk.visit.rules import NOBODY_S

Find = Callable[[World, Frame], list[Face]]


@dataclass(slots=True)
class Film:
    """The camera with everything that looks at its frames."""

    world: World
    camera: SimCamera
    clock: SimClock
    find: Find
    small_ratio: float
    extractor: Extractor = field(default_factory=Extractor)
    tracker: Tracker = field(default_factory=Tracker)
    evidence: list[FrameEvidence] = field(default_factory=list)
    last_s: float = -np.inf
    frame: Frame | None = None
    face: Face | None = None
    track: int = -1
    seen_s: float = -np.inf
    """When a face was seen last."""
    began: int | None = None
    """The track in front of which the flash began."""

    @property
    def problem(self) -> Reason | None:
        """Why the one face is not the one face, by the visit's own rules (``kiosk.visit.check``)."""
        last = self.evidence[-1]
        if last.faces == 0:
            return Reason.LEFT_DURING_CHECK if self.last_s - self.seen_s > NOBODY_S else None
        if last.faces > 1:
            return Reason.SECOND_FACE
        return Reason.FACE_CHANGED if self.began not in (None, self.track) else None

    def read(self, newer_than_s: float) -> FrameEvidence:
        """The next frame as evidence."""
        frame = self.camera.read(newer_than_s=max(newer_than_s, self.last_s), timeout_s=5.0)
        found = without_background(self.find(self.world, frame), self.small_ratio)
        tracks = self.tracker.follow(found, frame.exposure_start_s)
        self.face, self.track = (found[0], tracks[0]) if found else (None, -1)
        self.frame, self.last_s = frame, frame.exposure_start_s
        if found:
            self.seen_s = self.last_s
        evidence = self.extractor.extract(frame, self.face, track=self.track, faces=len(found))
        self.evidence.append(evidence)
        return evidence


class SimulatedFaces:
    """Where the simulator knows the faces to be, as a landmarker would tell it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._trembles: list[Tremble] = []

    def __call__(self, world: World, frame: Frame) -> list[Face]:
        """Faces of the frame, largest first."""
        found = faces(world, frame.exposure_start_s, frame.exposure_s)
        while len(self._trembles) < len(found):
            self._trembles.append(Tremble(self._seed + len(self._trembles)))
        size = frame.width_px, frame.height_px
        return [tremble.of(face, size) for tremble, face in zip(self._trembles, found, strict=False)]
