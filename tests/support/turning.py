"""A head, or a picture of one, that turns as it is told: landmarks and evidence of a check by movements.

The head is the canonical one. Noise is as ``hardware.sim.seen.Tremble`` has it (measured on MediaPipe's landmarker).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.reasons import Reason
from kiosk.values import Panel, Pose, ShownSlot
from kiosk.visit.evidence import GRID, Evidence, FrameEvidence
from kiosk.visit.movement import Turned
from kiosk.visit.reflection.mesh import mesh

FOCAL_PX = 530.0
FRAME_S = 1.0 / 30.0
POSES = {
    Reason.TURN_LEFT: Pose(22.0, 0.0, 0.0),
    Reason.TURN_RIGHT: Pose(-22.0, 0.0, 0.0),
    Reason.LOOK_UP: Pose(0.0, 14.0, 0.0),
    Reason.LOOK_DOWN: Pose(0.0, -14.0, 0.0),
}
THREE = (Reason.TURN_LEFT, Reason.LOOK_UP, Reason.TURN_RIGHT)


@dataclass(frozen=True)
class Turning:
    """Who turns, and how."""

    surface: str = "head"
    """head, print (flat), bent (about an upright axis), still (answers nothing), or mirrored (turns the other way)."""
    asked: tuple[Reason, ...] = THREE
    share: float = 1.0
    """How far, in shares of ``POSES``."""
    away_mm: float = 425.0
    bend_mm: float = 150.0
    noise: float = 0.0032
    """Of each landmark, in eye distances."""
    seed: int = 1
    said: dict[Reason, Pose] = field(default_factory=lambda: dict(POSES))
    """Angles that the pose estimate told meanwhile."""


def points_mm(surface: str, bend_mm: float) -> NDArray[np.float64]:
    """``(478, 3)`` in mm, x right, y down, z away from the camera; 63 mm between the irises."""
    points = np.zeros((478, 3))
    points[:468] = mesh().vertices
    points[468:473] = points[[33, 133]].mean(axis=0)
    points[473:478] = points[[263, 362]].mean(axis=0)
    points *= 63.0 / np.linalg.norm(points[473] - points[468])
    points -= points.mean(axis=0)
    points[:, 2] *= -1.0
    if surface == "print":
        points[:, 2] = 0.0
    elif surface == "bent":
        points[:, 2] = bend_mm * (1.0 - np.sqrt(1.0 - np.clip(points[:, 0] / bend_mm, -0.95, 0.95) ** 2))
    return points


def landmarks(turning: Turning, pose: Pose, random: np.random.Generator) -> NDArray[np.float32]:
    """``(478, 3)`` pixels of a 640 x 480 frame; z is a head's, whatever it is."""
    head = points_mm("head", turning.bend_mm)
    body = points_mm(turning.surface, turning.bend_mm)
    yaw, pitch = np.radians(pose.yaw_deg), np.radians(pose.pitch_deg)
    x, y, z = body.T
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    x, z = x * np.cos(yaw) - z * np.sin(yaw), z * np.cos(yaw) + x * np.sin(yaw)
    scale = FOCAL_PX / (turning.away_mm + z)
    found = np.stack([320 + scale * x, 240 + scale * y, FOCAL_PX * head[:, 2] / turning.away_mm], axis=1)
    eyes_px = FOCAL_PX * 63.0 / turning.away_mm
    found += random.normal(0, turning.noise * eyes_px, found.shape)
    return found.astype(np.float32)


def session(turning: Turning | None = None, **changes: object) -> tuple[Evidence, tuple[Turned, ...]]:
    """Everything that was filmed while the instructions were followed; ``changes`` are ``Evidence`` fields."""
    turning = turning or Turning()
    random = np.random.default_rng(turning.seed)
    poses: list[Pose] = [Pose(0.0, 0.0, 0.0)] * 15
    turned: list[Turned] = []
    for asked in turning.asked:
        far = POSES[asked]
        given = len(poses) - 1
        course = np.concatenate([np.linspace(0, 1, 12), np.ones(4), np.linspace(1, 0, 12), np.zeros(4)])
        poses += [_scaled(turning, far, float(share)) for share in course]
        peak, said = given + 14, turning.said[asked]
        turned.append(Turned(
            asked, given * FRAME_S, peak * FRAME_S, (len(poses) - 1) * FRAME_S, said.yaw_deg, said.pitch_deg
        ))  # fmt: skip
    frames = tuple(frame_of(index, landmarks(turning, pose, random)) for index, pose in enumerate(poses))
    begin_s = turned[0].given_s
    fields: dict[str, object] = {
        "camera_name": "test:0",
        "camera_changed": False,
        "panel": Panel(155.0, 88.0, 500.0),
        "focal_px": FOCAL_PX,
        "lag_s": None,
        "ambient_lux": 20_000.0,
        "slots": (ShownSlot((0, 0, 0), "full", begin_s, len(poses) * FRAME_S - begin_s),),
        "frames": frames,
        "passive_live": (0.9,) * 6,
        "same_face": (95.0, 93.0),
        "mesh_normals": mesh().normals,
    }
    return Evidence(**{**fields, **changes}), tuple(turned)  # type: ignore[arg-type]


def _scaled(turning: Turning, far: Pose, share: float) -> Pose:
    if turning.surface == "still":
        share = 0.0
    if turning.surface == "mirrored":
        share = -share
    share *= turning.share
    return Pose(far.yaw_deg * share, far.pitch_deg * share, 0.0)


def frame_of(index: int, points: NDArray[np.float32]) -> FrameEvidence:
    """One frame of which only the landmarks matter."""
    nothing = np.full(3, 0.2, np.float32)
    return FrameEvidence(
        sequence=index,
        exposure_start_s=index * FRAME_S,
        exposure_s=0.01,
        gains_locked=None,
        lux=None,
        faces=1,
        track=1,
        forehead=nothing,
        left_cheek=nothing,
        right_cheek=nothing,
        face=nothing,
        background=nothing,
        clipped_ratio=0.0,
        map_rgb=np.zeros((GRID, GRID, 3), np.float32),
        landmarks=points,
        frame_size_px=(640, 480),
        fingerprint=index,
        noise=1.0,
    )
