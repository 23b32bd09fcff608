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
from kiosk.identity.deciding import Hit, decided, verified
from kiosk.identity.galleries import Galleries
from kiosk.identity.gallery import Gallery
from kiosk.identity.scale import Scale
from kiosk.reasons import Reason
from kiosk.values import LOCAL, Embedding, Match, Pixels

BadgeHolder = Callable[[str], str | None]
"""person_id of a badge's holder, None for an unknown badge (``TemplateSource.badge_holder``)."""


@dataclass(frozen=True, slots=True)
class Side:
    """Those who are known by one model. Raises MatchError when gallery and scale are of different ones."""

    gallery: Gallery
    scale: Scale

    def __post_init__(self) -> None:
        if self.gallery.model_version != self.scale.model_version:
            raise MatchError(f"gallery of {self.gallery.model_version}, scale of {self.scale.model_version}")

    def nearest(self, probe: Embedding) -> list[tuple[str, float]]:
        """The best person and the next one, as far as there are any: (person_id, 0..100). Raises MatchError."""
        found = self.gallery.search(probe)
        if found is None:
            return []
        pairs = [(found.person_id, found.cosine), (found.runner_up_id, found.runner_up)]
        return [(who, self.scale.similarity(cosine)) for who, cosine in pairs if who is not None and cosine is not None]

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
        hits: dict[str, Hit] = {}
        for side, one in self._sides(probe):
            for person_id, similarity in side.nearest(one):
                if person_id not in hits or similarity >= hits[person_id].similarity:
                    hits[person_id] = self._hit(side, person_id, similarity)
        return decided(list(hits.values()), self.model_version, LOCAL, lambda _: True)

    def _hit(self, side: Side, person_id: str, similarity: float) -> Hit:
        return Hit(person_id, similarity, side.gallery.model_version, self._settings)

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
        found = []
        for side, one in self._sides(probe):
            similarity = side.similarity_to(one, holder)
            if similarity is not None:  # the present model has the last word
                found = [self._hit(side, holder, similarity)]
        return verified(found, holder, self.model_version, LOCAL)
