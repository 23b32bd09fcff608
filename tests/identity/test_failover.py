"""Several engines: who answers when, under which rule, and how it comes back. Times are a counter's."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.engines import FallbackSettings
from kiosk.errors import MatchError
from kiosk.identity.asking import Unusable
from kiosk.identity.breaker import NEVER, Breaker, BreakerRules
from kiosk.identity.failover import LAST_SHARE, Candidate, FailoverMatcher
from kiosk.reasons import Reason
from kiosk.values import Embedding, Match, Pixels
from tests.support.facekit import VERSION, someone

RULES = BreakerRules(failures=2, rest_s=10.0)


@dataclass
class Clock:
    """Counts."""

    now_s: float = 0.0

    def __call__(self) -> float:
        """Where it stands."""
        return self.now_s


@dataclass
class Played:
    """An engine that answers as told."""

    name: str
    similarity: float = 99.8
    fault: MatchError | None = None
    takes_s: float = 0.0
    clock: Clock = field(default_factory=Clock)
    asked: list[float] = field(default_factory=list)
    reason: Reason = Reason.WELCOME
    named: str = "ada"

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """As told, after as long as told."""
        del probe, badge, crop
        self.asked.append(deadline_s)
        self.clock.now_s += self.takes_s
        if self.fault is not None:
            raise self.fault
        person = self.named if self.reason is Reason.WELCOME else None
        return Match(person, self.similarity, 10.0, self.name, VERSION, self.reason)


@dataclass
class Stage:
    """Three engines and what is told of them."""

    clock: Clock
    aws: Played
    site: Played
    local: Played
    matcher: FailoverMatcher
    told: list[tuple[str, dict[str, object]]]

    def ask(self, badge: str | None = None) -> Match:
        """One visit."""
        return self.matcher.search(someone(1), deadline_s=2.0, badge=badge, crop=np.zeros((4, 4, 3), np.uint8))


def stage(fallback: FallbackSettings | None = None) -> Stage:
    """All engines well."""
    clock = Clock()
    aws, site, local = (Played(name, clock=clock) for name in ("aws", "site", "local"))
    told: list[tuple[str, dict[str, object]]] = []
    candidates = [
        Candidate("aws", aws, Breaker(RULES, clock)),
        Candidate("site", site, Breaker(RULES, clock)),
        Candidate("local", local, Breaker(NEVER, clock)),
    ]

    def journal(event: str, **keys: object) -> None:
        told.append((event, keys))

    rules = fallback or FallbackSettings()
    return Stage(clock, aws, site, local, FailoverMatcher(candidates, rules, VERSION, journal, clock=clock), told)


DOWN = MatchError("no answer")


def test_the_usual_engine_answers_as_long_as_it_is_well() -> None:
    """The others are not asked, whatever it says."""
    one = stage()
    assert one.ask().source == "aws"
    one.aws.reason = Reason.UNKNOWN_PERSON
    found = one.ask()
    assert (found.source, found.person_id) == ("aws", None)
    assert (one.site.asked, one.local.asked, one.told) == ([], [], [])


def test_a_failure_leads_to_the_next_one_in_the_same_visit() -> None:
    """And is told once, as its end is."""
    one = stage()
    one.aws.fault = DOWN
    assert one.ask().source == "site"
    one.site.fault = DOWN
    assert one.ask().source == "local"
    one.aws.fault = one.site.fault = None
    one.clock.now_s += 60.0
    assert one.ask().source == "aws"
    assert [keys["engine"] for _, keys in one.told] == ["site", "local", "aws"]


def test_an_engine_that_failed_twice_is_left_alone_and_tried_again_once() -> None:
    """Nobody waits for it meanwhile, and nobody has to switch back."""
    one = stage()
    one.aws.fault = DOWN
    for _ in range(5):
        assert one.ask().source == "site"
    assert len(one.aws.asked) == 2
    one.clock.now_s += 10.0
    assert one.ask().source == "site"
    assert len(one.aws.asked) == 3
    assert one.ask().source == "site"
    assert len(one.aws.asked) == 3  # it rests again
    one.clock.now_s += 10.0
    one.aws.fault = None
    assert one.ask().source == "aws"
    assert one.ask().source == "aws"


def test_a_picture_that_an_engine_cannot_use_is_final_and_no_sign_of_its_health() -> None:
    """A visitor with a hand before the face must not choose who judges."""
    one = stage()
    one.aws.fault = Unusable("no face in the picture")
    for _ in range(4):
        with pytest.raises(Unusable):
            one.ask()
    assert (len(one.aws.asked), one.site.asked, one.local.asked) == (4, [], [])


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), OverflowError(), AttributeError(), OSError()])
def test_a_mistake_in_an_engine_leads_to_the_next_one_as_its_failure_does(error: Exception) -> None:
    """And its breaker opens, tries again, and closes."""
    one = stage()
    one.aws.fault = error  # type: ignore[assignment]  # whatever a foreign library raises
    for _ in range(4):
        assert one.ask().source == "site"
    assert len(one.aws.asked) == 2
    one.clock.now_s += 10.0
    one.ask()
    one.aws.fault = None
    one.clock.now_s += 10.0
    assert one.ask().source == "aws"


@given(st.floats(90.0, 100.0), st.floats(90.0, 100.0), st.booleans(), st.booleans(), st.sampled_from(["aws", "site"]))
def test_cutting_a_wire_never_makes_the_door_easier(
    similarity: float, threshold: float, needs_badge: bool, has_badge: bool, down: str
) -> None:
    """Whoever is named by a fallback is as similar as it asks, and has a badge where it asks for one."""
    one = stage(FallbackSettings(threshold=threshold, badge=needs_badge))
    one.aws.fault = DOWN
    if down == "site":
        one.site.fault = DOWN
    one.site.similarity = one.local.similarity = similarity
    found = one.ask("17" if has_badge else None)
    allowed = similarity >= threshold and (has_badge or not needs_badge)
    assert (found.person_id is not None) == allowed
    if not allowed:
        assert found.reason in (Reason.BADGE_NEEDED, Reason.UNKNOWN_PERSON, Reason.BADGE_MISMATCH)


def test_every_engine_gets_its_turn() -> None:
    """The time before the last one's is split: an engine that hangs does not keep the next one out."""
    one = stage()
    one.aws.fault = DOWN
    one.aws.takes_s = (2.0 - LAST_SHARE * 2.0) / 2
    assert one.ask().source == "site"
    assert one.aws.asked == [0.75]
    assert one.site.asked == [0.75]
    one.site.fault = DOWN
    one.site.takes_s = 0.75
    assert one.ask().source == "local"
    assert one.local.asked == [0.5]


def test_an_engine_without_time_is_not_asked_and_not_blamed() -> None:
    """Its failure would say nothing of it."""
    one = stage()
    one.aws.fault = DOWN
    one.aws.takes_s = 1.45
    for _ in range(4):
        assert one.ask().source in ("local", "site")
    assert one.site.asked[:1] == [pytest.approx(1.5)]  # asked only once the one before it rests


def test_a_try_that_never_says_how_it_ended_blocks_nobody_for_ever() -> None:
    """Somebody else tries after a while."""
    clock = Clock()
    breaker = Breaker(RULES, clock)
    for _ in range(2):
        breaker.failed()
    clock.now_s = 10.0
    assert breaker.allows()
    clock.now_s = 19.0
    assert not breaker.allows()
    clock.now_s = 20.0
    assert breaker.allows()
    breaker.released()
    assert breaker.allows()


def test_when_nobody_answers_it_is_a_failure_and_nobody_is_named() -> None:
    """With every engine's reason; the last one is asked again each time."""
    one = stage()
    one.aws.fault = one.site.fault = one.local.fault = DOWN
    for _ in range(3):
        with pytest.raises(MatchError, match="no engine answered"):
            one.ask()
    assert len(one.local.asked) == 3
    with pytest.raises(MatchError, match="no engine"):
        FailoverMatcher([], FallbackSettings(), VERSION, lambda *_, **__: None)


def test_only_one_visit_tries_a_resting_engine() -> None:
    """The others go on without it until that one knows."""
    clock = Clock()
    breaker = Breaker(RULES, clock)
    for _ in range(2):
        assert breaker.allows()
        breaker.failed()
    assert breaker.open
    assert not breaker.allows()
    clock.now_s = 10.0
    assert breaker.allows()
    assert not breaker.allows()
    breaker.succeeded()
    assert breaker.allows()
    assert not breaker.open
