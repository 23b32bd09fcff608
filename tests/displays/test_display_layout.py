"""Where things are on the screen: words large enough, the mirror truthful, the face never covered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.displays.layout import CAP_PER_EM, Placement, Rect, cap_height_mm, layout, place
from hardware.displays.mirror import ring_px
from hardware.displays.text import Typesetter
from kiosk.values import Oval, Panel

SIZES = [(800, 480), (1024, 600), (1280, 720), (1280, 800), (1920, 1080)]
ALL_SIZES = [*SIZES, *((high, wide) for wide, high in SIZES)]
_ratio = st.floats(0.0, 1.0)
_ovals = st.builds(Oval, _ratio, _ratio, st.floats(0.05, 1.0), st.floats(0.05, 1.0))
_frames = st.sampled_from([(640, 480), (1280, 720), (720, 1280), (320, 240), (1000, 1000)])


@pytest.mark.parametrize("size", ALL_SIZES)
def test_view_and_panel_share_the_screen_without_overlap(size: tuple[int, int]) -> None:
    """Each pixel belongs to exactly one of the two."""
    drawn = layout(size)
    count = np.zeros((size[1], size[0]), int)
    for part in (drawn.view, drawn.panel):
        count[part.y : part.y + part.h, part.x : part.x + part.w] += 1
    assert (count == 1).all()


def test_capitals_of_a_headline_fill_a_third_of_a_degree_at_one_and_a_half_metres() -> None:
    """8.6 mm on any panel, the number the angle gives."""
    assert cap_height_mm(1500.0) == pytest.approx(8.64, abs=0.01)


@given(
    st.sampled_from(ALL_SIZES),
    st.floats(60.0, 400.0),
    st.floats(1.3, 1.8),
)
def test_headlines_are_legible_on_any_panel(size: tuple[int, int], short_mm: float, aspect: float) -> None:
    """Font size times capital height is at least the size that is read, whichever way the millimetres are given."""
    for panel in (Panel(short_mm * aspect, short_mm, 500.0), Panel(short_mm, short_mm * aspect, 500.0)):
        drawn = layout(size, panel)
        px_per_mm = min(size) / short_mm
        assert drawn.headline_px * CAP_PER_EM / px_per_mm >= cap_height_mm(1500.0) - 1e-6
        assert drawn.detail_px * CAP_PER_EM / px_per_mm >= cap_height_mm(700.0) - 1e-6


def test_the_capital_height_is_the_font_s() -> None:
    """Measured on the drawn letter."""
    import pygame

    surface = pygame.Surface((400, 400))
    setter = Typesetter()
    block = setter.block("H", 200, 400)
    assert block is not None
    setter.draw(surface, block, (255, 255, 255), 200, 50)
    rows = np.flatnonzero(pygame.surfarray.array_red(surface).max(axis=0) > 127)
    assert (rows[-1] - rows[0] + 1) / 200 == pytest.approx(CAP_PER_EM, abs=0.015)


@given(st.sampled_from(ALL_SIZES), _ovals, _frames)
def test_the_oval_and_its_ring_stay_inside_the_view(
    size: tuple[int, int], oval: Oval, frame_size: tuple[int, int]
) -> None:
    """Words are outside the view, so they never lie on the oval."""
    drawn = layout(size)
    reach = ring_px(drawn)
    placed = place(oval, frame_size, drawn.view, reach)
    (x, y), (half_w, half_h) = placed.oval_centre, placed.oval_axes
    view = drawn.view
    assert x - half_w - reach >= view.x - 0.01
    assert x + half_w + reach <= view.x + view.w + 0.01
    assert y - half_h - reach >= view.y - 0.01
    assert y + half_h + reach <= view.y + view.h + 0.01


@given(st.sampled_from(ALL_SIZES), _ovals, _frames)
def test_the_oval_is_where_its_camera_coordinates_are(
    size: tuple[int, int], oval: Oval, frame_size: tuple[int, int]
) -> None:
    """The oval on the screen is the camera's oval, mirrored: guidance judges in the frame, people see the screen."""
    drawn = layout(size)
    placed = place(oval, frame_size, drawn.view, ring_px(drawn))
    x, y = placed.to_screen(oval.centre_x_ratio * frame_size[0], oval.centre_y_ratio * frame_size[1])
    assert (x, y) == pytest.approx(placed.oval_centre, abs=0.01)
    left_of_image, _ = placed.to_screen(0.0, 0.0)
    right_of_image, _ = placed.to_screen(float(frame_size[0]), 0.0)
    assert left_of_image > right_of_image


@given(st.sampled_from(ALL_SIZES), _frames)
def test_a_usual_oval_lets_the_mirror_fill_the_view(size: tuple[int, int], frame_size: tuple[int, int]) -> None:
    """With the oval of a working distance of 42 cm no empty border is seen."""
    view = layout(size).view
    focal_ratio = 0.83 * 640 / 480 if frame_size[0] == frame_size[1] else 0.83
    oval = Oval(0.5, 0.5, 139 / 425 * focal_ratio, 183 / 425 * focal_ratio * frame_size[0] / frame_size[1])
    placed = place(oval, frame_size, view, ring_px(layout(size)))
    if frame_size[0] >= frame_size[1]:
        assert placed.target == view


@given(st.sampled_from(ALL_SIZES), _ovals, _frames)
def test_the_visible_part_is_a_part_of_the_frame(
    size: tuple[int, int], oval: Oval, frame_size: tuple[int, int]
) -> None:
    """Source and target are never outside their pictures, and the scale between them is the placement's."""
    drawn = layout(size)
    placed: Placement = place(oval, frame_size, drawn.view, ring_px(drawn))
    assert _inside(placed.source, Rect(0, 0, *frame_size))
    assert _inside(placed.target, drawn.view)
    assert placed.target.w == pytest.approx(placed.source.w * placed.scale, abs=placed.scale + 1)
    assert placed.target.h == pytest.approx(placed.source.h * placed.scale, abs=placed.scale + 1)


def _inside(inner: Rect, outer: Rect) -> bool:
    return (
        inner.x >= outer.x
        and inner.y >= outer.y
        and inner.x + inner.w <= outer.x + outer.w
        and inner.y + inner.h <= outer.y + outer.h
    )
