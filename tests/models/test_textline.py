"""The line recogniser against drawn lines: its contract with whoever hears it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from kiosk.enrollment.cards import mrz
from kiosk.errors import ModelError
from models.textline import ALPHABET, HEIGHT_PX, STEP_PX, TextLineModel
from tests.support.facekit import weights


def drawn(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A line of text in black on white, as high as the model wants it."""
    image = Image.new("RGB", (24 * len(text), HEIGHT_PX), "white")
    ImageDraw.Draw(image).text((8, 4), text, fill="black", font=ImageFont.load_default(36))
    return np.array(image)


def test_the_two_alphabets_are_one() -> None:
    """The reader of zones hears the scores by the same order."""
    assert ALPHABET == mrz.ALPHABET


def test_a_plain_word_is_recognised() -> None:
    """Each step's likeliest character, repeats and blanks dropped, is the word; each step stands for eight pixels."""
    line = drawn("KIOSK 2741")
    scores = TextLineModel(weights("cards")).scores(line)
    assert scores.shape == (-(-line.shape[1] // STEP_PX), len(ALPHABET))
    heard = [ALPHABET[int(row.argmax())] for row in scores if row.max() > 0.4]
    text = "".join(letter for at, letter in enumerate(heard) if at == 0 or heard[at - 1] != letter)
    assert text == "KIOSK2741"


def test_an_empty_line_has_no_characters() -> None:
    """White paper."""
    assert TextLineModel(weights("cards")).scores(np.full((48, 320, 3), 255, dtype=np.uint8)).max() < 0.2


@pytest.mark.parametrize("shape", [(47, 100, 3), (48, 4, 3), (48, 100), (48, 9000, 3)])
def test_what_is_no_line_is_refused(shape: tuple[int, ...]) -> None:
    """Another height, too narrow, grey, endless."""
    with pytest.raises(ModelError, match="cannot be read"):
        TextLineModel(weights("cards")).scores(np.zeros(shape, dtype=np.uint8))


def test_missing_weights_are_told(tmp_path: Path) -> None:
    """With the mend."""
    with pytest.raises(ModelError, match="weights are missing"):
        TextLineModel(tmp_path)
