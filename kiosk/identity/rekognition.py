"""Who is it, by Rekognition: AWS's service, or another server that speaks its protocol.

Rules:
- Only a crop of the face is sent, as JPEG; never a whole frame, never with a name: faces bear person ids.
- One deadline bounds everything: all shards are asked at once, and what comes later changes nothing.
- An answer counts only when it can be read whole and its face-model version has thresholds in the configuration: an
  unknown version, HTML from a captive portal, or half an answer is a failure, never "nobody" (``answers``).
- Only what may succeed when asked again is asked again (``asking``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from kiosk.errors import InputError, MatchError, RecordsError
from kiosk.identity.answers import UNNAMED, Found, Place, found_in, together
from kiosk.identity.asking import Asker, Unusable
from kiosk.identity.parallel import at_once
from kiosk.identity.shards import collection_of, names
from kiosk.reasons import Reason
from kiosk.values import Embedding, IndexedFace, Match, Pixels

MOST_MATCHES = 100
"""Faces of an answer: a person has several, and the runner-up is to be among them."""
MOST_BYTES = 5_242_880


class RekognitionEngine:
    """Searches the collections of ``place``. Safe from several threads."""

    def __init__(
        self,
        asker: Asker,
        place: Place,
        encode: Callable[[Pixels], bytes],
        badge_holder: Callable[[str], str | None],
        enrolled: Callable[[str], bool],
        held: Callable[[str], Sequence[IndexedFace]] = lambda _: (),
    ) -> None:
        """The kiosk's own records: ``badge_holder``, ``enrolled`` (whether somebody of this id may be let in), ``held``
        (where somebody's faces are)."""
        self.name = place.name
        self._asker = asker
        self._place = place
        self._encode = encode
        self._badge_holder = badge_holder
        self._enrolled = enrolled
        self._held = held

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """1:N over all shards, or 1:1 in the shard of the badge's holder.

        Raises Unusable for a picture that it cannot use, MatchError when it does not answer in time and whole.
        """
        del probe  # another model's vector says nothing here
        if crop is None:
            raise Unusable("no picture to send", where=self.name)
        try:
            content = self._encode(crop)
        except InputError as error:
            raise Unusable(error.what, where=self.name) from error
        if len(content) > MOST_BYTES:
            raise Unusable("the picture is too large to send", where=self.name)
        until_s = self._asker.clock() + deadline_s
        if badge is not None:
            return self._verify(content, badge, until_s)
        found = self._ask(names(self._place.prefix, self._place.shards), content, until_s)
        version, best = together(found, self._place)
        full = any(len(one.people) == 1 and one.rows >= MOST_MATCHES for one in found)
        return self._decided(best, version, full=full)

    def _decided(self, best: Mapping[str, float], version: str, *, full: bool) -> Match:
        """``full``: an answer had no room for a second person, so that nothing is known of the runner-up."""
        rules = self._place.thresholds[version]
        ranked = sorted(best.items(), key=lambda pair: -pair[1])
        person_id, similarity = ranked[0] if ranked else (None, 0.0)
        runner_up = ranked[1][1] if len(ranked) > 1 else 0.0
        if similarity < rules.threshold:
            return self._match(None, similarity, runner_up, version, Reason.UNKNOWN_PERSON)
        if similarity - runner_up < rules.margin or full:
            return self._match(None, similarity, runner_up, version, Reason.AMBIGUOUS_PERSON)
        if person_id is None or not self._may_enter(person_id):
            return self._match(None, similarity, runner_up, version, Reason.UNKNOWN_PERSON)
        return self._match(person_id, similarity, runner_up, version, Reason.WELCOME)

    def _may_enter(self, person_id: str) -> bool:
        """Whether the records here know this person: whoever was removed at the kiosk stays out."""
        try:
            return not person_id.startswith(UNNAMED) and self._enrolled(person_id)
        except RecordsError as error:
            raise MatchError(f"the person cannot be looked up: {error.what}", where=self.name) from error

    def _verify(self, content: bytes, badge: str, until_s: float) -> Match:
        try:
            holder = self._badge_holder(badge)
            faces = [] if holder is None else self._held(holder)
        except RecordsError as error:
            raise MatchError(f"the badge cannot be looked up: {error.what}") from error
        if holder is None:
            return self._match(None, 0.0, 0.0, "", Reason.UNKNOWN_BADGE)
        version, best = together(self._ask(self._shards_of(holder, faces), content, until_s), self._place)
        similarity = best.get(holder, 0.0)
        if similarity < self._place.thresholds[version].threshold:
            return self._match(None, similarity, 0.0, version, Reason.BADGE_MISMATCH)
        return self._match(holder, similarity, 0.0, version, Reason.WELCOME)

    def _shards_of(self, person_id: str, faces: Sequence[IndexedFace]) -> tuple[str, ...]:
        """Where the person's faces are, also when shards were added since; where they belong when nobody knows."""
        known = {face.collection for face in faces if face.engine == self.name}
        shards = tuple(one for one in names(self._place.prefix, self._place.shards) if one in known)
        return shards or (collection_of(self._place.prefix, person_id, self._place.shards),)

    def _match(self, person_id: str | None, similarity: float, runner_up: float, version: str, reason: Reason) -> Match:
        return Match(person_id, similarity, runner_up, self.name, version, reason)

    def _ask(self, collections: Sequence[str], content: bytes, until_s: float) -> list[Found]:
        """The answers of all collections, asked at once. Raises MatchError, Unusable."""

        def ask(collection: str) -> Found:
            question = self._place.question(collection, content, MOST_MATCHES, self._place.least, "HIGH")
            return found_in(self._asker.ask(self._place.operation, question, until_s), self._place)

        calls = [partial(ask, collection) for collection in collections]
        return at_once(calls, until_s, self.name, self._asker.clock)
