"""Commands on pictures: every common kind of file is read, every unusable one is one line, nothing half-written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.clikit import Shell, photo, save_bad_pictures

SHAPE = {"image", "person", "similarity", "runner_up", "margin", "reason", "model_version"}
SIDE_PX = 900


@pytest.fixture(scope="session")
def kinds(enrolled_once: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One portrait in every form in which it may arrive."""
    folder = tmp_path_factory.mktemp("kinds")
    picture = Image.open(enrolled_once / "demo" / "photos" / "obama.jpg").convert("RGB")
    picture.thumbnail((SIDE_PX, SIDE_PX))
    picture.save(folder / "plain.jpg")
    picture.convert("L").save(folder / "grey.jpg")
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    picture.convert("P").save(folder / "palette.gif")
    picture.convert("RGBA").save(folder / "alpha.png")
    picture.save(folder / "with spaces \u00e4\u00f6\u00fc \u4f60.webp")
    picture.save(os.fsencode(folder / "half") + b"\xff.bmp", "BMP")
    Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(folder / "sixteen.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    picture.rotate(90, expand=True).save(folder / "turned.jpg", exif=turned)
    picture.close()
    return sorted(folder.iterdir())


def test_every_kind_of_picture_shows_the_same_person(kiosk: Shell, enrolled: Path, kinds: list[Path]) -> None:
    """Grey, 16 bit, CMYK, palette, transparent, turned by EXIF, odd names: one JSON line each, in order."""
    answer = kiosk("identify", "--json", "--quality", "low", *kinds)
    assert answer.code == 0
    assert answer.err == ""
    assert len(kinds) == 9
    assert [one["image"] for one in answer.lines] == [str(path) for path in kinds]
    for one in answer.lines:
        assert set(one) == SHAPE
        assert one["person"] == {"name": "Person A", "badge": "17"}, one["image"]
        assert one["reason"] == "WELCOME"
        assert one["similarity"] - one["runner_up"] == pytest.approx(one["margin"])
    assert enrolled.is_dir()


def test_a_stranger_is_nobody(kiosk: Shell, enrolled: Path) -> None:
    """``person`` is null, not absent, and the exit code says that the question was answered."""
    assert enrolled.is_dir()
    (one,) = kiosk("identify", "--json", photo("biden.jpg")).lines
    assert one["person"] is None
    assert one["reason"] == "UNKNOWN_PERSON"
    text = kiosk("identify", photo("biden.jpg"))
    assert text.code == 0
    assert "nobody known" in text.out


def test_an_unusable_picture_does_not_stop_the_others(kiosk: Shell, enrolled: Path, tmp_path: Path) -> None:
    """Its line goes to standard error, the answers to standard output, and the exit code is 2."""
    assert enrolled.is_dir()
    bad = save_bad_pictures(tmp_path / "bad")
    files = [tmp_path / "bad" / name for name in bad]
    answer = kiosk("identify", "--json", *files, photo("obama.jpg"))
    assert answer.code == 2
    assert [one["person"]["name"] for one in answer.lines] == ["Person A"]
    complaints = answer.err.splitlines()
    assert len(complaints) == len(bad)
    for file, words, line in zip(files, bad.values(), complaints, strict=True):
        assert line.startswith(f"kiosk: {file}: ")
        assert words in line


def test_enrolling_is_all_or_nothing(kiosk: Shell, enrolled: Path, tmp_path: Path) -> None:
    """One bad picture among good ones, a picture of somebody else, two people, a known face: nobody is added."""
    bad = save_bad_pictures(tmp_path / "bad")
    before = kiosk("people", "list", "--json").out
    stranger = photo("biden.jpg")
    for name in ("nobody.jpg", "text.jpg", "cut.jpg"):
        said = kiosk("enroll", "--name", "B", "--badge", "18", stranger, tmp_path / "bad" / name).complaint
        assert bad[name] in said
    assert "shows somebody else than" in kiosk("enroll", "--name", "B", stranger, photo("obama3.jpg")).complaint
    known = kiosk("enroll", "--name", "B", photo("obama.jpg")).complaint
    assert "this face is enrolled already" in known
    pair = Image.new("RGB", (1600, 800))
    for number, name in enumerate(("obama.jpg", "biden.jpg")):
        with Image.open(photo(name)) as one:
            one.thumbnail((800, 800))
            pair.paste(one, (number * 800, 0))
    pair.save(tmp_path / "pair.jpg")
    two = kiosk("enroll", "--name", "B", tmp_path / "pair.jpg").complaint
    assert "2 faces found (ONE_PERSON); use a picture of one person, or choose with --face" in two
    assert kiosk("people", "list", "--json").out == before
    assert sorted(path.name for path in enrolled.iterdir()) == ["demo", "kiosk.db", "models", "records.key"]


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (["--name", " "], "the name is empty"),
        (["--name", "Person A"], "is already enrolled; choose a name"),
        (["--name", "B", "--badge", "17"], "badge 17 belongs to somebody else"),
        (["--name", "B", "--badge", "no badge"], "is no badge number"),
        (["--name", "\udcff\udcfe"], "invisible character"),
        (["--name", "x" * 500], "the name has 500 characters"),
    ],
)
def test_a_name_or_badge_that_cannot_be_kept_is_one_line(
    kiosk: Shell, enrolled: Path, named: list[str], words: str
) -> None:
    """The store has the last word, and nothing is added."""
    assert enrolled.is_dir()
    before = kiosk("people", "list", "--json").out
    assert words in kiosk("enroll", *named, photo("biden.jpg")).complaint
    assert kiosk("people", "list", "--json").out == before


def test_enroll_prints_what_it_made_and_remove_undoes_it(kiosk: Shell, fresh: Path) -> None:
    """Two pictures of one person, as JSON; then removed again."""
    made = kiosk("enroll", "--json", "--name", "Person B", photo("obama.jpg"), photo("obama2.jpg"))
    assert made.code == 0, made.err
    assert (made.lines[0]["name"], made.lines[0]["badge"], made.lines[0]["templates"]) == ("Person B", None, 2)
    (shown,) = kiosk("people", "show", "Person B", "--json").lines
    assert shown["person_id"] == made.lines[0]["person_id"]
    assert kiosk("people", "remove", "Person B").code == 0
    (one,) = kiosk("identify", "--json", photo("obama.jpg")).lines
    assert one["person"] is None
    assert fresh.is_dir()


def test_the_same_picture_given_twice_is_one_template(kiosk: Shell, fresh: Path) -> None:
    """What is told is what was stored, in text and JSON; another file of the same bytes is the same picture."""
    copy = shutil.copy(photo("obama.jpg"), fresh / "copy.jpg")
    made = kiosk("enroll", "--name", "Person B", photo("obama.jpg"), photo("obama.jpg"), copy)
    assert "with 1 template of 3 pictures (the same one counts once) as" in made.out, made.err
    updated = kiosk("enroll", "update", "Person B", photo("obama2.jpg"), photo("obama2.jpg"))
    assert updated.out == "Person B has 1 new template of 2 pictures (the same one counts once)\n", updated.err
    (told,) = kiosk("enroll", "update", "--json", "Person B", photo("obama.jpg"), copy).lines
    assert (told["templates"], told["waiting"]) == (1, 0)
    (shown,) = kiosk("people", "show", "Person B", "--json").lines
    assert shown["templates"] == 1
    kiosk("people", "remove", "Person B")
    (told,) = kiosk("enroll", "--json", "--name", "Person B", copy, photo("obama.jpg")).lines
    assert told["templates"] == 1


def test_compare_and_quality_answer_or_say_why_not(kiosk: Shell, enrolled: Path, tmp_path: Path) -> None:
    """JSON, text, exit code 1 for a picture that is not good enough, 2 for one that cannot be used."""
    assert enrolled.is_dir()
    (same,) = kiosk("compare", "--json", photo("obama.jpg"), photo("obama2.jpg")).lines
    assert same["same"] is True
    assert "not shown to be the same person" in kiosk("compare", photo("obama.jpg"), photo("biden.jpg")).out
    (good,) = kiosk("quality", "--json", photo("obama.jpg")).lines
    assert good["ok"] is True
    assert {check["verdict"] for check in good["checks"]} == {"pass"}
    with Image.open(photo("obama.jpg")) as picture:
        picture.thumbnail((500, 500))
        picture.point(lambda value: value // 8).save(tmp_path / "dark.png")
    dark = kiosk("quality", tmp_path / "dark.png")
    assert dark.code == 1
    assert "TOO_DARK" in dark.out
    assert "not good enough: " in dark.out
    (tmp_path / "text.jpg").write_text("words")
    assert "not a picture" in kiosk("quality", "--json", tmp_path / "text.jpg").complaint
    assert "not a picture" in kiosk("compare", "--json", photo("obama.jpg"), tmp_path / "text.jpg").complaint
