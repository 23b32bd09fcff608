"""Barcodes in pictures of cards, written and read for real."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from hardware.cards.barcodes import MOST_SIDE_PX, bounded, read_barcodes
from kiosk.config.enrollment import BarcodeKind, CardsSettings
from kiosk.errors import ConfigurationError
from kiosk.values import Pixels
from tests.support.barcodes import barcode, on_card, pdf417
from tests.support.licences import SAMPLE
from tests.support.specimens import Shot, photographed

EVERY = CardsSettings().barcodes
TURNED = Shot(turn_deg=7.0, perspective=0.04, blur_px=0.8, noise=5.0, jpeg=70)


@pytest.mark.parametrize("kind", EVERY)
def test_each_kind_is_read_and_named(kind: BarcodeKind) -> None:
    """As its own kind."""
    (found,) = read_barcodes(on_card(barcode("EMP-0042", kind)), EVERY)
    assert (found.kind, found.text) == (kind, "EMP-0042")
    assert "0042" not in repr(found)


def test_a_licence_of_another_hand_is_read_to_the_last_control_character() -> None:
    """Not a byte of the header is lost, or no subfile would be found."""
    (found,) = read_barcodes(on_card(pdf417(SAMPLE)), EVERY)
    assert (found.kind, found.text) == ("pdf417", SAMPLE)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "picture", [on_card(pdf417(SAMPLE)), on_card(barcode("4711", "qr"), barcode("4711-B", "code128"))]
)
def test_a_photograph_that_lies_any_way_up(picture: Pixels, quarters: int) -> None:
    """Turned by quarters and 7 degrees, drawn askew, blurred, noisy, JPEG 70 (synthetic)."""
    seen = np.ascontiguousarray(np.rot90(photographed(picture, TURNED, seed=3), quarters))
    assert read_barcodes(seen, EVERY) != ()


def test_light_on_dark_is_read() -> None:
    """Some badges are printed so."""
    (found,) = read_barcodes(255 - on_card(barcode("4711", "qr")), EVERY)
    assert found.text == "4711"


def test_kinds_that_are_not_asked_for_are_not_told() -> None:
    """A site may want none."""
    picture = on_card(barcode("1", "qr"), barcode("2222", "code128"))
    assert [one.kind for one in read_barcodes(picture, ("code128",))] == ["code128"]
    assert read_barcodes(picture, ()) == ()


def test_a_card_without_a_barcode_has_none() -> None:
    """Neither noise nor a plain picture."""
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    assert read_barcodes(noise, EVERY) == ()
    assert read_barcodes(np.full((64, 64, 3), 200, dtype=np.uint8), EVERY) == ()


def test_a_large_picture_is_bounded_first() -> None:
    """A small one is handed on as it is."""
    assert max(bounded(np.zeros((6000, 3000, 3), dtype=np.uint8)).shape) == MOST_SIDE_PX
    small = np.zeros((60, 30, 3), dtype=np.uint8)
    assert bounded(small) is small


def test_without_the_library_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional."""
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    with pytest.raises(ConfigurationError, match=r"door-kiosk\[cards\]"):
        read_barcodes(np.zeros((64, 64, 3), dtype=np.uint8), EVERY)


def test_importing_the_reader_does_not_load_the_library() -> None:
    """A kiosk without it must start."""
    code = "import sys, hardware.cards.reader; sys.exit('zxingcpp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
