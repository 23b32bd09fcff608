"""Answers that come late, or never: none of them is a verdict, a match or a proof."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np
import pytest

from kiosk.config.tree import IdentitySettings, LivenessSettings
from kiosk.errors import ModelError
from kiosk.reasons import Reason
from kiosk.runtime.worker import Answer, InlineWorker
from kiosk.values import Embedding, LivenessResult, SceneKind
from kiosk.visit.events import LivenessJudged, MatchArrived, MatchFailed
from kiosk.visit.evidence import Evidence
from tests.runtime.test_loop import Bench
from tests.support.parts import VERSION
from tests.support.visits import quality_of


def test_while_the_face_model_changes_the_probe_is_embedded_by_both() -> None:
    """The frames of the probe only: that the face stays the same one is told by the present model alone."""
    bench = Bench()
    bench.models.version_before = "fake-0"
    bench.stand()
    bench.until(SceneKind.GRANTED)
    (probe,) = bench.matcher.probes
    assert probe.before is not None
    assert (probe.model_version, probe.before.model_version) == (bench.models.embedding_version, "fake-0")
    assert probe.before.vector == pytest.approx(bench.models.vector[::-1])
    assert bench.models.embedded_before == IdentitySettings().probes < bench.models.embedded


class HoldingWorker(InlineWorker):
    """Answers nothing until told to."""

    def __init__(self) -> None:
        super().__init__()
        self.holds = True
        self._held: list[Answer] = []

    def submit(self, key: Hashable, work: Callable[[], object]) -> None:
        """Run it now, all the same."""
        super().submit(key, work)

    def drain(self) -> list[Answer]:
        """Nothing, or everything."""
        self._held += super().drain()
        if self.holds:
            return []
        held, self._held = self._held, []
        return held


def failures(bench: Bench) -> list[MatchFailed]:
    """Turns until the visit is denied; the matches that failed on the way."""
    failed: list[MatchFailed] = []
    for _ in range(400):
        turn = bench.loop.turn()
        failed += [event for event in turn.events if isinstance(event, MatchFailed)]
        if turn.scene.kind is SceneKind.DENIED:
            break
    return failed


def test_answers_of_an_attempt_that_is_over_carry_its_number_and_change_nothing() -> None:
    """The match, the passive score and the sample of a visitor who left."""
    worker = HoldingWorker()
    bench = Bench(worker=worker)
    bench.stand()
    bench.until(SceneKind.FLASHING)
    for _ in range(50):
        bench.loop.turn()
    bench.perceiver.seen = ()
    bench.until(SceneKind.DENIED)
    worker.holds = False
    events = bench.loop.turn().events
    (late,) = [event for event in events if isinstance(event, MatchArrived)]
    assert (late.attempt, late.badge) == (1, None)
    assert bench.loop.visit.attempt == 1
    assert bench.door.grants == []
    assert bench.attempts.kept == 0


@pytest.mark.parametrize("adaptive", [True, False])
def test_a_judging_that_fails_is_unsure(adaptive: bool) -> None:
    """Three tries, and a refusal that says what was wrong."""
    bench = Bench(settings=LivenessSettings(adaptive=adaptive))
    told: list[LivenessJudged] = []

    def broken(evidence: Evidence, settings: LivenessSettings) -> LivenessResult:
        del evidence, settings
        raise ModelError("no weights")

    bench.attempts._judge = broken
    bench.stand()
    for _ in range(1500):
        turn = bench.loop.turn()
        told += [event for event in turn.events if isinstance(event, LivenessJudged)]
        if turn.scene.kind is SceneKind.DENIED:
            break
    assert turn.scene.hint is Reason.LOW_VIDEO_QUALITY
    assert [(one.result.verdict, one.result.gates) for one in told] == [("unsure", ())] * 3
    assert bench.door.grants == []


def test_a_passive_score_that_fails_is_missing_in_the_evidence() -> None:
    """The gates know what to do without it; nothing stands in for it."""
    bench = Bench()

    def broken(pixels: object, face: object) -> float:
        del pixels, face
        raise ModelError("no weights")

    bench.models.passive_live_score = broken  # type: ignore[method-assign]
    bench.stand()
    bench.until(SceneKind.GRANTED)
    assert bench.judged[0].passive_live == ()


def test_without_a_single_good_frame_there_is_nobody_to_match() -> None:
    """The quality was good once, but no frame of this track was kept."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.HOLDING)
    bench.attempts._keep_shot = lambda *_args: None  # type: ignore[method-assign]
    bench.attempts._shots.clear()
    assert [one.reason for one in failures(bench)] == [Reason.LOW_VIDEO_QUALITY]
    assert bench.matcher.asked == []
    assert bench.door.grants == []


def test_frames_of_poor_quality_do_not_become_the_probe() -> None:
    """They are measured for the gates, and nothing else."""
    bench = Bench()
    bench.perceiver.quality = quality_of(Reason.BLURRED)
    bench.stand()
    for _ in range(60):
        bench.loop.turn()
    assert len(bench.attempts._shots) == 0
    assert bench.attempts.kept > 0


def test_one_frame_of_somebody_else_among_the_probes_ends_the_attempt() -> None:
    """A mean would hide it, and an engine that is sent one frame only might be sent that one."""
    bench = Bench()

    def mixed(pixels: object, face: object) -> Embedding:
        del pixels, face
        bench.models.embedded += 1
        vector = np.zeros(8, np.float32)
        vector[bench.models.embedded == 1] = 1.0
        return Embedding(vector, VERSION)

    bench.models.embed = mixed  # type: ignore[method-assign]
    bench.stand()
    assert [one.reason for one in failures(bench)] == [Reason.FACE_CHANGED]
    assert bench.matcher.asked == []
    assert bench.door.grants == []


def test_the_matcher_is_given_the_face_and_no_whole_frame() -> None:
    """For engines that look for themselves: nothing else of the picture leaves."""
    bench = Bench()
    bench.stand()
    bench.until(SceneKind.GRANTED)
    (crop,) = bench.matcher.crops
    assert crop is not None
    assert 0 < crop.shape[0] * crop.shape[1] < 480 * 640
    assert crop.base is None  # a copy: the frame does not stay alive with it
