"""A picture of a card, read by all means together; what is missing or contradicts is told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hardware.cards.reader import CardReader
from hardware.cards.textlines import LineScores
from kiosk.config.enrollment import CardsSettings, EnrollmentSettings
from kiosk.config.tree import Settings
from kiosk.enrollment.cards.fields import CardFields, Read
from kiosk.errors import ModelError, ReadingError
from kiosk.records.texts import looks_like_badge
from kiosk.runtime.desk import open_card_reader
from kiosk.values import Floats, Pixels
from models.textline import TextLineModel
from tests.support.barcodes import barcode, on_card, pdf417
from tests.support.facekit import weights
from tests.support.licences import SAMPLE
from tests.support.specimens import Shot, card, fonts, photographed
from tests.support.zones import TD1_UTOPIA, TD2_UTOPIA, TD3_UTOPIA

TODAY = date(2026, 3, 1)
GOOD = Shot(turn_deg=4.0, perspective=0.03, blur_px=0.6, noise=4.0, jpeg=85)


@cache
def model() -> TextLineModel:
    """The recogniser, once a process; skips where its weights are not."""
    return TextLineModel(weights("cards"))


def reader(
    settings: CardsSettings | None = None,
    *,
    lines: LineScores | None = None,
    textract: Callable[[Pixels], CardFields] | None = None,
) -> CardReader:
    """With the rule of the records for badges."""
    return CardReader(settings or CardsSettings(), looks_like_badge, lambda: TODAY, lines=lines, textract=textract)


@pytest.mark.parametrize("lines", [TD1_UTOPIA, TD2_UTOPIA, TD3_UTOPIA], ids=["TD1", "TD2", "TD3"])
@pytest.mark.parametrize("font", ["pillow", "dejavu", "liberation", "ocr-b"])
def test_the_specimens_are_read_off_a_photograph(lines: tuple[str, ...], font: str) -> None:
    """Drawn, askew, noisy and compressed; the fonts that are here."""
    if font not in fonts():
        pytest.skip(f"the font {font} is not here")
    seen = photographed(card(lines, font=font), GOOD, seed=5)
    reading = reader(lines=model().scores).read(seen)
    assert reading.fields.name == "Anna Maria Eriksson", reading.problems
    assert reading.fields.birth_date == Read(
        date(1974, 8, 12), "mrz", True, False, reading.fields.birth_date.confidence
    )  # type: ignore[union-attr]  # it was read
    assert reading.fields.document_number is not None
    assert reading.fields.document_number.value in ("D23145890", "L898902C3")
    assert reading.tried == ("barcodes", "zone")
    assert reading.conflicts == ()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_zone_is_read_whichever_way_up_the_card_lies(quarters: int) -> None:
    """By quarters of a turn."""
    seen = np.ascontiguousarray(np.rot90(photographed(card(TD3_UTOPIA), GOOD, seed=5), quarters))
    assert reader(lines=model().scores).read(seen).fields.name == "Anna Maria Eriksson"


def test_a_zone_with_a_wrong_digit_is_refused() -> None:
    """Planted on the card itself: the recogniser reads what stands there, the check digit does not agree."""
    wrong = (TD3_UTOPIA[0], TD3_UTOPIA[1].replace("L898902C3", "L898903C3"))
    reading = reader(lines=model().scores).read(photographed(card(wrong, font="pillow"), GOOD, seed=5))
    assert reading.fields == CardFields()
    assert any("check digit of the document number" in problem for problem in reading.problems)


def test_a_picture_without_a_zone_has_none() -> None:
    """Noise, stripes, a plain wall, and a page of lines."""
    chance = np.random.default_rng(2)
    page = np.full((600, 900, 3), 240, dtype=np.uint8)
    for top in range(60, 560, 40):
        for left in range(60, 840, 22):
            page[top : top + chance.integers(8, 18), left : left + chance.integers(4, 14)] = 30
    for pixels in (chance.integers(0, 256, (480, 640, 3)).astype(np.uint8), np.full((64, 64, 3), 9, np.uint8), page):
        assert reader(lines=model().scores).read(pixels).fields == CardFields()


def test_a_licence_is_read_off_its_barcode() -> None:
    """Without the recogniser."""
    reading = reader().read(photographed(on_card(pdf417(SAMPLE)), GOOD, seed=2))
    assert reading.fields.name == "Michael John Sample"
    assert reading.fields.expired(TODAY)
    assert reading.problems == ()


def test_a_badge_is_read_off_its_barcode_and_an_address_is_not() -> None:
    """The site's pattern or the rule of the records; the address is told as a problem."""
    picture = on_card(barcode("EMP-42", "code128"), barcode("https://example.com/42", "qr"))
    reading = reader().read(picture)
    assert reading.fields.badge_number == Read("EMP-42", "code128")
    assert reading.problems == ("a barcode (qr) is no badge number",)
    patterned = reader(CardsSettings(badge_pattern=r"EMP-(?P<badge>\d+)")).read(picture)
    assert patterned.fields.badge_number == Read("42", "code128")


def test_two_barcodes_with_different_numbers_are_a_conflict() -> None:
    """None of them is proposed."""
    reading = reader().read(on_card(barcode("111", "code128"), barcode("222", "qr")))
    assert reading.fields.badge_number is None
    assert [conflict.field for conflict in reading.conflicts] == ["badge_number"]
    assert any("badge number: " in problem for problem in reading.problems)
    assert "111" not in f"{reading!r}"


def test_textract_that_contradicts_is_told() -> None:
    """The licence says one thing, the service another."""
    other = CardFields(surname=Read("SIMPLE", "textract", confidence=99.0))
    reading = reader(textract=lambda _pixels: other).read(on_card(pdf417(SAMPLE)))
    assert [conflict.field for conflict in reading.conflicts] == ["surname"]
    assert reading.fields.surname is None
    assert reading.tried == ("barcodes", "textract")


def test_a_service_that_fails_hides_nothing_else() -> None:
    """The others go on, and it is told."""

    def failing(_pixels: Pixels) -> CardFields:
        raise ReadingError("no answer (EndpointConnectionError)", where="textract")

    reading = reader(textract=failing).read(on_card(pdf417(SAMPLE)))
    assert reading.fields.name == "Michael John Sample"
    assert reading.problems == ("textract: no answer (EndpointConnectionError)",)


def test_a_recogniser_that_fails_is_told() -> None:
    """A fault of the runtime is no card without a zone."""

    def broken(_line: Pixels) -> Floats:
        raise ModelError("the model did not run", where="weights")

    reading = reader(lines=broken).read(card(TD3_UTOPIA))
    assert reading.fields == CardFields()
    assert any("did not run" in problem for problem in reading.problems)


def test_a_card_that_says_nothing_is_told() -> None:
    """Never silently empty."""
    assert reader().read(np.full((80, 120, 3), 200, dtype=np.uint8)).problems == ("nothing was read off the card",)


def test_what_is_missing_is_told_with_every_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights, no library, no client."""
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    settings = Settings(enrollment=EnrollmentSettings.model_validate({"textract": {"enabled": True}}))
    reading = open_card_reader(settings, tmp_path).read(card(TD3_UTOPIA))
    told = " | ".join(reading.problems)
    assert "weights are missing" in told
    assert "zxing-cpp is missing" in told
    assert "no client was made" in told


def test_what_is_switched_off_is_neither_tried_nor_told(tmp_path: Path) -> None:
    """No zone, no barcodes."""
    settings = Settings(enrollment=EnrollmentSettings.model_validate({"cards": {"zone": False, "barcodes": []}}))
    reading = open_card_reader(settings, tmp_path).read(card(TD3_UTOPIA))
    assert reading.tried == ()
    assert reading.problems == ("nothing was read off the card",)
