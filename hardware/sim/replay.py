"""The face on a screen that is held before the kiosk: tablets and phones that shine by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.sim.actors import Standing
from hardware.sim.path import Path
from hardware.sim.portrait import Portrait
from hardware.sim.relief import Relief
from hardware.sim.sheets import bezel, sheet
from kiosk.values import Floats, Pixels

CODING_GAMMA = 2.2


@dataclass(frozen=True, slots=True)
class Glass:
    """What a replaying screen does with light. The defaults are an LCD tablet with a coated front."""

    luminance_cd_m2: float = 300.0
    gamma: float = 2.2
    contrast: float = 1000.0
    """White over black of its own light."""
    diffuse: float = 0.01
    """Albedo of what lies under the glass."""
    mirror: float = 0.004
    """Mirrored share at the front: 0.04 without a coating."""


def lcd(random: np.random.Generator) -> Glass:
    """A drawn LCD: 120-600 cd/m2, 2-4 % mirrored, 0.5-2 % scattered, blacks a thousandth of white."""
    return Glass(
        float(random.uniform(120.0, 600.0)),
        float(random.uniform(2.0, 2.4)),
        float(random.uniform(700.0, 1600.0)),
        float(random.uniform(0.005, 0.02)),
        float(random.uniform(0.02, 0.04)),
    )


def oled(random: np.random.Generator) -> Glass:
    """A drawn OLED: black blacks, and its polariser swallows more of what falls in."""
    return replace(lcd(random), contrast=1e6, diffuse=float(random.uniform(0.002, 0.006)))


class ScreenReplay(Standing):
    """The photograph (or a clip of equally large pictures) on a screen.

    ``shrunk`` below 1 shows the face smaller than life, as a phone has to: hold it that much nearer
    (``nearer(path, shrunk)``) and it looks as large. ``size_mm`` is the device's own size.
    """

    def __init__(
        self,
        portrait: Portrait,
        path: Path | None = None,
        *,
        clip: Sequence[Pixels] = (),
        clip_fps: float = 30.0,
        glass: Glass | None = None,
        size_mm: tuple[float, float] = (180.0, 250.0),
        shrunk: float = 1.0,
        edge_mm: float = 9.0,
    ) -> None:
        super().__init__(path)
        glass = glass if glass is not None else Glass()
        life_mm = size_mm[0] / shrunk, size_mm[1] / shrunk
        whole, origin = portrait.crop(life_mm)
        pictures = [whole] if not clip else [portrait.crop_of(picture, life_mm) for picture in clip]
        scale = portrait.px_per_mm / shrunk
        marks = portrait.landmarks_mm * np.float32(shrunk)
        self._clip_fps = clip_fps
        self._reliefs = [
            replace(
                sheet(bezel(_shown(picture, glass), scale, edge_mm), scale, origin, marks),
                emission_cd_m2=glass.luminance_cd_m2,
                diffuse=glass.diffuse,
                mirror=glass.mirror,
            )
            for picture in pictures
        ]

    def relief(self, t_s: float) -> Relief:
        """The device with the picture of the moment."""
        return self._reliefs[int(max(t_s, 0.0) * self._clip_fps) % len(self._reliefs)]


def nearer(path: Path, share: float) -> Path:
    """The same way in the picture at ``share`` of the distance."""
    return replace(
        path,
        keyframes=tuple((at, (x * share, y * share, z * share)) for at, (x, y, z) in path.keyframes),
        sway_mm=path.sway_mm * share,
    )


def _shown(picture: Floats, glass: Glass) -> Floats:
    """Shares of the screen's white, its own gamma and black level included."""
    black = np.float32(1.0 / glass.contrast)
    curve = np.power(np.clip(picture, 0.0, 1.0), np.float32(glass.gamma / CODING_GAMMA))
    return np.asarray(black + (1.0 - black) * curve, np.float32)
