"""A surface that can be filmed: a picture with depth, normals and gloss, put into the camera's view with true parallax.

Every actor is a relief: a head is a photograph over its own mesh, a print is a plane, a bent print a cylinder, a
replay a plane that shines. Relief axes: x to the image's right, y down, h towards the camera, mm, origin between the
eyes. Shading is computed on a grid of ``STEP`` pixels and enlarged: light varies slowly, pictures do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.sim.light import Ambient, ScreenLamp
from hardware.sim.mirror import Lens, mirrored
from hardware.sim.path import Stand
from kiosk.values import Floats

STEP = 4
"""Pixels between two points of the shading grid."""
SURFACE_STEP = 4
"""Texture pixels between two points of depth and normals."""
SKIN_F0 = 0.028
SKIN_ROUGHNESS = 0.35
ROOM_ALBEDO = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """A surface over its picture."""

    levels: tuple[Floats, ...]
    """``(h, w, 4)`` linear albedo times alpha, and alpha; each next one is half as large."""
    surface: Floats
    """``(h/4, w/4, 4)``: h in mm, normal x, normal y, gloss 0..1; on a grid of ``surface_px``."""
    px_per_mm: float
    """Of ``levels[0]``."""
    origin_px: tuple[float, float]
    """Where (0, 0) mm lies in ``levels[0]``."""
    pivot_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """(x, y, h) about which the actor turns."""
    emission_cd_m2: float = 0.0
    """Above 0 the picture shines: its colours are shares of this luminance and ``diffuse`` is its albedo."""
    diffuse: float = 0.0
    mirror: float = 0.0
    """Share of light that is mirrored (flat, glossy things)."""
    eyes_mm: tuple[tuple[float, float, float], ...] = ()
    """Irises that show a catch-light."""
    closed: tuple[Floats, ...] = ()
    """Like ``levels``, with the lids down; empty when the actor does not blink."""
    landmarks_mm: Floats | None = None
    """``(478, 3)`` x, y, h of MediaPipe's points on this surface; None when it shows no face."""
    imagined_mm: Floats | None = None
    """``(478,)`` h that a landmarker would imagine where the surface is not that of the face (prints, screens)."""
    surface_px: int = SURFACE_STEP
    lenses: tuple[Lens, ...] = ()
    """Of glasses."""


@dataclass(frozen=True, slots=True, eq=False)
class RowLight:
    """Mean light during one exposure for each row of the shading grid (a rolling shutter exposes rows in turn)."""

    ambient: Ambient
    flicker: Floats
    """``(rows,)`` factor on the ambient light."""
    top: Floats
    """``(rows, 3)`` linear colour of the screen's top half."""
    bottom: Floats
    """``(rows, 3)``."""


@dataclass(frozen=True, slots=True)
class View:
    """The camera's geometry: a pinhole without distortion."""

    width_px: int
    height_px: int
    focal_px: float

    def grid(self) -> tuple[Floats, Floats]:
        """Ray slopes (x / z, y / z) of the shading grid, one cell wider than the picture on every side."""
        return _grid(self)

    def enlarge(self, grid: Floats) -> Floats:
        """A field on the shading grid at full resolution."""
        size = (grid.shape[1] * STEP, grid.shape[0] * STEP)
        full = cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(full[STEP:-STEP, STEP:-STEP], np.float32)


@cache
def _grid(view: View) -> tuple[Floats, Floats]:
    rows, columns = view.height_px // STEP + 2, view.width_px // STEP + 2
    a = ((np.arange(columns, dtype=np.float32) - 0.5) * STEP - view.width_px / 2) / view.focal_px
    b = ((np.arange(rows, dtype=np.float32) - 0.5) * STEP - view.height_px / 2) / view.focal_px
    wide, high = np.meshgrid(a.astype(np.float32), b.astype(np.float32))
    wide.setflags(write=False)
    high.setflags(write=False)
    return wide, high


def rotation(stand: Stand) -> NDArray[np.float64]:
    """(3, 3) matrix from relief axes to camera axes (x, y, towards the camera)."""
    yaw, pitch, roll = np.deg2rad([stand.yaw_deg, stand.pitch_deg, stand.roll_deg])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(tilt @ nod @ turn, np.float64)


def _sample(image: Floats, u: Floats, v: Floats, border: int) -> Floats:
    """Bilinear look-up at continuous pixel coordinates."""
    return np.asarray(
        cv2.remap(image, u - 0.5, v - 0.5, cv2.INTER_LINEAR, borderMode=border, borderValue=(0, 0, 0, 0)), np.float32
    )


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A relief where it stands, with the map from the shading grid to its picture."""

    relief: Relief
    turn: NDArray[np.float64]
    shift_mm: NDArray[np.float64]
    u: Floats
    """Column in ``levels[0]``, on the shading grid."""
    v: Floats
    z_mm: Floats
    surface: Floats

    @classmethod
    def of(cls, relief: Relief, stand: Stand, view: View) -> Placed:
        """Find, for every ray of the grid, the point of the relief that it meets (four fixed-point steps)."""
        a, b = view.grid()
        turn = rotation(stand)
        pivot = np.array(relief.pivot_mm)
        shift = np.array([stand.x_mm, stand.y_mm, -stand.z_mm]) + pivot
        back = turn.T
        base = back @ -shift + pivot
        rays = [(back[i, 0] * a + back[i, 1] * b - back[i, 2]).astype(np.float32) for i in range(3)]
        scale = relief.px_per_mm
        ox, oy = relief.origin_px
        heights = _heights(relief)
        # A plane at height 0 is met at once.
        steps = 1 if heights is None else 4
        height = np.zeros_like(a)
        for step in range(steps):
            z = np.maximum((height - base[2]) / rays[2], 1.0).astype(np.float32)
            u = (z * rays[0] + np.float32(base[0])) * np.float32(scale) + np.float32(ox)
            v = (z * rays[1] + np.float32(base[1])) * np.float32(scale) + np.float32(oy)
            if heights is not None and step < steps - 1:
                height = _sample(heights, u / relief.surface_px, v / relief.surface_px, cv2.BORDER_REPLICATE)
        surface = _sample(relief.surface, u / relief.surface_px, v / relief.surface_px, cv2.BORDER_REPLICATE)
        return cls(relief, turn, shift, u, v, z, surface)

    def normals(self, cells: tuple[slice, slice]) -> Floats:
        """``(rows, columns, 3)`` unit normals in camera axes on a part of the grid."""
        part = self.surface[cells]
        x, y = part[..., 1], part[..., 2]
        towards = np.sqrt(np.maximum(1.0 - x * x - y * y, 0.01))
        local = np.stack([x, y, towards], axis=-1)
        return np.asarray(local @ self.turn.T.astype(np.float32), np.float32)

    def point(self, place_mm: tuple[float, float, float]) -> NDArray[np.float64]:
        """(x, y, z) in camera axes of a point given in relief axes."""
        x, y, towards = self.turn @ (np.array(place_mm) - np.array(self.relief.pivot_mm)) + self.shift_mm
        return np.array([x, y, -towards])


@lru_cache(maxsize=16)
def _heights(relief: Relief) -> Floats | None:
    """The relief's heights in mm by themselves; None for a plane at height 0. Kept: the same few are filmed again."""
    heights = np.asarray(cv2.extractChannel(relief.surface, 0), np.float32)
    return heights if heights.any() else None


@dataclass(frozen=True, slots=True, eq=False)
class Lit:
    """What reaches the camera from one actor: to be laid over the picture behind it."""

    rows: slice
    columns: slice
    radiance: Floats
    """``(h, w, 3)`` cd/m2, times alpha."""
    alpha: Floats
    """``(h, w)`` 0..1."""


def _bounds(alpha: Floats, view: View) -> tuple[slice, slice] | None:
    """The part of the picture that the actor covers, in whole grid cells."""
    seen = alpha[1:-1, 1:-1] > 0.0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return None
    return (
        slice(max(0, int(rows[0]) - 1) * STEP, min(view.height_px, (int(rows[-1]) + 2) * STEP)),
        slice(max(0, int(columns[0]) - 1) * STEP, min(view.width_px, (int(columns[-1]) + 2) * STEP)),
    )


def film(placed: Placed, view: View, lamp: ScreenLamp, light: RowLight, lids: float = 0.0) -> Lit | None:
    """Light and project one placed relief; None when it is outside the picture."""
    relief = placed.relief
    level = _level(placed, view)
    texture = relief.levels[level] if not (lids > 0.02 and relief.closed) else _blinking(relief, level, lids)
    shrink = np.float32(texture.shape[1] / relief.levels[0].shape[1])
    # The smallest picture tells where there is anything: no reason to look at the large ones everywhere.
    least = relief.levels[-1]
    least_shrink = np.float32(least.shape[1] / relief.levels[0].shape[1])
    coarse = _sample(least, placed.u * least_shrink, placed.v * least_shrink, cv2.BORDER_CONSTANT)
    part = _bounds(coarse[..., 3], view)
    if part is None:
        return None
    rows, columns = part
    cells = slice(rows.start // STEP, rows.stop // STEP + 2), slice(columns.start // STEP, columns.stop // STEP + 2)
    matte, coat = _shade(placed, view, lamp, light, cells)
    at = [view.enlarge(np.asarray(field[cells] * shrink - np.float32(0.5))) for field in (placed.u, placed.v)]
    picture = cv2.remap(texture, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    # Four channels all the way: alpha is multiplied by 1, and no channel has to be taken out in between.
    radiance = cv2.multiply(picture, view.enlarge(matte))
    alpha = cv2.extractChannel(radiance, 3)
    if coat is not None:
        radiance = cv2.add(radiance, cv2.multiply(view.enlarge(coat), cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGBA)))
    colours = cv2.cvtColor(radiance, cv2.COLOR_RGBA2RGB)
    return Lit(rows, columns, np.asarray(colours, np.float32), np.asarray(alpha, np.float32))


def _level(placed: Placed, view: View) -> int:
    """The size of the picture that fits best: at most about 1.4 texture pixels for one camera pixel."""
    distance = float(-placed.shift_mm[2] + placed.relief.pivot_mm[2])
    per_pixel = placed.relief.px_per_mm * max(distance, 1.0) / view.focal_px
    level = int(np.floor(np.log2(max(per_pixel, 1.0)) + 0.5))
    return min(level, len(placed.relief.levels) - 1)


def _blinking(relief: Relief, level: int, lids: float) -> Floats:
    """The picture with the lids partly down."""
    open_eyes, closed = relief.levels[level], relief.closed[level]
    return np.asarray(cv2.addWeighted(open_eyes, 1.0 - lids, closed, lids, 0.0), np.float32)


def mixed(fields: Sequence[Floats], colours: Sequence[Floats], alpha: float) -> Floats:
    """``(rows, columns, 4)``: the sum of fields (rows, columns) in colours (rows, 3) or (3,); alpha is set."""
    weights = np.zeros((fields[0].shape[0], len(fields), 4), np.float32)
    for index, colour in enumerate(colours):
        weights[:, index, :3] = colour
    result = np.stack(fields, axis=-1) @ weights
    result[..., 3] = alpha
    return np.asarray(result, np.float32)


def _shade(
    placed: Placed, view: View, lamp: ScreenLamp, light: RowLight, cells: tuple[slice, slice]
) -> tuple[Floats, Floats | None]:
    """(factor on the picture, coat on top), both cd/m2 ``(rows, columns, 4)`` on the part of the grid."""
    relief, row = placed.relief, cells[0]
    a, b = view.grid()
    z = placed.z_mm[cells]
    points = np.stack([a[cells] * z, b[cells] * z, z], axis=-1)
    normals = placed.normals(cells)
    lamps = [np.array(light.ambient.colour, np.float32), light.top[row], light.bottom[row]]
    ambient = light.ambient.illuminance(normals) * light.flicker[row, None]
    pi = np.float32(np.pi)
    lux = [field / pi for field in (ambient, *lamp.irradiances(points, normals))]
    coats, colours = [], []
    if relief.mirror > 0.0:
        shown = np.float32(relief.mirror * lamp.panel.luminance_cd_m2)
        # The rest of the mirror shows the room before it, on average as bright as its light makes white walls.
        coats += [lux[0] * np.float32(relief.mirror * ROOM_ALBEDO)]
        coats += list(mirrored(points, normals, lamp) * shown)
        colours += lamps
    if relief.emission_cd_m2 > 0.0:
        shine = np.full((*z.shape, 4), relief.emission_cd_m2, np.float32)
        shine[..., 3] = 1.0
        coats += [field * np.float32(relief.diffuse) for field in lux]
        return shine, mixed(coats, [*colours, *lamps], 0.0)
    gloss = placed.surface[..., 3][cells]
    if gloss.max() > 0.0:
        coats += list(lamp.glosses(points, normals, f0=SKIN_F0, roughness=SKIN_ROUGHNESS) * gloss)
        colours += lamps[1:]
    return mixed(lux, lamps, 1.0), mixed(coats, colours, 0.0) if coats else None


def pyramid(texture: Floats, levels: int = 4) -> tuple[Floats, ...]:
    """``texture`` and its halvings, contiguous float32."""
    result = [np.ascontiguousarray(texture, np.float32)]
    while len(result) < levels:
        last = result[-1]
        size = (last.shape[1] // 2, last.shape[0] // 2)
        result.append(np.asarray(cv2.resize(last, size, interpolation=cv2.INTER_AREA), np.float32))
    return tuple(result)
