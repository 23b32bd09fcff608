"""Every picture the screen can show, for people to look at: the command ``kiosk screens --out DIR``.

Rule: a state, hint, refusal or fault that is missing here is missing from what anyone has ever looked at; a test
keeps the list complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from hardware.displays.render import Renderer
from hardware.displays.standin import standin_for
from hardware.displays.video import contact_sheet, fitted, write_png
from kiosk.reasons import Reason
from kiosk.values import Oval, Panel, Pixels, Region, Rgb, Scene, SceneKind, Slot

SIZES: Final = ((800, 480), (480, 800), (1920, 1080))
_OVAL: Final = Oval(0.5, 0.5, 0.27, 0.48)
HINTS: Final = (
    Reason.NO_FACE,
    Reason.ONE_PERSON,
    Reason.MOVE_LEFT,
    Reason.MOVE_RIGHT,
    Reason.MOVE_UP,
    Reason.MOVE_DOWN,
    Reason.MOVE_CLOSER,
    Reason.MOVE_BACK,
    Reason.LOOK_AT_CAMERA,
    Reason.HOLD_STILL,
    Reason.TOO_DARK,
    Reason.TOO_BRIGHT,
    Reason.BLURRED,
    Reason.HEAD_TILTED,
    Reason.EYES_CLOSED,
    Reason.SUNGLASSES,
    Reason.FACE_COVERED,
    Reason.FACE_TOO_SMALL,
    Reason.FACE_CUT_OFF,
)
INSTRUCTIONS: Final = (
    Reason.TURN_LEFT,
    Reason.TURN_RIGHT,
    Reason.LOOK_UP,
    Reason.LOOK_DOWN,
    Reason.LOOK_STRAIGHT,
)
FAULTS: Final = (
    Reason.CAMERA_LOST,
    Reason.DISPLAY_LOST,
    Reason.MODELS_LOST,
    Reason.RECORDS_LOST,
    Reason.DOOR_LOST,
)
_NO_DENIAL: Final = {*HINTS, *FAULTS, Reason.CHECKING, Reason.WELCOME, Reason.ONCE_MORE, *INSTRUCTIONS}
DENIALS: Final = tuple(reason for reason in Reason if reason not in _NO_DENIAL)
_FLASHES: Final[tuple[tuple[str, Rgb, Region], ...]] = (
    ("red", (255, 100, 100), "full"),
    ("green", (100, 255, 100), "full"),
    ("blue", (100, 100, 255), "full"),
    ("cyan", (100, 255, 255), "full"),
    ("magenta", (255, 100, 255), "full"),
    ("yellow", (255, 255, 100), "full"),
    ("grey", (128, 128, 128), "full"),
    ("red-top", (255, 100, 100), "top"),
    ("blue-bottom", (100, 100, 255), "bottom"),
)


def _word(reason: Reason) -> str:
    return reason.lower().replace("_", "-")


def all_scenes() -> list[tuple[str, Scene]]:
    """(file name without ending, scene) of everything the screen can show, in the order of a visit."""
    scenes = [("idle", Scene(SceneKind.IDLE, _OVAL)), ("guiding", Scene(SceneKind.GUIDING, _OVAL))]
    scenes += [(f"guiding-{_word(hint)}", Scene(SceneKind.GUIDING, _OVAL, hint=hint)) for hint in HINTS]
    scenes += [
        ("guiding-fits", Scene(SceneKind.GUIDING, _OVAL, True, Reason.HOLD_STILL)),
        ("guiding-once-more", Scene(SceneKind.GUIDING, _OVAL, hint=Reason.ONCE_MORE, why=Reason.FACE_NOT_ALIGNED)),
        ("holding", Scene(SceneKind.HOLDING, _OVAL, True, Reason.HOLD_STILL, 0.4)),
    ]
    for name, rgb, region in _FLASHES:
        slot = Slot(rgb, region, 0.3)
        scenes.append((f"flashing-{name}", Scene(SceneKind.FLASHING, _OVAL, True, Reason.HOLD_STILL, 0.6, slot)))
    for number, asked in enumerate(INSTRUCTIONS):
        scenes.append((f"moving-{_word(asked)}", Scene(SceneKind.MOVING, _OVAL, True, asked, number / 6)))
    scenes += [
        ("deciding", Scene(SceneKind.DECIDING, _OVAL, True, Reason.CHECKING, 1.0)),
        ("granted", Scene(SceneKind.GRANTED, _OVAL, True, Reason.WELCOME)),
    ]
    scenes += [(f"denied-{_word(reason)}", Scene(SceneKind.DENIED, _OVAL, hint=reason)) for reason in DENIALS]
    scenes += [
        ("cooling-down", Scene(SceneKind.COOLING_DOWN, _OVAL)),
        ("cooling-down-welcome", Scene(SceneKind.COOLING_DOWN, _OVAL, hint=Reason.WELCOME)),
        ("cooling-down-unknown-person", Scene(SceneKind.COOLING_DOWN, _OVAL, hint=Reason.UNKNOWN_PERSON)),
    ]
    scenes += [(f"faulted-{_word(fault)}", Scene(SceneKind.FAULTED, _OVAL, faults=(fault,))) for fault in FAULTS]
    scenes.append(("faulted-several", Scene(SceneKind.FAULTED, _OVAL, faults=(Reason.CAMERA_LOST, Reason.DOOR_LOST))))
    return scenes


def render_all(
    out_dir: Path,
    sizes: Sequence[tuple[int, int]] = SIZES,
    *,
    preview: Pixels | None = None,
    panel: Panel | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write every scene at every size as ``out_dir/800x480/name.png``, and contact sheets ``index*.png``.

    ``preview`` (``(H, W, 3) uint8 RGB``, unmirrored) replaces the drawn visitor; ``progress(done, all)`` is told after
    each picture. ``index.png`` shows the first size, ``index-480x800.png`` and so on the others; ``kiosk-screen.png``
    is the README's picture. Returns the paths written, sheets first. Raises InputError where it cannot be written.
    """
    scenes = all_scenes()
    pictures: list[Path] = []
    sheets: list[Path] = []
    for number, size in enumerate(sizes):
        renderer = Renderer(size, panel)
        name = f"{size[0]}x{size[1]}"
        titled: list[tuple[str, Pixels]] = []
        for title, scene in scenes:
            picture = renderer.picture(scene, preview if preview is not None else standin_for(scene.hint))
            path = out_dir / name / f"{title}.png"
            write_png(path, picture)
            pictures.append(path)
            titled.append((title, picture))
            if progress is not None:
                progress(len(pictures), len(scenes) * len(sizes))
        sheet = out_dir / ("index.png" if number == 0 else f"index-{name}.png")
        contact_sheet(titled, sheet, tile_px=400 if size[0] >= size[1] else 240)
        sheets.append(sheet)
    if sizes:
        sheets.append(out_dir / "kiosk-screen.png")
        write_png(sheets[-1], readme_picture())
    return sheets + pictures


def readme_picture() -> Pixels:
    """``(H, W, 3) uint8 RGB``: four moments of a visit with the drawn visitor, for the README."""
    renderer = Renderer(SIZES[0])
    scenes = dict(all_scenes())
    tiles = [
        np.pad(renderer.picture(scenes[name], standin_for(scenes[name].hint)), ((6, 6), (6, 6), (0, 0)))
        for name in ("guiding-move-left", "holding", "flashing-red-top", "granted")
    ]
    both = np.concatenate([np.concatenate(tiles[:2], axis=1), np.concatenate(tiles[2:], axis=1)], axis=0)
    height, width = both.shape[:2]
    return fitted(np.ascontiguousarray(both), width // 2, height // 2)
