"""The frames of one genuine simulated visit, rendered before anything is measured."""

from __future__ import annotations

from pathlib import Path

from hardware.sim.actors import LiveHead
from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.display import SimDisplay
from hardware.sim.path import Path as Walk
from hardware.sim.portrait import Portrait
from hardware.sim.story import Story
from hardware.sim.world import World
from hardware.stills import load_image
from kiosk.demo.cast import WALKING_PHOTO
from kiosk.errors import ModelError
from kiosk.values import Frame
from models import manifest
from models.faces import LocalFaceModels
from models.segmenter import person_matte

SECONDS = 9.0
SEED = 3


def rendered_visit(data: Path, models: LocalFaceModels) -> list[Frame]:
    """A person walks up and stands, 30 frames a second. Raises ModelError without the demo's photographs."""
    photo = manifest.item(WALKING_PHOTO)
    if not manifest.is_present(photo, data):
        raise ModelError(f"{photo.name} is missing", where=str(data), mend="kiosk models fetch --group demo")
    portrait = Portrait.of(load_image(photo.path(data)), models.find_still, lambda pixels: person_matte(pixels, data))
    clock = SimClock(SEED)
    world = World(Story(actors=(LiveHead(portrait, Walk.walk_up(walk_s=1.0)),)), seed=SEED)
    frames: list[Frame] = []
    with SimDisplay(world, clock), SimCamera(world, clock) as camera:
        camera.lock_exposure()
        until_s = clock.now_s + SECONDS
        while clock.now_s < until_s:
            newer_than_s = frames[-1].exposure_start_s if frames else 0.0
            frames.append(camera.read(newer_than_s=newer_than_s, timeout_s=1.0))
    return frames
