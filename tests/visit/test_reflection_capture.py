"""The gates on the capture itself: stream, continuity, exposure; and the votes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.reasons import Reason
from kiosk.values import Liveness, Verdict
from kiosk.visit.evidence import Evidence, FrameEvidence
from kiosk.visit.reflection import judge
from kiosk.visit.reflection.capture import continuity_gate, exposure_gate, stream_gate
from kiosk.visit.reflection.shape import Shape
from kiosk.visit.reflection.signals import gather
from kiosk.visit.reflection.timing import align
from kiosk.visit.reflection.votes import parallax, parallax_gate, passive_gate
from tests.support.cell_world import BEGIN_S, halves_light, session, with_frames

SETTINGS = LivenessSettings()
MIDDLE = 60
"""A frame well within the flash."""


def shaped(r: float, share: float) -> Shape:
    """A shape that only has its two figures."""
    nothing = np.zeros((32, 32, 3))
    return Shape(r, share, 0.2, 0.9, 9.0, nothing[..., 0] > 0, nothing, nothing, 400.0, 0, 0.0, (1.0, 1.0, 1.0))


STRONG, BARE = shaped(0.9, 0.7), shaped(0.65, 0.4)


def change_one(evidence: Evidence, **changes: object) -> Evidence:
    """One frame of the flash changed."""
    return with_frames(
        evidence,
        lambda number, frame: replace(frame, **changes) if number == MIDDLE else frame,  # type: ignore[arg-type]
    )


def test_a_repeated_picture_is_an_attack() -> None:
    """The fingerprint of an earlier frame again."""
    genuine = session()
    assert stream_gate(genuine).verdict is Verdict.PASS
    twice = change_one(genuine, fingerprint=genuine.frames[MIDDLE - 5].fingerprint)
    assert stream_gate(twice).verdict is Verdict.FAIL


def test_time_and_numbers_must_advance() -> None:
    """A stamp or a number that repeats is an attack; perfectly even times are not."""
    genuine = session()
    stopped = change_one(genuine, exposure_start_s=genuine.frames[MIDDLE - 1].exposure_start_s)
    assert stream_gate(stopped).verdict is Verdict.FAIL
    repeated = change_one(genuine, sequence=genuine.frames[MIDDLE - 1].sequence)
    assert stream_gate(repeated).verdict is Verdict.FAIL
    begin = genuine.frames[0].exposure_start_s
    even = with_frames(genuine, lambda number, frame: replace(frame, exposure_start_s=begin + number / 30))
    assert stream_gate(even).verdict is Verdict.PASS


def test_another_camera_is_an_attack() -> None:
    """Reopened or replaced between the first and the last frame."""
    assert stream_gate(replace(session(), camera_changed=True)).verdict is Verdict.FAIL


def test_gaps_ask_for_another_try_and_unknown_noise_does_not() -> None:
    """Half a second without frames; a picture without a flat spot to measure noise in."""
    gap = with_frames(session(), lambda number, frame: None if MIDDLE < number < MIDDLE + 15 else frame)
    assert stream_gate(gap).verdict is Verdict.INSUFFICIENT
    quiet = with_frames(session(), lambda _, frame: replace(frame, noise=float("nan")))
    assert stream_gate(quiet).verdict is Verdict.PASS
    assert stream_gate(replace(session(), frames=())).verdict is Verdict.INSUFFICIENT


def test_the_face_must_stay_the_same() -> None:
    """Another track or a poor similarity is an attack."""
    genuine = session()
    assert continuity_gate(genuine, SETTINGS).verdict is Verdict.PASS
    swapped = with_frames(genuine, lambda number, frame: replace(frame, track=2) if number > MIDDLE else frame)
    found = continuity_gate(swapped, SETTINGS)
    assert (found.verdict, found.reason) == (Verdict.FAIL, Reason.FACE_CHANGED)
    other = continuity_gate(replace(genuine, same_face=(97.0, 60.0)), SETTINGS)
    assert (other.verdict, other.reason) == (Verdict.FAIL, Reason.FACE_CHANGED)
    broken = continuity_gate(replace(genuine, same_face=(float("nan"),)), SETTINGS)
    assert broken.verdict is Verdict.FAIL


def test_doubts_about_the_face_ask_for_another_try() -> None:
    """A second face, a lost face, a jump, no comparison at all."""
    genuine = session()
    second = continuity_gate(change_one(genuine, faces=2), SETTINGS)
    assert (second.verdict, second.reason) == (Verdict.INSUFFICIENT, Reason.SECOND_FACE)
    lost = with_frames(genuine, lambda number, frame: replace(frame, track=-1) if number % 4 == 0 else frame)
    assert continuity_gate(lost, SETTINGS).reason is Reason.FACE_NOT_VISIBLE
    moved = genuine.frames[MIDDLE].landmarks + np.array([40.0, 0.0, 0.0], np.float32)
    jumped = continuity_gate(change_one(genuine, landmarks=moved), SETTINGS)
    assert (jumped.verdict, jumped.reason) == (Verdict.INSUFFICIENT, Reason.FACE_NOT_ALIGNED)
    assert continuity_gate(replace(genuine, same_face=()), SETTINGS).verdict is Verdict.INSUFFICIENT
    assert continuity_gate(replace(genuine, frames=()), SETTINGS).verdict is Verdict.INSUFFICIENT


@pytest.mark.parametrize("grown", [1.4, 0.6])
def test_a_sudden_change_of_size_is_a_jump(grown: float) -> None:
    """Another head at another distance."""
    genuine = session()
    points = genuine.frames[MIDDLE].landmarks
    middle = (points[468] + points[473]) / 2
    sized = change_one(genuine, landmarks=((points - middle) * np.float32(grown) + middle).astype(np.float32))
    assert continuity_gate(sized, SETTINGS).reason is Reason.FACE_NOT_ALIGNED


def test_one_frame_does_not_jump() -> None:
    """A recording may hold a single frame of the flash: nothing to compare it with."""
    single = with_frames(session(), lambda number, frame: frame if number == MIDDLE else None)
    assert continuity_gate(single, SETTINGS).verdict is Verdict.PASS


def test_the_exposure_lock_is_proven_or_there_is_no_verdict() -> None:
    """One frame that denies it is enough."""
    denied = change_one(session(), gains_locked=False)
    result = judge(denied, SETTINGS)
    assert result.verdict is Liveness.UNSURE
    assert result.reasons == (Reason.EXPOSURE_NOT_LOCKED,)


def test_stable_surroundings_prove_the_lock_of_a_camera_that_cannot_tell() -> None:
    """None: brightness and tint of the background decide."""
    assert judge(session(locked=None), SETTINGS).verdict is Liveness.LIVE
    drifting = judge(session(locked=None, exposure_drift=0.3), SETTINGS)
    assert drifting.verdict is Liveness.UNSURE
    assert Reason.EXPOSURE_NOT_LOCKED in drifting.reasons
    balanced = with_frames(
        session(locked=None),
        lambda number, frame: replace(
            frame,
            background=frame.background * np.array([1 + 0.0006 * number, 1, 1 - 0.0006 * number], np.float32),
        ),
    )
    assert judge(balanced, SETTINGS).verdict is Liveness.UNSURE


@pytest.mark.parametrize("late_s", [0.0, 0.15, 0.4])
def test_a_lock_that_the_picture_belies_is_no_proof(late_s: float) -> None:
    """The camera says locked, but what is behind darkens whenever the screen grows brighter, at once or later."""
    plain = session(locked=True)
    assert judge(plain, SETTINGS).verdict is Liveness.LIVE
    level = 0.0

    def follow(_: int, frame: FrameEvidence) -> FrameEvidence:
        nonlocal level
        light = float(halves_light(plain.slots, frame.exposure_start_s - 0.09, 0.012).mean())
        level += (light - level) * (1.0 if late_s == 0 else 1 - np.exp(-1 / 30 / late_s))
        gain = np.float32(1 - 0.2 * level)
        return replace(frame, background=frame.background * gain, map_rgb=frame.map_rgb * gain)

    result = judge(with_frames(plain, follow), SETTINGS)
    assert result.verdict is Liveness.UNSURE
    assert result.reasons == (Reason.EXPOSURE_NOT_LOCKED,)


def test_what_moves_behind_does_not_belie_a_lock() -> None:
    """People pass, a door opens, a lamp flickers: changes that do not follow the screen."""
    rng = np.random.default_rng(8)
    for shape in (lambda t: np.sin(3 * t), lambda t: float(t > BEGIN_S + 1.2), lambda _: rng.normal()):
        moving = with_frames(
            session(locked=True),
            lambda _, f, shape=shape: replace(
                f, background=f.background * np.float32(1 + 0.1 * shape(f.exposure_start_s))
            ),
        )
        signals = gather(moving)
        assert exposure_gate(moving, signals, align(signals, SETTINGS)).verdict is Verdict.PASS


def test_an_untold_lock_without_surroundings_is_no_proof() -> None:
    """Nothing to look at, too little to look at, no timing."""
    untold = session(locked=None)
    nothing = np.full(3, np.nan, np.float32)
    hidden = with_frames(untold, lambda _, frame: replace(frame, background=nothing))
    signals = gather(hidden)
    assert exposure_gate(hidden, signals, align(signals, SETTINGS)).verdict is Verdict.INSUFFICIENT
    assert exposure_gate(untold, gather(untold), None).verdict is Verdict.INSUFFICIENT
    timing = align(gather(untold), SETTINGS)
    assert timing is not None
    for kept in (0, 5):
        few = replace(timing, clean=timing.clean & (np.cumsum(timing.clean) <= kept))
        assert exposure_gate(untold, gather(untold), few).verdict is Verdict.INSUFFICIENT


def test_parallax_tells_a_head_from_a_plane() -> None:
    """About one for a head, about nothing for a plane, no answer without movement."""
    head, plane = parallax(session(far_mm=700.0)), parallax(session(far_mm=700.0, flat_landmarks=True))
    assert head is not None
    assert plane is not None
    assert 0.8 < head < 1.3
    assert abs(plane) < 0.1
    assert parallax(session()) is None
    assert parallax(with_frames(session(), lambda _, f: f if f.exposure_start_s > BEGIN_S else None)) is None


def test_parallax_blocks_only_beside_a_bare_shape() -> None:
    """Planar or unmeasured: another try where the shape only just passed."""
    head, plane = session(far_mm=700.0), session(far_mm=700.0, flat_landmarks=True)
    assert parallax_gate(head, BARE).verdict is Verdict.PASS
    assert parallax_gate(plane, STRONG).verdict is Verdict.PASS
    assert parallax_gate(plane, BARE).verdict is Verdict.INSUFFICIENT
    assert parallax_gate(session(), BARE).verdict is Verdict.INSUFFICIENT
    assert parallax_gate(session(), None).verdict is Verdict.INSUFFICIENT


def test_the_passive_vote_neither_passes_nor_refuses_alone() -> None:
    """Low, few or no scores ask for another try beside a bare shape; never more."""
    genuine = session()
    assert passive_gate(genuine, BARE, SETTINGS).verdict is Verdict.PASS
    for scores in ((0.1,) * 6, (0.9,) * 4, (), (float("nan"),) * 6):
        doubted = replace(genuine, passive_live=scores)
        assert passive_gate(doubted, BARE, SETTINGS).verdict is Verdict.INSUFFICIENT
        assert passive_gate(doubted, STRONG, SETTINGS).verdict is Verdict.PASS
    print_like = replace(session(surface="plane"), passive_live=(1.0,) * 6)
    assert judge(print_like, SETTINGS).verdict is Liveness.SPOOF


def test_half_slots_that_were_not_filmed_are_no_vote() -> None:
    """A challenge seen without its halves: beside a strong shape it passes without a value."""
    genuine = session()
    halves = [slot for slot in genuine.slots if slot.region != "full"]

    def outside(_: int, frame: FrameEvidence) -> FrameEvidence | None:
        at_s = frame.exposure_start_s - 0.09
        inside = any(s.visible_at_s - 0.05 < at_s < s.visible_at_s + s.duration_s for s in halves)
        return None if inside else frame

    result = judge(with_frames(genuine, outside), SETTINGS)
    found = next(item for item in result.gates if item.name == "halves")
    assert found.value is None
    assert found.verdict is Verdict.PASS
