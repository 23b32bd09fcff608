"""Liveness sessions: made here, carried out at a kiosk (``kiosk rekognition check``), fetched here."""

from __future__ import annotations

from typing import Any

from kiosk.errors import RekognitionFault
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.faults import invalid_parameter
from kiosk.rekognition.operations.site import Answer, Request, Site
from kiosk.rekognition.sessions import CHALLENGE_VERSION, CHALLENGES, SessionImage

_WORDS = {
    "FACE_NOT_VISIBLE": "The face could not be seen.",
    "FACE_OBSTRUCTION_DETECTED": "Something covers the face.",
    "LOW_VIDEO_QUALITY_DETECTED": "The pictures are not good enough.",
    "FACE_NOT_ALIGNED": "The face was not in the oval.",
    "EYES_CLOSED_DETECTED": "The eyes were closed.",
    "LOW_LIGHTING_DETECTED": "There is too little light.",
    "HIGH_LIGHTING_DETECTED": "There is too much light.",
}


def create_face_liveness_session(site: Site, key: AccessKey, request: Request) -> Answer:
    """A session that waits for its check."""
    settings = request.get("Settings", {})
    if "OutputConfig" in settings or "KmsKeyId" in request:
        raise invalid_parameter("this server writes to no bucket: the pictures come with the results")
    asked = [one["Type"] for one in settings.get("ChallengePreferences", ())]
    challenges = tuple(one for one in CHALLENGES if not asked or one in asked)
    limit = int(settings.get("AuditImagesLimit", 0))
    token = request.get("ClientRequestToken")
    return {"SessionId": site.sessions.begin_session(key.access_key_id, token, challenges, limit)}


def get_face_liveness_session_results(site: Site, key: AccessKey, request: Request) -> Answer:
    """How the session stands, and what the check came to."""
    session_id = request["SessionId"]
    found = site.sessions.session(session_id)
    if found is None or found.access_key_id != key.access_key_id:
        raise RekognitionFault("SessionNotFoundException", "there is no such session")
    answer: Answer = {"SessionId": session_id, "Status": found.status}
    outcome = found.outcome
    if outcome is not None:
        answer["Confidence"] = outcome.confidence
        answer["Challenge"] = {"Type": outcome.challenge, "Version": CHALLENGE_VERSION}
        answer["AuditImages"] = [_image(one) for one in outcome.audit]
        answer["Feedback"] = [{"Code": code, "Message": _WORDS[code]} for code in outcome.feedback] or None
        answer["ReferenceImage"] = None if outcome.reference is None else _image(outcome.reference)
    return answer


def _image(image: SessionImage) -> dict[str, Any]:
    box = None
    if image.box is not None:
        box = dict(zip(("Left", "Top", "Width", "Height"), image.box, strict=True))
    return {"Bytes": image.jpeg, "BoundingBox": box}
