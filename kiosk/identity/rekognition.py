"""Who is it, by Rekognition: AWS's service, or another server that speaks its protocol.

Rules:
- Only a crop of the face is sent, as JPEG; never a whole frame, never with a name: faces bear person ids.
- One deadline bounds everything: all shards are asked at once, and what comes later changes nothing.
- An answer counts only when it can be read whole and its face-model version has thresholds in the configuration: an
  unknown version, HTML from a captive portal, or half an answer is a failure, never "nobody".
- Only what may succeed when asked again is asked again (``RETRYABLE``), after a growing, jittered pause, in time.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kiosk.config.engines import ModelThresholds
from kiosk.errors import InputError, MatchError, RecordsError
from kiosk.identity.shards import collection_of, names
from kiosk.reasons import Reason
from kiosk.values import Embedding, Match, Pixels

RETRYABLE = frozenset({"ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"})
PAUSE_S = 0.05
"""Before the second try; doubled before each further one, of which half is chance."""
MOST_MATCHES = 100
"""Faces of an answer: a person has several, and the runner-up is to be among them."""
MOST_BYTES = 5_242_880
UNNAMED = "#"
"""Begins what stands for a face without a person: no person id and no ExternalImageId begins so."""
FOREIGN = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What botocore's parser raises, beside its own errors, for answers that are none."""


class RekognitionCalls(Protocol):
    """The part of boto3's client that searching needs."""

    def search_faces_by_image(self, **members: Any) -> Mapping[str, Any]:
        """Raises botocore's exceptions."""


class Unusable(MatchError):
    """The engine is well, but cannot use this picture: no reason to leave it alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which collections to ask, and how their answers are judged."""

    name: str
    """Source of its matches: ``aws``, ``site``."""
    prefix: str
    shards: int
    thresholds: Mapping[str, ModelThresholds]
    """Face-model version to thresholds."""


class RekognitionEngine:
    """Searches the collections of ``place``. Safe from several threads."""

    def __init__(
        self,
        calls: RekognitionCalls,
        place: Place,
        encode: Callable[[Pixels], bytes],
        badge_holder: Callable[[str], str | None],
        enrolled: Callable[[str], bool],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """``badge_holder`` and ``enrolled`` (whether somebody of this id may be let in) are the kiosk's own records."""
        self.name = place.name
        self._calls = calls
        self._place = place
        self._encode = encode
        self._badge_holder = badge_holder
        self._enrolled = enrolled
        self._clock = clock
        self._pause = pause
        self._chance = chance

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
        until_s = self._clock() + deadline_s
        if badge is not None:
            return self._verify(content, badge, until_s)
        place = self._place
        answers = self._ask(names(place.prefix, place.shards), content, until_s)
        found = [self._judged(answer) for answer in answers]
        versions = {version for version, _ in found}
        if len(versions) != 1:
            raise MatchError(f"the shards are of different models: {', '.join(sorted(versions))}", where=self.name)
        (version,) = versions
        best: dict[str, float] = {}
        for _, people in found:
            for person_id, similarity in people.items():
                best[person_id] = max(similarity, best.get(person_id, 0.0))
        full = any(
            len(people) == 1 and _count(answer) >= MOST_MATCHES
            for answer, (_, people) in zip(answers, found, strict=True)
        )
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
        except RecordsError as error:
            raise MatchError(f"the badge cannot be looked up: {error.what}") from error
        if holder is None:
            return self._match(None, 0.0, 0.0, "", Reason.UNKNOWN_BADGE)
        shard = collection_of(self._place.prefix, holder, self._place.shards)
        ((version, people),) = [self._judged(answer) for answer in self._ask((shard,), content, until_s)]
        similarity = people.get(holder, 0.0)
        if similarity < self._place.thresholds[version].threshold:
            return self._match(None, similarity, 0.0, version, Reason.BADGE_MISMATCH)
        return self._match(holder, similarity, 0.0, version, Reason.WELCOME)

    def _match(self, person_id: str | None, similarity: float, runner_up: float, version: str, reason: Reason) -> Match:
        return Match(person_id, similarity, runner_up, self.name, version, reason)

    def _judged(self, answer: object) -> tuple[str, dict[str, float]]:
        """(face-model version, person id to best similarity). Raises MatchError for what is no whole answer."""
        try:
            version = answer["FaceModelVersion"]  # type: ignore[index]  # foreign: whatever it is, it is caught here
            if not isinstance(version, str):
                raise TypeError("no version")
            people: dict[str, float] = {}
            for match in answer["FaceMatches"]:  # type: ignore[index]  # as above
                face, value = match["Face"], float(match["Similarity"])
                if not 0.0 <= value <= 100.0:
                    raise ValueError("no similarity")
                # A face without a person is somebody all the same: it can be a runner-up, and is never let in.
                person_id = str(face.get("ExternalImageId") or f"{UNNAMED}{face['FaceId']}")
                people[person_id] = max(value, people.get(person_id, 0.0))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise MatchError("the answer cannot be read", where=self.name) from error
        if version not in self._place.thresholds:
            known = ", ".join(sorted(self._place.thresholds)) or "none"
            raise MatchError(f"face model {version!a} has no thresholds", where=self.name, mend=f"known: {known}")
        return version, people

    def _ask(self, collections: Sequence[str], content: bytes, until_s: float) -> list[object]:
        """The answers of all collections, asked at once. Raises MatchError, Unusable.

        Each call has a thread of its own that nobody waits for: one that hangs beyond the deadline holds up neither the
        next visit nor the end of the program.
        """
        answers: queue.SimpleQueue[tuple[int, object]] = queue.SimpleQueue()

        def ask(number: int, collection: str) -> None:
            try:
                answers.put((number, self._ask_one(collection, content, until_s)))
            except MatchError as error:
                answers.put((number, error))

        for number, collection in enumerate(collections):
            threading.Thread(target=ask, args=(number, collection), name=self.name, daemon=True).start()
        found: dict[int, object] = {}
        while len(found) < len(collections):
            try:
                number, answer = answers.get(timeout=max(0.001, until_s - self._clock()))
            except queue.Empty as error:
                raise MatchError("no answer in time", where=self.name) from error
            if isinstance(answer, MatchError):
                raise answer
            found[number] = answer
        return [found[number] for number in range(len(collections))]

    def _ask_one(self, collection: str, content: bytes, until_s: float) -> object:
        least = min(rules.threshold - rules.margin for rules in self._place.thresholds.values())
        members = {
            "CollectionId": collection,
            "Image": {"Bytes": content},
            "MaxFaces": MOST_MATCHES,
            "FaceMatchThreshold": max(0.0, least),
            "QualityFilter": "HIGH",
        }
        pause_s = PAUSE_S
        while True:
            fault = self._asked(members)
            if not isinstance(fault, MatchError):
                return fault
            wait_s = pause_s * (0.5 + 0.5 * self._chance())
            if not getattr(fault, "again", False) or self._clock() + wait_s >= until_s:
                raise fault
            self._pause(wait_s)
            pause_s *= 2.0

    def _asked(self, members: Mapping[str, Any]) -> object:
        """The answer, or the MatchError that it came to."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            return self._calls.search_faces_by_image(**members)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ("InvalidParameterException", "InvalidImageFormatException", "ImageTooLargeException"):
                return Unusable(f"refused the picture ({code})", where=self.name)
            return _Refused(code, self.name)
        except (BotoCoreError, ResponseParserError, *FOREIGN) as error:
            return MatchError(f"no answer ({type(error).__name__})", where=self.name)


def _count(answer: Any) -> int:
    """Faces of an answer that has been judged."""
    return len(answer["FaceMatches"])


def described(calls: Any, place: Place) -> int:
    """How many faces the place's collections hold. Raises MatchError: one is not to be had, or of an unknown model."""
    from botocore.exceptions import BotoCoreError, ClientError

    faces = 0
    for collection in names(place.prefix, place.shards):
        try:
            told = calls.describe_collection(CollectionId=collection)
            version, count = str(told["FaceModelVersion"]), int(told["FaceCount"])
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "an error")
            raise MatchError(f"collection {collection}: answered {code}", where=place.name) from error
        except (BotoCoreError, KeyError, TypeError, ValueError, OSError) as error:
            raise MatchError(f"no answer ({type(error).__name__})", where=place.name) from error
        if version not in place.thresholds:
            mend = f'add [identity.models."{version}"]'
            raise MatchError(f"face model {version} has no thresholds", where=place.name, mend=mend)
        faces += count
    return faces


class _Refused(MatchError):
    """The service answered with an error."""

    def __init__(self, code: str, where: str) -> None:
        super().__init__(f"answered {code or 'an error'}", where=where)
        self.again = code in RETRYABLE
