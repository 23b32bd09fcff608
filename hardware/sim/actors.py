"""Who or what stands before the kiosk: a live head and the things that pretend to be one.

All are reliefs of the same portrait, so that they differ in physics only: a head has its own shape and gloss, prints
are sheets with an edge, a mask has the shape but not the skin. Screens are in ``replay``, worn prints in ``worn``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hardware.sim.path import Path, Stand
from hardware.sim.portrait import Portrait
from hardware.sim.relief import Relief
from hardware.sim.sheets import bent, printed, sheet
from hardware.sim.story import Cue


class Standing:
    """An actor that follows a path."""

    def __init__(self, path: Path | None) -> None:
        self.path = path if path is not None else Path.standing()

    def stand(self, t_s: float) -> Stand | None:
        """Where it is at story time ``t_s``."""
        return self.path.at(t_s)

    def relief(self, t_s: float) -> Relief:
        """What it looks like at story time ``t_s``."""
        raise NotImplementedError


class Nobody:
    """An empty place."""

    def stand(self, t_s: float) -> Stand | None:  # noqa: ARG002 - the port's signature
        """Never to be seen."""
        return None

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - the port's signature
        """Nothing is ever filmed of nobody."""
        raise LookupError("nobody has no surface")


class LiveHead(Standing):
    """A person: the portrait on its own mesh, with skin gloss, catch-lights and (if the path has any) blinks."""

    def __init__(self, portrait: Portrait, path: Path | None = None) -> None:
        super().__init__(path)
        self._relief = portrait.relief

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - a head does not change
        """The relit portrait."""
        return self._relief


class Mask(Standing):
    """A good 3-D mask: the person's shape, paint instead of skin, more gloss, no blinks. Not expected to be caught."""

    def __init__(self, portrait: Portrait, path: Path | None = None) -> None:
        super().__init__(path)
        head = portrait.relief
        surface = head.surface.copy()
        surface[..., 3] = np.minimum(surface[..., 3] * 2.0, 2.0)
        paint = tuple(level * np.array([0.95, 0.9, 0.85, 1.0], np.float32) for level in head.levels)
        self._relief = replace(head, levels=paint, surface=surface, eyes_mm=(), closed=())

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - a mask does not change
        """The painted head."""
        return self._relief


class FlatPrint(Standing):
    """A life-size print of the photograph on a flat sheet, held where the face would be."""

    def __init__(
        self,
        portrait: Portrait,
        path: Path | None = None,
        *,
        size_mm: tuple[float, float] = (210.0, 297.0),
        gloss: float = 0.0,
    ) -> None:
        """``gloss`` is the mirrored share of light: 0.04 on photographic paper, 0 on copying paper."""
        super().__init__(path)
        picture, origin = portrait.crop(size_mm)
        self._relief = sheet(
            printed(picture, portrait.px_per_mm), portrait.px_per_mm, origin, portrait.landmarks_mm, gloss=gloss
        )

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - paper does not change
        """The sheet."""
        return self._relief


class BentPrint(Standing):
    """A print bent about a vertical axis with ``radius_mm``, its middle nearest to the camera."""

    def __init__(
        self,
        portrait: Portrait,
        path: Path | None = None,
        *,
        radius_mm: float = 100.0,
        size_mm: tuple[float, float] = (210.0, 297.0),
    ) -> None:
        super().__init__(path)
        picture, origin = portrait.crop(size_mm)
        flat = printed(picture, portrait.px_per_mm)
        self._relief = bent(flat, portrait.px_per_mm, origin, radius_mm, portrait.landmarks_mm)

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - paper does not change
        """The bent sheet."""
        return self._relief


class Swapped:
    """``first`` until ``after_s`` after the flash began, ``second`` from then on.

    Within ``change_s`` they slide past each other.
    """

    def __init__(self, first: Standing, second: Standing, flash: Cue, after_s: float, change_s: float = 0.0) -> None:
        self._pair = first, second
        self._flash, self._after_s, self._change_s = flash, after_s, change_s

    @property
    def _at_s(self) -> float:
        return self._flash.at_s + self._after_s

    def stand(self, t_s: float) -> Stand | None:
        """Where the one of the moment is."""
        place = self._now(t_s).stand(t_s)
        if place is None or self._change_s <= 0.0:
            return place
        away = max(0.0, 1.0 - abs(t_s - self._at_s) / (self._change_s / 2.0))
        side = -1.0 if t_s < self._at_s else 1.0
        return replace(place, x_mm=place.x_mm + side * away * 0.9 * place.z_mm)

    def relief(self, t_s: float) -> Relief:
        """The one of the moment."""
        return self._now(t_s).relief(t_s)

    def _now(self, t_s: float) -> Standing:
        return self._pair[0 if t_s < self._at_s else 1]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A bare relief for measurements: an actor without a portrait."""

    surface: Relief
    path: Path

    def stand(self, t_s: float) -> Stand | None:
        """Where it is at story time ``t_s``."""
        return self.path.at(t_s)

    def relief(self, t_s: float) -> Relief:  # noqa: ARG002 - it does not change
        """The relief it was given."""
        return self.surface


def grey_card(albedo: float = 0.18, size_mm: tuple[float, float] = (200.0, 200.0)) -> Relief:
    """A flat matte card of one reflectance."""
    px_per_mm = 1.0
    width, height = round(size_mm[0]), round(size_mm[1])
    return sheet(np.full((height, width, 3), albedo, np.float32), px_per_mm, (width / 2, height / 2))
