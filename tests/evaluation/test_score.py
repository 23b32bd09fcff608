"""Scoring a recording: rendered sessions with a perfect detector, from pixels to the documented JSON."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.evaluation.gather import gather_evidence
from kiosk.evaluation.recording import RecordedFrame, Recording
from kiosk.identity.scale import Scale
from kiosk.values import Embedding, Face, Frame, Liveness, LivenessResult, Pixels
from kiosk.visit.plain import liveness_to_json
from kiosk.visit.reflection import judge
from tests.support.flash_portrait import painted_portrait
from tests.support.flash_world import Conditions, FlashWorld, Shot, face_of
from tests.support.unasked import UnaskedModels

SETTINGS = LivenessSettings()
SCALE = Scale.from_anchors("perfect", (0.2, 0.3, 0.4, 0.5))


class PerfectModels(UnaskedModels):
    """FaceModels that know where the faces of a rendered session are."""

    embedding_version = SCALE.model_version

    def __init__(self, faces: dict[int, list[Face]], identities: tuple[int, ...] = (0,)) -> None:
        self.faces = faces
        self.identities = list(identities)
        self.scored = 0

    def forget(self) -> None:
        """Nothing is followed."""

    def find(self, frame: Frame) -> list[Face]:
        """The faces of this frame."""
        return self.faces[frame.sequence]

    def embed(self, pixels: Pixels, face: Face) -> Embedding:  # noqa: ARG002 - knows without looking
        """The next identity; the last one stays."""
        identity = self.identities.pop(0) if len(self.identities) > 1 else self.identities[0]
        vector = np.zeros(4, np.float32)
        vector[identity] = 1.0
        return Embedding(vector, self.embedding_version)

    def passive_live_score(self, pixels: Pixels, face: Face) -> float:  # noqa: ARG002 - as above
        """Always live."""
        self.scored += 1
        return 0.9


@lru_cache(maxsize=3)
def rendered(species: str, seed: int = 3) -> tuple[FlashWorld, tuple[Shot, ...]]:
    """One session, rendered once for all tests."""
    world = FlashWorld(painted_portrait(seed), Conditions(species=species, lux=200.0, fps=20.0, seed=seed))
    return world, tuple(world.shots())


def recording(
    species: str, *, seed: int = 3, locked: bool | None = True, skip: int = 0
) -> tuple[Recording, PerfectModels]:
    """A session as a recording, without its first ``skip`` frames, and models that know it."""
    world, shots = rendered(species, seed)
    shots = shots[skip:]
    frames = tuple(
        RecordedFrame(
            f"{number}.png", shot.frame.exposure_start_s, shot.frame.exposure_s, (640, 480),
            lambda pixels=shot.frame.pixels: pixels,
        )
        for number, shot in enumerate(shots)
    )  # fmt: skip
    found = Recording(world.slots, world.c.panel, "sim:0", locked, None, None, frames, species, 62.2)
    return found, PerfectModels({number: [shot.face] for number, shot in enumerate(shots)})


def judged(species: str, **options: object) -> LivenessResult:
    """The verdict on one session."""
    found, models = recording(species, **options)  # type: ignore[arg-type]
    return score(found, models)


def score(found: Recording, models: PerfectModels) -> LivenessResult:
    """From pixels to the verdict."""
    return judge(gather_evidence(found, models, SCALE), SETTINGS)


def test_a_live_session_is_live() -> None:
    """From pixels to LIVE, with progress."""
    found, models = recording("live")
    steps: list[tuple[int, int]] = []
    evidence = gather_evidence(found, models, SCALE, progress=lambda done, total: steps.append((done, total)))
    result = judge(evidence, SETTINGS)
    assert result.verdict is Liveness.LIVE, result
    assert steps[-1] == (len(found.frames), len(found.frames))
    assert models.scored == 5


@pytest.mark.parametrize(
    "species", ["print_flat", "print_bent", "replay", "old_session", "frozen", "tint", "tint_face"]
)
def test_attacks_are_not_live(species: str) -> None:
    """Each of the documented species."""
    assert judged(species).verdict is not Liveness.LIVE


def test_an_unlocked_exposure_is_no_verdict() -> None:
    """The physics is fine, the proof is missing."""
    assert judged("live", locked=False).verdict is Liveness.UNSURE


def test_another_identity_during_the_flash_is_a_spoof() -> None:
    """The embedding in the middle is somebody else's."""
    found, models = recording("live")
    models.identities = [0, 1, 0]
    assert score(found, models).verdict is Liveness.SPOOF


def test_a_recording_without_approach_has_no_passive_scores() -> None:
    """It begins with the flash."""
    world, shots = rendered("live")
    skip = sum(1 for shot in shots if shot.frame.exposure_start_s < world.slots[0].visible_at_s)
    found, models = recording("live", skip=skip)
    evidence = gather_evidence(found, models, SCALE)
    assert evidence.passive_live == ()
    assert len(evidence.same_face) == 2
    assert models.scored == 0


def test_frames_without_faces_are_no_error() -> None:
    """Nobody there: unsure, no identity, no passive score."""
    found, models = recording("live")
    models.faces = {number: [] for number in models.faces}
    evidence = gather_evidence(found, models, SCALE)
    assert evidence.same_face == ()
    assert all(frame.track == -1 for frame in evidence.frames)
    assert score(found, models).verdict is Liveness.UNSURE


def test_background_faces_do_not_count_and_other_places_are_other_tracks() -> None:
    """A small face behind is left out; a face that appears elsewhere is a new track."""
    found, models = recording("live")
    for number, faces in models.faces.items():
        small = face_of((faces[0].landmarks * np.float32(0.2)).astype(np.float32))
        models.faces[number] = [faces[0], small]
    elsewhere = models.faces[50][0].landmarks + np.array([300, 0, 0], np.float32)
    models.faces[50] = [face_of(elsewhere)]
    evidence = gather_evidence(found, models, SCALE)
    assert {frame.faces for frame in evidence.frames} == {1}
    assert evidence.frames[49].track != evidence.frames[50].track != evidence.frames[51].track
    assert score(found, models).verdict is Liveness.SPOOF


def test_the_json_is_as_documented() -> None:
    """Exactly these keys, plain values."""
    document = json.loads(json.dumps(liveness_to_json(judged("print_flat"))))
    assert set(document) == {"verdict", "confidence", "reasons", "gates"}
    assert document["verdict"] == "spoof"
    assert 0 <= document["confidence"] < 50
    assert "NOT_LIVE" in document["reasons"]
    for gate in document["gates"]:
        assert set(gate) == {"name", "verdict", "value", "threshold"}
        assert gate["verdict"] in ("pass", "fail", "insufficient")
    assert "timing" in [gate["name"] for gate in document["gates"]]
