"""Requests against AWS's description: what breaks it is refused by name, what fits comes through whole."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.address import Address
from kiosk.errors import ConfigurationError, RekognitionFault
from kiosk.rekognition.model import operation_of, read_request, write_answer
from kiosk.rekognition.operations.table import TABLE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("CollectionId", "Image", "FaceIds", "MaxFaces", "FaceMatchThreshold", "NextToken", "Bytes", "Attributes")


def read(operation: str, **members: Any) -> dict[str, Any]:
    """Through the operation's own shape."""
    return read_request(operation_of(f"RekognitionService.{operation}"), json.dumps(members).encode())


@given(st.sampled_from(sorted(TABLE)), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
def test_whatever_is_sent_is_understood_or_refused_by_name(operation: str, members: dict[str, Any]) -> None:
    """Never anything else: no exception of ours, no value of a wrong type passed on."""
    found: dict[str, Any] = {}
    try:
        found = read(operation, **members)
    except RekognitionFault as fault:
        code = fault.code
    else:
        code = ""
    assert code in ("", "InvalidParameterException", "SerializationException", "ImageTooLargeException")
    for name, kind in (("CollectionId", str), ("MaxFaces", int), ("FaceMatchThreshold", float), ("Image", dict)):
        assert isinstance(found.get(name, kind()), kind)


@given(st.binary(max_size=60))
def test_a_body_that_is_no_request_is_refused_by_name(body: bytes) -> None:
    """Bytes, NaN, half a JSON."""
    with pytest.raises(RekognitionFault) as caught:
        read_request(operation_of("RekognitionService.DeleteCollection"), body)
    assert caught.value.code in ("InvalidParameterException", "SerializationException")


@pytest.mark.parametrize(
    ("operation", "members", "words"),
    [
        ("CreateCollection", {}, "CollectionId is missing"),
        ("CreateCollection", {"CollectionId": None}, "CollectionId is missing"),
        ("CreateCollection", {"CollectionId": "two words"}, "does not match"),
        ("CreateCollection", {"CollectionId": "x" * 256}, "256 characters"),
        ("CreateCollection", {"CollectionId": ""}, "0 characters"),
        ("SearchFaces", {"CollectionId": "a", "FaceId": "NO-UUID"}, "does not match"),
        ("SearchFaces", {"CollectionId": "a", "FaceId": "0" * 8, "MaxFaces": 0}, "FaceId does not match"),
        ("ListFaces", {"CollectionId": "a", "MaxResults": 4097}, "at most 4096"),
        ("DeleteFaces", {"CollectionId": "a", "FaceIds": []}, "0 items"),
        ("DetectFaces", {"Image": {}, "Attributes": ["WINGS"]}, "not one of"),
        ("CompareFaces", {"SourceImage": {}, "TargetImage": {}, "SimilarityThreshold": 100.5}, "at most 100"),
    ],
)
def test_what_breaks_a_rule_is_named(operation: str, members: dict[str, Any], words: str) -> None:
    """With the member and the rule."""
    with pytest.raises(RekognitionFault, match=words) as caught:
        read(operation, **members)
    assert caught.value.code == "InvalidParameterException"


@pytest.mark.parametrize("wrong", [7, [], {"a": 1}, True])
def test_a_value_of_another_kind_is_no_text(wrong: Any) -> None:
    """Nothing is turned into text quietly."""
    with pytest.raises(RekognitionFault) as caught:
        read("CreateCollection", CollectionId=wrong)
    assert caught.value.code == "SerializationException"


def test_blobs_are_decoded_and_unknown_members_ignored() -> None:
    """As AWS does."""
    content = bytes(range(256))
    found = read("DetectFaces", Image={"Bytes": base64.b64encode(content).decode(), "Colour": 1}, Future=[1])
    assert found == {"Image": {"Bytes": content}}


def test_a_depth_without_end_is_refused() -> None:
    """Before the stack is full."""
    body = b'{"CollectionId":' + b"[" * 100_000
    with pytest.raises(RekognitionFault) as caught:
        read_request(operation_of("RekognitionService.DeleteCollection"), body)
    assert caught.value.code == "SerializationException"


@pytest.mark.parametrize(
    "answer",
    [{"Nonsense": 1}, {"FaceCount": "many"}, {"FaceModelVersion": 7}, {"CreationTimestamp": "yesterday"}],
)
def test_an_answer_that_does_not_fit_is_a_mistake_of_ours(answer: dict[str, Any]) -> None:
    """It never reaches a client."""
    with pytest.raises(ValueError, match="DescribeCollection"):
        write_answer(operation_of("RekognitionService.DescribeCollection"), answer)


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8765", "127.0.0.1", 8765, True),
        ("[::1]:1", "::1", 1, True),
        ("192.0.2.1:80", "192.0.2.1", 80, False),
        ("kiosk.example:443", "kiosk.example", 443, False),
        ("localhost:9", "localhost", 9, False),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int, loopback: bool) -> None:
    """A name is not taken for the loopback: it could be made to lead elsewhere."""
    address = Address.parsed(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)


@pytest.mark.parametrize("text", ["", "8765", ":8765", "host:", "host:65536", "host:-1", "host:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """In one line."""
    with pytest.raises(ConfigurationError, match="no HOST:PORT"):
        Address.parsed(text)
