"""A collection's faces: indexing, listing, searching, deleting."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np

from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.details import box_ratios, face_detail, stored
from kiosk.rekognition.faults import bad_token, invalid_parameter
from kiosk.rekognition.operations.looking import largest
from kiosk.rekognition.operations.site import (
    LIST_MOST,
    MOST_FACES,
    Answer,
    Request,
    Site,
    begin_of,
    no_collection,
    token_of,
)
from kiosk.rekognition.pictures import MOST_FACES as MOST_INDEXED
from kiosk.rekognition.pictures import Picture, Seen, reasons_against
from kiosk.rekognition.shelf import StoredCollection, StoredFace

LONGEST_NUMBER = 18
"""Digits: what a database's whole number holds for certain."""


def index_faces(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Keep the vectors of the largest faces; what is not kept is told with the reasons."""
    collection = site.comparable(request)
    picture = site.looker.look(request["Image"])
    quality = request.get("QualityFilter", "AUTO")
    most = min(request.get("MaxFaces", MOST_INDEXED), MOST_INDEXED)
    wanted = request.get("DetectionAttributes", ())
    chosen: list[Seen] = []
    refused: list[dict[str, Any]] = []
    for seen in picture.faces:
        reasons = reasons_against(seen, quality)
        if not reasons and len(chosen) < most:
            chosen.append(seen)
            continue
        reasons = reasons or ["EXCEEDS_MAX_FACES"]
        refused.append({"Reasons": reasons, "FaceDetail": face_detail(picture, seen, wanted)})
    kept = _kept(site, collection, picture, chosen, request.get("ExternalImageId"))
    records = [
        {"Face": stored(face, collection.model_version), "FaceDetail": face_detail(picture, seen, wanted)}
        for face, seen in zip(kept, chosen, strict=True)
    ]
    return {"FaceRecords": records, "FaceModelVersion": collection.model_version, "UnindexedFaces": refused}


def _kept(
    site: Site, collection: StoredCollection, picture: Picture, chosen: list[Seen], external_image_id: str | None
) -> tuple[StoredFace, ...]:
    if not chosen:
        return ()
    image_id = str(uuid.uuid4())
    faces = []
    for seen in chosen:
        box = box_ratios(seen.face.box, picture.size_px)
        place = box["Left"], box["Top"], box["Width"], box["Height"]
        faces.append(StoredFace(str(uuid.uuid4()), image_id, external_image_id, place, seen.confidence))
    version = collection.model_version
    rows = np.array([site.looker.vector(picture, seen, version) for seen in chosen], np.float16)
    added = site.shelf.add_faces(collection.name, faces, rows, version)  # it may have been made anew meanwhile
    if added is None:
        raise no_collection(collection.name)
    site.vectors.added(collection.name, added)
    return added.faces


def list_faces(site: Site, _key: AccessKey, request: Request) -> Answer:
    """In the order of indexing."""
    collection = site.collection(request)
    limit = request.get("MaxResults") or LIST_MOST
    last = begin_of("faces", request, "0")
    if not (last.isascii() and last.isdigit() and len(last) <= LONGEST_NUMBER):
        raise bad_token()
    after = int(last)
    found = site.shelf.faces(collection.name, after, limit + 1, request.get("UserId"), request.get("FaceIds"))
    page = found[:limit]
    answer: Answer = {
        "Faces": [stored(face, collection.model_version) for face in page],
        "FaceModelVersion": collection.model_version,
    }
    if len(found) > limit:
        answer["NextToken"] = token_of("faces", str(page[-1].number))
    return answer


def search_faces(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Faces like one of the collection, without itself."""
    collection = site.comparable(request)
    searched = request["FaceId"]
    found = site.vectors.face(collection.name, searched)
    if found is None:
        raise invalid_parameter(f"the face id: {searched} does not exist in the collection")
    return {
        "SearchedFaceId": searched,
        "FaceMatches": _matches(site, collection, found[1], request, without=searched),
        "FaceModelVersion": collection.model_version,
    }


def search_faces_by_image(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Faces like the largest one of the picture."""
    collection = site.comparable(request)
    picture = site.looker.look(request["Image"], most=1)
    seen = largest(picture, request.get("QualityFilter", "NONE"))
    vector = site.looker.vector(picture, seen, collection.model_version)
    return {
        "SearchedFaceBoundingBox": box_ratios(seen.face.box, picture.size_px),
        "SearchedFaceConfidence": seen.confidence,
        "FaceMatches": _matches(site, collection, vector, request),
        "FaceModelVersion": collection.model_version,
    }


def _matches(
    site: Site, collection: StoredCollection, vector: Any, request: Request, *, without: str | None = None
) -> list[dict[str, Any]]:
    version, most = collection.model_version, request.get("MaxFaces", MOST_FACES)
    least = site.least_cosine(request, "FaceMatchThreshold", version)
    found = site.vectors.faces_like(collection.name, vector, least, most, without=without)
    return [{"Similarity": site.similarity(cosine, version), "Face": stored(face)} for face, cosine in found]


def delete_faces(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Those that belong to no user; the others are told."""
    collection = site.collection(request)
    wanted = list(dict.fromkeys(request["FaceIds"]))
    deleted = site.shelf.delete_faces(collection.name, wanted)
    known = {face.face_id: face for face in site.shelf.faces(collection.name, 0, len(wanted), face_ids=wanted)}
    refused = []
    for face_id in wanted:
        face = known.get(face_id)
        if face_id in deleted:
            continue
        if face is None or face.user_id is None:
            refused.append({"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]})
        else:
            refused.append({"FaceId": face_id, "UserId": face.user_id, "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]})
    return {
        "DeletedFaces": [face_id for face_id in wanted if face_id in deleted],
        "UnsuccessfulFaceDeletions": refused,
    }
