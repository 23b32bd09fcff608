"""What is kept of the frames of one visit, and the work that turns it into answers.

While the core says so (``keeps_frames``) each frame is reduced to a FrameEvidence; a few whole frames are kept for
the probe and the passive score. At the flash's start the match is computed in the worker, in parallel; from the sixth
colour on the worker looks after each one whether that is enough (a LIVE answer ends the flash), after the last slot the
gates have the last word there. Everything is forgotten with the attempt. Answers carry the attempt's number, so a late
one changes nothing. Not thread-safe: the loop owns it; jobs get frozen copies.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from kiosk.config.tree import IdentitySettings, LivenessSettings
from kiosk.errors import KioskError
from kiosk.identity.probe import face_crop, mean_embedding
from kiosk.identity.scale import Scale
from kiosk.ports import FaceModels, Matcher, probe_of
from kiosk.reasons import Reason
from kiosk.runtime.attempt import (
    Attempt,
    Look,
    Shot,
    Site,
    end_of,
    evidence_of,
    filmed_until,
    is_over,
    look_is_due,
    sample_is_due,
    span,
)
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
    Slot,
)
from kiosk.visit.events import Event, JudgeMovement, LivenessJudged, MatchArrived, MatchFailed, StartAttempt
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.movement_gates import judge_movement
from kiosk.visit.reflection.sequential import enough

APPROACH_FRAMES = 150
"""Evidence kept of the approach and the hold: five seconds at 30 frames a second."""
FRESH_FRAMES = 30
"""The probe and the passive score come from at most this many last frames before the flash."""
PASSIVE_FRAMES = 6
"""Frames whose passive scores are averaged."""

Judge = Callable[[Evidence, LivenessSettings], LivenessResult]
Enough = Callable[[Evidence, LivenessSettings], LivenessResult | None]


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
        *,
        enough: Enough = enough,
    ) -> None:
        """``judge`` has the last word, ``enough`` may end a flash before it; both are run in ``worker``."""
        self._worker = worker
        self._models = models
        self._matcher = matcher
        self._extractor = extractor
        self._judge = judge
        self._enough = enough
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
            attempt.newest = None if face is None else (frame, face)
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

    def judge_movement(self, effect: JudgeMovement) -> None:
        """Every instruction was followed: embed the newest face, then judge when all answers are there."""
        attempt = self._attempt
        if attempt is None or attempt.effect.attempt != effect.attempt or attempt.newest is None:
            return
        frame, face = attempt.newest
        attempt.turned = effect.turned
        attempt.shown = [span(attempt)]
        self._submit("later_last", lambda: self._models.embed(frame.pixels, face))

    def slot_visible(self, slot: Slot, visible_at_s: float) -> None:
        """The display showed this slot; repeats of the running slot are not news."""
        attempt = self._attempt
        if attempt is not None and (not attempt.shown or attempt.shown[-1][0] is not slot):
            attempt.shown.append((slot, visible_at_s))

    def answers(self, now_s: float) -> tuple[Event, ...]:
        """Start a look or the judging when it is time; return the answers that arrived."""
        self._look_when_due()
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
        """Embed a frame now and then: the face must still be the same one."""
        if face is None or not sample_is_due(attempt, frame, face):
            return
        attempt.sampled += 1
        attempt.sampled_s = frame.exposure_start_s
        self._submit(f"later{attempt.sampled}", lambda: self._models.embed(frame.pixels, face))

    def _submit(self, kind: str, work: Callable[[], object]) -> None:
        assert self._attempt is not None  # noqa: S101 - callers hold an attempt; narrows the type
        self._attempt.awaited.add(kind)
        self._worker.submit((kind, self._attempt.effect.attempt), work)

    def _match(self, shots: list[Shot], badge: str | None) -> tuple[Embedding, Match] | Reason:
        if not shots:
            return Reason.LOW_VIDEO_QUALITY
        faces = [probe_of(self._models, shot.frame.pixels, shot.face) for shot in shots]
        probe = mean_embedding(faces)
        central = max(range(len(shots)), key=lambda at: float(faces[at].vector @ probe.vector))
        # An engine that looks for itself sees one frame only: it must show whom all of them show.
        if any(self._scale.between(faces[central], one) < self._liveness.same_face for one in faces):
            return Reason.FACE_CHANGED
        crop = face_crop(shots[central].frame.pixels, shots[central].face.box)
        return probe, self._matcher.search(probe, deadline_s=self._identity.deadline_s, badge=badge, crop=crop)

    def _passive(self, shots: list[Shot]) -> tuple[float, ...]:
        return tuple(self._models.passive_live_score(shot.frame.pixels, shot.face) for shot in shots)

    def _look_when_due(self) -> None:
        attempt = self._attempt
        if attempt is None or attempt.newest is None:
            return
        seen = look_is_due(attempt, self._liveness, self._site.lag_s(self._site.camera_name()))
        if seen == 0:
            return
        attempt.looked = seen
        probe, (frame, face) = attempt.probe, attempt.newest
        evidence = self._evidence(attempt, filmed_until(attempt))
        self._submit("look", lambda: self._look(evidence, probe, frame, face))

    def _look(self, evidence: Evidence, probe: Embedding | None, frame: Frame, face: Face) -> Look:
        """Is it enough? The face of the last frame that is used must be the one before the flash."""
        later = self._models.embed(frame.pixels, face)
        if probe is not None:
            evidence = replace(evidence, same_face=(*evidence.same_face, self._scale.between(probe, later)))
        return Look(later, evidence, self._enough(evidence, self._liveness))

    def _judge_when_over(self, now_s: float) -> None:
        attempt = self._attempt
        if attempt is None or attempt.judging or attempt.awaited or not is_over(attempt, now_s):
            return
        attempt.judging = True
        evidence = self.last_evidence = self._evidence(attempt, end_of(attempt))
        turned, badge = attempt.turned, bool(attempt.effect.badge)
        if turned is None:
            self._submit("judge", lambda: self._judge(evidence, self._liveness))
        else:
            self._submit("judge", lambda: judge_movement(evidence, turned, self._liveness, badge=badge))

    def _evidence(self, attempt: Attempt, end_s: float) -> Evidence:
        return evidence_of(attempt, self._site, self._scale, self._extractor.mesh_normals, end_s)

    def _looked(self, attempt: Attempt, look: Look) -> Event | None:
        """The face of a look counts in any case; only LIVE ends the flash."""
        attempt.later.append(look.face)
        if look.result is None or look.result.verdict is not Liveness.LIVE:
            return None
        attempt.judging = True
        self.last_evidence = look.evidence
        return LivenessJudged(attempt.effect.attempt, look.result)

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
                    return MatchArrived(int(number), found, attempt.effect.badge)
                return MatchArrived(int(number), found)
            case "match", Reason() as reason:
                return MatchFailed(int(number), reason)
            case "passive", tuple() as scores if mine and attempt is not None:
                attempt.passive = scores
            case "look", Look() as look if mine and attempt is not None:
                return self._looked(attempt, look)
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
