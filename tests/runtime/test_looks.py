"""Looks before the end of a flash: when they come, what they know, and that only LIVE ends it early."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

import pytest

from kiosk.config.tree import LivenessSettings
from kiosk.errors import KioskError, ModelError
from kiosk.reasons import Reason
from kiosk.runtime.worker import Answer, InlineWorker
from kiosk.values import SceneKind
from kiosk.visit import challenge
from kiosk.visit.evidence import Evidence
from kiosk.visit.rules import Rules
from kiosk.visit.step import new_visit
from tests.runtime.test_loop import Bench
from tests.support.parts import unit
from tests.support.visits import RULES, liveness

REAL = replace(RULES, draw=lambda nonce: challenge.draw(nonce, LivenessSettings()))
"""The product's own challenges: 17 slots, the sixth colour is slot 8 of them."""
FLOOR_SLOTS = 8


def bench_of(rules: Rules = REAL, **fields: object) -> Bench:
    """A bench that plays real challenges, with somebody in front of it."""
    bench = Bench(**fields)  # type: ignore[arg-type]
    bench.loop._rules = rules
    bench.loop._visit = new_visit(rules, 640, 480)
    bench.stand()
    return bench


def settled_until(evidence: Evidence, slots: int) -> bool:
    """Whether a frame of the light after this many slots was filmed, at a lag of 0.1 s."""
    last = evidence.slots[slots - 1]
    return evidence.frames[-1].exposure_start_s >= last.visible_at_s + last.duration_s + 0.05


def test_enough_after_the_sixth_colour_ends_the_flash() -> None:
    """One look is enough: the gates' last word is not asked for, the door opens two seconds after the flash began."""
    bench = bench_of(enough_after=FLOOR_SLOTS)
    flash = bench.until(SceneKind.FLASHING)
    granted = bench.until(SceneKind.GRANTED)
    assert (len(bench.looks), bench.judged) == (1, [])
    assert 2.0 < granted.at_s - flash.at_s < 2.5
    assert len(bench.door.grants) == 1
    (look,) = bench.looks
    assert len(look.slots) - 1 == FLOOR_SLOTS, "the floor, and the guard that is running"
    assert settled_until(look, FLOOR_SLOTS)
    assert len(look.passive_live) >= 5
    assert len(look.same_face) == 2, "one of the middle, one of the look itself"


def test_looks_go_on_after_each_colour_until_the_ceiling() -> None:
    """Seven looks, from the sixth to the twelfth colour, and then the gates' last word."""
    bench = bench_of()
    bench.until(SceneKind.GRANTED)
    assert len(bench.looks) == 7
    numbers = [len(look.slots) - 1 for look in bench.looks]
    assert numbers == [8, 10, 11, 12, 14, 15, 16], "the guards have no look of their own"
    assert len(bench.judged) == 1
    assert len(bench.judged[0].slots) == 17


@pytest.mark.parametrize(("adaptive", "played"), [(False, 17), (True, 9)])
def test_adaptive_length_can_be_switched_off(adaptive: bool, played: int) -> None:
    """Then nobody looks before the end."""
    bench = bench_of(enough_after=FLOOR_SLOTS, settings=LivenessSettings(adaptive=adaptive))
    bench.until(SceneKind.GRANTED)
    assert len(bench.looks) == (1 if adaptive else 0)
    assert len((bench.judged or bench.looks)[0].slots) == played


def test_every_slot_of_a_look_lasts_until_the_next_and_the_running_one_until_it_was_filmed() -> None:
    """The gates are told the light of every frame that they get, and of no later time."""
    bench = bench_of()
    bench.until(SceneKind.GRANTED)
    for look in bench.looks:
        for slot, following in zip(look.slots, look.slots[1:], strict=False):
            assert slot.visible_at_s + slot.duration_s == pytest.approx(following.visible_at_s)
        last, newest = look.slots[-1], look.frames[-1]
        assert last.duration_s > 0.0
        assert last.visible_at_s + last.duration_s == pytest.approx(newest.exposure_start_s + newest.exposure_s)


def test_a_face_swapped_after_the_middle_shows_in_the_next_look() -> None:
    """The last frame that is used is compared with the face before the flash."""
    bench = bench_of()
    bench.until(SceneKind.FLASHING)
    while len(bench.looks) < 1:
        bench.loop.turn()
    assert min(bench.looks[0].same_face) > 90
    bench.models.vector = unit(0.0, 1.0)
    bench.until(SceneKind.GRANTED)
    assert max(bench.looks[0].same_face[-1:]) > 90
    assert bench.looks[1].same_face[-1] < 30
    assert min(bench.judged[0].same_face) < 30, "what a look saw is not forgotten"


class SlowWorker(InlineWorker):
    """Answers a kind of job only after some drains."""

    def __init__(self, slow: str, drains: int) -> None:
        super().__init__()
        self._slow = slow
        self._drains = drains
        self._held: list[Answer] = []
        self.waiting: list[str] = []
        self.most_looks = 0

    def submit(self, key: Hashable, work: Callable[[], object]) -> None:
        """Run it; note what else is waiting."""
        assert isinstance(key, tuple)
        if key[0] == "look":
            assert self.waiting == [], f"a look beside {self.waiting}"
        self.waiting.append(str(key[0]))
        self.most_looks = max(self.most_looks, self.waiting.count("look"))
        super().submit(key, work)

    def drain(self) -> list[Answer]:
        """All but the slow kind, which waits for its turn."""
        self._held += super().drain()
        self._drains -= 1
        ready = [each for each in self._held if self._drains <= 0 or each[0][0] != self._slow]  # type: ignore[index]
        self._held = [each for each in self._held if each not in ready]
        for key, _answer in ready:
            self.waiting.remove(str(key[0]))  # type: ignore[index]
        return ready


@pytest.mark.parametrize("slow", ["match", "passive", "later1"])
def test_a_look_waits_for_the_match_the_passive_score_and_the_sample(slow: str) -> None:
    """Never a look beside another job; one that is late makes the flash longer, not the proof shorter."""
    worker = SlowWorker(slow, drains=130)
    bench = bench_of(enough_after=FLOOR_SLOTS, worker=worker)
    flash = bench.until(SceneKind.FLASHING)
    granted = bench.until(SceneKind.GRANTED)
    assert granted.at_s - flash.at_s > 2.5
    assert len(bench.looks) == 1
    assert len(bench.looks[0].slots) > FLOOR_SLOTS + 1
    assert len(bench.looks[0].passive_live) >= 5


def test_never_more_than_one_look_waits() -> None:
    """A worker slower than the colours skips looks instead of queueing them."""
    worker = SlowWorker("look", drains=10**6)
    bench = bench_of(worker=worker)
    bench.until(SceneKind.FLASHING)
    for _ in range(170):
        bench.loop.turn()
    assert worker.most_looks == 1
    assert len(bench.looks) == 1
    assert bench.door.grants == []


def test_a_look_that_fails_is_no_verdict() -> None:
    """The flash is played to its end and the gates have the last word."""
    bench = bench_of(enough_after=FLOOR_SLOTS)

    def broken(evidence: Evidence, settings: LivenessSettings) -> KioskError:
        del evidence, settings
        raise ModelError("no weights")

    bench.attempts._enough = broken  # type: ignore[assignment]
    bench.until(SceneKind.GRANTED)
    assert len(bench.judged) == 1


@pytest.mark.parametrize("word", ["spoof", "unsure"])
def test_only_live_ends_a_flash_early(word: str) -> None:
    """A look that says anything else is no verdict, however it was made."""
    bench = bench_of()
    result = next(one for one in map(liveness, type(liveness().verdict)) if one.verdict == word)
    bench.attempts._enough = lambda _evidence, _settings: result
    bench.until(SceneKind.GRANTED)
    assert len(bench.judged) == 1


def test_without_a_match_nobody_looks() -> None:
    """There is no face from before the flash to compare with."""
    bench = bench_of(enough_after=FLOOR_SLOTS)
    bench.matcher.error = ModelError("nobody answers")
    assert bench.until(SceneKind.DENIED).scene.hint is Reason.MATCH_FAILED
    assert bench.looks == []
