"""A collection's users: several faces of one person under one ID."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiosk.errors import RecordsConflict, RekognitionFault
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.details import face_detail
from kiosk.rekognition.faults import conflict, invalid_parameter, not_found
from kiosk.rekognition.operations.site import Answer, Request, Site, begin_of, token_of
from kiosk.rekognition.pictures import reasons_against
from kiosk.rekognition.shelf import StoredCollection, StoredFace

MOST_FACES = 100
"""Of one user."""
SAME_USER = 75.0
MOST_USERS = 500


def create_user(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Without faces yet."""
    collection, user_id = site.collection(request), request["UserId"]
    try:
        site.shelf.create_user(collection.name, user_id)
    except RecordsConflict as error:
        raise conflict(f"the user id: {user_id} already exists") from error
    return {}


def delete_user(site: Site, _key: AccessKey, request: Request) -> Answer:
    """The faces stay in the collection."""
    collection, user_id = site.collection(request), request["UserId"]
    if not site.shelf.delete_user(collection.name, user_id):
        raise _no_user(user_id)
    return {}


def list_users(site: Site, _key: AccessKey, request: Request) -> Answer:
    """By ID."""
    collection = site.collection(request)
    limit = request.get("MaxResults") or MOST_USERS
    found = site.shelf.users(collection.name, begin_of("users", request, ""), limit + 1)
    page = found[:limit]
    answer: Answer = {"Users": [{"UserId": user.user_id, "UserStatus": user.status} for user in page]}
    if len(found) > limit:
        answer["NextToken"] = token_of("users", page[-1].user_id)
    return answer


def associate_faces(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Give faces of the collection to a user, as far as they resemble the user's other faces.

    A face that the user has already is not told again. Who takes part is decided by what the shelf did, not by what was
    seen before: another request may have come in between.
    """
    collection, user_id = site.comparable(request), request["UserId"]
    _ask_user(site, collection.name, user_id)
    wanted = list(dict.fromkeys(request["FaceIds"]))
    least = site.least_cosine(request, "UserMatchThreshold", collection.model_version, SAME_USER)
    own = site.vectors.user(collection.name, user_id)
    fit, refused = [], []
    for face_id in wanted:
        found = site.vectors.face(collection.name, face_id)
        reason, cosine = _reason_against(found, user_id, own, least)
        if found is not None and found[0].user_id == user_id:
            continue
        if reason is None and found is not None:
            fit.append(face_id)
            # The first face of a user without any is what the further ones are held against.
            own = found[1] if own is None else own
            continue
        other = None if found is None else found[0].user_id
        told = None if cosine is None else site.similarity(cosine, collection.model_version)
        refused.append({"FaceId": face_id, "UserId": other, "Confidence": told, "Reasons": [reason]})
    taken = site.shelf.give_faces(collection.name, user_id, fit, MOST_FACES)
    if taken is None:
        raise _no_user(user_id)
    missed = [face_id for face_id in fit if face_id not in taken]
    if missed and len(site.shelf.faces(collection.name, 0, MOST_FACES, user_id=user_id)) >= MOST_FACES:
        raise RekognitionFault("ServiceQuotaExceededException", f"a user has at most {MOST_FACES} faces")
    refused += [{"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]} for face_id in missed]
    return {
        "AssociatedFaces": [{"FaceId": face_id} for face_id in fit if face_id in taken],
        "UnsuccessfulFaceAssociations": refused,
        "UserStatus": _status(site, collection.name, user_id),
    }


def _reason_against(
    found: tuple[StoredFace, Any] | None, user_id: str, own: Any, least: float
) -> tuple[str | None, float | None]:
    """(reason, cosine to the user's faces)."""
    if found is None:
        return "FACE_NOT_FOUND", None
    face, vector = found
    if face.user_id not in (None, user_id):
        return "ASSOCIATED_TO_A_DIFFERENT_USER", None
    if face.user_id is None and own is not None:
        cosine = float(np.dot(own, vector))
        if cosine < least:
            return "LOW_MATCH_CONFIDENCE", cosine
    return None, None


def disassociate_faces(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Take faces from a user; they stay in the collection."""
    collection, user_id = site.collection(request), request["UserId"]
    wanted = list(dict.fromkeys(request["FaceIds"]))
    taken = site.shelf.take_faces(collection.name, user_id, wanted)
    if taken is None:
        raise _no_user(user_id)
    known = {face.face_id: face for face in site.shelf.faces(collection.name, 0, len(wanted), face_ids=wanted)}
    refused = []
    for face_id in wanted:
        face = known.get(face_id)
        if face_id in taken:
            continue
        if face is None:
            refused.append({"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]})
        else:
            reasons = ["ASSOCIATED_TO_A_DIFFERENT_USER"]
            refused.append({"FaceId": face_id, "UserId": face.user_id, "Reasons": reasons})
    return {
        "DisassociatedFaces": [{"FaceId": face_id} for face_id in wanted if face_id in taken],
        "UnsuccessfulFaceDisassociations": refused,
        "UserStatus": _status(site, collection.name, user_id),
    }


def search_users(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Users like a face or like another user of the collection."""
    collection = site.comparable(request)
    face_id, user_id = request.get("FaceId"), request.get("UserId")
    answer: Answer = {"FaceModelVersion": collection.model_version}
    vector: Any
    if face_id is not None and user_id is None:
        found = site.vectors.face(collection.name, face_id)
        if found is None:
            raise not_found(f"the face id: {face_id} does not exist in the collection")
        vector = found[1]
        answer["SearchedFace"] = {"FaceId": face_id}
    elif user_id is not None and face_id is None:
        _ask_user(site, collection.name, user_id)
        vector = site.vectors.user(collection.name, user_id)
        answer["SearchedUser"] = {"UserId": user_id}
    else:
        raise invalid_parameter("either FaceId or UserId is needed")
    answer["UserMatches"] = [] if vector is None else _matches(site, collection, vector, request, user_id)
    return answer


def search_users_by_image(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Users like the largest face of the picture; without a face the answer is empty, no fault."""
    collection = site.comparable(request)
    picture = site.looker.look(request["Image"])
    quality = request.get("QualityFilter", "NONE")
    good = [seen for seen in picture.faces if not reasons_against(seen, quality)]
    others = [
        {"FaceDetails": face_detail(picture, seen), "Reasons": reasons_against(seen, quality) or ["FACE_NOT_LARGEST"]}
        for seen in picture.faces
        if not good or seen is not good[0]
    ]
    answer: Answer = {"UserMatches": [], "FaceModelVersion": collection.model_version, "UnsearchedFaces": others}
    if good:
        answer["SearchedFace"] = {"FaceDetail": face_detail(picture, good[0])}
        vector = site.looker.vector(picture, good[0], collection.model_version)
        answer["UserMatches"] = _matches(site, collection, vector, request, None)
    return answer


def _matches(
    site: Site, collection: StoredCollection, vector: Any, request: Request, without: str | None
) -> list[dict[str, Any]]:
    version, most = collection.model_version, request.get("MaxUsers", MOST_USERS)
    least = site.least_cosine(request, "UserMatchThreshold", version)
    found = site.vectors.users_like(collection.name, vector, least, most, without=without)
    return [
        {"Similarity": site.similarity(cosine, version), "User": {"UserId": user_id, "UserStatus": "ACTIVE"}}
        for user_id, cosine in found
    ]


def _status(site: Site, name: str, user_id: str) -> str:
    """Of a user who was there a moment ago."""
    found = site.shelf.user(name, user_id)
    return "CREATED" if found is None else found.status


def _ask_user(site: Site, name: str, user_id: str) -> None:
    if site.shelf.user(name, user_id) is None:
        raise _no_user(user_id)


def _no_user(user_id: str) -> Exception:
    return not_found(f"the user id: {user_id} does not exist")
