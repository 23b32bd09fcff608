"""A small world for the liveness gates: a head, a print, a replay or an injected stream under a flashing screen.

Not the product's simulator (``hardware.sim``) and deliberately written apart from it, so that gates that please one
are tested on the other. A *portrait* is a picture with 478 landmarks; ``painted_portrait`` makes one without any file.
Every session is drawn from a seed; pixels are ``(H, W, 3) uint8 RGB``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.config.tree import LivenessSettings
from kiosk.values import Box, Face, Frame, Pixels, Pose, ShownSlot
from kiosk.visit.challenge import draw
from kiosk.visit.evidence import Evidence
from tests.support.flash_conditions import SPECIES, Conditions, vary
from tests.support.flash_portrait import Array, Portrait, decode, encode

WIDTH, HEIGHT = 640, 480
LEVELS = 1 << 15
__all__ = ["SPECIES", "Conditions", "FlashWorld", "evidence", "vary"]

REPLAY_CD = 250.0
"""Luminance of a replay's white."""


@dataclass(frozen=True)
class Shot:
    """One exposure with the face that a perfect detector would find."""

    frame: Frame
    face: Face


class FlashWorld:
    """One session: ``shots()`` yields the frames, ``slots`` is what the kiosk showed."""

    def __init__(self, picture: Portrait, conditions: Conditions) -> None:
        self.c = conditions
        self.rng = np.random.default_rng([conditions.seed, 99])
        self.picture = picture
        self.start_s = 100.0 + float(self.rng.uniform(0, 1))
        flash_s = self.start_s + conditions.approach_s + 0.4
        self.slots = shown(conditions.seed, conditions.slot_settings, flash_s)
        self.lit = shown(conditions.seed + 7_777, conditions.slot_settings, flash_s) \
            if conditions.species == "old_session" else self.slots  # fmt: skip
        self.end_s = self.slots[-1].visible_at_s + self.slots[-1].duration_s
        self._phases = self.rng.uniform(0, 2 * np.pi, 6)
        self._wall = self._paint_wall()
        self._surface = self._lay_surface()
        self._gain = self._expose()
        self._noise = self.rng.standard_normal((HEIGHT + 64, WIDTH + 64, 3), dtype=np.float32)
        linear = ((np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float32)
        self._codes = encode(linear)
        slope = np.gradient(self._codes, 1.0 / LEVELS)
        shot = conditions.shot_noise * np.sqrt(linear * 0.2) * slope
        self._sigmas = np.sqrt(shot**2 + conditions.read_noise**2).astype(np.float32)

    def shots(self) -> Iterator[Shot]:
        """The frames of the whole session, approach first."""
        c, at_s, number = self.c, self.start_s, 0
        frozen: Pixels | None = None
        while at_s < self.end_s + 0.3:
            number += 1
            pixels, face = self._picture(at_s)
            if c.species.startswith("frozen") and at_s > self.slots[0].visible_at_s - 0.3:
                frozen = pixels if frozen is None else frozen
                pixels = frozen
                if c.species == "frozen_noisy":
                    noisy = pixels + self.rng.normal(0, 1.0, pixels.shape)
                    pixels = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
            yield Shot(Frame(pixels, number, at_s, c.exposure_s, True), face)
            at_s += max(0.005, 1 / c.fps + float(self.rng.normal(0, 1)) * c.jitter_s)

    def screen(self, start_s: float, late_s: float = 0.0) -> NDArray[np.float64]:
        """(2, 3) mean linear light of the top and bottom half during the exposure that begins at ``start_s``."""
        begin = start_s - self.c.lag_s - late_s
        return mean_light(self.lit, begin, self.c.exposure_s)

    def _pose(self, at_s: float) -> tuple[float, float, float]:
        """(x, y, z) of the face in mm."""
        c, p, t = self.c, self._phases, at_s - self.start_s
        if c.species.startswith("frozen") or c.species.startswith("tint"):
            t = 0.0
        sway = [c.sway_mm * (0.7 * np.sin(2 * np.pi * 0.4 * t + p[i]) + 0.3 * np.sin(2 * np.pi * 1.3 * t + p[i + 3]))
                for i in range(3)]  # fmt: skip
        near = max(0.0, 1.0 - t / c.approach_s) if c.approach_s > 0 else 0.0
        return sway[0], 8.0 + sway[1], c.distance_mm + sway[2] + c.approach_mm * near

    def _lay_surface(self) -> tuple[Array, Array, Array]:
        """(albedo, normals, mask) in the portrait's pixels, as the species has them."""
        pic, c = self.picture, self.c
        if c.species in ("live", "old_session"):
            return pic.albedo, pic.normals, pic.head
        flat = np.zeros_like(pic.normals)
        if c.species == "print_bent":
            angle = np.deg2rad(c.bend_axis_deg)
            mm = 63.0 / pic.eye_px
            y, x = np.mgrid[0 : flat.shape[0], 0 : flat.shape[1]].astype(np.float32)
            cx, cy = pic.centre
            u = ((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)) * mm
            sine = np.clip(u / c.bend_mm, -0.98, 0.98)
            flat[..., 0], flat[..., 1] = sine * np.cos(angle), sine * np.sin(angle)
            flat[..., 2] = np.sqrt(1 - sine**2)
        else:
            tilt = np.deg2rad(self.rng.uniform(-12, 12, 2))
            flat[:] = np.array([np.sin(tilt[0]), np.sin(tilt[1]), 1.0]) / np.linalg.norm([*np.sin(tilt), 1.0])
        sheet = np.zeros(pic.head.shape, np.float32)
        cx, cy = pic.centre
        half_w, half_h = 1.9 * pic.eye_px, 2.4 * pic.eye_px
        cv2.rectangle(sheet, (int(cx - half_w), int(cy - half_h)), (int(cx + half_w), int(cy + half_h)), 1.0, -1)
        mask = pic.head if c.species.startswith("tint") or c.species.startswith("frozen") else sheet
        return pic.albedo * 0.9, flat, mask

    def _paint_wall(self) -> Array:
        wall = self.rng.uniform(0.2, 0.6) * np.ones((HEIGHT, WIDTH, 3), np.float32)
        wall *= self.rng.uniform(0.85, 1.0, 3).astype(np.float32)
        for _ in range(8):
            x, y = int(self.rng.integers(WIDTH)), int(self.rng.integers(HEIGHT))
            colour = [float(v) for v in self.rng.uniform(0.05, 0.6, 3)]
            cv2.rectangle(wall, (x, y), (x + int(self.rng.integers(30, 200)), y + int(self.rng.integers(30, 200))),
                          colour, -1)  # fmt: skip
        return cv2.GaussianBlur(wall, (0, 0), 3)

    def _ambient(self, normals: Array) -> Array:
        """Ambient illuminance relative to a vertical surface facing the camera."""
        c = self.c
        x, up, z = normals[..., 0], -normals[..., 1], normals[..., 2]
        ceiling = 1.0 - c.dome - c.frontal
        value = c.dome + ceiling * (1.0 + 0.8 * up) + c.frontal * np.maximum(z, 0) + c.side * x
        return np.maximum(value, 0.05).astype(np.float32)

    def _screen_lux(self, points: Array, normals: Array, half: int) -> Array:
        """Illuminance in lux of one white half (0 top, 1 bottom) at ``points`` mm (z away from the camera)."""
        c = self.c
        total = np.zeros(points.shape[:-1], np.float32)
        area = c.panel.width_mm * c.panel.height_mm / 8
        for column in (-0.25, 0.25):
            for row in ((-0.375, -0.125), (0.125, 0.375))[half]:
                x, y = column * c.panel.width_mm, c.panel_below_mm + row * c.panel.height_mm
                dx, dy, dz = x - points[..., 0], y - points[..., 1], points[..., 2]
                r2 = dx * dx + dy * dy + dz * dz
                cosine = np.maximum(dx * normals[..., 0] + dy * normals[..., 1] + dz * normals[..., 2], 0) * dz / r2
                total += (c.panel.luminance_cd_m2 * area * cosine / r2).astype(np.float32)
        return total

    def _expose(self) -> float:
        """Gain that puts the face at linear 0.2 under ambient light and the grey screen."""
        pic = self.picture
        x0, y0 = (pic.landmarks[[234, 10], [0, 1]]).astype(int)
        x1, y1 = (pic.landmarks[[454, 152], [0, 1]]).astype(int)
        mean = float(self._surface[0][y0:y1, x0:x1].mean())
        if self.c.species == "replay":
            return 0.2 / (mean * REPLAY_CD)
        return 0.22 / (mean * (self.c.lux + 0.2 * self._white_lux()))

    def _white_lux(self) -> float:
        points = np.array([[[0.0, 0.0, self.c.distance_mm]]], np.float32)
        ahead = np.array([[[0.0, 0.0, 1.0]]], np.float32)
        return float(sum(self._screen_lux(points, ahead, half) for half in (0, 1))[0, 0])

    def _picture(self, at_s: float) -> tuple[Pixels, Face]:
        c, pic = self.c, self.picture
        x_mm, y_mm, z_mm = self._pose(at_s + c.exposure_s / 2)
        scale = c.focal_px * 63.0 / z_mm / pic.eye_px
        cx, cy = pic.centre
        shift = (WIDTH / 2 + c.focal_px * x_mm / z_mm - scale * cx, HEIGHT / 2 + c.focal_px * y_mm / z_mm - scale * cy)
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        albedo, normals, mask = (
            cv2.warpAffine(layer, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=mode)
            for layer, mode in zip(self._surface, (cv2.BORDER_REPLICATE, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT),
                                   strict=True)
        )  # fmt: skip
        light = self.screen(at_s, c.late_s if c.species.startswith("tint") else 0.0)
        radiance = self._lit(albedo, normals, z_mm, light)
        wall = self._wall * (c.lux * np.array(c.ambient_tint) + light.mean(axis=0) * self._white_lux()
                             * (c.distance_mm / c.wall_mm) ** 2 * 0.7).astype(np.float32)  # fmt: skip
        picture = (radiance * mask[..., None] + wall * (1 - mask[..., None])) * np.float32(self._gain)
        if c.species == "tint" or c.species == "tint_face":
            strength = self._white_lux() / c.lux * 0.8
            factor = (1 + strength * light.mean(axis=0)).astype(np.float32)
            where = np.ones_like(mask) if c.species == "tint" else mask
            picture *= 1 + (factor - 1) * where[..., None]
        return self._develop(picture), self._face(matrix)

    def _lit(self, albedo: Array, normals: Array, z_mm: float, light: NDArray[np.float64]) -> Array:
        c = self.c
        small = cv2.resize(normals, (WIDTH // 5, HEIGHT // 5), interpolation=cv2.INTER_AREA)
        ys, xs = np.mgrid[0 : HEIGHT // 5, 0 : WIDTH // 5].astype(np.float32) * 5 + 2.5
        points = np.stack([(xs - WIDTH / 2) * z_mm / c.focal_px, (ys - HEIGHT / 2) * z_mm / c.focal_px,
                           np.full_like(xs, z_mm)], axis=-1)  # fmt: skip
        ambient = self._ambient(small)[..., None] * c.lux * np.array(c.ambient_tint, np.float32)
        if c.species.startswith("tint") or c.species.startswith("frozen"):
            light = light * 0.0
        flash = sum(
            self._screen_lux(points, small, half)[..., None] * light[half].astype(np.float32) for half in (0, 1)
        )
        total = cv2.resize((ambient + flash).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        if c.species == "replay":
            return (albedo * REPLAY_CD + 0.012 * total / np.pi + 0.04 * light.mean(axis=0) * 0.3 * 500).astype(
                np.float32
            )
        return np.asarray(albedo * total, np.float32)

    def _develop(self, light: Array) -> Pixels:
        """Sensor noise and sRGB by table: the noise in codes is that of the light times the curve's slope."""
        level = np.minimum(np.maximum(light, 0.0) * LEVELS, LEVELS - 1).astype(np.uint16)
        row, column = (int(v) for v in self.rng.integers(0, 64, 2))
        noise = self._noise[row : row + HEIGHT, column : column + WIDTH]
        noise = noise[:: int(self.rng.choice([-1, 1])), :: int(self.rng.choice([-1, 1]))]
        codes = np.take(self._codes, level) + noise * np.take(self._sigmas, level)
        return np.clip(np.rint(codes), 0, 255).astype(np.uint8)

    def _face(self, matrix: NDArray[np.float64]) -> Face:
        points = self.picture.landmarks.copy()
        points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, 2] *= matrix[0, 0]
        drift = self.rng.normal(0, self.c.landmark_px * 0.5, (1, 2))
        points[:, :2] += drift + self.rng.normal(0, self.c.landmark_px * 0.5, (478, 2))
        return face_of(points)


def face_of(landmarks: Array) -> Face:
    """A ``Face`` with the box that the models would give it."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    top = low[1] - 0.15 * (high[1] - low[1])
    box = Box(float(low[0]), float(top), float(high[0] - low[0]), float(high[1] - top))
    return Face(box, landmarks.astype(np.float32), {}, Pose(0.0, 0.0, 0.0))


def shown(seed: int, settings: LivenessSettings, begin_s: float) -> tuple[ShownSlot, ...]:
    """The challenge of a seed as if shown from ``begin_s`` on."""
    slots = []
    for slot in draw(np.random.default_rng(seed).bytes(32), settings).slots:
        slots.append(ShownSlot(slot.rgb, slot.region, begin_s, slot.duration_s))
        begin_s += slot.duration_s
    return tuple(slots)


def mean_light(slots: Sequence[ShownSlot], begin_s: float, length_s: float) -> NDArray[np.float64]:
    """(2, 3) mean linear light of the halves over ``begin_s .. begin_s + length_s``; grey preview outside the slots."""
    inside = np.zeros((2, 3))
    covered = 0.0
    for slot in slots:
        overlap = max(
            0.0, min(begin_s + length_s, slot.visible_at_s + slot.duration_s) - max(begin_s, slot.visible_at_s)
        )
        light = decode(np.array(slot.rgb, np.uint8)).astype(np.float64) * overlap
        covered += overlap
        if slot.region != "bottom":
            inside[0] += light
        if slot.region != "top":
            inside[1] += light
    return (inside + 0.2 * (length_s - covered)) / length_s


def evidence(world: FlashWorld, *, lag_known: bool = False, lux_known: bool = False, locked: bool | None = True,
             passive: Sequence[float] = (0.9,) * 5, same_face: Sequence[float] = (97.0, 96.0)) -> Evidence:  # fmt: skip
    """Extract the whole session with the landmarks of the perfect detector."""
    from kiosk.runtime.extract import Extractor

    extractor = Extractor()
    frames = tuple(
        extractor.extract(replace(shot.frame, gains_locked=locked), shot.face, track=1, faces=1)
        for shot in world.shots()
    )
    c = world.c
    return Evidence(
        camera_name="test:0", camera_changed=False, panel=c.panel, focal_px=c.focal_px,
        lag_s=c.lag_s if lag_known else None, ambient_lux=c.lux if lux_known else None, slots=world.slots,
        frames=frames, passive_live=tuple(passive), same_face=tuple(same_face), mesh_normals=extractor.mesh_normals,
    )  # fmt: skip
