"""The gates of the check without a flash: heads pass, pictures of heads do not (synthetic landmarks)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Gate, Liveness, LivenessResult, Pose, Verdict
from kiosk.visit.evidence import Evidence
from kiosk.visit.movement import INSTRUCTIONS, Turned
from kiosk.visit.movement_gates import judge_movement
from kiosk.visit.plane import off_plane
from kiosk.visit.policy import MOVEMENT_GATES
from tests.support.turning import Turning, session

SETTINGS = LivenessSettings()


def judged(turning: Turning, *, badge: bool = True, **changes: object) -> LivenessResult:
    """The verdict on who turned like that."""
    evidence, turned = session(turning, **changes)
    return judge_movement(evidence, turned, SETTINGS, badge=badge)


def gate(result: LivenessResult, name: str) -> Gate:
    """One gate by its name."""
    return next(one for one in result.gates if one.name == name)


@pytest.mark.parametrize(
    "turning",
    [
        Turning(),
        Turning(seed=2, noise=0.006),
        Turning(away_mm=330.0),
        Turning(away_mm=520.0),
        Turning(share=0.75),
        Turning(share=1.5),
        Turning(asked=(Reason.LOOK_UP, Reason.LOOK_DOWN, Reason.TURN_RIGHT)),
        Turning(asked=INSTRUCTIONS),
    ],
    ids=str,
)
def test_a_head_that_follows_is_live(turning: Turning) -> None:
    """Near, far, noisy, turned a little less or more than the pose estimate says."""
    result = judged(turning)
    assert result.verdict is Liveness.LIVE, result
    assert {one.name for one in result.gates} >= MOVEMENT_GATES
    assert result.confidence >= 50


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("surface", ["print", "bent", "still", "mirrored"])
def test_a_picture_of_a_head_is_not_live(surface: str, seed: int) -> None:
    """Turned by hand as asked, bent like a face, held still, or turned the other way, while the pose looks right."""
    result = judged(Turning(surface=surface, seed=seed, bend_mm=80.0 + 20.0 * seed))
    assert result.verdict is not Liveness.LIVE
    assert gate(result, "parallax").verdict is not Verdict.PASS
    assert result.confidence < 50


@pytest.mark.parametrize("surface", ["print", "still", "mirrored"])
def test_a_flat_print_is_refused_at_once(surface: str) -> None:
    """There is no other try for a plane."""
    result = judged(Turning(surface=surface))
    assert result.verdict is Liveness.SPOOF
    assert result.reasons == (Reason.NOT_LIVE,)


@pytest.mark.parametrize(
    ("changes", "name", "reason"),
    [
        ({"passive_live": (0.1,) * 6}, "passive", Reason.LOW_VIDEO_QUALITY),
        ({"passive_live": (0.9,) * 4}, "passive", Reason.LOW_VIDEO_QUALITY),
        ({"passive_live": ()}, "passive", Reason.LOW_VIDEO_QUALITY),
        ({"passive_live": (float("nan"),) * 6}, "passive", Reason.LOW_VIDEO_QUALITY),
        ({"same_face": ()}, "continuity", Reason.LOW_VIDEO_QUALITY),
        ({"badge": False}, "second_factor", Reason.BADGE_NEEDED),
    ],
)
def test_what_is_missing_asks_for_another_try(changes: dict[str, object], name: str, reason: Reason) -> None:
    """Insufficient is never a pass."""
    result = judged(Turning(), **changes)  # type: ignore[arg-type]
    assert gate(result, name).verdict is Verdict.INSUFFICIENT
    assert result.verdict is Liveness.UNSURE
    assert result.reasons == (reason,)


def test_another_face_on_the_way_is_an_attack() -> None:
    """By its embedding."""
    assert judged(Turning(), same_face=(95.0, 20.0)).verdict is Liveness.SPOOF


def test_one_instruction_too_few_proves_nothing() -> None:
    """However well the others were followed; nor does one that was followed twice."""
    evidence, turned = session()
    for few in (turned[:2], (), (turned[0], turned[0], turned[1])):
        result = judge_movement(evidence, few, SETTINGS, badge=True)
        assert gate(result, "instruction").verdict is Verdict.INSUFFICIENT
        assert result.verdict is Liveness.UNSURE


def without_frames(evidence: Evidence, turned: Turned) -> Evidence:
    """All but the frames in which the head was turned."""
    kept = tuple(one for one in evidence.frames if abs(one.exposure_start_s - turned.peak_s) > 0.6)
    return replace(evidence, frames=kept)


def test_frames_that_lack_give_no_verdict() -> None:
    """Before or during a turn, or all of them."""
    evidence, turned = session()
    holes = [
        without_frames(evidence, turned[1]),
        replace(evidence, frames=tuple(one for one in evidence.frames if one.exposure_start_s > turned[0].given_s)),
        replace(evidence, frames=()),
        replace(evidence, slots=()),
    ]
    for hole in holes:
        assert judge_movement(hole, turned, SETTINGS, badge=True).verdict is Liveness.UNSURE


def test_landmarks_that_are_no_numbers_give_no_verdict() -> None:
    """They are left out, and then frames lack."""
    evidence, turned = session()
    broken = tuple(replace(one, landmarks=np.full((478, 3), np.nan, np.float32)) for one in evidence.frames)
    assert judge_movement(replace(evidence, frames=broken), turned, SETTINGS, badge=True).verdict is not Liveness.LIVE


def test_a_turn_that_was_only_said_leaves_no_parallax() -> None:
    """The pose estimate alone proves nothing: the landmarks must have moved."""
    result = judged(Turning(surface="still", said={Reason.TURN_LEFT: Pose(40.0, 0, 0), **Turning().said}))
    assert gate(result, "instruction").verdict is Verdict.INSUFFICIENT


def test_a_plane_seen_twice_leaves_nothing() -> None:
    """Any homography is explained to the last digit; a point off the plane is not."""
    random = np.random.default_rng(3)
    before = random.uniform(100, 500, (40, 2))
    home = np.array([[0.9, 0.1, 20.0], [-0.05, 1.1, 5.0], [2e-4, -1e-4, 1.0]])
    there = np.column_stack([before, np.ones(40)]) @ home.T
    after = there[:, :2] / there[:, 2:]
    assert np.abs(off_plane(before, after)).max() < 1e-6
    after[7] += (0.0, 30.0)
    assert np.abs(off_plane(before, after)[7]).max() > 10.0
