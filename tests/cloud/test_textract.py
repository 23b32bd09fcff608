"""Textract's AnalyzeID behind a fake client whose requests and answers are held against botocore's own description."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import botocore.session
import numpy as np
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.model import ListShape, Shape, StructureShape
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from hardware.stills import decode_image, encode_jpeg
from kiosk.cloud.textract import MOST_BYTES, TextractReader
from kiosk.config.enrollment import TextractSettings
from kiosk.enrollment.cards.fields import CardFields
from kiosk.errors import ConfigurationError, InputError, KioskError, ReadingError

PICTURE = np.full((60, 90, 3), 128, dtype=np.uint8)
PASSPORT = {
    "FIRST_NAME": ("ANNA", 98.0),
    "MIDDLE_NAME": ("MARIA", 97.5),
    "LAST_NAME": ("ERIKSSON", 99.0),
    "DOCUMENT_NUMBER": ("L898902C3", 96.0),
    "DATE_OF_BIRTH": ("12 AUG 1974", 95.0, "1974-08-12T00:00:00"),
    "EXPIRATION_DATE": ("15 APR 2012", 94.0, "2012-04-15T00:00:00"),
    "ID_TYPE": ("PASSPORT", 93.0),
    "PLACE_OF_BIRTH": ("", 99.0),
}


@cache
def operation() -> Any:
    """AnalyzeID as botocore describes it."""
    return botocore.session.get_session().get_service_model("textract").operation_model("AnalyzeID")


def complaints(value: Any, shape: Shape, place: str = "answer") -> list[str]:
    """What in a value is not of a shape: unknown members and wrong kinds."""
    if isinstance(shape, StructureShape):
        if not isinstance(value, Mapping):
            return [place]
        wrong = [f"{place}.{name}" for name in value if name not in shape.members]
        for name, inner in value.items():
            wrong += complaints(inner, shape.members[name], f"{place}.{name}") if name in shape.members else []
        return wrong
    if isinstance(shape, ListShape):
        return [one for item in value for one in complaints(item, shape.member, place)]
    kinds = {"string": str, "float": float, "integer": int, "boolean": bool}
    return [] if isinstance(value, kinds[shape.type_name]) else [place]


class FakeTextract:
    """Answers AnalyzeID with what it was given; refuses requests that botocore would not send."""

    def __init__(self, answer: Any = None, error: Exception | None = None) -> None:
        self.answer = answer
        self.error = error
        self.requests: list[dict[str, Any]] = []

    def analyze_id(self, **members: Any) -> Any:
        """As boto3's client."""
        report = ParamValidator().validate(members, operation().input_shape)
        assert not report.has_errors(), report.generate_report()
        self.requests.append(members)
        if self.error is not None:
            raise self.error
        return self.answer


def answer(fields: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    """An answer with one document; of the service's own shape."""
    listed = []
    for name, (text, confidence, *normal) in fields.items():
        value: dict[str, Any] = {"Text": text, "Confidence": confidence}
        if normal:
            value["NormalizedValue"] = {"Value": normal[0], "ValueType": "DATE"}
        listed.append({"Type": {"Text": name}, "ValueDetection": value})
    made = {
        "IdentityDocuments": [{"DocumentIndex": 1, "IdentityDocumentFields": listed}],
        "DocumentMetadata": {"Pages": 1},
        "AnalyzeIDModelVersion": "1.0",
    }
    assert complaints(made, operation().output_shape) == []
    return made


def reader(client: FakeTextract, **settings: Any) -> TextractReader:
    """An enabled one."""
    return TextractReader(client, TextractSettings(enabled=True, **settings), encode_jpeg)


def refusal(code: str) -> ClientError:
    """As botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": "arn:aws:iam::111122223333"}}, "AnalyzeID")


def test_a_passport_as_the_service_reads_it() -> None:
    """Names joined, dates as normalised, confidences kept, nothing confirmed."""
    client = FakeTextract(answer(PASSPORT))
    fields = reader(client).read(PICTURE)
    assert {name: read.value for name, read in fields} == {
        "given_names": "ANNA MARIA",
        "surname": "ERIKSSON",
        "document_number": "L898902C3",
        "birth_date": date(1974, 8, 12),
        "expiry_date": date(2012, 4, 15),
        "document_kind": "passport",
    }
    assert fields.given_names is not None
    assert fields.given_names.confidence == 97.5
    assert {read.source for _, read in fields} == {"textract"}
    assert not any(read.confirmed for _, read in fields)


def test_what_is_sent_is_one_jpeg_of_the_card_and_nothing_else() -> None:
    """No name, no metadata, within the service's size."""
    client = FakeTextract(answer(PASSPORT))
    reader(client).read(PICTURE)
    (request,) = client.requests
    assert set(request) == {"DocumentPages"}
    ((page,),) = [request["DocumentPages"]]
    assert set(page) == {"Bytes"}
    assert len(page["Bytes"]) <= MOST_BYTES
    assert decode_image(page["Bytes"]).shape == PICTURE.shape


def test_nothing_is_sent_unless_it_is_enabled() -> None:
    """Not even a reader can be made."""
    with pytest.raises(ConfigurationError, match="not enabled"):
        TextractReader(FakeTextract(), TextractSettings(), encode_jpeg)


def test_an_unsure_field_is_left_out() -> None:
    """Below the configured confidence."""
    fields = reader(FakeTextract(answer(PASSPORT)), confidence=97.0).read(PICTURE)
    assert {name for name, _ in fields} == {"given_names", "surname"}


def test_a_date_that_the_service_did_not_normalise_is_left_out() -> None:
    """01/02 is a day in January or in February."""
    fields = reader(FakeTextract(answer({"DATE_OF_BIRTH": ("01/02/1990", 99.0)}))).read(PICTURE)
    assert fields.birth_date is None


@pytest.mark.parametrize(
    "documents", [[], [{"DocumentIndex": 1}], [{"DocumentIndex": 1, "IdentityDocumentFields": []}]]
)
def test_a_picture_without_a_document_has_no_fields(documents: list[Any]) -> None:
    """An answer all the same."""
    made = {"IdentityDocuments": documents, "DocumentMetadata": {"Pages": 1}, "AnalyzeIDModelVersion": "1.0"}
    assert complaints(made, operation().output_shape) == []
    assert reader(FakeTextract(made)).read(PICTURE) == CardFields()


@pytest.mark.parametrize("code", ["BadDocumentException", "UnsupportedDocumentException", "DocumentTooLargeException"])
def test_a_refused_picture_is_the_pictures_fault(code: str) -> None:
    """InputError with the service's code."""
    with pytest.raises(InputError, match=code):
        reader(FakeTextract(error=refusal(code))).read(PICTURE)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal("AccessDeniedException"), "answered AccessDeniedException"),
        (refusal("ThrottlingException"), "answered ThrottlingException"),
        (refusal("<html>\nsign in"), "answered an error"),
        (EndpointConnectionError(endpoint_url="https://x"), "no answer (EndpointConnectionError)"),
        (ConnectionResetError("reset"), "no answer (ConnectionResetError)"),
    ],
    ids=["denied", "throttled", "portal", "no route", "reset"],
)
def test_a_service_that_does_not_answer_is_told_in_one_line(error: Exception, words: str) -> None:
    """Never taken for a card without fields, and nobody's account number is repeated."""
    with pytest.raises(ReadingError) as caught:
        reader(FakeTextract(error=error)).read(PICTURE)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "1111" not in str(caught.value)


@pytest.mark.parametrize(
    "broken",
    [
        None, "<html>", {}, {"IdentityDocuments": 3}, {"IdentityDocuments": [7]},
        {"IdentityDocuments": [{"IdentityDocumentFields": [{"ValueDetection": {"Text": "A"}}]}]},
        {"IdentityDocuments": [{"IdentityDocumentFields": [
            {"Type": {"Text": "LAST_NAME"}, "ValueDetection": {"Text": "A", "Confidence": float("nan")}}]}]},
        {"IdentityDocuments": [{"IdentityDocumentFields": [
            {"Type": {"Text": "DATE_OF_BIRTH"}, "ValueDetection": {"Text": "A", "Confidence": 99.0,
             "NormalizedValue": {"Value": "soon", "ValueType": "DATE"}}}]}]},
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_error(broken: Any) -> None:
    """A proxy's page, half an answer, a confidence that is no number."""
    with pytest.raises(ReadingError, match="cannot be read"):
        reader(FakeTextract(broken)).read(PICTURE)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["IdentityDocuments", "IdentityDocumentFields", "Type", "Text", "ValueDetection"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_no_answer_breaks_the_reader(made: Any) -> None:
    """Fields or one of our errors."""
    try:
        read: object = reader(FakeTextract(made)).read(PICTURE)
    except KioskError as error:
        read = error
    assert isinstance(read, CardFields) or "\n" not in str(read)
