"""Cards read by Amazon Textract's AnalyzeID. The whole picture of the card is sent, only where the site enables it.

Rules:
- The client is given from outside and was made for ``[enrollment.textract]``; without ``enabled`` nothing is sent.
- An answer counts only when it can be read whole; what is no answer is an error, never "nothing on the card".
- A field below the configured confidence is left out. Textract confirms nothing: it has no check digits.
- Dates are taken as Textract normalises them; its plain text may be of either order, so it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from kiosk.config.enrollment import TextractSettings
from kiosk.enrollment.cards.fields import CardFields, Kind, Read
from kiosk.errors import ConfigurationError, InputError, ReadingError
from kiosk.values import Pixels

MOST_BYTES = 5_242_880
WHERE = "textract"
FOREIGN = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What botocore's parser raises, beside its own errors, for answers that are none."""
_PICTURE = {
    "BadDocumentException",
    "DocumentTooLargeException",
    "InvalidParameterException",
    "UnsupportedDocumentException",
}
_KINDS: dict[str, Kind] = {"DRIVER LICENSE FRONT": "driving licence", "PASSPORT": "passport"}


class TextractCalls(Protocol):
    """The part of boto3's client that reading cards needs."""

    def analyze_id(self, **members: Any) -> Mapping[str, Any]:
        """Raises botocore's exceptions."""


class TextractReader:
    """Asks Textract. Safe from several threads, as boto3's clients are.

    ``encode`` makes a JPEG of at most so many bytes: ``hardware.stills.encode_jpeg``. Raises ConfigurationError where
    the settings do not enable it: no program may send a card by mistake.
    """

    def __init__(
        self, calls: TextractCalls, settings: TextractSettings, encode: Callable[[Pixels, int], bytes]
    ) -> None:
        if not settings.enabled:
            raise ConfigurationError("is not enabled", where=WHERE, mend="see [enrollment.textract]")
        self._calls = calls
        self._confidence = settings.confidence
        self._encode = encode

    def read(self, pixels: Pixels) -> CardFields:
        """What it reads. Raises InputError for a picture that it refuses, ReadingError where it does not answer."""
        answer = self._asked({"DocumentPages": [{"Bytes": self._encode(pixels, MOST_BYTES)}]})
        try:
            return _fields(answer, self._confidence)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise ReadingError("the answer cannot be read", where=WHERE) from error

    def _asked(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            return self._calls.analyze_id(**members)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _PICTURE:
                raise InputError(f"refused the picture ({code})", where=WHERE) from error
            told = code if code.isalnum() and len(code) <= 64 else "an error"  # a proxy's page is no code
            raise ReadingError(f"answered {told}", where=WHERE) from error
        except (BotoCoreError, ResponseParserError, *FOREIGN) as error:
            raise ReadingError(f"no answer ({type(error).__name__})", where=WHERE) from error


def _fields(answer: Mapping[str, Any], least: float) -> CardFields:
    """Of the first document. Raises what a foreign mapping can raise."""
    texts: dict[str, tuple[str, float]] = {}
    dates: dict[str, tuple[date, float]] = {}
    documents = answer["IdentityDocuments"]
    for field in documents[0].get("IdentityDocumentFields", []) if documents else []:
        name, found = str(field["Type"]["Text"]), field.get("ValueDetection", {})
        text, confidence = " ".join(str(found.get("Text", "")).split()), float(found.get("Confidence", 0.0))
        if not 0.0 <= confidence <= 100.0:
            raise ValueError("no confidence")
        if not text or confidence < least:
            continue
        texts.setdefault(name, (text, confidence))
        normal = found.get("NormalizedValue") or {}
        if str(normal.get("ValueType", "")).upper() == "DATE":
            dates.setdefault(name, (datetime.fromisoformat(str(normal["Value"])).date(), confidence))

    def text_of(*names: str) -> Read[str] | None:
        parts = [texts[name] for name in names if name in texts]
        if not parts:
            return None
        return Read(" ".join(part for part, _ in parts), "textract", confidence=min(sure for _, sure in parts))

    def date_of(name: str) -> Read[date] | None:
        return Read(dates[name][0], "textract", confidence=dates[name][1]) if name in dates else None

    kind = _KINDS.get(texts.get("ID_TYPE", ("", 0.0))[0].upper())
    return CardFields(
        given_names=text_of("FIRST_NAME", "MIDDLE_NAME"),
        surname=text_of("LAST_NAME"),
        document_number=text_of("DOCUMENT_NUMBER"),
        birth_date=date_of("DATE_OF_BIRTH"),
        expiry_date=date_of("EXPIRATION_DATE"),
        document_kind=None if kind is None else Read(kind, "textract", confidence=texts["ID_TYPE"][1]),
    )
