"""A door whose face model changes: the demo's cast passes by the old model, then by the new one, a stranger never.

Synthetic visits: real photographs in simulated light. They skip where weights or photographs are absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.sim.actors import LiveHead
from hardware.sim.light import Ambient
from hardware.sim.path import Path as Walk
from hardware.sim.story import Story
from hardware.stills import decode_image
from kiosk.demo.cast import ENROLLED_PHOTO, ROOM_LUX
from kiosk.demo.play import Stage, open_stage, run_story
from kiosk.enrollment.desk import Registry
from kiosk.enrollment.register import enroll_images
from kiosk.enrollment.reindex import Reindexed, finish, reindex
from kiosk.records.store import Store
from kiosk.runtime.desk import desk_of
from models import embedder, manifest
from models.faces import open_models
from tests.support.facekit import weights

FIRST, SECOND = (embedder.KINDS[name].version for name in ("sface", "fr_feature"))
Answer = tuple[int, str, object]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """The demo's stage with both models, the second one in use; nobody is enrolled yet."""
    data = weights("core", "demo", "second-embedder")
    with ExitStack() as stack:
        usual = open_stage(data, stack)
        yield replace(usual, models=stack.enter_context(open_models(data, ("fr_feature", "sface"))))


def visited(stage: Stage, *, stranger: bool = False, seed: int = 1) -> Answer:
    """(pulses of the door, reason, model that decided) of a visit of Person A, or of somebody who is not enrolled."""
    who = stage.props.stranger if stranger else stage.props.walking
    story = Story((LiveHead(who, Walk.walk_up()),), ((0.0, Ambient(lux=ROOM_LUX)),))
    pulses = run_story(stage, story, 30.0, (), seed=seed)
    event = stage.store.events(limit=1)[0]
    return pulses, event.reason, dict(event.details).get("model_version")


def test_a_door_stays_open_to_its_people_while_the_face_model_changes(stage: Stage, tmp_path: Path) -> None:
    """Enrolled by the first model and let in by it; moved by reindex and let in by the second one."""
    photo = manifest.item(ENROLLED_PHOTO).path(weights("demo"))
    with Store.in_directory(tmp_path, create=True) as store, open_models(weights("core")) as first:
        keeping = Registry(store.enrollments(), keeps_pictures=True)
        enroll_images(desk_of(store, first, stage.settings, keeping), "Person A", [photo])
        changing = replace(stage, store=store)
        assert visited(changing) == (1, "WELCOME", FIRST)
        pulses, reason, _ = visited(changing, stranger=True, seed=2)
        assert (pulses, reason) == (0, "UNKNOWN_PERSON")
        result = Reindexed()
        desk = desk_of(store, changing.models, stage.settings, keeping)
        reindex(desk, decode_image, result)
        assert (len(result.done), result.come_by, result.failed) == (1, [], [])
        assert visited(changing, seed=3) == (1, "WELCOME", SECOND)
        assert finish(desk) == 1
        assert store.templates(FIRST) == []
        assert visited(changing, seed=4) == (1, "WELCOME", SECOND)
        pulses, reason, _ = visited(changing, stranger=True, seed=5)
        assert (pulses, reason) == (0, "UNKNOWN_PERSON")
