"""What a landmarker would say of the simulated world, without running one.

Landmarks are projected from the reliefs with the camera's own geometry, so that thousands of tries need no network.
Of a print or a screen they lie on the sheet, but z is the one that a landmarker imagines: the photographed head's.
A real landmarker trembles; ``Tremble`` adds as much as MediaPipe's was measured to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hardware.sim.path import Stand
from hardware.sim.relief import Relief, View, rotation
from kiosk.values import Box, Face, Floats, Pose
from kiosk.visit.reflection.mesh import mesh

if TYPE_CHECKING:
    from hardware.sim.story import Actor
    from hardware.sim.world import World

FOREHEAD_RATIO = 0.15
"""Share of the mesh box's height added on top, as ``kiosk.values.Face`` wants it."""
LEAST_EYES_PX = 12.0
"""Eyes nearer together than this are not found."""
_LIDS = (
    ((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)),
    ((466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382)),
)
"""Upper and lower lid of each eye, points above each other."""


def landmarks_px(relief: Relief, stand: Stand, view: View) -> Floats:
    """``(478, 3)`` landmarks of one actor: x, y and z in pixels; z is 0 between the eyes, negative when nearer.

    The same mapping as ``relief.Placed``. Raises LookupError for a relief without a face.
    """
    if relief.landmarks_mm is None:
        raise LookupError("no face on this relief")
    pivot = np.array(relief.pivot_mm)
    shift = np.array([stand.x_mm, stand.y_mm, -stand.z_mm]) + pivot
    camera = (relief.landmarks_mm - pivot) @ rotation(stand).T + shift
    away = -camera[:, 2]
    points = np.empty((478, 3), np.float32)
    points[:, 0] = view.width_px / 2 + view.focal_px * camera[:, 0] / away
    points[:, 1] = view.height_px / 2 + view.focal_px * camera[:, 1] / away
    depth = away if relief.imagined_mm is None else -relief.imagined_mm
    eyes = float(away[[468, 473]].mean())
    points[:, 2] = (depth - depth[[468, 473]].mean()) * view.focal_px / eyes
    if relief.closed:
        for upper, lower in _LIDS:
            points[list(upper)] += np.float32(stand.lids) * (points[list(lower)] - points[list(upper)])
    return points


def face_of(points: Floats, size_px: tuple[int, int], lids: float = 0.0) -> Face:
    """A ``Face`` from landmarks ``(478, 3)`` of a picture of ``size_px`` (width, height)."""
    left, top = (float(low) for low in points[:, :2].min(axis=0))
    right, bottom = (float(high) for high in points[:, :2].max(axis=0))
    top -= FOREHEAD_RATIO * (bottom - top)
    left, right = (min(max(edge, 0.0), float(size_px[0])) for edge in (left, right))
    top, bottom = (min(max(edge, 0.0), float(size_px[1])) for edge in (top, bottom))
    box = Box(left, top, right - left, bottom - top)
    return Face(box, points, {"eyeBlinkLeft": lids, "eyeBlinkRight": lids}, pose_of(points))


def pose_of(points: Floats) -> Pose:
    """Head rotation by the rigid fit (Kabsch 1976) of the canonical head to landmarks ``(478, 3)``."""
    # The model is centred: the mean of the points seen drops out.
    cross = (points[:468].astype(np.float64).T @ _centred()) * ((1.0,), (1.0,), (-1.0,))
    left, _, right = np.linalg.svd(cross)
    turn = left @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(left @ right)))]) @ right
    nose, across = turn[:, 2], turn[:, 0]
    yaw = np.rad2deg(np.arctan2(nose[0], nose[2]))
    pitch = np.rad2deg(np.arctan2(-nose[1], np.hypot(nose[0], nose[2])))
    return Pose(float(yaw), float(pitch), float(np.rad2deg(np.arctan2(across[1], across[0]))))


@cache
def _centred() -> NDArray[np.float64]:
    """The canonical head about its own middle."""
    vertices = mesh().vertices
    return np.asarray(vertices - vertices.mean(axis=0), np.float64)


def actor_face(actor: Actor, t_s: float, view: View) -> Face | None:
    """The face of one actor at story time ``t_s``; None when it shows none or is out of the picture."""
    stand = actor.stand(t_s)
    if stand is None or stand.z_mm < 80.0:
        return None
    relief = actor.relief(t_s)
    if relief.landmarks_mm is None:
        return None
    points = landmarks_px(relief, stand, view)
    x, y = points[[468, 473], :2].mean(axis=0)
    inside = 0 <= x < view.width_px and 0 <= y < view.height_px
    face = face_of(points, (view.width_px, view.height_px), stand.lids if relief.closed else 0.0)
    return face if inside and face.eye_distance_px >= LEAST_EYES_PX else None


def faces(world: World, start_s: float, exposure_s: float) -> list[Face]:
    """Faces in the frame whose exposure began at clock time ``start_s``, largest first; injected streams included."""
    for injection in world.story.injections:
        injected = injection.faces(world, start_s, exposure_s)
        if injected is not None:
            return sorted(injected, key=lambda face: -face.box.area_px)
    return actor_faces(world, start_s, exposure_s)


def actor_faces(world: World, start_s: float, exposure_s: float) -> list[Face]:
    """The same before anything is injected."""
    t_s = start_s - world.start_s + exposure_s / 2.0
    found = [face for actor in world.story.actors if (face := actor_face(actor, t_s, world.view)) is not None]
    return sorted(found, key=lambda face: -face.box.area_px)


@dataclass(eq=False)
class Tremble:
    """Noise on landmarks from frame to frame, in shares of the eye distance.

    ``whole`` moves the face as one, ``size`` scales it, ``single`` moves each point by itself (``deep`` in z). Each
    new frame keeps ``memory`` of the last one's noise. ``fixed`` is what a landmarker is off by all the time: shift,
    size and single points alike. The defaults were measured on MediaPipe's landmarker over noisy frames of simulated
    heads, prints and screens, the true movement removed (``python -m tests.bench.landmarks``).
    """

    seed: int
    whole: float = 0.0014
    size: float = 0.0016
    single: float = 0.0032
    deep: float = 0.0058
    memory: float = 0.5
    fixed: float = 0.012

    def __post_init__(self) -> None:
        self._random = np.random.default_rng([self.seed, 0x7E3B])
        self._off = self.fixed * np.clip(self._random.standard_normal((480, 3)), -2.5, 2.5)
        self._last: NDArray[np.float64] | None = None

    def of(self, face: Face, size_px: tuple[int, int]) -> Face:
        """The face as it would be found: call it once for each frame, in order."""
        fresh = self._random.standard_normal((480, 3))
        keep = self.memory
        noise = fresh if self._last is None else keep * self._last + np.sqrt(1.0 - keep * keep) * fresh
        self._last = noise
        points = face.landmarks.astype(np.float64)
        moved = noise[:478] * (self.single, self.single, self.deep) + self.whole * noise[478] * (1.0, 1.0, 0.0)
        moved += self._off[:478] + self._off[478] * (1.0, 1.0, 0.0)
        scaled = (points - points.mean(axis=0)) * (self.size * noise[479, 0] + self._off[479, 0])
        shaken = points + face.eye_distance_px * moved + scaled
        return replace(face_of(shaken.astype(np.float32), size_px), blendshapes=face.blendshapes)
