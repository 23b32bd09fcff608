"""The liveness gates over evidence made on the mesh's cells: a genuine visit passes, each planted fault is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Gate, Liveness, LivenessResult, Verdict
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.reflection import judge
from kiosk.visit.reflection.finding import Finding, failed, insufficient, passed
from kiosk.visit.reflection.mesh import mesh
from kiosk.visit.reflection.verdict import conclude
from tests.support.cell_world import BEGIN_S, session, with_frames

SETTINGS = LivenessSettings()
NAMES = (
    "stream", "continuity", "exposure", "modulation", "timing", "lag", "gain", "contrast", "shape", "relief",
    "halves", "parallax", "passive",
)  # fmt: skip


def gate(result: LivenessResult, name: str) -> Gate:
    """One gate of a result."""
    return next(item for item in result.gates if item.name == name)


def verdict(evidence: Evidence, name: str) -> Verdict:
    """Verdict of one gate."""
    return gate(judge(evidence, SETTINGS), name).verdict


def flashed(frame: FrameEvidence) -> bool:
    """Whether a frame belongs to the flash."""
    return frame.exposure_start_s >= BEGIN_S


def test_a_genuine_visit_is_live() -> None:
    """Every gate passes, in the documented order, with no reasons."""
    result = judge(session(), SETTINGS)
    assert result.verdict is Liveness.LIVE
    assert tuple(item.name for item in result.gates) == NAMES
    assert all(item.verdict is Verdict.PASS for item in result.gates)
    assert result.confidence >= 75
    assert result.reasons == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"modulation": 0.02, "noise": 0.006},
        {"modulation": 1.5},
        {"tint": (0.5, 1.0, 2.0)},
        {"lag_s": 0.03},
        {"lag_s": 0.13},
        {"fps": 20.0},
        {"fps": 15.0},
        {"fps": 60.0},
        {"level": 0.03},
        {"locked": None},
        {"background": float("nan")} | {"background": 0.15},
        {"far_mm": 700.0},
        {"distance_mm": 330.0, "far_mm": 330.0},
    ],
    ids=str,
)
def test_genuine_visits_in_other_circumstances_are_live(changes: dict[str, object]) -> None:
    """Dim and bright rooms, warm light, other lags and rates, dark skin, a camera that cannot tell."""
    result = judge(session(**changes), SETTINGS)
    assert result.verdict is Liveness.LIVE, result


@pytest.mark.parametrize("seed", range(1, 7))
def test_every_challenge_lets_a_genuine_visit_pass(seed: int) -> None:
    """Not only one lucky sequence."""
    assert judge(session(seed=seed), SETTINGS).verdict is Liveness.LIVE


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"surface": "plane"}, "shape"),
        ({"surface": "plane"}, "relief"),
        ({"surface": "bent"}, "shape"),
        ({"surface": "bent"}, "relief"),
        ({"surface": "veil"}, "relief"),
        ({"answers": 8}, "timing"),
        ({"answers": 23}, "timing"),
        ({"background": 1.0}, "contrast"),
        ({"lag_s": 0.4}, "lag"),
        ({"sensor_noise": 0.0}, "stream"),
    ],
    ids=str,
)
def test_planted_attacks_are_seen_by_their_gate(changes: dict[str, object], name: str) -> None:
    """The gate that is meant for it fails, and the verdict is a spoof."""
    result = judge(session(**changes), SETTINGS)
    assert gate(result, name).verdict is Verdict.FAIL
    assert result.verdict is Liveness.SPOOF
    assert result.confidence < 50
    assert Reason.NOT_LIVE in result.reasons


@pytest.mark.parametrize("region", ["forehead", "left_cheek", "right_cheek"])
def test_one_part_that_does_not_answer_is_asked_for_once_more(region: str) -> None:
    """A lens or a lock of hair condemns nobody, and nobody passes with it."""
    result = judge(session(shadow_region=region), SETTINGS)
    assert gate(result, "gain").verdict is Verdict.INSUFFICIENT
    assert result.verdict is not Liveness.LIVE


@pytest.mark.parametrize("seed", range(1, 7))
@pytest.mark.parametrize("surface", ["plane", "bent", "veil"])
def test_flat_bent_and_shining_things_are_never_live(surface: str, seed: int) -> None:
    """Whatever the challenge."""
    assert judge(session(surface=surface, seed=seed), SETTINGS).verdict is Liveness.SPOOF


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shown=st.integers(1, 10_000), seen=st.integers(10_001, 20_000))
def test_another_challenge_is_never_live(shown: int, seen: int) -> None:
    """A recording of any other sequence, however good its physics."""
    assert judge(session(seed=shown, answers=seen), SETTINGS).verdict is not Liveness.LIVE


def test_weak_light_asks_for_another_try() -> None:
    """Below the least modulation nothing is held against anybody, and nobody passes."""
    result = judge(session(modulation=0.004), SETTINGS)
    assert gate(result, "modulation").verdict is Verdict.INSUFFICIENT
    assert result.verdict is Liveness.UNSURE
    assert Reason.HIGH_LIGHTING in result.reasons


def test_a_face_that_does_not_answer_where_it_should_is_a_spoof() -> None:
    """With the room's light known, silence is telling."""
    silent = session(modulation=0.0005)
    assert verdict(silent, "timing") is Verdict.INSUFFICIENT
    assert verdict(replace(silent, ambient_lux=100.0), "timing") is Verdict.FAIL


def test_a_dark_face_asks_for_light() -> None:
    """Eight bits are too coarse down there."""
    result = judge(session(level=0.003), SETTINGS)
    assert Reason.LOW_LIGHTING in result.reasons
    assert result.verdict is not Liveness.LIVE


def test_gain_is_compared_with_the_known_ambient_light() -> None:
    """About 31 lx of screen light on this face: 0.3 fits 100 lx, not 10 000 and not 4."""
    genuine = session()
    assert verdict(replace(genuine, ambient_lux=100.0), "gain") is Verdict.PASS
    assert verdict(replace(genuine, ambient_lux=10_000.0), "gain") is Verdict.FAIL
    assert verdict(replace(genuine, ambient_lux=4.0), "gain") is Verdict.FAIL


def test_more_answer_than_any_room_allows_is_a_spoof() -> None:
    """An injected tint can be stronger than the panel."""
    assert verdict(session(modulation=8.0), "gain") is Verdict.FAIL


def test_noise_in_a_part_of_the_face_is_not_held_against_it() -> None:
    """A cheek that cannot be measured asks for another try."""
    rng = np.random.default_rng(3)

    def noisy(_: int, frame: FrameEvidence) -> FrameEvidence:
        seen = frame.map_rgb.copy()
        for part in (mesh().forehead, mesh().left_cheek):
            seen[part] *= np.exp(rng.normal(0, 0.6, 3)).astype(np.float32)
        return replace(frame, map_rgb=seen)

    found = [verdict(with_frames(session(modulation=0.05, seed=seed), noisy), "gain") for seed in range(1, 6)]
    assert Verdict.INSUFFICIENT in found
    assert Verdict.FAIL not in found


def test_missing_parts_of_the_face_ask_for_another_try() -> None:
    """Two parts must be seen."""

    def cover(_: int, frame: FrameEvidence) -> FrameEvidence:
        seen = frame.map_rgb.copy()
        seen[mesh().left_cheek | mesh().right_cheek] = np.nan
        return replace(frame, map_rgb=seen)

    covered = with_frames(session(), cover)
    assert verdict(covered, "gain") is Verdict.INSUFFICIENT


def test_surroundings_that_cannot_be_seen_ask_for_another_try() -> None:
    """Contrast needs something to compare with; timing does without."""
    nothing = np.full(3, np.nan, np.float32)
    filled = with_frames(session(), lambda _, frame: replace(frame, background=nothing))
    result = judge(filled, SETTINGS)
    assert gate(result, "contrast").verdict is Verdict.INSUFFICIENT
    assert gate(result, "timing").verdict is Verdict.PASS
    assert result.verdict is Liveness.UNSURE


def test_dark_surroundings_count_by_their_light() -> None:
    """A black corridor has no chromaticities, but what stays black does not answer."""
    black = with_frames(session(), lambda _, frame: replace(frame, background=np.zeros(3, np.float32)))
    assert judge(black, SETTINGS).verdict is Liveness.LIVE
    held = with_frames(session(level=0.02), lambda _, frame: replace(frame, background=frame.face * np.float32(0.004)))
    assert verdict(held, "contrast") is Verdict.PASS


def test_a_wall_a_metre_away_is_no_sheet() -> None:
    """A face at half a metre and a wall at one: a quarter of a sheet's answer, a third of the head's."""
    assert verdict(session(background=0.3), "contrast") is Verdict.PASS
    assert verdict(session(background=0.4), "contrast") is Verdict.FAIL


def test_restless_surroundings_ask_for_another_try() -> None:
    """A background that flickers in colour may or may not answer."""
    rng = np.random.default_rng(4)

    def restless(_: int, frame: FrameEvidence) -> FrameEvidence:
        factor = np.exp(rng.normal(0, 0.25, 3)).astype(np.float32)
        return replace(frame, background=frame.background * factor)

    found = [verdict(with_frames(session(modulation=0.06, background=b), restless), "contrast") for b in (0.3, 0.5)]
    assert Verdict.INSUFFICIENT in found
    assert Verdict.FAIL not in found


def test_the_calibrated_lag_is_a_window() -> None:
    """50 ms to either side; beyond is an attack, though it would be believed uncalibrated."""
    genuine = session(lag_s=0.12)
    assert verdict(genuine, "lag") is Verdict.PASS
    assert verdict(replace(genuine, lag_s=0.1), "lag") is Verdict.PASS
    assert verdict(replace(genuine, lag_s=0.05), "lag") is Verdict.FAIL
    assert verdict(replace(genuine, lag_s=0.2), "lag") is Verdict.FAIL


def test_noise_that_hides_a_head_asks_for_another_try() -> None:
    """A map without any relief is no proof of a print where a head's would not be seen either."""
    hazy = session(surface="plane", modulation=0.03, noise=0.35)
    result = judge(hazy, SETTINGS)
    assert gate(result, "shape").verdict is Verdict.INSUFFICIENT
    assert gate(result, "relief").verdict is Verdict.INSUFFICIENT


def test_too_little_of_the_face_asks_for_another_try() -> None:
    """A face half out of the picture has no shape."""

    def cut(_: int, frame: FrameEvidence) -> FrameEvidence:
        seen = frame.map_rgb.copy()
        seen[:, 8:] = np.nan
        return replace(frame, map_rgb=seen)

    assert verdict(with_frames(session(), cut), "shape") is Verdict.INSUFFICIENT
    assert verdict(with_frames(session(), cut), "relief") is Verdict.INSUFFICIENT


def test_cells_that_are_lost_now_and_then_do_no_harm() -> None:
    """Clipped or covered cells in a few frames."""

    def spotty(number: int, frame: FrameEvidence) -> FrameEvidence:
        seen = frame.map_rgb.copy()
        seen[number % 32] = np.nan
        return replace(frame, map_rgb=seen)

    assert judge(with_frames(session(), spotty), SETTINGS).verdict is Liveness.LIVE


def test_no_frames_no_slots_no_verdict() -> None:
    """Nothing to judge is unsure, never live, never an error."""
    empty = replace(session(), frames=())
    assert judge(empty, SETTINGS).verdict is Liveness.UNSURE
    assert judge(replace(session(), slots=()), SETTINGS).verdict is Liveness.UNSURE
    few = with_frames(session(), lambda number, frame: frame if number % 9 == 0 else None)
    assert judge(few, SETTINGS).verdict is not Liveness.LIVE
    short = with_frames(session(), lambda _, frame: frame if frame.exposure_start_s < BEGIN_S + 1.2 else None)
    assert judge(short, SETTINGS).verdict is not Liveness.LIVE


def test_frames_only_in_settling_time_give_no_verdict() -> None:
    """Plenty of frames, but all right behind a switch."""
    genuine = session(fps=60.0)
    edges = [slot.visible_at_s for slot in genuine.slots]

    def near(_: int, frame: FrameEvidence) -> FrameEvidence | None:
        return frame if any(0.0 <= frame.exposure_start_s - 0.09 - edge < 0.025 for edge in edges) else None

    result = judge(with_frames(genuine, near), SETTINGS)
    assert gate(result, "timing").verdict is Verdict.INSUFFICIENT


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            Finding,
            name=st.sampled_from(NAMES),
            verdict=st.sampled_from(Verdict),
            value=st.none() | st.floats(),
            threshold=st.floats(0, 1),
            reason=st.none() | st.sampled_from([Reason.NOT_LIVE, Reason.HIGH_LIGHTING]),
        ),
        max_size=13,
    )
)
def test_the_verdict_follows_from_the_gates(found: list[Finding]) -> None:
    """Any failure is a spoof, else any lack is unsure, else live; confidence 50 and more exactly when live."""
    result = conclude(found)
    verdicts = {item.verdict for item in found}
    if Verdict.FAIL in verdicts:
        assert result.verdict is Liveness.SPOOF
    elif Verdict.INSUFFICIENT in verdicts or not found:
        assert result.verdict is Liveness.UNSURE
    else:
        assert result.verdict is not Liveness.SPOOF
    assert (result.confidence >= 50) == (result.verdict is Liveness.LIVE)
    assert 0 <= result.confidence <= 100


def test_gates_that_all_pass_barely_are_not_live() -> None:
    """LIVE is every gate and at least half the confidence; the visitor gets a word."""
    result = conclude([passed(name, None, 0.5) for name in NAMES])
    assert result.verdict is Liveness.UNSURE
    assert result.confidence < 50
    assert result.reasons == (Reason.LOW_VIDEO_QUALITY,)


def test_findings_report_only_finite_values() -> None:
    """Nothing measured is no value."""
    assert failed("a", 0.2, 0.5, Reason.NOT_LIVE).gate.value == 0.2
    assert insufficient("a", float("inf"), 0.5, Reason.NOT_LIVE).gate.value is None
