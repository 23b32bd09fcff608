"""Two collections during a change: who is in either is known, and nobody by less than its own model asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.config.engines import ModelThresholds
from kiosk.errors import MatchError
from kiosk.identity.changing import UNKNOWN, ChangingEngine
from kiosk.reasons import Reason
from tests.identity.test_failover import Clock, Played
from tests.support.facekit import VERSION, someone

LIMITS = {VERSION: ModelThresholds(threshold=98.5, margin=1.0)}


def changing(clock: Clock, new: Played, old: Played) -> ChangingEngine:
    """On one clock."""
    return ChangingEngine(replace(new, clock=clock), old, LIMITS, clock=clock)


def nobody(name: str, similarity: float = 60.0) -> Played:
    """An engine that names nobody."""
    return Played(name, similarity, reason=Reason.UNKNOWN_PERSON)


@pytest.mark.parametrize(
    ("new", "old", "reason", "source"),
    [
        (Reason.WELCOME, Reason.WELCOME, Reason.WELCOME, "new"),
        (Reason.WELCOME, Reason.UNKNOWN_PERSON, Reason.WELCOME, "new"),
        (Reason.WELCOME, Reason.AMBIGUOUS_PERSON, Reason.AMBIGUOUS_PERSON, "new"),
        (Reason.UNKNOWN_PERSON, Reason.WELCOME, Reason.WELCOME, "old"),
        (Reason.BADGE_MISMATCH, Reason.WELCOME, Reason.WELCOME, "old"),
        (Reason.UNKNOWN_PERSON, Reason.AMBIGUOUS_PERSON, Reason.AMBIGUOUS_PERSON, "old"),
        (Reason.UNKNOWN_PERSON, Reason.UNKNOWN_PERSON, Reason.UNKNOWN_PERSON, "new"),
        (Reason.AMBIGUOUS_PERSON, Reason.WELCOME, Reason.AMBIGUOUS_PERSON, "new"),
        (Reason.UNKNOWN_BADGE, Reason.WELCOME, Reason.UNKNOWN_BADGE, "new"),
    ],
)
def test_the_old_collection_is_asked_for_whom_the_new_one_does_not_know(
    new: Reason, old: Reason, reason: Reason, source: str
) -> None:
    """And for nobody else: what the new one is unsure of, the old one does not settle."""
    answers = (("new", new), ("old", old))
    engine = changing(Clock(), *(Played(name, 60.0 if of in UNKNOWN else 99.8, reason=of) for name, of in answers))
    found = engine.search(someone(1), deadline_s=2.0)
    assert (found.reason, found.source) == (reason, source)


def test_somebody_else_in_the_old_collection_is_a_doubt() -> None:
    """Not the new one's person because they happened to be moved first; whom a badge names is compared alone."""
    old = Played("old", named="bob")
    engine = changing(Clock(), Played("new"), old)
    found = engine.search(someone(1), deadline_s=2.0)
    assert (found.person_id, found.reason) == (None, Reason.AMBIGUOUS_PERSON)
    assert engine.search(someone(1), deadline_s=2.0, badge="17").person_id == "ada"
    assert len(old.asked) == 1


def test_both_share_one_deadline() -> None:
    """The old one has what the new one left."""
    clock = Clock()
    old = Played("old", clock=clock)
    engine = changing(clock, replace(nobody("new"), takes_s=0.75), old)
    engine.search(someone(1), deadline_s=2.0)
    assert old.asked == [1.25]


def test_an_old_collection_that_fails_is_a_failure_not_nobody() -> None:
    """Another engine must be asked then: the person may be there."""
    engine = changing(Clock(), nobody("new"), Played("old", fault=MatchError("gone")))
    with pytest.raises(MatchError, match="gone"):
        engine.search(someone(1), deadline_s=2.0)


@pytest.mark.parametrize(("new", "old"), [(nobody("new", 99.9), Played("old")), (Played("new"), nobody("old", 99.9))])
def test_whoever_may_not_enter_is_not_taken_for_somebody_else(new: Played, old: Played) -> None:
    """A suspended person's twin in the other collection is not named for them: one collection would not either."""
    found = changing(Clock(), new, old).search(someone(1), deadline_s=2.0)
    assert (found.person_id, found.reason) == (None, Reason.UNKNOWN_PERSON)
