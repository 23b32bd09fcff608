"""An engine's people as the desk sees them: who is alike, index a face, take it away, look who is there.

Implements ``FaceEngine``. Rules:
- Faces bear person ids, never names. A person's faces lie in the shard that the id says.
- IndexFaces is asked once and never again by itself: asked twice it makes two faces. Whoever gets ``NoAnswer`` must
  look afterwards what there is (``of_person``).
- Erasing is proven: it has happened when the engine no longer lists the face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from kiosk.errors import MatchError
from kiosk.identity.answers import UNNAMED, UNREADABLE, Found, Place, found_in, refuse_unknown, together
from kiosk.identity.asking import Asker, NoAnswer, Refused, Unusable
from kiosk.identity.parallel import at_once
from kiosk.identity.shards import collection_of, names
from kiosk.values import IndexedFace

MOST_LOOKALIKES = 100
PAGE = 1000
AT_ONCE = 1000
"""Faces in one DeleteFaces or ListFaces: less than AWS allows (4096), so that an answer stays small."""
GONE = "ResourceNotFoundException"
Read = TypeVar("Read")


class FaceNotIndexed(Unusable):
    """The engine did not take the face: ``reasons`` are its own words, as of UnindexedFaces."""

    def __init__(self, reasons: Sequence[str], where: str) -> None:
        told = ", ".join(reasons) or "no face found"
        super().__init__(f"did not take the face ({told})", where=where, reason=(*reasons, "NO_FACE")[0])


class FaceCollections:
    """The collections of one place, for enrolling. Safe from several threads."""

    def __init__(
        self, asker: Asker, place: Place, *, before: Place | None = None, address: str = "", call_s: float = 20.0
    ) -> None:
        """``before``: where people are who have not moved yet. ``call_s``: the deadline of one step, seconds."""
        self.name = place.name
        self.place = place
        self.address = address
        self.before = before
        self._asker = asker
        self._call_s = call_s

    def collection_of(self, person_id: str) -> str:
        """Where this person's faces lie."""
        return collection_of(self.place.prefix, person_id, self.place.shards)

    def homes(self, person_id: str) -> tuple[str, ...]:
        """Every collection in which faces of this person may lie: with fewer shards they lay in another one."""
        del person_id
        places = [place for place in (self.place, self.before) if place is not None]
        return tuple(name for place in places for name in names(place.prefix, place.shards))

    @property
    def collections(self) -> tuple[str, ...]:
        """All shards."""
        return names(self.place.prefix, self.place.shards)

    def prepare(self) -> tuple[str, ...]:
        """Make the collections that are not there; which they were. Raises MatchError."""
        made = []
        for collection in self.collections:
            try:
                self.ask("create_collection", {"CollectionId": collection})
                made.append(collection)
            except Refused as error:
                if error.code != "ResourceAlreadyExistsException":
                    raise
        return tuple(made)

    def described(self) -> tuple[str, int]:
        """(face model, faces in all shards). Raises MatchError: one is not to be had, or of an unknown model."""
        version, faces = self.counted()
        return version, sum(faces.values())

    def counted(self) -> tuple[str, Mapping[str, int]]:
        """(face model, faces in each shard by the collection's name). Raises MatchError as ``described``.

        During a change of collections the old ones must be there too: every search asks them.
        """
        versions, faces = set(), {}
        for collection in self.collections:
            version, faces[collection] = self._described(collection)
            refuse_unknown(version, self.place)
            versions.add(version)
        if len(versions) != 1:
            raise MatchError(f"the shards are of different models: {', '.join(sorted(versions))}", where=self.name)
        if self.before is not None:
            for collection in names(self.before.prefix, self.before.shards):
                refuse_unknown(self._described(collection)[0], self.before)
        return versions.pop(), faces

    def count(self, collection: str) -> int:
        """Faces in a collection. Raises MatchError."""
        return self._described(collection)[1]

    def alike(self, picture: bytes) -> Mapping[str, float]:
        """Who reaches the face model's threshold, over all shards: person id to similarity, the most alike first.

        Raises Unusable (no face in the picture that the engine can use), MatchError.
        """
        until_s, found = self._until_s(), dict[str, float]()

        def search(place: Place, collection: str) -> Found:
            question = place.question(collection, picture, MOST_LOOKALIKES, place.least, "NONE")
            return found_in(self._asker.ask(place.operation, question, until_s), place)

        for place in (one for one in (self.place, self.before) if one is not None):
            calls = [partial(search, place, collection) for collection in names(place.prefix, place.shards)]
            version, best = together(at_once(calls, until_s, self.name, self._asker.clock), place)
            enough = place.thresholds[version].threshold
            found |= {one: max(value, found.get(one, 0.0)) for one, value in best.items() if value >= enough}
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def index(self, person_id: str, picture: bytes, quality: str = "high") -> IndexedFace:
        """Add the only face of ``picture`` to the person's faces; ``quality``: the engine's own filter, in lower case.

        Raises MatchError: FaceNotIndexed, Unusable and most of Refused are ``undone``, NoAnswer never.
        """
        collection = self.collection_of(person_id)
        members = {
            "CollectionId": collection,
            "Image": {"Bytes": picture},
            "ExternalImageId": person_id,
            "MaxFaces": 1,
            "QualityFilter": quality.upper(),
            "DetectionAttributes": [],
        }
        answer = self._asker.change("index_faces", members, self._until_s())
        made, reasons, version = self.read(answer, _indexed)
        if not made:
            raise FaceNotIndexed(reasons, self.name)
        face = IndexedFace(self.name, collection, made[0], version)
        try:
            refuse_unknown(version, self.place)
            if self.place.users:
                self._associate(face, person_id)
        except MatchError as error:  # the face is there: whoever called must not take it for undone
            raise NoAnswer(error.what, where=self.name, reason=error.reason) from error
        return face

    def erase(self, faces: Sequence[IndexedFace]) -> None:
        """Take faces away; when this returns the engine no longer lists them. Raises MatchError."""
        places: dict[str, list[str]] = {}
        for face in faces:
            places.setdefault(face.collection, []).append(face.face_id)
        for collection, face_ids in places.items():
            for begin in range(0, len(face_ids), AT_ONCE):
                self._erase(collection, face_ids[begin : begin + AT_ONCE])

    def of_person(self, person_id: str, collection: str) -> list[IndexedFace]:
        """The person's faces, found by reading the whole collection: for when nobody knows what is there.

        A page has 1000 faces, so that a large one takes minutes. Raises MatchError.
        """
        found = []
        for face in self._listed(collection, {}):
            face_id, owner = self.read(face, lambda face: (str(face["FaceId"]), _owner(face)))
            if owner == person_id:
                version = str(face.get("IndexFacesModelVersion", ""))
                found.append(IndexedFace(self.name, collection, face_id, version))
        return found

    def forget_user(self, person_id: str, collection: str) -> None:
        """Remove the person's user; one who is not there is no fault. Raises MatchError.

        Where people are no users there may be one from a time when they were.
        """
        try:
            self._unless_gone("delete_user", {"CollectionId": collection, "UserId": person_id})
        except Refused:
            if self.place.users:
                raise

    def like_face(self, face: IndexedFace) -> Mapping[str, float]:
        """People who resemble a face that is there, in its collection: person id to similarity. Raises MatchError."""
        members = {"CollectionId": face.collection, "FaceId": face.face_id}
        if self.place.users:
            limits = {"MaxUsers": MOST_LOOKALIKES, "UserMatchThreshold": self.place.least}
            return found_in({"SearchedFace": True, **self.ask("search_users", members | limits)}, self.place).people
        limits = {"MaxFaces": MOST_LOOKALIKES, "FaceMatchThreshold": self.place.least}
        return found_in(self.ask("search_faces", members | limits), self.place).people

    def compare(self, source: bytes, target: bytes) -> float:
        """Similarity 0..100 of the largest face of ``source`` to the most similar one of ``target``; 0: none is alike.

        Raises Unusable (no face in one of them), MatchError.
        """
        members = {
            "SourceImage": {"Bytes": source},
            "TargetImage": {"Bytes": target},
            "SimilarityThreshold": 0.0,
            "QualityFilter": "NONE",
        }
        told = self.ask("compare_faces", members)
        return self.read(told, lambda told: max((float(one["Similarity"]) for one in told["FaceMatches"]), default=0.0))

    # Inside

    def _described(self, collection: str) -> tuple[str, int]:
        try:
            told = self.ask("describe_collection", {"CollectionId": collection})
        except Refused as error:
            # Nobody makes an old collection anew: when it is gone, the change is over.
            mend = error.mend if collection in self.collections else "remove the lines with _before, or name it rightly"
            raise MatchError(f"collection {collection}: {error.what}", where=self.name, mend=mend) from error
        return self.read(told, lambda told: (str(told["FaceModelVersion"]), int(told["FaceCount"])))

    def _associate(self, face: IndexedFace, person_id: str) -> None:
        user = {"CollectionId": face.collection, "UserId": person_id}
        try:
            self._asker.change("create_user", user, self._until_s())
        except Refused as error:
            if error.code != "ConflictException":
                raise
        # Who is given a badge is compared with the user, so that a face that did not become theirs is of no use.
        members = {**user, "FaceIds": [face.face_id], "UserMatchThreshold": 0.0}
        answer = self._asker.change("associate_faces", members, self._until_s())
        if not self.read(answer, lambda told: [one["FaceId"] for one in told["AssociatedFaces"]]):
            raise FaceNotIndexed(["NOT_ASSOCIATED"], self.name)

    def _erase(self, collection: str, face_ids: list[str]) -> None:
        self._disassociate(collection, face_ids)
        self._unless_gone("delete_faces", {"CollectionId": collection, "FaceIds": face_ids})
        left = list(self._listed(collection, {"FaceIds": face_ids}))
        if left:
            raise MatchError(f"still lists {len(left)} of {len(face_ids)} faces", where=self.name)

    def _disassociate(self, collection: str, face_ids: list[str]) -> None:
        """A face that belongs to a user is not deleted."""
        owners: dict[str, list[str]] = {}
        for face in self._listed(collection, {"FaceIds": face_ids}):
            face_id, user_id = self.read(face, lambda face: (str(face["FaceId"]), str(face.get("UserId", ""))))
            if user_id:
                owners.setdefault(user_id, []).append(face_id)
        for user_id, theirs in owners.items():
            for begin in range(0, len(theirs), 100):
                members = {"CollectionId": collection, "UserId": user_id, "FaceIds": theirs[begin : begin + 100]}
                self._unless_gone("disassociate_faces", members)

    def _listed(self, collection: str, chosen: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            members = {"CollectionId": collection, "MaxResults": PAGE, **chosen, **token}
            try:
                answer = self.ask("list_faces", members)
            except Refused as error:
                if error.code == GONE:
                    return
                raise
            faces, then = self.read(answer, lambda told: (list(told["Faces"]), told.get("NextToken")))
            yield from faces
            if not then:
                return
            token = {"NextToken": str(then)}

    def _unless_gone(self, operation: str, members: Mapping[str, Any]) -> None:
        """What may be asked any number of times; that there is nothing any more is as good as done."""
        try:
            self.ask(operation, members)
        except Refused as error:
            if error.code != GONE:
                raise

    def ask(self, operation: str, members: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer within the deadline of one step. Raises MatchError."""
        return self._asker.ask(operation, members, self._until_s())

    def _until_s(self) -> float:
        return self._asker.clock() + self._call_s

    def read(self, answer: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Read]) -> Read:
        """What ``read`` takes out of an answer. Raises MatchError where it cannot."""
        try:
            return read(answer)
        except UNREADABLE as error:
            raise MatchError("the answer cannot be read", where=self.name) from error


def _indexed(told: Mapping[str, Any]) -> tuple[list[str], list[str], str]:
    """(ids of the faces made, reasons of those that were not, face model)."""
    made = [str(record["Face"]["FaceId"]) for record in told["FaceRecords"]]
    reasons = [str(reason) for one in told.get("UnindexedFaces", ()) for reason in one["Reasons"]]
    return made, reasons, str(told["FaceModelVersion"])


def _owner(face: Mapping[str, Any]) -> str:
    return str(face.get("ExternalImageId") or f"{UNNAMED}{face['FaceId']}")
