"""The server's face model changes: a collection keeps the one that it was made with, as on AWS, and both serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kiosk.values import Embedding, Face, Pixels
from tests.support.awskit import open_bench
from tests.support.facekit import VERSION
from tests.support.painted import PaintedModels, painting, people

NEXT = "test-model+2"


def image(person: int, quality: int = 250) -> dict[str, bytes]:
    """As the protocol wants it."""
    ((who, place),) = people(person)
    return {"Bytes": painting((who, place, quality))}


def found(aws: Any, collection: str, person: int) -> list[str]:
    """Whom a search names."""
    answer = aws.search_faces_by_image(CollectionId=collection, Image=image(person, 240), FaceMatchThreshold=98)
    return [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A server's data with the collection ``old``, made by the first model, that knows person 1 as face and user."""
    with open_bench(tmp_path) as bench:
        aws = bench.client()
        aws.create_collection(CollectionId="old")
        kept = aws.index_faces(CollectionId="old", Image=image(1), ExternalImageId="ada")
        aws.create_user(CollectionId="old", UserId="ada")
        face = kept["FaceRecords"][0]["Face"]["FaceId"]
        aws.associate_faces(CollectionId="old", UserId="ada", FaceIds=[face])
    return tmp_path


def test_an_old_collection_is_served_by_its_own_model(data: Path) -> None:
    """Searched, added to and described as of the old model; a new one is of the new model. One server, both."""
    with open_bench(data, models=PaintedModels(NEXT, VERSION)) as bench:
        aws = bench.client()
        assert aws.create_collection(CollectionId="new")["FaceModelVersion"] == NEXT
        assert found(aws, "old", 1) == ["ada"]
        assert found(aws, "old", 2) == []
        users = aws.search_users_by_image(CollectionId="old", Image=image(1, 240), UserMatchThreshold=98)
        assert [match["User"]["UserId"] for match in users["UserMatches"]] == ["ada"]
        added = aws.index_faces(CollectionId="old", Image=image(2), ExternalImageId="bob")
        assert added["FaceModelVersion"] == VERSION
        assert found(aws, "old", 2) == ["bob"]
        made = aws.index_faces(CollectionId="new", Image=image(1), ExternalImageId="ada")
        assert {made["FaceModelVersion"], made["FaceRecords"][0]["Face"]["IndexFacesModelVersion"]} == {NEXT}
        assert found(aws, "new", 1) == ["ada"]
        versions = aws.list_collections()
        assert dict(zip(versions["CollectionIds"], versions["FaceModelVersions"], strict=True)) == {
            "new": NEXT, "old": VERSION,
        }  # fmt: skip


def test_a_model_that_is_not_in_use_compares_nothing(data: Path) -> None:
    """The old collection is refused and says why; it can still be listed and deleted."""
    with open_bench(data, models=PaintedModels(NEXT)) as bench:
        aws = bench.client()
        for call in (aws.search_faces_by_image, aws.index_faces, aws.search_users_by_image):
            with pytest.raises(
                ClientError, match=r"of face model test-model\+1, this server runs test-model\+2"
            ) as told:
                call(CollectionId="old", Image=image(1))
            # No fault of the picture: a door that took it for one would ask nobody else.
            assert told.value.response["Error"]["Code"] == "ResourceNotReadyException"
        assert len(aws.list_faces(CollectionId="old")["Faces"]) == 1
        aws.delete_collection(CollectionId="old")


class Delayed(PaintedModels):
    """Something happens while a face is embedded."""

    meanwhile: Callable[[], object] | None = None

    def _embedded(self, pixels: Pixels, face: Face, version: str) -> Embedding:
        first, self.meanwhile = self.meanwhile, None
        if first is not None:
            first()
        return super()._embedded(pixels, face, version)


def test_a_collection_made_anew_meanwhile_takes_no_vectors_of_the_old_model(data: Path) -> None:
    """It is another collection of the same name: nothing of the old model gets among its faces."""
    models = Delayed(NEXT, VERSION)
    with open_bench(data, models=models) as bench:
        aws = bench.client()

        def again() -> None:
            aws.delete_collection(CollectionId="old")
            aws.create_collection(CollectionId="old")

        models.meanwhile = again
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            aws.index_faces(CollectionId="old", Image=image(2), ExternalImageId="bob")
        told = aws.describe_collection(CollectionId="old")
        assert (told["FaceModelVersion"], told["FaceCount"]) == (NEXT, 0)
