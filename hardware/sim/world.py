"""The simulated world: everything between the screen's light and the camera's lens.

``SimDisplay`` adds to ``light``; ``SimCamera`` calls ``film``. The same story, seed and history of light give the same
pictures, whatever the order of the calls.
"""

from __future__ import annotations

import cv2
import numpy as np

from hardware.sim.clock import START_S
from hardware.sim.glasses import lens_glare
from hardware.sim.light import LightHistory, ScreenLamp
from hardware.sim.mirror import catch_light
from hardware.sim.path import Stand
from hardware.sim.relief import STEP, Lit, Placed, RowLight, View, film
from hardware.sim.room import Backdrop, Room
from hardware.sim.sensor import CameraOptics
from hardware.sim.story import Actor, Story
from kiosk.values import Floats, Panel, Pixels

Triple = tuple[float, float, float]
DEFAULT_PANEL = Panel(width_mm=155.0, height_mm=88.0, luminance_cd_m2=500.0)


class World:
    """One scene with its actors, its room, the kiosk's screen as a lamp and the camera's optics.

    The first argument is the timeline; ``screen_offset_mm`` is the middle of the lit area relative to the lens.
    ``lag_s`` is how much later than its display reports the panel really lights up, give or take ``lag_jitter_s``
    (standard deviation): an installation has to find it out. ``room_seed`` furnishes the room (``seed`` by default).
    """

    def __init__(
        self,
        story: Story,
        *,
        seed: int = 1,
        room: Room | None = None,
        panel: Panel = DEFAULT_PANEL,
        optics: CameraOptics | None = None,
        screen_offset_mm: tuple[float, float] | None = None,
        start_s: float = START_S,
        lag_s: float = 0.0,
        lag_jitter_s: float = 0.0,
        room_seed: int | None = None,
    ) -> None:
        self.story = story
        self.seed = seed
        self.start_s = start_s
        self.optics = optics if optics is not None else CameraOptics()
        self.lamp = ScreenLamp(panel, screen_offset_mm)
        self.light = LightHistory()
        self._lag = lag_s, lag_jitter_s
        self.view = View(self.optics.width_px, self.optics.height_px, self.optics.focal_px)
        self._backdrop = Backdrop(
            room if room is not None else Room(), self.view, self.lamp, seed if room_seed is None else room_seed
        )

    def film(self, start_s: float, exposure_s: float) -> Floats:
        """Radiance ``(H, W, 3)`` cd/m2 that the camera receives during an exposure begun at clock time ``start_s``."""
        t_s = start_s - self.start_s + exposure_s / 2.0
        light = self.row_light(start_s, exposure_s)
        picture = self._backdrop.film(light)
        seen = [(stand, actor) for actor in self.story.actors if (stand := actor.stand(t_s)) is not None]
        for stand, actor in sorted(seen, key=lambda pair: -pair[0].z_mm):
            self._add(picture, actor, stand, t_s, light)
        return picture

    def show(self, visible_at_s: float, top: Triple, bottom: Triple) -> None:
        """The display says that the halves of the screen show these linear colours 0..1 from ``visible_at_s`` on."""
        mean_s, spread_s = self._lag
        if spread_s > 0.0:
            random = np.random.default_rng([self.seed, 0x1A6, int(visible_at_s * 1e6)])
            mean_s += spread_s * float(np.clip(random.standard_normal(), -3.0, 3.0))
        self.light.add(visible_at_s + max(mean_s, 0.0), top, bottom)

    def inject(self, start_s: float, exposure_s: float, filmed: Pixels) -> Pixels:
        """The developed frame after whatever has taken the camera's place."""
        for injection in self.story.injections:
            injected = injection.pixels(self, start_s, exposure_s, filmed)
            if injected is not None:
                return injected
        return filmed

    def flash_begins(self, at_s: float) -> None:
        """Tell the actors that wait for it: the first slot becomes visible at clock time ``at_s``."""
        if self.story.flash is not None:
            self.story.flash.at_s = at_s - self.start_s

    def row_light(self, start_s: float, exposure_s: float) -> RowLight:
        """Mean light of each row of the shading grid during one exposure."""
        rows = self.optics.height_px // STEP + 2
        starts = start_s + np.linspace(0.0, self.optics.readout_s, rows)
        screen = self.light.mean(starts, exposure_s).astype(np.float32)
        ambient = self.story.ambient(start_s - self.start_s)
        flicker = ambient.flicker_mean(starts, exposure_s).astype(np.float32)
        return RowLight(ambient, flicker, screen[:, 0], screen[:, 1])

    def _add(self, picture: Floats, actor: Actor, stand: Stand, t_s: float, light: RowLight) -> None:
        if stand.z_mm < 80.0:
            return
        placed = Placed.of(actor.relief(t_s), stand, self.view)
        lit = film(placed, self.view, self.lamp, light, stand.lids)
        if lit is not None:
            _lay_over(picture, lit)
            middle = len(light.top) // 2
            colour = (light.top[middle] + light.bottom[middle]) / 2.0
            for eye in placed.relief.eyes_mm if stand.lids < 0.5 else ():
                catch_light(picture, placed.point(eye), self.view.focal_px, self.lamp, colour)
            for lens in placed.relief.lenses:
                lens_glare(picture, placed, lens, self.view, self.lamp, light)


def _lay_over(picture: Floats, lit: Lit) -> None:
    """Put one actor in front of what is there, in place."""
    part = picture[lit.rows, lit.columns]
    through = cv2.merge([1.0 - lit.alpha] * 3)
    part[:] = cv2.add(cv2.multiply(part, through), lit.radiance)
