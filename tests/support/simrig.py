"""A rig in the simulated world: the kiosk's own loop before painted people, with landmarks that need no weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np

from hardware.sim import seen
from hardware.sim.actors import FlatPrint, LiveHead
from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.display import SimDisplay
from hardware.sim.light import Ambient
from hardware.sim.path import Path
from hardware.sim.sensor import CameraOptics
from hardware.sim.story import Story
from hardware.sim.world import World
from kiosk.cli.rig import Devices
from kiosk.config.tree import CameraSettings, DoorSettings, QualityProfile, QualitySettings, Settings
from kiosk.runtime.calibration import Calibration
from kiosk.runtime.feed import InlineFeed
from kiosk.runtime.worker import InlineWorker
from kiosk.values import Embedding, Face, Frame, Pixels
from models import manifest
from tests.support import simfaces
from tests.support.unasked import UnaskedModels

OPTICS = CameraOptics(width_px=320, height_px=240, fps=20.0)
EASY = QualityProfile(sharpness=0.0, brightness_low=2.0, covered=1.0, sunglasses=1.0, eye_distance_px=20.0)
"""The painted face is no photograph: what its picture is worth is not the question here."""
SETTINGS = Settings(
    camera=CameraSettings(source="simulation", width_px=320, height_px=240, fps=20.0),
    door=DoorSettings(kind="memory"),
    quality=QualitySettings(door=EASY),
)
LUX = 250.0


class SeenModels(UnaskedModels):
    """FaceModels that know where everybody stands."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.embedding_version = next(iter(manifest.similarity_tables()))  # that a scale is known for
        self._tremble = seen.Tremble(world.seed)

    def find(self, frame: Frame) -> list[Face]:
        """From the world, with a landmarker's tremble."""
        size = (frame.width_px, frame.height_px)
        found = seen.faces(self._world, frame.exposure_start_s, frame.exposure_s)
        return [self._tremble.of(face, size) for face in found[:1]]

    def embed(self, pixels: Pixels, face: Face) -> Embedding:  # noqa: ARG002 - everybody is the same one here
        """Always the same vector."""
        vector = np.zeros(512, np.float32)
        vector[0] = 1.0
        return Embedding(vector, self.embedding_version)

    def passive_live_score(self, pixels: Pixels, face: Face) -> float:  # noqa: ARG002 - knows without looking
        """Always live."""
        return 0.9


def world_of(species: str, *, seed: int = 4, leaves_s: float = 30.0, lux: float = LUX) -> World:
    """A visitor (live), a print (print_flat), or nobody, in an ordinary room."""
    path = Path.walk_up(far_mm=700.0, near_mm=400.0).leaving(leaves_s)
    actors = {
        "live": lambda: (LiveHead(simfaces.portrait(), path),),
        "print_flat": lambda: (FlatPrint(simfaces.portrait(), path),),
    }
    standing = actors[species]() if species in actors else ()
    return World(Story(standing, ((0.0, Ambient(lux=lux)),)), seed=seed, optics=OPTICS)


@contextmanager
def simulated(world: World, *, seed: int = 4, stored: Calibration | None = None) -> Iterator[Devices]:
    """All devices in this world."""
    clock = SimClock(seed)
    with ExitStack() as stack:
        display = stack.enter_context(SimDisplay(world, clock))
        feed = stack.enter_context(InlineFeed(lambda: SimCamera(world, clock), clock))
        worker, writer = stack.enter_context(InlineWorker()), stack.enter_context(InlineWorker())
        yield Devices(clock, display, feed, SeenModels(world), worker, writer, stored)
