"""``LocalMatcher``: the Matcher port over the gallery in memory.

1:N names a person only above the threshold *and* with a margin to the second person. With a badge it is 1:1
against the badge's holder: the badge names, the face proves.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.config.tree import IdentitySettings
from kiosk.errors import MatchError, RecordsError
from kiosk.identity.gallery import Gallery
from kiosk.identity.scale import Scale
from kiosk.reasons import Reason
from kiosk.values import LOCAL, Embedding, Match, Pixels

BadgeHolder = Callable[[str], str | None]
"""person_id of a badge's holder, None for an unknown badge (``TemplateSource.badge_holder``)."""


class LocalMatcher:
    """Searches ``gallery`` on ``scale``. Raises MatchError when their model versions differ."""

    def __init__(self, gallery: Gallery, scale: Scale, settings: IdentitySettings, badge_holder: BadgeHolder) -> None:
        if gallery.model_version != scale.model_version:
            raise MatchError(f"gallery of {gallery.model_version}, scale of {scale.model_version}")
        self._gallery = gallery
        self._scale = scale
        self._settings = settings
        self._badge_holder = badge_holder

    @property
    def model_version(self) -> str:
        """The embedding version this matcher can compare."""
        return self._gallery.model_version

    def search(
        self,
        probe: Embedding,
        *,
        deadline_s: float,  # noqa: ARG002 - the port's signature
        badge: str | None = None,
        crop: Pixels | None = None,  # noqa: ARG002 - as above
    ) -> Match:
        """1:N, or 1:1 against the holder of ``badge``. Memory only, so the deadline is met by construction.

        Raises MatchError when the probe cannot be compared or the badge cannot be looked up.
        """
        if badge is not None:
            return self._verify(probe, badge)
        found = self._gallery.search(probe)
        if found is None:
            return self._match(None, 0.0, 0.0, Reason.UNKNOWN_PERSON)
        similarity = self._scale.similarity(found.cosine)
        runner_up = 0.0 if found.runner_up is None else self._scale.similarity(found.runner_up)
        if similarity < self._settings.threshold:
            return self._match(None, similarity, runner_up, Reason.UNKNOWN_PERSON)
        if similarity - runner_up < self._settings.margin:
            return self._match(None, similarity, runner_up, Reason.AMBIGUOUS_PERSON)
        return self._match(found.person_id, similarity, runner_up, Reason.WELCOME)

    def _verify(self, probe: Embedding, badge: str) -> Match:
        try:
            holder = self._badge_holder(badge)
        except RecordsError as error:
            raise MatchError(f"the badge cannot be looked up: {error.what}") from error
        if holder is None:
            return self._match(None, 0.0, 0.0, Reason.UNKNOWN_BADGE)
        cosine = self._gallery.compare(probe, holder)
        similarity = 0.0 if cosine is None else self._scale.similarity(cosine)
        if similarity < self._settings.threshold:
            return self._match(None, similarity, 0.0, Reason.BADGE_MISMATCH)
        return self._match(holder, similarity, 0.0, Reason.WELCOME)

    def _match(self, person_id: str | None, similarity: float, runner_up: float, reason: Reason) -> Match:
        return Match(person_id, similarity, runner_up, LOCAL, self.model_version, reason)
