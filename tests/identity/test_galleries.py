"""People known by two face models during a change: everybody is found once, and doubts are the same as with one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.tree import IdentitySettings
from kiosk.errors import MatchError
from kiosk.identity.galleries import Galleries
from kiosk.identity.gallery import Gallery
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.probe import mean_embedding
from kiosk.identity.scale import Scale
from kiosk.reasons import Reason
from kiosk.values import Embedding
from tests.support.facekit import someone, unit

NEW, OLD = "new+1", "old+1"
SCALES = {
    NEW: Scale.from_anchors(NEW, [0.25, 0.35, 0.41, 0.47]),
    OLD: Scale.from_anchors(OLD, [0.50, 0.60, 0.70, 0.80]),
}
"""On purpose far apart: a cosine that is somebody by one model is nobody by the other."""
SETTINGS = IdentitySettings(threshold=98.0, margin=1.0)
AXES = 64


def at(similarity: float, axis: int, version: str) -> Embedding:
    """An embedding of this similarity to the probe of the same version."""
    cosine = SCALES[version].cosine(similarity)
    return unit(cosine * np.eye(AXES)[0] + math.sqrt(max(0.0, 1 - cosine**2)) * np.eye(AXES)[axis], version)


PROBE = replace(unit(np.eye(AXES)[0], NEW), before=unit(np.eye(AXES)[0], OLD))


class Book:
    """A store's templates, (person, version, similarity to the probe)."""

    def __init__(self, *rows: tuple[str, str, float]) -> None:
        self.rows = [(person, at(similarity, number + 1, of)) for number, (person, of, similarity) in enumerate(rows)]

    def templates(self, model_version: str, *, without: str | None = None) -> Sequence[tuple[str, Embedding]]:
        """As the store gives them."""
        moved = {person for person, template in self.rows if template.model_version == without}
        return [row for row in self.rows if row[1].model_version == model_version and row[0] not in moved]


def galleries(book: Book) -> Galleries:
    """Filled."""
    known = Galleries(Gallery(NEW), Gallery(OLD))
    known.fill(book.templates)
    return known


def matcher(*rows: tuple[str, str, float], badges: dict[str, str] | None = None) -> LocalMatcher:
    """Over these people."""
    return LocalMatcher(galleries(Book(*rows)), SCALES.__getitem__, SETTINGS, (badges or {}).get)


@pytest.mark.parametrize(
    ("rows", "named", "reason", "version"),
    [
        pytest.param([("a", OLD, 99.5)], "a", Reason.WELCOME, OLD, id="not moved yet"),
        pytest.param([("a", NEW, 99.5)], "a", Reason.WELCOME, NEW, id="moved"),
        pytest.param([("a", NEW, 99.5), ("a", OLD, 99.9)], "a", Reason.WELCOME, NEW, id="the present model alone"),
        pytest.param([("a", NEW, 90.0), ("a", OLD, 99.9)], None, Reason.UNKNOWN_PERSON, NEW, id="an old face is over"),
        pytest.param([("a", NEW, 98.2), ("b", OLD, 99.8)], "b", Reason.WELCOME, OLD, id="the best of both"),
        pytest.param([("a", NEW, 99.8), ("b", OLD, 98.2)], "a", Reason.WELCOME, NEW, id="the best of both, other way"),
        pytest.param([("a", NEW, 99.5), ("b", OLD, 99.0)], None, Reason.AMBIGUOUS_PERSON, NEW, id="margin across"),
        pytest.param([("a", NEW, 60.0), ("b", OLD, 97.0)], None, Reason.UNKNOWN_PERSON, OLD, id="nobody"),
        pytest.param([], None, Reason.UNKNOWN_PERSON, NEW, id="empty"),
    ],
)
def test_both_models_serve(rows: list[tuple[str, str, float]], named: str | None, reason: Reason, version: str) -> None:
    """Each person by their model; the answer bears the model that decided."""
    found = matcher(*rows).search(PROBE, deadline_s=1)
    assert (found.person_id, found.reason, found.model_version) == (named, reason, version)


@pytest.mark.parametrize(
    ("rows", "reason", "version"),
    [
        ([("a", OLD, 99.0)], Reason.WELCOME, OLD),
        ([("a", NEW, 99.0)], Reason.WELCOME, NEW),
        ([("a", NEW, 50.0), ("a", OLD, 99.0)], Reason.BADGE_MISMATCH, NEW),
        ([("a", OLD, 50.0), ("b", NEW, 99.9)], Reason.BADGE_MISMATCH, OLD),
        ([], Reason.BADGE_MISMATCH, NEW),
    ],
)
def test_a_badge_is_compared_by_its_holders_model(
    rows: list[tuple[str, str, float]], reason: Reason, version: str
) -> None:
    """1:1 against the holder, whoever else resembles more."""
    found = matcher(*rows, badges={"17": "a"}).search(PROBE, deadline_s=1, badge="17")
    assert (found.reason, found.model_version) == (reason, version)


def test_a_probe_of_one_model_is_refused_while_somebody_waits() -> None:
    """Leaving them out would enroll them twice and hide a runner-up; with nobody waiting one embedding is enough."""
    alone = replace(PROBE, before=None)
    with pytest.raises(MatchError, match="known by old\\+1 only"):
        matcher(("a", NEW, 99.9), ("b", OLD, 20.0)).search(alone, deadline_s=1)
    assert matcher(("a", NEW, 99.9)).search(alone, deadline_s=1).person_id == "a"


def test_an_embedding_of_the_wrong_model_never_meets_a_gallery() -> None:
    """Also when it claims to be the one of before."""
    with pytest.raises(MatchError, match=r"embedding of new\+1 in a gallery of old\+1"):
        matcher(("b", OLD, 99.0)).search(replace(PROBE, before=PROBE), deadline_s=1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"), st.sampled_from([NEW, OLD]), st.sampled_from([70.0, 97.0, 98.3, 98.6, 99.9])
        ),
        max_size=8,
    )
)
def test_it_is_one_search_among_all(rows: list[tuple[str, str, float]]) -> None:
    """As if every person had one similarity: the best of theirs by the model that they are known by."""
    moved = {person for person, version, _ in rows if version == NEW}
    best: dict[str, float] = {}
    for person, version, similarity in rows:
        if version == NEW or person not in moved:
            best[person] = max(best.get(person, 0.0), similarity)
    ranked = sorted(best.values(), reverse=True)
    found = matcher(*rows).search(PROBE, deadline_s=1)
    first, second = (*ranked, 0.0, 0.0)[:2]
    assert found.similarity == pytest.approx(first, abs=0.01)
    assert found.runner_up == pytest.approx(second, abs=0.01)
    if found.person_id is not None:
        assert best[found.person_id] == first >= SETTINGS.threshold
        assert first - second >= SETTINGS.margin - 0.01


def test_whoever_moves_while_the_galleries_are_filled_is_in_one_at_least() -> None:
    """The records change between the two readings, in either direction of time."""
    book = Book(("a", OLD, 99.5))
    read = []

    def moving(model_version: str, *, without: str | None = None) -> Sequence[tuple[str, Embedding]]:
        found = book.templates(model_version, without=without)
        read.append(model_version)
        book.rows.append(("a", at(99.5, 9, NEW)))
        return found

    known = Galleries(Gallery(NEW), Gallery(OLD))
    known.fill(moving)
    assert read == [OLD, NEW]
    found = LocalMatcher(known, SCALES.__getitem__, SETTINGS, {}.get).search(PROBE, deadline_s=1)
    assert (found.person_id, found.runner_up) == ("a", 0.0)


def test_whoever_is_added_has_moved() -> None:
    """And is counted once."""
    known = galleries(Book(("a", OLD, 99.0), ("b", OLD, 60.0)))
    assert (known.people, known.waiting, len(known)) == (2, 2, 2)
    known.add("a", at(99.5, 9, NEW))
    assert (known.people, known.waiting, len(known)) == (2, 1, 2)
    found = LocalMatcher(known, SCALES.__getitem__, SETTINGS, {}.get).search(PROBE, deadline_s=1)
    assert (found.person_id, found.model_version) == ("a", NEW)


def test_a_scale_of_another_model_is_refused() -> None:
    """For the gallery of before too."""
    with pytest.raises(MatchError, match="scale of"):
        LocalMatcher(Galleries(Gallery(NEW), Gallery(OLD)), lambda _: SCALES[NEW], SETTINGS, {}.get)


def test_the_mean_of_frames_is_taken_by_each_model() -> None:
    """Half a set of embeddings is none."""
    shots = [
        replace(someone(1, noise=0.3, shot=n, version=NEW), before=someone(2, noise=0.3, shot=n, version=OLD))
        for n in range(4)
    ]
    mean = mean_embedding(shots)
    assert mean.before is not None
    assert (mean.model_version, mean.before.model_version) == (NEW, OLD)
    assert float(mean.before.vector @ someone(2).vector) > 0.98
    with pytest.raises(MatchError, match="only some frames"):
        mean_embedding([*shots, someone(1, version=NEW)])
