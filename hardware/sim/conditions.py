"""The circumstances of one try: everything about a world that is drawn before somebody steps up.

Worlds of the two splits share nothing that a model could learn by heart: panels, wall colours and the seeds of rooms
are disjoint here, faces are the business of whoever casts the actors.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from hardware.sim.light import Ambient
from hardware.sim.room import Room
from hardware.sim.sensor import CameraOptics
from kiosk.values import Panel

Split = Literal["train", "test"]
Locking = Literal["proven", "ignored", "untold"]
LightName = Literal["mixed", "dome", "ceiling", "frontal", "side"]

PANELS: dict[Split, tuple[Panel, ...]] = {
    "train": (Panel(155.0, 88.0, 500.0), Panel(217.0, 136.0, 350.0), Panel(345.0, 195.0, 300.0)),
    "test": (Panel(154.0, 86.0, 450.0), Panel(222.0, 125.0, 1000.0), Panel(294.0, 166.0, 300.0)),
}
"""7, 10 and 13 to 16 inch panels as kiosks have them."""
WALLS: dict[Split, tuple[tuple[int, int, int], ...]] = {
    "train": ((196, 190, 180), (228, 226, 220), (150, 160, 170)),
    "test": ((214, 208, 190), (170, 176, 164), (186, 172, 160)),
}
LIGHTS: dict[LightName, tuple[float, float, float, float]] = {
    "mixed": (0.45, 0.35, 0.20, 0.0),
    "dome": (1.0, 0.0, 0.0, 0.0),
    "ceiling": (0.25, 0.75, 0.0, 0.0),
    "frontal": (0.35, 0.15, 0.50, 0.0),
    "side": (0.40, 0.20, 0.0, 0.40),
}
"""Shares of dome, ceiling, frontal and side light."""
LAMP_COLOURS = ((1.0, 0.96, 0.88), (1.0, 1.0, 1.0), (1.0, 0.88, 0.70), (0.92, 0.97, 1.0))


@dataclass(frozen=True, slots=True)
class Conditions:
    """Panel, light, distance, person, camera and room of one try. The defaults are an ordinary morning."""

    panel: Panel = PANELS["train"][0]
    light: LightName = "mixed"
    ambient_lux: float = 300.0
    lamp_colour: tuple[float, float, float] = LAMP_COLOURS[0]
    side_azimuth_deg: float = 60.0
    flicker: float = 0.0
    """Depth of the mains flicker, 0..1."""
    mains_hz: float = 50.0
    distance_mm: float = 400.0
    offset_mm: tuple[float, float] = (0.0, 0.0)
    """(right, down) of the face's middle from the lens's axis."""
    skin_l: float | None = None
    """CIELAB L* of the skin, 72 (light) to 30 (dark); None: as photographed."""
    glasses: bool = False
    shape: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors on the head's width, height and depth."""
    sway_mm: float = 2.5
    wobble_deg: float = 0.8
    blink_every_s: float = 4.0
    fps: float = 30.0
    width_px: int = 480
    height_px: int = 360
    jpeg_quality: int | None = None
    exposure_locked: Locking = "proven"
    lag_s: float = 0.03
    """The panel lights up so much later than the display says; an installation's calibration knows it."""
    lag_jitter_s: float = 0.003
    delivery_s: float = 0.025
    frame_jitter_s: float = 0.0004
    wall: tuple[int, int, int] = WALLS["train"][0]
    back_mm: float = 2200.0
    room_seed: int = 1

    @property
    def ambient(self) -> Ambient:
        """The room's light."""
        dome, ceiling, frontal, side = LIGHTS[self.light]
        return Ambient(
            self.ambient_lux,
            self.lamp_colour,
            dome,
            ceiling,
            frontal,
            side,
            self.side_azimuth_deg,
            flicker=self.flicker,
            mains_hz=self.mains_hz,
        )

    @property
    def optics(self) -> CameraOptics:
        """The camera."""
        return CameraOptics(
            self.width_px,
            self.height_px,
            fps=self.fps,
            jitter_s=self.frame_jitter_s,
            delivery_s=self.delivery_s,
            locking=self.exposure_locked,
            jpeg_quality=self.jpeg_quality,
        )

    @property
    def room(self) -> Room:
        """The corridor behind the visitor."""
        return Room(back_mm=self.back_mm, wall=self.wall)

    def flat(self) -> dict[str, str | float | int | bool | None]:
        """Scalars by name, for a line of JSON: the panel as ``panel_mm`` (its diagonal) and ``luminance_cd_m2``."""
        row: dict[str, str | float | int | bool | None] = {
            "panel_mm": round(float(np.hypot(self.panel.width_mm, self.panel.height_mm)), 1),
            "luminance_cd_m2": self.panel.luminance_cd_m2,
        }
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or isinstance(value, str | float | int):
                row[field.name] = round(value, 5) if isinstance(value, float) else value
        return row


def draw(
    random: np.random.Generator,
    split: Split,
    *,
    lux: tuple[float, float] = (50.0, 1000.0),
    distance_mm: tuple[float, float] = (300.0, 500.0),
    skin_l: tuple[float, float] = (30.0, 72.0),
) -> Conditions:
    """Circumstances of one try, from ``random`` alone; the ranges are drawn from evenly (lux by its logarithm)."""
    panels, walls = PANELS[split], WALLS[split]
    names: tuple[LightName, ...] = ("mixed", "mixed", "dome", "ceiling", "frontal", "side")
    room = int(random.integers(0, 10_000))
    return Conditions(
        panel=panels[int(random.integers(len(panels)))],
        light=names[int(random.integers(len(names)))],
        ambient_lux=float(np.exp(random.uniform(np.log(lux[0]), np.log(lux[1])))),
        lamp_colour=LAMP_COLOURS[int(random.integers(len(LAMP_COLOURS)))],
        side_azimuth_deg=float(random.choice([-1.0, 1.0]) * random.uniform(40.0, 75.0)),
        flicker=float(random.choice([0.0, 0.0, 0.1, 0.3])),
        mains_hz=float(random.choice([50.0, 60.0])),
        distance_mm=float(random.uniform(*distance_mm)),
        offset_mm=(float(random.uniform(-12.0, 12.0)), float(random.uniform(-10.0, 10.0))),
        skin_l=float(random.uniform(*skin_l)),
        glasses=bool(random.random() < 0.3),
        shape=tuple(float(v) for v in random.uniform(0.90, 1.10, 3)),  # type: ignore[arg-type]  # three by the size
        sway_mm=float(random.uniform(1.0, 5.0)),
        wobble_deg=float(random.uniform(0.3, 1.5)),
        blink_every_s=float(random.uniform(2.5, 6.0)),
        fps=float(random.choice([30.0, 30.0, 25.0])),
        jpeg_quality=int(random.choice([80, 90, 95])) if random.random() < 0.3 else None,
        lag_s=float(random.uniform(0.005, 0.06)),
        lag_jitter_s=float(random.uniform(0.0, 0.006)),
        delivery_s=float(random.uniform(0.015, 0.06)),
        frame_jitter_s=float(random.uniform(0.0002, 0.0015)),
        wall=walls[int(random.integers(len(walls)))],
        back_mm=float(random.uniform(1600.0, 3500.0)),
        room_seed=2 * room + (1 if split == "test" else 0),
    )
