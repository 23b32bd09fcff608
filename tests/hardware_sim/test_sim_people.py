"""Real photographs in the simulated world, seen through the real models; skipped where they were not fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hardware.sim.actors import BentPrint, FlatPrint, LiveHead, Mask
from hardware.sim.camera import SimCamera
from hardware.sim.clock import SimClock
from hardware.sim.light import Ambient
from hardware.sim.path import Path
from hardware.sim.portrait import Portrait
from hardware.sim.replay import ScreenReplay
from hardware.sim.story import Actor, Story
from hardware.sim.world import World
from hardware.stills import load_image
from kiosk.config.paths import data_dir
from kiosk.values import Embedding, Face, Floats, Pixels
from models import manifest
from models.faces import LocalFaceModels, open_models
from models.segmenter import person_matte

PHOTOS = ("obama.jpg", "obama2.jpg", "biden.jpg")


@dataclass(frozen=True, slots=True, eq=False)
class Studio:
    """Models, portraits and templates of the photographs themselves."""

    models: LocalFaceModels
    portraits: dict[str, Portrait]
    templates: dict[str, Embedding]

    def only_face(self, pixels: Pixels) -> Face:
        """The one face of a frame."""
        faces = self.models.find_still(pixels)
        assert len(faces) == 1
        return faces[0]

    def cosine(self, pixels: Pixels, name: str) -> float:
        """Similarity of the frame's face to a photograph."""
        vector = self.models.embed(pixels, self.only_face(pixels)).vector
        return float(vector @ self.templates[name].vector)


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    """Opened once: three portraits are some seconds of work."""
    data = data_dir()
    absent = manifest.missing(data, ("core", "demo"))
    if absent:
        pytest.skip(f"not fetched: {', '.join(one.name for one in absent)}")

    def cut(pixels: Pixels) -> Floats:
        return person_matte(pixels, data)

    with open_models(data) as models:
        photos = {name: load_image(manifest.item(name).path(data)) for name in PHOTOS}
        portraits = {name: Portrait.of(photo, models.find_still, cut) for name, photo in photos.items()}
        templates = {name: models.embed(photo, models.find_still(photo)[0]) for name, photo in photos.items()}
        yield Studio(models, portraits, templates)


def shoot(*actors: Actor, lux: float = 300.0, seed: int = 1) -> Pixels:
    """The third frame of a camera that has adapted, the screen white."""
    world = World(Story(actors=actors, lights=((0.0, Ambient(lux=lux)),)), seed=seed)
    world.light.add(0.0, (0.6, 0.6, 0.6), (0.6, 0.6, 0.6))
    with SimCamera(world, SimClock()) as camera:
        for _ in range(3):
            frame = camera.read(newer_than_s=0.0, timeout_s=1.0)
    return frame.pixels


@pytest.mark.parametrize("z_mm", [300.0, 400.0, 550.0, 900.0])
@pytest.mark.parametrize("species", [LiveHead, Mask, FlatPrint, BentPrint, ScreenReplay])
def test_every_species_looks_like_one_face_of_the_right_size(
    studio: Studio, species: type[LiveHead], z_mm: float
) -> None:
    """Nothing is refused for being badly drawn: only the physics may give an attack away."""
    face = studio.only_face(shoot(species(studio.portraits["obama.jpg"], Path.standing(z_mm))))
    assert face.eye_distance_px == pytest.approx(530.4 * 63.0 / z_mm, rel=0.07)


@pytest.mark.parametrize("lux", [100.0, 300.0, 1000.0])
def test_the_living_are_known_from_another_photograph(studio: Studio, lux: float) -> None:
    """Same person far above the threshold, another far below."""
    visitor = shoot(LiveHead(studio.portraits["obama.jpg"], Path.standing(400.0)), lux=lux)
    assert studio.cosine(visitor, "obama2.jpg") > 0.55
    assert studio.cosine(visitor, "biden.jpg") < 0.3
    stranger = shoot(LiveHead(studio.portraits["biden.jpg"], Path.standing(400.0)), lux=lux)
    assert studio.cosine(stranger, "obama2.jpg") < 0.3


def test_two_people_are_two_faces(studio: Studio) -> None:
    """Side by side, both are found."""
    first = LiveHead(studio.portraits["obama.jpg"], Path.standing(440.0, x_mm=-60.0))
    second = LiveHead(studio.portraits["biden.jpg"], Path.standing(540.0, x_mm=130.0))
    faces = studio.models.find_still(shoot(first, second))
    assert len(faces) == 2
    assert faces[0].eye_distance_px > 1.1 * faces[1].eye_distance_px


def test_an_empty_room_has_no_face(studio: Studio) -> None:
    """Door, picture and plant are nobody, in any of ten rooms."""
    for seed in range(10):
        assert studio.models.find_still(shoot(seed=seed)) == []
