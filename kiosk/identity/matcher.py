"""``LocalMatcher``: the Matcher port over the galleries in memory.

Rules:
- 1:N names a person only above the threshold *and* with a margin to the second person. With a badge it is 1:1 against
  the badge's holder: the badge names, the face proves.
- While people move from one face model to another, everybody is compared, each by the model that knows them: the best
  of all is named, and the margin is to the second of all. Similarities of two models can be compared since each says
  how often two different people reach it (``kiosk.identity.scale``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kiosk.config.tree import IdentitySettings
from kiosk.errors import MatchError, RecordsError
from kiosk.identity.galleries import Galleries
from kiosk.identity.gallery import Gallery
from kiosk.identity.scale import Scale
from kiosk.reasons import Reason
from kiosk.values import LOCAL, Embedding, Match, Pixels

BadgeHolder = Callable[[str], str | None]
"""person_id of a badge's holder, None for an unknown badge (``TemplateSource.badge_holder``)."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best person of one gallery, on the scale 0..100."""

    person_id: str
    similarity: float
    runner_up: float
    """Of the best other person; 0 when there is none."""
    model_version: str


@dataclass(frozen=True, slots=True)
class Side:
    """Those who are known by one model. Raises MatchError when gallery and scale are of different ones."""

    gallery: Gallery
    scale: Scale

    def __post_init__(self) -> None:
        if self.gallery.model_version != self.scale.model_version:
            raise MatchError(f"gallery of {self.gallery.model_version}, scale of {self.scale.model_version}")

    def nearest(self, probe: Embedding) -> Nearest | None:
        """None: nobody is here. Raises MatchError."""
        found = self.gallery.search(probe)
        if found is None:
            return None
        runner_up = 0.0 if found.runner_up is None else self.scale.similarity(found.runner_up)
        return Nearest(found.person_id, self.scale.similarity(found.cosine), runner_up, self.gallery.model_version)

    def similarity_to(self, probe: Embedding, person_id: str) -> float | None:
        """0..100; None: they are not here. Raises MatchError."""
        cosine = self.gallery.compare(probe, person_id)
        return None if cosine is None else self.scale.similarity(cosine)


class LocalMatcher:
    """Searches ``galleries``, each on the scale that ``scale_of`` gives for its model version.

    Raises MatchError when a model version differs from its scale's.
    """

    def __init__(
        self,
        galleries: Galleries,
        scale_of: Callable[[str], Scale],
        settings: IdentitySettings,
        badge_holder: BadgeHolder,
    ) -> None:
        self._galleries = galleries
        self._present = Side(galleries.present, scale_of(galleries.present.model_version))
        before = galleries.before
        self._before = None if before is None else Side(before, scale_of(before.model_version))
        self._settings = settings
        self._badge_holder = badge_holder

    @property
    def model_version(self) -> str:
        """The version of the present model."""
        return self._present.gallery.model_version

    def search(
        self,
        probe: Embedding,
        *,
        deadline_s: float,  # noqa: ARG002 - the port's signature
        badge: str | None = None,
        crop: Pixels | None = None,  # noqa: ARG002 - as above
    ) -> Match:
        """1:N, or 1:1 against the holder of ``badge``. Memory only, so the deadline is met by construction.

        Raises MatchError when the probe cannot be compared (by any model that somebody is known by) or the badge cannot
        be looked up.
        """
        if badge is not None:
            return self._verify(probe, badge)
        found = None
        for side, one in self._sides(probe):
            found = better(found, side.nearest(one))
        if found is None:
            return Match(None, 0.0, 0.0, LOCAL, self.model_version, Reason.UNKNOWN_PERSON)
        if found.similarity < self._settings.threshold:
            return _match(found, None, Reason.UNKNOWN_PERSON)
        if not found.similarity - found.runner_up >= self._settings.margin or not found.similarity > found.runner_up:
            return _match(found, None, Reason.AMBIGUOUS_PERSON)
        return _match(found, found.person_id, Reason.WELCOME)

    def _sides(self, probe: Embedding) -> Iterator[tuple[Side, Embedding]]:
        """Each side with the probe by its model, the older one first (see ``galleries``). Raises MatchError."""
        if self._before is not None and len(self._before.gallery):
            if probe.before is None:  # to leave out those who have not moved would make doubles and a false margin
                version = self._before.gallery.model_version
                raise MatchError(f"some people are known by {version} only, and the probe is not embedded by it")
            yield self._before, probe.before
        yield self._present, probe

    def _verify(self, probe: Embedding, badge: str) -> Match:
        try:
            holder = self._badge_holder(badge)
        except RecordsError as error:
            raise MatchError(f"the badge cannot be looked up: {error.what}") from error
        if holder is None:
            return Match(None, 0.0, 0.0, LOCAL, self.model_version, Reason.UNKNOWN_BADGE)
        found = Nearest(holder, 0.0, 0.0, self.model_version)
        for side, one in self._sides(probe):
            similarity = side.similarity_to(one, holder)
            if similarity is not None:
                found = Nearest(
                    holder, similarity, 0.0, side.gallery.model_version
                )  # the present model has the last word
        if found.similarity < self._settings.threshold:
            return _match(found, None, Reason.BADGE_MISMATCH)
        return _match(found, holder, Reason.WELCOME)


def better(one: Nearest | None, other: Nearest | None) -> Nearest | None:
    """The more alike of two, with the best other person of both as the runner-up."""
    if one is None or other is None:
        return one or other
    first, second = (other, one) if other.similarity >= one.similarity else (one, other)
    others = second.runner_up if second.person_id == first.person_id else second.similarity
    return Nearest(first.person_id, first.similarity, max(first.runner_up, others), first.model_version)


def _match(found: Nearest, person_id: str | None, reason: Reason) -> Match:
    return Match(person_id, found.similarity, found.runner_up, LOCAL, found.model_version, reason)
