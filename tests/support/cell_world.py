"""Evidence made directly on the mesh's cells: no pixels, milliseconds a session, every gate's input under control.

``session`` is a genuine visit by default; each argument plants one thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiosk.config.tree import LivenessSettings
from kiosk.values import Panel, ShownSlot
from kiosk.visit.challenge import draw
from kiosk.visit.evidence import GRID, Evidence, FrameEvidence
from kiosk.visit.photosensitivity import linear
from kiosk.visit.reflection.mesh import mesh

PANEL = Panel(155.0, 88.0, 500.0)
FOCAL_PX = 530.0
BEGIN_S = 50.0
Surface = Literal["head", "plane", "bent", "veil"]
LAMPLESS = (0.0, 0.0, 0.0)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What happens in a session."""

    surface: Surface = "head"
    modulation: float = 0.3
    """Screen over ambient light for a surface that faces both."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Relative modulation of the channels (a warm room has more blue)."""
    background: float = 0.05
    """Modulation of the surroundings in shares of the face's; NaN: none in the picture."""
    answers: int | None = None
    """Seed of the challenge that the surface really saw; None: the one that was shown."""
    seed: int = 1
    lag_s: float = 0.09
    noise: float = 0.004
    """Relative, per cell, channel and frame."""
    level: float = 0.2
    """Mean linear light of the skin."""
    sensor_noise: float = 1.2
    fps: float = 30.0
    distance_mm: float = 400.0
    far_mm: float = 400.0
    """Where the approach began."""
    flat_landmarks: bool = False
    """The landmarks move as a plane does."""
    locked: bool | None = True
    exposure_drift: float = 0.0
    """Relative gain by which an automatic exposure follows the screen."""
    bend_mm: float = 100.0
    """Radius of a bent sheet (about an upright axis)."""
    lamp: tuple[float, float, float] = LAMPLESS
    """Direction to one lamp that lights the room (x right, y down, z to the camera); none: light from above."""
    scattered: float = 0.2
    """What the room scatters of the lamp's light."""
    shadow_region: str = ""
    """A part of the face that does not answer: forehead, left_cheek or right_cheek."""


def slots_of(seed: int, begin_s: float = BEGIN_S) -> tuple[ShownSlot, ...]:
    """The challenge of a seed as shown."""
    shown = []
    for slot in draw(np.random.default_rng(seed).bytes(32), LivenessSettings()).slots:
        shown.append(ShownSlot(slot.rgb, slot.region, begin_s, slot.duration_s))
        begin_s += slot.duration_s
    return tuple(shown)


def halves_light(slots: Sequence[ShownSlot], begin_s: float, length_s: float) -> Array:
    """(2, 3) mean linear light of the top and bottom half over a window."""
    light = np.zeros((2, 3))
    for slot in slots:
        end_s = slot.visible_at_s + slot.duration_s
        share = max(0.0, min(begin_s + length_s, end_s) - max(begin_s, slot.visible_at_s)) / length_s
        for half, dark in ((0, "bottom"), (1, "top")):
            if slot.region != dark:
                light[half] += share * np.array(linear(slot.rgb))
    return light


def lit_by(plan: Plan) -> tuple[Array, Array]:
    """((2, n) answer of each cell to the halves, mean 1 together; (n,) albedo) over all face cells."""
    grid = mesh()
    inside = np.isfinite(grid.points[..., 0])
    points, normals = grid.points[inside].astype(float), grid.normals[inside].astype(float)
    rng = np.random.default_rng([plan.seed, 5])
    albedo = np.exp(rng.normal(0, 0.15, len(points)))
    if plan.surface == "bent":
        sine = np.clip(points[:, 0] / plan.bend_mm, -0.95, 0.95)
        normals = np.stack([sine, np.zeros_like(sine), np.sqrt(1 - sine**2)], axis=1)
    elif plan.surface != "head":
        normals = np.tile([0.05, -0.05, 0.997], (len(points), 1))
    lit = []
    for y in (-PANEL.height_mm / 4, PANEL.height_mm / 4):
        away = np.stack([-points[:, 0], y - points[:, 1], np.full(len(points), plan.distance_mm)], axis=1)
        if plan.surface == "head":
            away[:, 2] -= points[:, 2]
        squared = (away**2).sum(axis=1)
        lit.append(np.maximum((normals * away).sum(axis=1), 0) * away[:, 2] / squared**2)
    room = 1.0 - 0.2 * normals[:, 1] if plan.lamp == LAMPLESS else plan.scattered + np.maximum(normals @ plan.lamp, 0.0)
    answer = np.array(lit) / room / np.mean(np.sum(lit, axis=0) / room)
    if plan.surface == "veil":
        answer = np.tile(0.5 / albedo, (2, 1))
    return answer, albedo


def landmarks_at(plan: Plan, away_mm: float, wobble_px: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """``(478, 3)`` landmarks of the canonical head in a 640 x 480 frame."""
    points = np.zeros((478, 3))
    points[:468] = mesh().vertices
    points[468:473] = points[[33, 133]].mean(axis=0)
    points[473:478] = points[[263, 362]].mean(axis=0)
    points *= 63.0 / np.linalg.norm(points[473] - points[468])
    depth = away_mm - (0.0 if plan.flat_landmarks else 1.0) * points[:, 2]
    result = np.empty((478, 3), np.float32)
    result[:, 0] = 320 + FOCAL_PX * points[:, 0] / depth + wobble_px
    result[:, 1] = 240 + FOCAL_PX * points[:, 1] / depth
    result[:, 2] = -FOCAL_PX * points[:, 2] / away_mm
    result[:, :2] += rng.normal(0, 0.05, (478, 2))
    return result


def session(plan: Plan | None = None, **changes: object) -> Evidence:
    """A whole attempt; ``changes`` are fields of ``Plan``."""
    plan = replace(plan or Plan(), **changes)  # type: ignore[arg-type]
    rng = np.random.default_rng([plan.seed, 11])
    slots = slots_of(plan.seed)
    lit = slots if plan.answers is None else slots_of(plan.answers)
    answer, albedo = lit_by(plan)
    end_s = slots[-1].visible_at_s + slots[-1].duration_s + 0.2
    frames: list[FrameEvidence] = []
    at_s = BEGIN_S - 1.0
    while at_s < end_s:
        frames.append(_frame(plan, len(frames), at_s, lit, answer, albedo, rng))
        at_s += 1 / plan.fps + rng.normal(0, 0.0005)
    return Evidence(
        camera_name="test:0",
        camera_changed=False,
        panel=PANEL,
        focal_px=FOCAL_PX,
        lag_s=None,
        ambient_lux=None,
        slots=slots,
        frames=tuple(frames),
        passive_live=(0.9,) * 6,
        same_face=(97.0, 96.0),
        mesh_normals=mesh().normals,
    )


def _frame(
    plan: Plan, number: int, at_s: float, lit: Sequence[ShownSlot], answer: Array, albedo: Array,
    rng: np.random.Generator,
) -> FrameEvidence:  # fmt: skip
    grid = mesh()
    inside = np.isfinite(grid.points[..., 0])
    exposure_s = 0.012
    light = halves_light(lit, at_s - plan.lag_s, exposure_s)
    strength = plan.modulation * np.array(plan.tint)
    skin = plan.level * np.array([1.4, 0.9, 0.7])
    cells = albedo[:, None] * skin * (1 + strength * np.einsum("hn,hc->nc", answer, light))
    if plan.shadow_region:
        dark = getattr(grid, plan.shadow_region)[inside]
        cells[dark] = (albedo[:, None] * skin)[dark]
    gain = 1.0 - plan.exposure_drift * float(light.mean())
    cells = cells * gain * np.exp(rng.normal(0, plan.noise, cells.shape))
    map_rgb = np.full((GRID, GRID, 3), np.nan, np.float32)
    map_rgb[inside] = cells
    wall = 0.15 * (1 + plan.background * strength * light.mean(axis=0)) * gain * np.exp(rng.normal(0, 2e-4, 3))

    def part(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        return np.asarray(map_rgb[mask].mean(axis=0), np.float32)

    near = min(1.0, max(0.0, (at_s - (BEGIN_S - 1.0)) / 0.7))
    away = plan.far_mm + (plan.distance_mm - plan.far_mm) * near
    return FrameEvidence(
        sequence=number,
        exposure_start_s=at_s,
        exposure_s=exposure_s,
        gains_locked=plan.locked,
        lux=None,
        faces=1,
        track=1,
        forehead=part(grid.forehead),
        left_cheek=part(grid.left_cheek),
        right_cheek=part(grid.right_cheek),
        face=part(grid.skin),
        background=np.asarray(wall, np.float32),
        clipped_ratio=0.0,
        map_rgb=map_rgb,
        landmarks=landmarks_at(plan, away, 2.0 * np.sin(3.0 * at_s), rng),
        frame_size_px=(640, 480),
        fingerprint=number * 7919 + 1,
        noise=plan.sensor_noise,
    )


def with_frames(evidence: Evidence, change: Callable[[int, FrameEvidence], FrameEvidence | None]) -> Evidence:
    """The same session with each frame changed; None drops it."""
    changed = (change(number, frame) for number, frame in enumerate(evidence.frames))
    return replace(evidence, frames=tuple(frame for frame in changed if frame is not None))
