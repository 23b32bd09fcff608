"""Files for people to look at: every state, contact sheets, videos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.displays.screens import all_scenes, readme_picture, render_all
from hardware.displays.standin import standin, standin_for
from hardware.displays.video import VideoWriter, caption_strip, contact_sheet, even, fitted, side_by_side, write_png
from kiosk.errors import InputError
from kiosk.reasons import Reason
from kiosk.values import Pixels


def _plain(height: int, width: int, colour: tuple[int, int, int] = (200, 60, 20)) -> Pixels:
    picture: Pixels = np.empty((height, width, 3), np.uint8)
    picture[...] = colour
    return picture


def test_every_state_is_written_at_every_size(tmp_path: Path) -> None:
    """One file a scene and size, an index a size, the README's picture; progress counts them all."""
    told: list[tuple[int, int]] = []
    paths = render_all(
        tmp_path / "new", [(400, 320), (320, 400)], progress=lambda done, total: told.append((done, total))
    )
    count = 2 * len(all_scenes())
    assert told == [(done, count) for done in range(1, count + 1)]
    assert len(paths) == len(set(paths)) == count + 3
    assert all(path.stat().st_size > 0 for path in paths)
    assert {path.name for path in paths[:3]} == {"index.png", "index-320x400.png", "kiosk-screen.png"}
    one = cv2.imread(str(tmp_path / "new" / "320x400" / "denied-unknown-person.png"))
    assert one is not None
    assert one.shape == (400, 320, 3)
    assert not list(tmp_path.rglob("*.part"))


def test_screens_show_a_given_picture_in_place_of_the_drawn_visitor(tmp_path: Path) -> None:
    """For a look at real camera frames."""
    render_all(tmp_path, [(400, 320)], preview=_plain(480, 640, (10, 200, 30)))
    picture = cv2.imread(str(tmp_path / "400x320" / "holding.png"))
    assert picture is not None
    assert tuple(int(v) for v in picture[160, 100]) == (30, 200, 10)


def test_a_folder_that_cannot_be_made_is_one_plain_error(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        render_all(tmp_path / "file", [(400, 320)])


def test_the_readme_picture_is_made_of_the_drawn_visitor() -> None:
    """The same on every machine, so that it can be compared."""
    assert np.array_equal(readme_picture(), readme_picture())


@pytest.mark.parametrize(
    ("reason", "at_the_right"),
    [(Reason.MOVE_LEFT, False), (Reason.MOVE_RIGHT, True)],
)
def test_the_drawn_visitor_stands_where_the_hint_finds_them(reason: Reason, at_the_right: bool) -> None:
    """Who is told to go left stands, unmirrored, at the left of the frame: the mirror shows them at the right."""
    empty, drawn = standin(()), standin_for(reason)
    changed = (empty != drawn).any(axis=2)
    assert bool(changed[:, 320:].sum() > changed[:, :320].sum()) is at_the_right


def test_side_by_side_is_even_and_keeps_both(tmp_path: Path) -> None:
    """Two pictures of odd sizes and a caption become one even picture."""
    both = side_by_side(_plain(481, 801), _plain(333, 777, (0, 0, 255)), "A, flat print → refused", height_px=241)
    assert both.shape[0] % 2 == both.shape[1] % 2 == 0
    assert tuple(both[120, 100]) == (200, 60, 20)
    assert tuple(both[120, -100]) == (0, 0, 255)
    write_png(tmp_path / "a.png", both)
    read = cv2.imread(str(tmp_path / "a.png"))
    assert read is not None
    assert np.array_equal(read[..., ::-1], both)


def test_a_caption_that_is_too_long_becomes_smaller() -> None:
    """And at last shorter. Nothing is drawn over the border: the outermost columns stay ground."""
    for times in (3, 30):
        strip = caption_strip("a very long caption " * times, 500)
        assert strip.shape[1] == 500
        assert (strip[:, :3] == strip[0, 0]).all()
        assert (strip[:, -3:] == strip[0, 0]).all()
        assert strip.max() > 150


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 4), (1, 8)])
def test_even_sides(shape: tuple[int, int]) -> None:
    """For codecs."""
    made = even(_plain(*shape))
    assert made.shape[0] % 2 == made.shape[1] % 2 == 0
    assert made.size > 0


def test_fitted_keeps_the_aspect() -> None:
    """A tall picture in a wide frame has bars at both sides."""
    made = fitted(_plain(100, 50), 200, 100)
    assert made.shape == (100, 200, 3)
    assert (made[50, 80] == (200, 60, 20)).all()
    assert (made[50, 20] != (200, 60, 20)).any()


def test_contact_sheet_holds_all(tmp_path: Path) -> None:
    """Each colour is on it; an empty one is refused."""
    colours = [(10 * i, 200, 255 - 10 * i) for i in range(7)]
    path = tmp_path / "deep" / "sheet.png"
    sheet = contact_sheet([(f"No. {i}", _plain(48, 80, c)) for i, c in enumerate(colours)], path, tile_px=80)
    for colour in colours:
        assert (sheet == colour).all(axis=2).sum() > 2000
    assert path.exists()
    with pytest.raises(InputError, match="nothing"):
        contact_sheet([], path)


def test_a_video_can_be_read_back(tmp_path: Path) -> None:
    """Frames, size and rate; another size in between is fitted, an odd one made even."""
    path = tmp_path / "made" / "clip.mp4"
    with VideoWriter(path, 30.0) as writer:
        for level in range(20):
            writer.write(_plain(121, 161, (level * 10, 100, 50)))
        writer.write(_plain(50, 50))
        assert not path.exists()
    assert writer.frames == 21
    clip = cv2.VideoCapture(str(path))
    assert (clip.get(cv2.CAP_PROP_FRAME_WIDTH), clip.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (160, 120)
    frames = 0
    while clip.read()[0]:
        frames += 1
    clip.release()
    assert frames == 21
    writer.close()


def test_a_video_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither when the maker fails, nor when the folder cannot be made."""

    def fail() -> None:
        with VideoWriter(tmp_path / "a.mp4", 30.0) as writer:
            writer.write(_plain(48, 80))
            raise InputError("the maker failed")

    with pytest.raises(InputError, match="maker failed"):
        fail()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"), VideoWriter(tmp_path / "file" / "a.mp4", 30.0) as writer:
        writer.write(_plain(48, 80))


def test_a_kind_of_file_that_no_codec_writes_is_one_plain_error(tmp_path: Path) -> None:
    """cv2's own message is not shown to anybody."""
    with pytest.raises(InputError, match="no video can be written"), VideoWriter(tmp_path / "a.xyz", 30.0) as writer:
        writer.write(_plain(48, 80))
    assert list(tmp_path.iterdir()) == []
