"""Who is it, by Rekognition: AWS's service, or another server that speaks its protocol.

Rules:
- Only a crop of the face is sent, as JPEG; never a whole frame, never with a name: faces bear person ids.
- One deadline bounds everything: all shards are asked at once, and what comes later changes nothing.
- An answer counts only when it can be read whole and its face-model version has thresholds in the configuration: an
  unknown version, HTML from a captive portal, or half an answer is a failure, never "nobody" (``answers``).
- Only what may succeed when asked again is asked again (``asking``).
- While people move to other collections, both serve: whoever has a face in the present ones (by the kiosk's records, or
  by the answers) is known by those alone, everybody else by the old ones, in one search (``deciding``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from kiosk.errors import InputError, MatchError, RecordsError
from kiosk.identity.answers import UNNAMED, Found, Place, found_in, together
from kiosk.identity.asking import Asker, Unusable
from kiosk.identity.deciding import Hit, decided, verified
from kiosk.identity.parallel import at_once
from kiosk.identity.shards import collection_of, names
from kiosk.reasons import Reason
from kiosk.values import Embedding, IndexedFace, Match, Pixels

Read = TypeVar("Read")
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
        *,
        before: Place | None = None,
    ) -> None:
        """The kiosk's own records: ``badge_holder``, ``enrolled`` (whether somebody of this id may be let in), ``held``
        (where somebody's faces are). ``before``: where people are who have not moved yet."""
        self.name = place.name
        self._asker = asker
        self._places = (place,) if before is None else (place, before)
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
        everywhere = [(place, name) for place in self._places for name in names(place.prefix, place.shards)]
        version, hits, full = self._hits(self._ask(everywhere, content, until_s))
        return decided(hits, version, self.name, self._may_enter, full=full)

    def _verify(self, content: bytes, badge: str, until_s: float) -> Match:
        holder = self._read(self._badge_holder, badge)
        if holder is None:
            return Match(None, 0.0, 0.0, self.name, "", Reason.UNKNOWN_BADGE)
        version, hits, _ = self._hits(self._ask(self._homes(holder), content, until_s))
        return verified(hits, holder, version, self.name)

    def _homes(self, person_id: str) -> list[tuple[Place, str]]:
        """Where the person's faces are, also when shards were added since; where they belong when nobody knows."""
        known = self._collections_of(person_id)
        for place in self._places:
            shards = [(place, one) for one in names(place.prefix, place.shards) if one in known]
            if shards:
                return shards
        return [(place, collection_of(place.prefix, person_id, place.shards)) for place in self._places]

    def _hits(self, found: Sequence[tuple[Place, Found]]) -> tuple[str, list[Hit], bool]:
        """(face model of the first that was asked, each person once, whether an answer had no room for a second person
        who counts there). Raises MatchError."""
        hits: dict[str, Hit] = {}
        versions, full = [], False
        for place in self._places:
            answers = [one for of, one in found if of is place]
            if not answers:  # whoever shows a badge is sought where they are
                continue
            version, best = together(answers, place)
            versions.append(version)
            rules = place.thresholds[version]
            count = best.keys() - hits.keys()
            present = place is self._places[0]
            hits |= {
                one: Hit(one, best[one], version, rules, stale=not present and self._has_moved(one)) for one in count
            }
            full = full or any(one.rows >= MOST_MATCHES and len(count & set(one.people)) < 2 for one in answers)
        return versions[0], list(hits.values()), full

    def _has_moved(self, person_id: str) -> bool:
        present = names(self._places[0].prefix, self._places[0].shards)
        return bool(self._collections_of(person_id) & set(present))

    def _collections_of(self, person_id: str) -> set[str]:
        faces = () if person_id.startswith(UNNAMED) else self._read(self._held, person_id)
        return {face.collection for face in faces if face.engine == self.name}

    def _may_enter(self, person_id: str) -> bool:
        """Whether the records here know this person: whoever was removed at the kiosk stays out."""
        return not person_id.startswith(UNNAMED) and self._read(self._enrolled, person_id)

    def _read(self, look: Callable[[str], Read], what: str) -> Read:
        """What the kiosk's records say. Raises MatchError where they cannot be read."""
        try:
            return look(what)
        except RecordsError as error:
            raise MatchError(f"the person cannot be looked up: {error.what}", where=self.name) from error

    def _ask(
        self, collections: Sequence[tuple[Place, str]], content: bytes, until_s: float
    ) -> list[tuple[Place, Found]]:
        """The answers of all collections, asked at once. Raises MatchError, Unusable."""

        def ask(place: Place, collection: str) -> tuple[Place, Found]:
            question = place.question(collection, content, MOST_MATCHES, place.least, "HIGH")
            return place, found_in(self._asker.ask(place.operation, question, until_s), place)

        calls = [partial(ask, place, collection) for place, collection in collections]
        return at_once(calls, until_s, self.name, self._asker.clock)
