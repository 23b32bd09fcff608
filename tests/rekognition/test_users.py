"""Users through boto3: several faces under one ID, associated, found, taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.painted import GOOD, painting, people

NOBODY = "00000000-0000-0000-0000-000000000000"
Refusal = Callable[..., tuple[str, int, str]]


def picture(person: int, quality: int = GOOD) -> dict[str, bytes]:
    """A picture of one person; another ``quality`` is another picture."""
    return {"Bytes": painting((person, (60, 60, 100), quality))}


@pytest.fixture
def faces(aws: Any) -> dict[str, str]:
    """A collection with two pictures of person 1 and one of person 2, and two users without faces."""
    aws.create_collection(CollectionId="staff")
    found = {}
    for name, person, quality in (("one", 1, GOOD), ("again", 1, GOOD - 1), ("two", 2, GOOD)):
        answer = aws.index_faces(CollectionId="staff", Image=picture(person, quality))
        found[name] = answer["FaceRecords"][0]["Face"]["FaceId"]
    for user in ("ada", "bob"):
        aws.create_user(CollectionId="staff", UserId=user)
    return found


def associate(aws: Any, user: str, *face_ids: str, **more: Any) -> Any:
    """With the usual threshold."""
    return aws.associate_faces(CollectionId="staff", UserId=user, FaceIds=list(face_ids), **more)


def test_a_user_is_made_listed_and_deleted(aws: Any, faces: dict[str, str], refusal: Refusal) -> None:
    """A second one of the same ID is a conflict; the faces outlive their user."""
    assert refusal(aws.create_user, CollectionId="staff", UserId="ada")[0] == "ConflictException"
    associate(aws, "ada", faces["one"])
    assert aws.list_users(CollectionId="staff")["Users"] == [
        {"UserId": "ada", "UserStatus": "ACTIVE"},
        {"UserId": "bob", "UserStatus": "CREATED"},
    ]
    first = aws.list_users(CollectionId="staff", MaxResults=1)
    second = aws.list_users(CollectionId="staff", MaxResults=1, NextToken=first["NextToken"])
    assert [page["Users"][0]["UserId"] for page in (first, second)] == ["ada", "bob"]
    assert "NextToken" not in second
    aws.delete_user(CollectionId="staff", UserId="ada")
    assert refusal(aws.delete_user, CollectionId="staff", UserId="ada")[0] == "ResourceNotFoundException"
    told = aws.describe_collection(CollectionId="staff")
    assert (told["UserCount"], told["FaceCount"]) == (1, 3)
    assert all("UserId" not in face for face in aws.list_faces(CollectionId="staff")["Faces"])


def test_a_user_is_found_by_a_new_picture(aws: Any, faces: dict[str, str]) -> None:
    """By all of their faces together; who has no face is found by nobody."""
    associate(aws, "ada", faces["one"], faces["again"])
    found = aws.search_users_by_image(CollectionId="staff", Image=picture(1, GOOD - 2))
    assert [match["User"]["UserId"] for match in found["UserMatches"]] == ["ada"]
    assert found["UserMatches"][0]["Similarity"] > 99
    assert "FaceDetail" in found["SearchedFace"]
    assert aws.search_users_by_image(CollectionId="staff", Image=picture(2))["UserMatches"] == []


def test_a_picture_without_a_face_finds_no_user_and_is_no_fault(aws: Any, faces: dict[str, str]) -> None:
    """Unlike the search for faces, as on AWS."""
    assert faces
    empty = aws.search_users_by_image(CollectionId="staff", Image={"Bytes": painting()})
    assert (empty["UserMatches"], empty["UnsearchedFaces"]) == ([], [])
    assert "SearchedFace" not in empty
    crowd = aws.search_users_by_image(CollectionId="staff", Image={"Bytes": painting(*people(1, 2))})
    assert [one["Reasons"] for one in crowd["UnsearchedFaces"]] == [["FACE_NOT_LARGEST"]]


def test_a_face_of_somebody_else_is_not_associated(aws: Any, faces: dict[str, str]) -> None:
    """Neither another person's, nor another user's, nor one that is not there; the rest is."""
    answer = associate(aws, "ada", faces["one"], faces["two"], NOBODY, faces["again"])
    assert [one["FaceId"] for one in answer["AssociatedFaces"]] == [faces["one"], faces["again"]]
    refused = {one["FaceId"]: one["Reasons"] for one in answer["UnsuccessfulFaceAssociations"]}
    assert refused == {faces["two"]: ["LOW_MATCH_CONFIDENCE"], NOBODY: ["FACE_NOT_FOUND"]}
    assert answer["UserStatus"] == "ACTIVE"
    taken = associate(aws, "bob", faces["one"])
    (told,) = taken["UnsuccessfulFaceAssociations"]
    assert (told["Reasons"], told["UserId"]) == (["ASSOCIATED_TO_A_DIFFERENT_USER"], "ada")
    assert taken["UserStatus"] == "CREATED"
    loose = associate(aws, "ada", faces["two"], UserMatchThreshold=0)
    assert [one["FaceId"] for one in loose["AssociatedFaces"]] == [faces["two"]]


def test_a_face_that_belongs_to_a_user_is_not_deleted(aws: Any, faces: dict[str, str]) -> None:
    """It is taken from the user first."""
    associate(aws, "ada", faces["one"])
    answer = aws.delete_faces(CollectionId="staff", FaceIds=[faces["one"], faces["two"]])
    assert answer["DeletedFaces"] == [faces["two"]]
    (told,) = answer["UnsuccessfulFaceDeletions"]
    assert (told["UserId"], told["Reasons"]) == ("ada", ["ASSOCIATED_TO_AN_EXISTING_USER"])
    freed = aws.disassociate_faces(CollectionId="staff", UserId="ada", FaceIds=[faces["one"], faces["again"], NOBODY])
    assert [one["FaceId"] for one in freed["DisassociatedFaces"]] == [faces["one"]]
    assert [one["Reasons"] for one in freed["UnsuccessfulFaceDisassociations"]] == [
        ["ASSOCIATED_TO_A_DIFFERENT_USER"],
        ["FACE_NOT_FOUND"],
    ]
    assert freed["UserStatus"] == "CREATED"
    assert aws.delete_faces(CollectionId="staff", FaceIds=[faces["one"]])["DeletedFaces"] == [faces["one"]]


def test_users_are_searched_by_face_and_by_user(aws: Any, faces: dict[str, str], refusal: Refusal) -> None:
    """A user does not find itself; exactly one of the two is asked for."""
    associate(aws, "ada", faces["one"])
    associate(aws, "bob", faces["again"])
    by_face = aws.search_users(CollectionId="staff", FaceId=faces["one"])
    assert {match["User"]["UserId"] for match in by_face["UserMatches"]} == {"ada", "bob"}
    assert by_face["UserMatches"][0]["User"]["UserId"] == "ada"
    by_user = aws.search_users(CollectionId="staff", UserId="ada")
    assert [match["User"]["UserId"] for match in by_user["UserMatches"]] == ["bob"]
    both = {"FaceId": faces["one"], "UserId": "ada"}
    for wrong in ({}, both):
        assert refusal(aws.search_users, CollectionId="staff", **wrong)[0] == "InvalidParameterException"
    for unknown in ({"FaceId": NOBODY}, {"UserId": "eve"}):
        assert refusal(aws.search_users, CollectionId="staff", **unknown)[0] == "ResourceNotFoundException"
    asked = {"CollectionId": "staff", "UserId": "eve", "FaceIds": [faces["one"]]}
    assert refusal(aws.associate_faces, **asked)[0] == "ResourceNotFoundException"


def test_faces_are_listed_by_user_and_by_id(aws: Any, faces: dict[str, str]) -> None:
    """Each with its user."""
    associate(aws, "ada", faces["one"])
    mine = aws.list_faces(CollectionId="staff", UserId="ada")["Faces"]
    assert [(face["FaceId"], face["UserId"]) for face in mine] == [(faces["one"], "ada")]
    chosen = aws.list_faces(CollectionId="staff", FaceIds=[faces["two"], NOBODY])["Faces"]
    assert [face["FaceId"] for face in chosen] == [faces["two"]]
