"""What is kept of the frames of one visit, and the work that turns it into answers.

While the core says so (``keeps_frames``) each frame is reduced to a FrameEvidence; a few whole frames are kept for
the probe and the passive score. At the flash's start the match is computed in the worker, in parallel; after the last
slot the gates judge there. Everything is forgotten with the attempt. Answers carry the attempt's number, so a late
one changes nothing. Not thread-safe: the loop owns it; jobs get frozen copies.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.config.tree import IdentitySettings, LivenessSettings
from kiosk.errors import KioskError
from kiosk.identity.probe import mean_embedding
from kiosk.identity.scale import Scale
from kiosk.ports import FaceModels, Matcher
from kiosk.reasons import Reason
from kiosk.runtime.extract import Extractor
from kiosk.runtime.journal import Journal
from kiosk.runtime.worker import Worker
from kiosk.values import (
    Embedding,
    Face,
    Frame,
    Liveness,
    LivenessResult,
    Match,
    Observation,
    Panel,
    ShownSlot,
    Slot,
)
from kiosk.visit.events import Event, LivenessJudged, MatchArrived, MatchFailed, StartAttempt
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.geometry import focal_px

APPROACH_FRAMES = 150
"""Evidence kept of the approach and the hold: five seconds at 30 frames a second."""
FRESH_FRAMES = 30
"""The probe and the passive score come from at most this many last frames before the flash."""
PASSIVE_FRAMES = 6
"""Frames whose passive scores are averaged."""

Judge = Callable[[Evidence, LivenessSettings], LivenessResult]


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A whole frame kept for a moment: pixels, so never beyond the attempt."""

    frame: Frame
    face: Face
    track: int
    goodness: float
    """Sharpness 0..100 minus the turn in degrees; the best become the probe."""


@dataclass(slots=True)
class Attempt:
    """One flash: what was shown, what was seen, what is still awaited."""

    effect: StartAttempt
    approach: tuple[FrameEvidence, ...]
    generation: int
    shown: list[tuple[Slot, float]] = field(default_factory=list)
    frames: list[FrameEvidence] = field(default_factory=list)
    passive: tuple[float, ...] = ()
    probe: Embedding | None = None
    later: list[Embedding] = field(default_factory=list)
    sampled: int = 0
    camera_changed: bool = False
    judging: bool = False
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


class Attempts:
    """Keeps evidence, starts the work, collects the answers."""

    def __init__(
        self,
        worker: Worker,
        models: FaceModels,
        matcher: Matcher,
        extractor: Extractor,
        judge: Judge,
        scale: Scale,
        site: Site,
        liveness: LivenessSettings,
        identity: IdentitySettings,
        journal: Journal,
    ) -> None:
        self._worker = worker
        self._models = models
        self._matcher = matcher
        self._extractor = extractor
        self._judge = judge
        self._scale = scale
        self._site = site
        self._liveness = liveness
        self._identity = identity
        self._journal = journal
        self._approach: deque[FrameEvidence] = deque(maxlen=APPROACH_FRAMES)
        self._shots: deque[Shot] = deque(maxlen=FRESH_FRAMES)
        self._attempt: Attempt | None = None
        self._generation = -1
        self.last_evidence: Evidence | None = None
        """Evidence of the attempt judged last, for recorders and tests; dropped with the frames."""

    @property
    def kept(self) -> int:
        """How many frames' evidence is in memory now."""
        frames = 0 if self._attempt is None else len(self._attempt.approach) + len(self._attempt.frames)
        return len(self._approach) + len(self._shots) + frames

    def keep(self, frame: Frame, face: Face | None, observation: Observation, generation: int) -> None:
        """Reduce one frame; ``generation`` changes whenever the camera was opened anew."""
        if generation != self._generation:
            self._generation = generation
            self._forget_approach()
        track = observation.faces[0].track if observation.faces else -1
        evidence = self._extractor.extract(frame, face, track=track, faces=len(observation.faces))
        attempt = self._attempt
        if attempt is None:
            self._approach.append(evidence)
            self._keep_shot(frame, face, track, observation)
        elif not attempt.judging:
            attempt.camera_changed |= generation != attempt.generation
            attempt.frames.append(evidence)
            self._sample_identity(attempt, frame, face)

    def start(self, effect: StartAttempt) -> None:
        """Begin an attempt: its match and its passive score are computed while the screen flashes."""
        shots = [shot for shot in self._shots if shot.track == effect.track]
        approach = tuple(item for item in self._approach if item.track in (effect.track, -1))
        self._attempt = Attempt(effect, approach, self._generation)
        self._shots.clear()
        best = sorted(shots, key=lambda shot: shot.goodness, reverse=True)[: self._identity.probes]
        self._submit("match", lambda: self._match(best, effect.badge))
        spread = shots[:: max(1, len(shots) // PASSIVE_FRAMES)][-PASSIVE_FRAMES:]
        self._submit("passive", lambda: self._passive(spread))

    def slot_visible(self, slot: Slot, visible_at_s: float) -> None:
        """The display showed this slot; repeats of the running slot are not news."""
        attempt = self._attempt
        if attempt is not None and (not attempt.shown or attempt.shown[-1][0] is not slot):
            attempt.shown.append((slot, visible_at_s))

    def answers(self, now_s: float) -> tuple[Event, ...]:
        """Start the judging when the last slot is over; return the answers that arrived."""
        self._judge_when_over(now_s)
        events = (self._event(key, answer) for key, answer in self._worker.drain())
        return tuple(event for event in events if event is not None)

    def drop(self, attempt: int) -> None:
        """Forget this attempt; the approach of a face that stays is kept for the next try."""
        if self._attempt is not None and self._attempt.effect.attempt == attempt:
            self._attempt = None

    def forget_frames(self) -> None:
        """Nothing may be kept any longer."""
        self._attempt = None
        self._forget_approach()
        self.last_evidence = None

    def _forget_approach(self) -> None:
        self._approach.clear()
        self._shots.clear()
        self._extractor.reset()

    def _keep_shot(self, frame: Frame, face: Face | None, track: int, observation: Observation) -> None:
        if face is None or observation.quality is None or not observation.quality.ok:
            return
        sharpness = next((m.value for m in observation.quality.measures if m.name == "sharpness"), 0.0)
        turned = abs(face.pose.yaw_deg) + abs(face.pose.pitch_deg)
        self._shots.append(Shot(frame, face, track, sharpness - turned))

    def _sample_identity(self, attempt: Attempt, frame: Frame, face: Face | None) -> None:
        """Embed one frame in the middle and one near the end of the flash: the face must still be the same one."""
        total = len(attempt.effect.challenge.slots)
        due = (total // 2, total - 1)
        if face is None or attempt.sampled >= len(due) or len(attempt.shown) <= due[attempt.sampled]:
            return
        attempt.sampled += 1
        self._submit(f"later{attempt.sampled}", lambda: self._models.embed(frame.pixels, face))

    def _submit(self, kind: str, work: Callable[[], object]) -> None:
        assert self._attempt is not None  # noqa: S101 - callers hold an attempt; narrows the type
        self._attempt.awaited.add(kind)
        self._worker.submit((kind, self._attempt.effect.attempt), work)

    def _match(self, shots: list[Shot], badge: str | None) -> tuple[Embedding, Match] | Reason:
        if not shots:
            return Reason.LOW_VIDEO_QUALITY
        probe = mean_embedding([self._models.embed(shot.frame.pixels, shot.face) for shot in shots])
        return probe, self._matcher.search(probe, deadline_s=self._identity.deadline_s, badge=badge)

    def _passive(self, shots: list[Shot]) -> tuple[float, ...]:
        return tuple(self._models.passive_live_score(shot.frame.pixels, shot.face) for shot in shots)

    def _judge_when_over(self, now_s: float) -> None:
        attempt = self._attempt
        if attempt is None or attempt.judging or len(attempt.shown) < len(attempt.effect.challenge.slots):
            return
        slot, visible_at_s = attempt.shown[-1]
        if now_s < visible_at_s + slot.duration_s or attempt.awaited:
            return
        attempt.judging = True
        evidence = self._evidence(attempt)
        self._submit("judge", lambda: self._judge(evidence, self._liveness))

    def _evidence(self, attempt: Attempt) -> Evidence:
        ends = [at_s for _slot, at_s in attempt.shown[1:]]
        ends.append(attempt.shown[-1][1] + attempt.shown[-1][0].duration_s)
        slots = tuple(
            ShownSlot(slot.rgb, slot.region, at_s, end_s - at_s)
            for (slot, at_s), end_s in zip(attempt.shown, ends, strict=True)
        )
        frames = (*attempt.approach, *attempt.frames)
        lux = [item.lux for item in attempt.approach if item.lux is not None]
        probe = attempt.probe
        same = () if probe is None else tuple(self._scale.between(probe, later) for later in attempt.later)
        camera_name = self._site.camera_name()
        evidence = Evidence(
            camera_name=camera_name,
            camera_changed=attempt.camera_changed,
            panel=self._site.panel,
            focal_px=focal_px(self._site.hfov_deg, frames[-1].frame_size_px[0]),
            lag_s=self._site.lag_s(camera_name),
            ambient_lux=sum(lux[-10:]) / len(lux[-10:]) if lux else None,
            slots=slots,
            frames=frames,
            passive_live=attempt.passive,
            same_face=same,
            mesh_normals=self._extractor.mesh_normals,
        )
        self.last_evidence = evidence
        return evidence

    def _event(self, key: object, answer: object) -> Event | None:
        kind, number = key if isinstance(key, tuple) else ("", -1)
        attempt = self._attempt
        mine = attempt is not None and attempt.effect.attempt == number
        if mine and attempt is not None:
            attempt.awaited.discard(str(kind))
        if isinstance(answer, KioskError):
            self._journal("WORK_FAILED", work=str(kind), attempt=number, error=str(answer))
            return self._failure(str(kind), int(number))
        match kind, answer:
            case "match", (Embedding() as probe, Match() as found):
                if mine and attempt is not None:
                    attempt.probe = probe
                return MatchArrived(int(number), found)
            case "match", Reason() as reason:
                return MatchFailed(int(number), reason)
            case "passive", tuple() as scores if mine and attempt is not None:
                attempt.passive = scores
            case str(), Embedding() as later if mine and attempt is not None:
                attempt.later.append(later)
            case "judge", LivenessResult() as result:
                return LivenessJudged(int(number), result)
        return None

    @staticmethod
    def _failure(kind: str, number: int) -> Event | None:
        """A failed job is no verdict and no match, never a pass."""
        if kind == "match":
            return MatchFailed(number, Reason.MATCH_FAILED)
        if kind == "judge":
            return LivenessJudged(number, LivenessResult(Liveness.UNSURE, 0.0, (), (Reason.LOW_VIDEO_QUALITY,)))
        return None
