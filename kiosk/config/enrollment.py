"""Settings of enrolling: what is read off cards and badges, and who may be asked to read them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from kiosk.config.endpoint import private_endpoint
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


class TextractSettings(Group):
    """[enrollment.textract]"""

    enabled: bool = Field(False, description="ask Amazon Textract too; pictures of whole cards are sent there")
    region: str = Field("eu-central-1", min_length=1, description="AWS region, and part of every signature")
    endpoint_url: str | None = Field(
        None, examples=["https://textract.example"], description="its address; unset: AWS itself"
    )
    profile: str | None = Field(
        None, examples=["kiosk"], description="profile of AWS's credentials file; unset: the usual chain"
    )
    confidence: float = Field(80.0, ge=0, le=100, description="least confidence of a field that is proposed, 0..100")

    @model_validator(mode="after")
    def _private(self) -> TextractSettings:
        private_endpoint(self.endpoint_url)
        return self


class EnrollmentSettings(Group):
    """[enrollment]"""

    cards: CardsSettings = CardsSettings()
    textract: TextractSettings = TextractSettings()
