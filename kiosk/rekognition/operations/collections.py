"""Making, describing, listing and deleting collections."""

from __future__ import annotations

from kiosk.errors import RecordsConflict
from kiosk.rekognition.access import AccessKey
from kiosk.rekognition.faults import bad_token, exists
from kiosk.rekognition.operations.site import (
    LIST_MOST,
    Answer,
    Request,
    Site,
    begin_of,
    no_collection,
    shortened,
    token_of,
)


def arn(name: str) -> str:
    """An ARN in AWS's form for a collection that is not on AWS."""
    return f"aws:rekognition:local:000000000000:collection/{name}"


def create_collection(site: Site, _key: AccessKey, request: Request) -> Answer:
    """A new, empty collection of the present face model."""
    name = request["CollectionId"]
    try:
        site.shelf.create_collection(name, site.model_version)
    except RecordsConflict as error:
        raise exists(f"the collection id: {name} already exists") from error
    return {"StatusCode": 200, "CollectionArn": arn(name), "FaceModelVersion": site.model_version}


def describe_collection(site: Site, _key: AccessKey, request: Request) -> Answer:
    """How many faces and users, of which model, since when."""
    found = site.collection(request)
    return {
        "FaceCount": found.faces,
        "UserCount": found.users,
        "FaceModelVersion": found.model_version,
        "CollectionARN": arn(found.name),
        "CreationTimestamp": found.created,
    }


def list_collections(site: Site, key: AccessKey, request: Request) -> Answer:
    """By name; a key that is bound to collections sees only those."""
    limit = request.get("MaxResults") or LIST_MOST
    found = site.shelf.collections(_begin(site, key, request), limit + 1, key.collections)
    page = found[:limit]
    answer: Answer = {
        "CollectionIds": [one.name for one in page],
        "FaceModelVersions": [one.model_version for one in page],
    }
    if len(found) > limit:
        answer["NextToken"] = token_of("collections", page[-1].name)
    return answer


def _begin(site: Site, key: AccessKey, request: Request) -> str:
    """The name behind which the page begins; one that was too long for its token is looked up."""
    last = begin_of("collections", request, "")
    if not last.startswith("#"):
        return last
    after = ""
    while page := site.shelf.collections(after, LIST_MOST, key.collections):
        for one in page:
            if shortened(one.name) == last:
                return one.name
        after = page[-1].name
    raise bad_token()


def delete_collection(site: Site, _key: AccessKey, request: Request) -> Answer:
    """With all its faces and users."""
    name = request["CollectionId"]
    if not site.shelf.delete_collection(name):
        raise no_collection(name)
    site.vectors.forget(name)
    return {"StatusCode": 200}
