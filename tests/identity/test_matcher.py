"""Threshold and margin, 1:N and 1:1."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import IdentitySettings
from kiosk.errors import MatchError, RecordsReadOnly
from kiosk.identity.galleries import Galleries
from kiosk.identity.gallery import Gallery
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.scale import Scale
from kiosk.ports import Matcher
from kiosk.reasons import Reason
from kiosk.values import Embedding
from tests.support.facekit import VERSION, unit

SCALE = Scale.from_anchors(VERSION, [0.30, 0.37, 0.43, 0.48])
SETTINGS = IdentitySettings(threshold=98.5, margin=1.0)
PROBE = unit(np.eye(64)[0])


def at(similarity: float, axis: int) -> Embedding:
    """An embedding of this similarity to PROBE."""
    cosine = SCALE.cosine(similarity)
    return unit(cosine * np.eye(64)[0] + math.sqrt(1 - cosine**2) * np.eye(64)[axis])


def matcher(*people: tuple[str, float], badges: dict[str, str] | None = None) -> LocalMatcher:
    """People at given similarities to PROBE."""
    gallery = Gallery(VERSION)
    gallery.replace([(name, at(similarity, axis + 1)) for axis, (name, similarity) in enumerate(people)])
    return LocalMatcher(Galleries(gallery), lambda _version: SCALE, SETTINGS, (badges or {}).get)


@pytest.mark.parametrize(
    ("people", "named", "reason"),
    [
        pytest.param([], None, Reason.UNKNOWN_PERSON, id="empty"),
        pytest.param([("a", 99.5)], "a", Reason.WELCOME, id="alone"),
        pytest.param([("a", 98.4)], None, Reason.UNKNOWN_PERSON, id="just-below"),
        pytest.param([("a", 98.6)], "a", Reason.WELCOME, id="just-above"),
        pytest.param([("a", 99.5), ("b", 98.6)], None, Reason.AMBIGUOUS_PERSON, id="too-near"),
        pytest.param([("a", 99.5), ("b", 98.4)], "a", Reason.WELCOME, id="margin"),
        pytest.param([("a", 99.5), ("a", 99.4)], "a", Reason.WELCOME, id="two-of-one"),
        pytest.param([("a", 97.0), ("b", 96.9)], None, Reason.UNKNOWN_PERSON, id="both-below"),
    ],
)
def test_one_to_many(people: list[tuple[str, float]], named: str | None, reason: Reason) -> None:
    """The word and the name."""
    port: Matcher = matcher(*people)
    match = port.search(PROBE, deadline_s=1)
    assert (match.person_id, match.reason) == (named, reason)
    assert match.model_version == port.model_version == VERSION
    if people:
        assert match.similarity == pytest.approx(max(s for _, s in people), abs=1e-3)


def test_two_who_are_equally_alike_are_nobody() -> None:
    """Without a margin the order of enrollment would decide."""
    gallery = Gallery(VERSION)
    gallery.replace([("a", at(99.5, 1)), ("b", at(99.5, 1))])
    none = IdentitySettings(threshold=98.5, margin=0.0)
    match = LocalMatcher(Galleries(gallery), lambda _version: SCALE, none, {}.get).search(PROBE, deadline_s=1)
    assert (match.person_id, match.reason) == (None, Reason.AMBIGUOUS_PERSON)


@pytest.mark.parametrize(
    ("badge", "named", "reason"),
    [
        pytest.param("A", "a", Reason.WELCOME, id="holder"),
        pytest.param("B", None, Reason.BADGE_MISMATCH, id="not-the-holder"),
        pytest.param("X", None, Reason.UNKNOWN_BADGE, id="unknown"),
        pytest.param("C", None, Reason.BADGE_MISMATCH, id="holder-without-template"),
    ],
)
def test_one_to_one(badge: str, named: str | None, reason: Reason) -> None:
    """The badge names, the face proves; who else looks alike does not matter."""
    one = matcher(("a", 99.0), ("b", 97.0), ("twin", 99.4), badges={"A": "a", "B": "b", "C": "c"})
    match = one.search(PROBE, deadline_s=1, badge=badge)
    assert (match.person_id, match.reason) == (named, reason)


@given(st.lists(st.floats(0, 100), max_size=6))
def test_nobody_is_named_below_threshold_or_margin(similarities: list[float]) -> None:
    """Whatever the gallery holds."""
    match = matcher(*((f"p{n}", s) for n, s in enumerate(similarities))).search(PROBE, deadline_s=1)
    assert (match.person_id is not None) == (match.reason is Reason.WELCOME)
    if match.person_id is not None:
        assert match.similarity >= SETTINGS.threshold
        assert match.margin >= SETTINGS.margin


def test_a_store_that_cannot_be_read_is_an_error_not_a_stranger() -> None:
    """MatchError, so that the door says "try again" and not "unknown badge"."""

    def broken(_badge: str) -> str | None:
        raise RecordsReadOnly("disk gone")

    gallery = Gallery(VERSION)
    with pytest.raises(MatchError, match="disk gone"):
        LocalMatcher(Galleries(gallery), lambda _version: SCALE, SETTINGS, broken).search(
            PROBE, deadline_s=1, badge="A"
        )


def test_a_scale_of_another_model_is_refused() -> None:
    """At once, not at the first visitor."""
    with pytest.raises(MatchError):
        LocalMatcher(Galleries(Gallery("other")), lambda _version: SCALE, SETTINGS, lambda _: None)
