"""Looking at pictures without a collection: what faces there are, and whether they are of one person."""

from __future__ import annotations

import numpy as np

from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.details import box_ratios, face_detail, plain_detail
from kiosk.rekognition.faults import invalid_parameter
from kiosk.rekognition.operations.site import DEFAULT_SIMILARITY, Answer, Request, Site
from kiosk.rekognition.pictures import Picture, Seen, reasons_against


def detect_faces(site: Site, _key: AccessKey, request: Request) -> Answer:
    """Up to 100 faces, the largest first."""
    picture = site.looker.look(request["Image"])
    wanted = request.get("Attributes", ())
    return {"FaceDetails": [face_detail(picture, seen, wanted) for seen in picture.faces]}


def compare_faces(site: Site, _key: AccessKey, request: Request) -> Answer:
    """The largest face of the source with up to 100 of the target, the most similar first."""
    quality = request.get("QualityFilter", "NONE")
    source, target = (site.looker.look(request[name]) for name in ("SourceImage", "TargetImage"))
    seen = largest(source, quality, "SourceImage")
    version = site.model_version
    probe = site.looker.vector(source, seen, version)
    least = request.get("SimilarityThreshold", DEFAULT_SIMILARITY)
    matches, others = [], []
    for other in target.faces:
        if reasons_against(other, quality):
            continue
        similarity = site.similarity(float(np.dot(probe, site.looker.vector(target, other, version))), version)
        detail = plain_detail(target, other)
        if similarity >= least:
            matches.append({"Similarity": similarity, "Face": detail})
        else:
            others.append(detail)
    return {
        "SourceImageFace": {
            "BoundingBox": box_ratios(seen.face.box, source.size_px),
            "Confidence": seen.confidence,
        },
        "FaceMatches": sorted(matches, key=lambda match: -match["Similarity"]),
        "UnmatchedFaces": others,
    }


def largest(picture: Picture, quality: str, name: str = "Image") -> Seen:
    """The largest face that the filter lets through. Raises RekognitionFault (InvalidParameterException)."""
    for seen in picture.faces:
        if not reasons_against(seen, quality):
            return seen
    raise invalid_parameter(f"there are no faces in the image ({name}); it should have at least one")
