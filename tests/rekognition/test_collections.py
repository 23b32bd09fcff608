"""Collections and faces through boto3: made, listed in pages, searched, deleted, refused by the exact names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.awskit import Bench
from tests.support.painted import BLURRED, DARK, GOOD, HIDDEN, TURNED, painting, people

Refusal = Callable[..., tuple[str, int, str]]


def image(content: bytes) -> dict[str, bytes]:
    """As the protocol wants it."""
    return {"Bytes": content}


def index(aws: Any, *persons: int, collection: str = "staff", **more: Any) -> Any:
    """Index a painting of these people."""
    return aws.index_faces(CollectionId=collection, Image=image(painting(*people(*persons))), **more)


def ids(answer: Any) -> list[str]:
    """The face IDs of an index's answer."""
    return [record["Face"]["FaceId"] for record in answer["FaceRecords"]]


@pytest.fixture
def staff(aws: Any) -> Any:
    """A client of a server with one empty collection."""
    aws.create_collection(CollectionId="staff")
    return aws


def test_a_collection_is_made_described_listed_and_deleted(aws: Any, refusal: Refusal) -> None:
    """From nothing to nothing."""
    made = aws.create_collection(CollectionId="staff")
    assert made["StatusCode"] == 200
    assert made["CollectionArn"].endswith(":collection/staff")
    told = aws.describe_collection(CollectionId="staff")
    assert (told["FaceCount"], told["UserCount"], told["FaceModelVersion"]) == (0, 0, made["FaceModelVersion"])
    assert aws.list_collections()["CollectionIds"] == ["staff"]
    assert refusal(aws.create_collection, CollectionId="staff")[:2] == ("ResourceAlreadyExistsException", 400)
    assert aws.delete_collection(CollectionId="staff")["StatusCode"] == 200
    assert aws.list_collections()["CollectionIds"] == []
    assert refusal(aws.delete_collection, CollectionId="staff")[:2] == ("ResourceNotFoundException", 400)


def test_lists_come_in_pages_that_miss_nothing(staff: Any, refusal: Refusal) -> None:
    """Tokens lead through collections and faces; a token of another list is none."""
    for name in ("a", "b", "c", "d"):
        staff.create_collection(CollectionId=name)
    pages = staff.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 2})
    assert [name for page in pages for name in page["CollectionIds"]] == ["a", "b", "c", "d", "staff"]
    known = [face for person in (1, 2, 3) for face in ids(index(staff, person))]
    pages = list(staff.get_paginator("list_faces").paginate(CollectionId="staff", PaginationConfig={"PageSize": 2}))
    assert [len(page["Faces"]) for page in pages] == [2, 1]
    assert [face["FaceId"] for page in pages for face in page["Faces"]] == known
    token = staff.list_collections(MaxResults=1)["NextToken"]
    for wrong in (token, "nonsense", "AAAA"):
        code, _, _ = refusal(staff.list_faces, CollectionId="staff", NextToken=wrong)
        assert code == "InvalidPaginationTokenException"


def test_who_was_indexed_is_found_and_nobody_else(staff: Any) -> None:
    """The best first, no less similar than asked, with the name that was given."""
    for person in (1, 2, 3):
        index(staff, person, ExternalImageId=f"person:{person}")
    other_picture = image(painting((2, (50, 50, 120), GOOD - 1)))
    found = staff.search_faces_by_image(CollectionId="staff", Image=other_picture, FaceMatchThreshold=99)
    assert [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]] == ["person:2"]
    assert found["FaceMatches"][0]["Similarity"] >= 99
    assert found["SearchedFaceConfidence"] == pytest.approx(100.0)
    stranger = image(painting((77, (50, 50, 120))))
    assert staff.search_faces_by_image(CollectionId="staff", Image=stranger)["FaceMatches"] == []
    everybody = staff.search_faces_by_image(CollectionId="staff", Image=other_picture, FaceMatchThreshold=0)
    order = [match["Similarity"] for match in everybody["FaceMatches"]]
    assert len(order) == 3
    assert order == sorted(order, reverse=True)
    best = staff.search_faces_by_image(CollectionId="staff", Image=other_picture, FaceMatchThreshold=0, MaxFaces=1)
    assert len(best["FaceMatches"]) == 1


def test_the_largest_face_is_searched(staff: Any) -> None:
    """Whoever stands nearest."""
    index(staff, 1, ExternalImageId="near")
    index(staff, 2, ExternalImageId="far")
    both = image(painting((2, (10, 60, 60)), (1, (150, 40, 140))))
    found = staff.search_faces_by_image(CollectionId="staff", Image=both)
    assert [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]] == ["near"]
    box = found["SearchedFaceBoundingBox"]
    assert (box["Left"], box["Top"], box["Width"]) == pytest.approx((150 / 400, 40 / 320, 140 / 400))


def test_what_is_not_indexed_is_told_with_its_reason(staff: Any) -> None:
    """Faults of the picture, and more faces than were asked for."""
    faults = {
        DARK: "LOW_BRIGHTNESS",
        BLURRED: "LOW_SHARPNESS",
        TURNED: "EXTREME_POSE",
        HIDDEN: "LOW_FACE_QUALITY",
    }
    for quality, reason in faults.items():
        answer = staff.index_faces(CollectionId="staff", Image=image(painting((5, (60, 60, 90), quality))))
        assert answer["FaceRecords"] == []
        assert [one["Reasons"] for one in answer["UnindexedFaces"]] == [[reason]]
        taken = staff.index_faces(
            CollectionId="staff", Image=image(painting((5, (60, 60, 90), quality))), QualityFilter="NONE"
        )
        assert len(taken["FaceRecords"]) == 1
    small = staff.index_faces(CollectionId="staff", Image=image(painting((6, (60, 60, 30)))))
    assert [one["Reasons"] for one in small["UnindexedFaces"]] == [["SMALL_BOUNDING_BOX"]]
    crowd = index(staff, 1, 2, 3, MaxFaces=1)
    assert len(crowd["FaceRecords"]) == 1
    assert [one["Reasons"] for one in crowd["UnindexedFaces"]] == [["EXCEEDS_MAX_FACES"]] * 2
    assert crowd["FaceRecords"][0]["Face"]["BoundingBox"]["Width"] == pytest.approx(90 / 400)


def test_faces_of_one_picture_share_its_image_id(staff: Any) -> None:
    """And each has its own face ID."""
    records = [record["Face"] for record in index(staff, 1, 2, 3)["FaceRecords"]]
    assert len({face["ImageId"] for face in records}) == 1
    assert len({face["FaceId"] for face in records}) == 3


def test_a_face_searched_by_its_id_does_not_find_itself(staff: Any, refusal: Refusal) -> None:
    """But its likes."""
    (first,), (second,) = ids(index(staff, 4)), ids(index(staff, 4))
    index(staff, 9)
    found = staff.search_faces(CollectionId="staff", FaceId=first)
    assert found["SearchedFaceId"] == first
    assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [second]
    nobody = "00000000-0000-0000-0000-000000000000"
    assert refusal(staff.search_faces, CollectionId="staff", FaceId=nobody)[0] == "InvalidParameterException"


def test_deleted_faces_are_found_no_more(staff: Any) -> None:
    """Those that are not there are told, not silently accepted."""
    (face,) = ids(index(staff, 4))
    nobody = "00000000-0000-0000-0000-000000000000"
    answer = staff.delete_faces(CollectionId="staff", FaceIds=[face, nobody])
    assert answer["DeletedFaces"] == [face]
    assert answer["UnsuccessfulFaceDeletions"] == [{"FaceId": nobody, "Reasons": ["FACE_NOT_FOUND"]}]
    found = staff.search_faces_by_image(CollectionId="staff", Image=image(painting(*people(4))), FaceMatchThreshold=0)
    assert found["FaceMatches"] == []
    assert staff.describe_collection(CollectionId="staff")["FaceCount"] == 0


def test_no_face_to_search_is_a_wrong_parameter(staff: Any, refusal: Refusal) -> None:
    """As on AWS; to index, it is an empty answer."""
    empty = image(painting())
    code, status, _ = refusal(staff.search_faces_by_image, CollectionId="staff", Image=empty)
    assert (code, status) == ("InvalidParameterException", 400)
    dark = image(painting((1, (60, 60, 90), DARK)))
    filtered = refusal(staff.search_faces_by_image, CollectionId="staff", Image=dark, QualityFilter="HIGH")
    assert filtered[0] == "InvalidParameterException"
    answer = staff.index_faces(CollectionId="staff", Image=empty)
    assert (answer["FaceRecords"], answer["UnindexedFaces"]) == ([], [])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"GIF89a not a picture of ours", "InvalidImageFormatException"),
        (b"\xff\xd8\xff and nothing more", "InvalidImageFormatException"),
        (painting()[:200], "InvalidImageFormatException"),
        (painting(size=(60, 60)), "InvalidParameterException"),
        (painting(size=(90, 10_050)), "ImageTooLargeException"),
        (b"\xff\xd8\xff" + bytes(5 * 2**20), "ImageTooLargeException"),
    ],
    ids=["gif", "no jpeg", "cut short", "tiny", "wide", "heavy"],
)
def test_a_picture_that_cannot_be_used_is_refused_by_its_name(
    staff: Any, refusal: Refusal, content: bytes, code: str
) -> None:
    """Before any model looks at it."""
    assert refusal(staff.detect_faces, Image=image(content))[0] == code


def test_a_bucket_is_not_read(staff: Any, refusal: Refusal) -> None:
    """There is none here."""
    bucket = {"S3Object": {"Bucket": "somebodys", "Name": "a.jpg"}}
    assert refusal(staff.detect_faces, Image=bucket)[0] == "InvalidS3ObjectException"
    assert refusal(staff.detect_faces, Image={})[0] == "InvalidParameterException"


def test_faces_are_compared_without_a_collection(aws: Any) -> None:
    """The largest of the source with all of the target."""
    source, target = image(painting(*people(1, 2))), image(painting(*people(3, 1)))
    answer = aws.compare_faces(SourceImage=source, TargetImage=target, SimilarityThreshold=90)
    assert len(answer["FaceMatches"]) == 1
    assert answer["FaceMatches"][0]["Face"]["BoundingBox"]["Left"] == pytest.approx(110 / 400)
    assert len(answer["UnmatchedFaces"]) == 1


def test_a_detected_face_is_told_in_shares_of_the_picture(aws: Any) -> None:
    """Five landmarks by default; every attribute that is measured on request, none that is not."""
    picture = image(painting((1, (100, 80, 100))))
    (plain,) = aws.detect_faces(Image=picture)["FaceDetails"]
    assert plain["BoundingBox"] == pytest.approx({"Left": 0.25, "Top": 0.25, "Width": 0.25, "Height": 130 / 320})
    assert {one["Type"] for one in plain["Landmarks"]} == {"eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"}
    assert "EyesOpen" not in plain
    (full,) = aws.detect_faces(Image=picture, Attributes=["ALL"])["FaceDetails"]
    assert len(full["Landmarks"]) == 30
    assert full["EyesOpen"] == {"Value": True, "Confidence": pytest.approx(90.0)}
    assert full["FaceOccluded"]["Value"] is False
    assert not {"AgeRange", "Gender", "Emotions", "Beard"} & set(full)


def test_vectors_of_another_model_are_never_compared(bench: Bench, aws: Any, refusal: Refusal) -> None:
    """A collection that an older model filled is refused, by name, for whatever would compare."""
    bench.store.shelf().create_collection("old", "older-model/1")
    picture = image(painting(*people(1)))
    for call in (aws.search_faces_by_image, aws.index_faces, aws.search_users_by_image):
        code, _, told = refusal(call, CollectionId="old", Image=picture)
        assert code == "ResourceNotReadyException"
        assert "older-model/1" in told


def test_nothing_of_a_face_is_logged(bench: Bench, staff: Any) -> None:
    """Only who asked what, how large, how long, with which end."""
    index(staff, 1, ExternalImageId="Secret_Name")
    assert {key for _, keys in bench.log for key in keys} <= {
        "operation", "key", "status", "request_bytes", "peer", "ms", "error", "cause",
    }  # fmt: skip
    assert "Secret_Name" not in repr(bench.log)
