"""Words: every reason fits every screen at a size that can be read, and nothing is told to whoever deceives."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.displays.layout import layout
from hardware.displays.panel import plan
from hardware.displays.screens import DENIALS, FAULTS, HINTS, INSTRUCTIONS, all_scenes
from hardware.displays.text import Typesetter
from hardware.displays.words import DOOR_STAYS_LOCKED, SIGNS, Words, denial_sign, words
from kiosk.reasons import Reason
from kiosk.values import Oval, Scene, SceneKind

OVAL = Oval(0.5, 0.5, 0.27, 0.48)
SIZES = [(800, 480), (1024, 600), (1280, 720), (1280, 800), (1920, 1080)]
ALL_SIZES = [*SIZES, *((high, wide) for wide, high in SIZES)]


@pytest.fixture(scope="module")
def setter() -> Typesetter:
    """One set of fonts for all."""
    return Typesetter()


@pytest.mark.parametrize("size", ALL_SIZES, ids=str)
def test_every_scene_s_words_fit_and_are_legible(setter: Typesetter, size: tuple[int, int]) -> None:
    """No word is cut, no headline is below the size that is read at 1.5 m, no line below that of 0.7 m."""
    drawn = layout(size)
    for name, scene in all_scenes():
        said = words(scene)
        wants_sign = scene.kind is SceneKind.GUIDING and scene.hint in SIGNS
        done = plan(setter, drawn, said, icon=wants_sign)
        assert " ".join(done.title.lines) == said.title, name
        assert done.title.size_px >= drawn.headline_px, name
        assert (done.detail is None) == (said.detail == ""), name
        if done.detail is not None:
            assert " ".join(done.detail.lines) == said.detail, name
            assert done.detail.size_px >= drawn.detail_px, name
        assert not wants_sign or done.icon_side_px >= drawn.headline_px, name
        box = drawn.panel
        parts = [(done.title_top, done.title), (done.detail_top, done.detail), (done.code_top, done.code)]
        bottom = done.icon_top + done.icon_side_px if wants_sign else box.y
        for top, block in parts:
            if block is not None:
                assert top >= bottom, f"{name}: lines overlap"
                assert block.width_px <= box.w, name
                bottom = top + block.height_px
        assert bottom <= box.y + box.h, name


def test_words_shrink_rather_than_vanish(setter: Typesetter) -> None:
    """A translation twice as long as any of ours still stands on the panel in full."""
    long = Words(
        "Bitte nehmen Sie Ihre außergewöhnlich dunkle Sonnenbrille ab und sehen Sie hierher", "Überdies: Grüße " * 9
    )
    done = plan(setter, layout((800, 480)), long, icon=True)
    assert " ".join(done.title.lines) == long.title
    assert done.bottom <= 480


def test_the_font_has_umlauts_and_typographic_signs(setter: Typesetter) -> None:
    """A missing glyph would show as a box; each of these has its own metrics."""
    measured = setter.font(40).metrics("ÄÖÜäöüßéèçñøåł\N{RIGHT SINGLE QUOTATION MARK}\N{EN DASH}")
    assert all(letter is not None for letter in measured)


def _rows(setter: Typesetter, text: str) -> tuple[int, int]:
    """First and last inked row of one drawn line."""
    import pygame

    surface = pygame.Surface((600, 300))
    block = setter.block(text, 100, 600)
    assert block is not None
    setter.draw(surface, block, (255, 255, 255), 300, 50)
    inked = np.flatnonzero(pygame.surfarray.array_red(surface).max(axis=0) > 127)
    return int(inked[0]), int(inked[-1])


def test_letters_stand_on_one_base_line_whole(setter: Typesetter) -> None:
    """Accents do not push a letter down, tails are not cut off, and both stay within their line."""
    base = _rows(setter, "H")[1]
    assert abs(_rows(setter, "Ä")[1] - base) <= 1
    assert abs(_rows(setter, "HÄx")[1] - base) <= 1
    assert 20 <= _rows(setter, "Hgy")[1] - base <= 24
    assert _rows(setter, "Hgy")[0] == _rows(setter, "H")[0]
    assert _rows(setter, "Ägy")[0] >= 48
    assert _rows(setter, "Ägy")[1] <= 50 + setter.line_px(100)


@pytest.mark.parametrize("kind", list(SceneKind))
def test_every_state_speaks_without_a_reason(kind: SceneKind) -> None:
    """A headline is there even when nothing else is."""
    assert words(Scene(kind, OVAL)).title


PROGRESS = (Reason.CHECKING, Reason.WELCOME, Reason.ONCE_MORE)


def test_every_reason_is_in_a_picture() -> None:
    """Hints, denials, faults and the words of progress are all reasons there are."""
    assert {*HINTS, *DENIALS, *FAULTS, *INSTRUCTIONS, *PROGRESS} == set(Reason)
    drawn = [scene for _, scene in all_scenes()]
    shown = {scene.hint for scene in drawn} | {fault for scene in drawn for fault in scene.faults}
    assert set(Reason) <= shown
    assert {scene.kind for scene in drawn} == set(SceneKind)


def test_names_of_pictures_are_unique() -> None:
    """No picture overwrites another."""
    names = [name for name, _ in all_scenes()]
    assert len(names) == len(set(names))


def test_a_deceiver_cannot_tell_a_spoof_verdict_from_an_unsure_one() -> None:
    """Same words, same sign, and no reason word on a refusal."""
    spoof, unsure = (Scene(SceneKind.DENIED, OVAL, hint=hint) for hint in (Reason.NOT_LIVE, Reason.LIVENESS_UNSURE))
    assert words(spoof) == words(unsure)
    assert denial_sign(Reason.NOT_LIVE) == denial_sign(Reason.LIVENESS_UNSURE)
    for reason in DENIALS:
        said = words(Scene(SceneKind.DENIED, OVAL, hint=reason))
        assert reason not in f"{said.title} {said.detail} {said.code}"


def test_a_fault_says_that_the_door_stays_locked_and_names_its_word() -> None:
    """The visitor knows where to go, the staff know what to mend."""
    said = words(Scene(SceneKind.FAULTED, OVAL, faults=(Reason.CAMERA_LOST, Reason.DOOR_LOST)))
    assert said == Words("Out of service", DOOR_STAYS_LOCKED, "CAMERA_LOST DOOR_LOST")


def test_every_denial_tells_what_to_do() -> None:
    """A refusal without a next step leaves people in the rain."""
    for reason in DENIALS:
        assert words(Scene(SceneKind.DENIED, OVAL, hint=reason)).detail, reason
