"""Pictures: mirrored truthfully, unmistakable, readable, and an exact lamp while flashing."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.displays import palette
from hardware.displays.layout import layout
from hardware.displays.mirror import Mirror
from hardware.displays.render import Renderer, render
from hardware.displays.screens import all_scenes
from hardware.displays.standin import standin
from kiosk.errors import DisplayError
from kiosk.reasons import Reason
from kiosk.values import Oval, Pixels, Region, Rgb, Scene, SceneKind, Slot

OVAL = Oval(0.5, 0.5, 0.27, 0.48)
SIZES = [(800, 480), (480, 800), (1920, 1080)]
GUIDING = Scene(SceneKind.GUIDING, OVAL, hint=Reason.MOVE_LEFT)
_rgb = st.tuples(*[st.integers(0, 255)] * 3)


def _flash(rgb: Rgb, region: Region, progress: float = 0.5) -> Scene:
    return Scene(SceneKind.FLASHING, OVAL, True, Reason.HOLD_STILL, progress, Slot(rgb, region, 0.3))


def _light(pixels: Pixels) -> float:
    """Mean linear luminance, WCAG weights."""
    share = pixels.astype(np.float64) / 255
    straight = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float((straight @ np.array([0.2126, 0.7152, 0.0722])).mean())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_picture_has_the_screen_s_shape_and_is_a_copy(size: tuple[int, int]) -> None:
    """(H, W, 3) uint8, and the next picture does not change it."""
    renderer = Renderer(size)
    first = renderer.picture(GUIDING, standin())
    kept = first.copy()
    renderer.picture(_flash((255, 100, 100), "full"), None)
    assert first.shape == (size[1], size[0], 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_preview_is_mirrored_into_its_place(size: tuple[int, int]) -> None:
    """A marker of the frame appears, mirrored, at the screen position that the placement says."""
    frame: Pixels = np.full((480, 640, 3), 40, np.uint8)
    spot = (300, 250)  # left of the frame's centre: the visitor sees it to the right
    frame[spot[1] - 6 : spot[1] + 6, spot[0] - 6 : spot[0] + 6] = (255, 255, 0)
    picture = render(GUIDING, frame, size)
    x, y = Mirror(layout(size)).placement(OVAL).to_screen(*spot)
    ys, xs = np.nonzero((picture[..., 0] > 200) & (picture[..., 1] > 200) & (picture[..., 2] < 60))
    assert (xs.mean(), ys.mean()) == pytest.approx((x, y), abs=2.0)
    assert x > layout(size).view.x + layout(size).view.w / 2


def test_outside_the_oval_the_mirror_is_bright() -> None:
    """A black scene is washed to a light grey around the oval (the screen is also the lamp), not inside it."""
    picture = render(GUIDING, np.zeros((480, 640, 3), np.uint8), (800, 480))
    assert picture[5, 5].min() >= 150
    x, y = Mirror(layout((800, 480))).placement(OVAL).oval_centre
    assert picture[round(y), round(x)].max() == 0


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_fitting_is_told_by_colour_and_by_shape(size: tuple[int, int]) -> None:
    """Green and unbroken when it fits, red and dashed when it does not: also without seeing colours."""
    placed = Mirror(layout(size)).placement(OVAL)
    stroke = layout(size).stroke_px
    angles = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    xs = np.rint(placed.oval_centre[0] + (placed.oval_axes[0] + stroke / 2) * np.cos(angles)).astype(int)
    ys = np.rint(placed.oval_centre[1] + (placed.oval_axes[1] + stroke / 2) * np.sin(angles)).astype(int)

    def share(fits: bool, colour: Rgb) -> float:
        line = render(Scene(SceneKind.GUIDING, OVAL, fits), standin(), size)[ys, xs].astype(int)
        return float((np.abs(line - colour).max(axis=1) < 12).mean())

    assert share(True, palette.GREEN) > 0.98
    assert 0.4 < share(False, palette.RED) < 0.85
    assert share(False, palette.WHITE) > 0.1


def test_the_ring_grows_with_progress() -> None:
    """More of it is green at each step."""
    counts = []
    for progress in (0.0, 0.25, 0.5, 0.75, 1.0):
        scene = Scene(SceneKind.HOLDING, OVAL, True, Reason.HOLD_STILL, progress)
        picture = render(scene, standin(), (800, 480)).astype(int)
        counts.append(int((np.abs(picture - palette.GREEN).max(axis=2) < 12).sum()))
    assert all(later > earlier + 300 for earlier, later in pairwise(counts))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("region", ["full", "top", "bottom"])
def test_a_flash_lights_exactly_its_colour_in_its_region(size: tuple[int, int], region: Region) -> None:
    """At least 97 % of the lit half has the very colour and the light; the rest gives under 1 % of it."""
    rgb = (255, 100, 100)
    picture = render(_flash(rgb, region), None, size)
    middle = size[1] // 2
    halves = {"top": picture[:middle], "bottom": picture[middle:]}
    for name, half in halves.items():
        if region in ("full", name):
            assert (half == rgb).all(axis=2).mean() >= 0.97
            assert _light(half) >= 0.97 * palette.luminance(rgb)
        else:
            assert (half == 0).all(axis=2).mean() >= 0.95
            assert _light(half) <= 0.01 * palette.luminance(rgb)


def test_a_flash_hides_the_face() -> None:
    """Whatever the camera sees, the picture is the same."""
    scene = _flash((100, 255, 255), "full")
    dark: Pixels = np.zeros((480, 640, 3), np.uint8)
    assert np.array_equal(render(scene, dark, (800, 480)), render(scene, standin(), (800, 480)))


def test_flash_words_are_never_cut_by_the_border_of_a_half_slot() -> None:
    """The words of a half slot lie in one half: changed pixels of the panel are on one side only."""
    for size in [*SIZES, (1024, 600), (1280, 800)]:
        panel = layout(size).panel
        picture = render(_flash((255, 255, 100), "full"), None, size)
        part = picture[panel.y : panel.y + panel.h, panel.x : panel.x + panel.w]
        rows = np.flatnonzero((part != (255, 255, 100)).any(axis=(1, 2))) + panel.y
        assert rows.size > 0
        assert rows.max() < size[1] // 2 or rows.min() >= size[1] // 2


def test_flashing_without_a_slot_is_a_plain_grey() -> None:
    """Never a leftover of the picture before."""
    picture = render(Scene(SceneKind.FLASHING, OVAL), standin(), (800, 480))
    assert (picture == palette.FLASH_REST).all(axis=2).mean() > 0.96


@given(_rgb)
def test_flash_words_read_on_any_colour(rgb: Rgb) -> None:
    """WCAG AA for large text, on every colour a challenge could draw."""
    assert palette.contrast(palette.flash_ink(rgb), rgb) >= palette.SIGN_CONTRAST


@pytest.mark.parametrize("size", [(800, 480), (480, 800)], ids=str)
def test_all_words_and_signs_have_contrast(size: tuple[int, int]) -> None:
    """Measured on rendered pictures: every colour that covers a part of the panel stands out from its ground, AA."""
    renderer = Renderer(size)
    panel = layout(size).panel
    for name, scene in all_scenes():
        if scene.kind is SceneKind.FLASHING:
            continue
        part = renderer.picture(scene, standin())[panel.y : panel.y + panel.h, panel.x : panel.x + panel.w]
        packed, counts = np.unique(part.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32), return_counts=True)
        order = np.argsort(counts)[::-1]
        ground = _unpacked(packed[order[0]])
        inks = [_unpacked(packed[i]) for i in order[1:] if counts[i] >= 0.004 * part.shape[0] * part.shape[1]]
        assert inks, name
        for ink in inks:
            assert palette.contrast(ink, ground) >= palette.TEXT_CONTRAST, f"{name}: {ink} on {ground}"


def test_signs_stand_out_from_their_ground() -> None:
    """WCAG 1.4.11 for what is not text."""
    for sign, ground in (
        (palette.RED, palette.WHITE),
        (palette.GREEN, palette.WHITE),
        (palette.BLUE, palette.PAPER),
        (palette.GREY, palette.PAPER),
        (palette.AMBER, palette.FAULT_GROUND),
        (palette.GREEN, palette.TRACK),
    ):
        assert palette.contrast(sign, ground) >= palette.SIGN_CONTRAST


def test_all_scenes_look_different_where_they_mean_different_things() -> None:
    """No two scenes share a picture except the refusals whose words are the same."""
    renderer = Renderer((800, 480))
    seen: dict[bytes, list[str]] = {}
    for name, scene in all_scenes():
        seen.setdefault(renderer.picture(scene, standin()).tobytes(), []).append(name)
    alike = {tuple(sorted(names)) for names in seen.values() if len(names) > 1}
    assert alike == {
        ("denied-liveness-unsure", "denied-not-live"),
        ("denied-clock-went-back", "denied-loop-stalled"),
        ("denied-face-changed", "denied-left-during-check"),
    }


def test_the_order_of_scenes_does_not_change_a_picture() -> None:
    """Caches never leak from one scene into the next."""
    fresh = {name: Renderer((800, 480)).picture(scene, standin()) for name, scene in all_scenes()[::7]}
    renderer = Renderer((800, 480))
    for _ in range(2):
        for name, scene in reversed(all_scenes()):
            picture = renderer.picture(scene, standin())
            if name in fresh:
                assert np.array_equal(picture, fresh[name]), name


@settings(max_examples=40)
@given(
    kind=st.sampled_from(list(SceneKind)),
    oval=st.builds(Oval, *[st.floats(-0.5, 1.5)] * 2, *[st.floats(0.0, 2.0)] * 2),
    fits=st.booleans(),
    hint=st.none() | st.sampled_from(list(Reason)),
    progress=st.floats(-1.0, 2.0),
    flash=st.none() | st.builds(Slot, _rgb, st.sampled_from(["full", "top", "bottom"]), st.just(0.3)),
    faults=st.lists(st.sampled_from(list(Reason)), max_size=6, unique=True).map(tuple),
    frame=st.sampled_from([None, (480, 640), (720, 1280), (640, 480), (33, 47)]),
    size=st.sampled_from([(320, 320), (800, 480), (480, 800), (401, 333)]),
)
def test_any_scene_is_drawn(
    kind: SceneKind,
    oval: Oval,
    fits: bool,
    hint: Reason | None,
    progress: float,
    flash: Slot | None,
    faults: tuple[Reason, ...],
    frame: tuple[int, int] | None,
    size: tuple[int, int],
) -> None:
    """No scene, oval, hint or frame size makes the screen fail: a frozen picture would be worse than an odd one."""
    preview = None if frame is None else np.full((*frame, 3), 90, np.uint8)
    scene = Scene(kind, oval, fits, hint, progress, flash, faults)
    assert render(scene, preview, size).shape == (size[1], size[0], 3)


def test_a_preview_of_another_shape_is_refused() -> None:
    """Grey or float pictures are a bug of the caller, told as such."""
    for wrong in (np.zeros((480, 640), np.uint8), np.zeros((480, 640, 3), np.float32)):
        with pytest.raises(DisplayError, match=r"not .H, W, 3. uint8"):
            render(GUIDING, wrong, (800, 480))  # type: ignore[arg-type]


def _unpacked(colour: np.uint32) -> Rgb:
    return int(colour) >> 16, int(colour) >> 8 & 255, int(colour) & 255
