"""Who may pass: a table of refusals around one case that is granted."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.engines import ModelThresholds
from kiosk.config.tree import IdentitySettings
from kiosk.reasons import Reason
from kiosk.values import Deny, Gate, Grant, Liveness, Match, Verdict
from kiosk.visit.policy import Case, decide
from tests.support.visits import ALICE, liveness, match_of

SETTINGS = IdentitySettings()
GOOD = Case(
    attempt=3,
    liveness=liveness(),
    liveness_attempt=3,
    match=match_of(),
    match_attempt=3,
    track=7,
    seen_track=7,
    began_s=10.0,
    last_s=14.0,
    now_s=14.1,
    deadline_at_s=15.0,
)
FAILED = Gate("shape", Verdict.FAIL, 0.1, 0.6)
UNKNOWN = match_of(None, 60.0, 50.0, Reason.UNKNOWN_PERSON)


def test_everything_proven_is_granted_for_this_attempt_and_person() -> None:
    """The one way in."""
    assert decide(GOOD, SETTINGS) == Grant(attempt=3, person_id=ALICE, decided_at_s=14.1)


OTHER_ENGINE = IdentitySettings(models={"7.0": ModelThresholds(threshold=95.0, margin=2.0)})


def other_engine(similarity: float, runner_up: float = 10.0, model: str = "7.0", source: str = "aws") -> Match:
    """An answer that is not of the local gallery."""
    return replace(match_of(ALICE, similarity, runner_up), source=source, model_version=model)


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        pytest.param(other_engine(95.0), None, id="its own threshold"),
        pytest.param(other_engine(94.9), Reason.UNKNOWN_PERSON, id="below it"),
        pytest.param(other_engine(99.9, model="8.0"), Reason.UNKNOWN_PERSON, id="a model without thresholds"),
        pytest.param(other_engine(99.9, model=""), Reason.UNKNOWN_PERSON, id="no model"),
        pytest.param(other_engine(96.0, 94.5), Reason.AMBIGUOUS_PERSON, id="within its margin"),
        pytest.param(other_engine(97.0, source="local"), Reason.UNKNOWN_PERSON, id="local: not by another's threshold"),
        pytest.param(other_engine(math.nan), Reason.UNKNOWN_PERSON, id="no number"),
    ],
)
def test_each_face_model_is_held_to_its_own_thresholds(match: Match, reason: Reason | None) -> None:
    """A similarity of one model says nothing on the scale of another."""
    found = decide(replace(GOOD, match=match), OTHER_ENGINE)
    assert found == (Grant(3, ALICE, 14.1) if reason is None else Deny(reason))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"now_s": 13.9}, Reason.CLOCK_WENT_BACK, id="now-before-last"),
        pytest.param({"last_s": 9.0}, Reason.CLOCK_WENT_BACK, id="last-before-begin"),
        pytest.param({"now_s": math.nan}, Reason.CLOCK_WENT_BACK, id="time-is-nan"),
        pytest.param({"seen_track": 8}, Reason.FACE_CHANGED, id="other-face"),
        pytest.param({"now_s": 15.01}, Reason.MATCH_LATE, id="after-deadline"),
        pytest.param({"deadline_at_s": math.nan}, Reason.MATCH_LATE, id="deadline-is-nan"),
        pytest.param({"now_s": 15.01, "liveness": None}, Reason.LIVENESS_UNSURE, id="verdict-never-came"),
        pytest.param({"now_s": 15.01, "liveness": None, "match": None}, Reason.MATCH_LATE, id="nothing-came"),
        pytest.param({"liveness": None}, Reason.LIVENESS_UNSURE, id="no-verdict"),
        pytest.param({"liveness_attempt": 2}, Reason.LIVENESS_UNSURE, id="verdict-of-another-attempt"),
        pytest.param({"liveness_attempt": None}, Reason.LIVENESS_UNSURE, id="verdict-of-no-attempt"),
        pytest.param({"liveness": liveness(Liveness.SPOOF)}, Reason.NOT_LIVE, id="spoof"),
        pytest.param({"liveness": liveness(Liveness.UNSURE)}, Reason.LIVENESS_UNSURE, id="unsure"),
        pytest.param({"liveness": liveness(gates=())}, Reason.LIVENESS_UNSURE, id="live-without-gates"),
        pytest.param({"liveness": liveness(gates=(FAILED,))}, Reason.LIVENESS_UNSURE, id="live-with-failed-gate"),
        pytest.param({"match": None}, Reason.MATCH_LATE, id="no-match"),
        pytest.param({"match_attempt": 2}, Reason.MATCH_LATE, id="match-of-another-attempt"),
        pytest.param({"match": UNKNOWN}, Reason.UNKNOWN_PERSON, id="unknown"),
        pytest.param({"match": match_of(reason=Reason.BADGE_MISMATCH)}, Reason.BADGE_MISMATCH, id="wrong-badge"),
        pytest.param({"match": match_of(None)}, Reason.UNKNOWN_PERSON, id="welcome-without-person"),
        pytest.param({"match": match_of("")}, Reason.UNKNOWN_PERSON, id="welcome-of-nobody"),
        pytest.param(
            {"match": match_of(ALICE, SETTINGS.threshold - 0.01)}, Reason.UNKNOWN_PERSON, id="below-threshold"
        ),
        pytest.param({"match": match_of(ALICE, math.nan)}, Reason.UNKNOWN_PERSON, id="similarity-is-nan"),
        pytest.param({"match": match_of(ALICE, 100.5)}, Reason.UNKNOWN_PERSON, id="similarity-off-the-scale"),
        pytest.param({"match": match_of(ALICE, 99.0, 98.5)}, Reason.AMBIGUOUS_PERSON, id="within-margin"),
        pytest.param({"match": match_of(ALICE, 99.0, math.nan)}, Reason.AMBIGUOUS_PERSON, id="runner-up-is-nan"),
        pytest.param({"liveness": None, "match": UNKNOWN}, Reason.LIVENESS_UNSURE, id="liveness-before-identity"),
    ],
)
def test_whatever_is_not_proven_is_refused(changes: dict[str, object], reason: Reason) -> None:
    """One row takes one thing away."""
    assert decide(replace(GOOD, **changes), SETTINGS) == Deny(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("similarity", "runner_up"), [(SETTINGS.threshold, SETTINGS.threshold - SETTINGS.margin), (100.0, 0.0)]
)
def test_the_limits_themselves_pass(similarity: float, runner_up: float) -> None:
    """Threshold and margin are inclusive."""
    case = replace(GOOD, match=match_of(ALICE, similarity, runner_up), now_s=15.0)
    assert isinstance(decide(case, SETTINGS), Grant)


def test_two_who_are_equally_alike_are_nobody() -> None:
    """Also where no margin is asked for."""
    none = SETTINGS.model_copy(update={"margin": 0.0})
    assert decide(replace(GOOD, match=match_of(ALICE, 99.0, 99.0)), none) == Deny(Reason.AMBIGUOUS_PERSON)
    assert isinstance(decide(replace(GOOD, match=match_of(ALICE, 99.0, 98.9)), none), Grant)


@given(
    verdict=st.sampled_from(Liveness),
    gate=st.sampled_from(Verdict),
    similarity=st.floats(0, 101),
    runner_up=st.floats(0, 100),
    attempts=st.tuples(st.integers(2, 4), st.integers(2, 4)),
    seen_track=st.integers(6, 8),
    now_s=st.floats(13, 16),
)
def test_a_grant_means_that_all_was_proven(
    verdict: Liveness,
    gate: Verdict,
    similarity: float,
    runner_up: float,
    attempts: tuple[int, int],
    seen_track: int,
    now_s: float,
) -> None:
    """The rule, said once more without the code's order."""
    case = replace(
        GOOD,
        liveness=liveness(verdict, gates=(Gate("timing", gate, 0.9, 0.75),)),
        match=match_of(ALICE, similarity, runner_up),
        liveness_attempt=attempts[0],
        match_attempt=attempts[1],
        seen_track=seen_track,
        now_s=now_s,
    )
    proven = (
        verdict is Liveness.LIVE
        and gate is Verdict.PASS
        and SETTINGS.threshold <= similarity <= 100.0
        and similarity - runner_up >= 1.0
        and attempts == (3, 3)
        and seen_track == 7
        and 14.0 <= now_s <= 15.0
    )
    assert isinstance(decide(case, SETTINGS), Grant) == proven
