"""Settings of enrolling: what is read off cards and badges, and who may be asked to read them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from kiosk.config.cloud import ServiceSettings
from kiosk.config.group import Group

BarcodeKind = Literal["pdf417", "qr", "code128", "datamatrix", "aztec"]


def _listed(value: object) -> object:
    """TOML has lists, and settings are frozen."""
    return tuple(value) if isinstance(value, list) else value


class CardsSettings(Group):
    """[enrollment.cards]"""

    zone: bool = Field(True, description="read machine-readable zones; needs the weights of the group cards")
    barcodes: Annotated[tuple[BarcodeKind, ...], BeforeValidator(_listed)] = Field(
        ("pdf417", "qr", "code128", "datamatrix", "aztec"),
        description="kinds of barcodes that are read; [] for none",
    )
    badge_pattern: str = Field(
        "",
        max_length=200,
        description="which text of a barcode is a badge number, with one group: ^EMP-(?P<badge>[0-9]+)$; "
        'empty: all that could be one, "none": none is',
    )
    licence_country: Literal["USA", "CAN"] = Field("USA", description="country of a driving licence that names none")

    @field_validator("badge_pattern")
    @classmethod
    def _matches(cls, pattern: str) -> str:
        """Wrong here is better than wrong at the desk."""
        if pattern in ("", "none"):
            return pattern
        try:
            groups = set(re.compile(pattern).groupindex)
        except re.error as error:
            raise ValueError(f"no regular expression ({error})") from error
        if groups != {"badge"}:
            raise ValueError("needs one named group, (?P<badge>...)")
        return pattern


class TextractSettings(ServiceSettings):
    """[enrollment.textract]"""

    enabled: bool = Field(False, description="ask Amazon Textract too; pictures of whole cards are sent there")
    confidence: float = Field(80.0, ge=0, le=100, description="least confidence of a field that is proposed, 0..100")


class EnrollmentSettings(Group):
    """[enrollment]"""

    keep_pictures: bool = Field(
        False,
        description="keep the face of each picture, encrypted, so that nobody must come by when the face model changes",
    )
    live: bool = Field(False, description="enroll only people who pass a liveness check then and there")
    per_s: float = Field(10.0, ge=0.1, le=1000, description="calls a second that a batch makes to each engine")
    workers: int = Field(4, ge=1, le=32, description="pictures of a batch that are on their way to engines at once")
    card_similarity: float = Field(
        90.0, ge=80, le=99, description="least similarity of a live face and the one on a card, 0..100"
    )
    cards: CardsSettings = CardsSettings()
    textract: TextractSettings = TextractSettings()
