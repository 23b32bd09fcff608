"""A door that asks a Rekognition server, and goes on without it: the demo's cast, boto3, a process that is killed.

Synthetic visits: real photographs in simulated light. They skip where weights or photographs are absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hardware.sim.actors import LiveHead
from hardware.sim.light import Ambient
from hardware.sim.path import Path as Walk
from hardware.sim.story import Story
from hardware.stills import encode_jpeg
from kiosk.config.engines import EndpointSettings, FallbackSettings, ModelThresholds, RekognitionSettings
from kiosk.demo.cast import ENROLLED_PHOTO, ROOM_LUX
from kiosk.demo.play import Stage, open_stage, run_story
from kiosk.errors import MatchError
from kiosk.records.store import Store
from kiosk.rekognition.access import AccessKey
from kiosk.runtime.engines import examined, open_engines
from kiosk.runtime.visitlog import VisitLog
from kiosk.runtime.wiring import MOST_CROP_BYTES, open_matcher
from models import manifest
from tests.support.clikit import linked_data
from tests.support.facekit import weights
from tests.support.serving import Running, serving

LIMITS = ModelThresholds(threshold=98.5, margin=1.0)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """The demo's stage, with Person A enrolled on this machine."""
    data = weights("core", "demo")
    with ExitStack() as stack:
        yield open_stage(data, stack)


def configured(stage: Stage, url: str, fallback: FallbackSettings) -> Stage:
    """The same kiosk, asking the server first."""
    endpoint = EndpointSettings(enabled=True, endpoint_url=url)
    settings = stage.settings.model_copy(
        update={
            "identity": stage.settings.identity.model_copy(
                update={"models": {stage.models.embedding_version: LIMITS}, "deadline_s": 10.0}
            ),
            "rekognition": RekognitionSettings(site=endpoint, fallback=fallback),
        }
    )
    return replace(stage, settings=settings)


def visited(stage: Stage, seed: int, told: list[str]) -> tuple[int, str, dict[str, Any]]:
    """(pulses of the door, reason, details of the last event) of Person A's visit."""
    local = open_matcher(stage.store, stage.models, stage.settings)
    encode = partial(encode_jpeg, most_bytes=MOST_CROP_BYTES)
    story = Story((LiveHead(stage.props.walking, Walk.walk_up()),), ((0.0, Ambient(lux=ROOM_LUX)),))
    log = VisitLog()

    def journal(event: str, **keys: object) -> None:
        told.append(f"{event} {keys.get('engine', '')}")

    with open_engines(
        stage.settings, local, encode, stage.store.badge_holder, stage.store.is_enrolled, journal
    ) as matcher:
        pulses = run_story(stage, story, 30.0, (log,), seed=seed, matcher=matcher)
    event = stage.store.events(limit=1)[0]
    return pulses, event.reason, dict(event.details)


def indexed(server: Running, key: AccessKey, person_id: str) -> None:
    """Person A's photograph in the collection of the door, by the person's id."""
    photo = manifest.item(ENROLLED_PHOTO)
    content = (weights("demo") / photo.folder / ENROLLED_PHOTO).read_bytes()
    aws = server.client({"access_key_id": key.access_key_id, "secret_access_key": key.secret})
    aws.create_collection(CollectionId="door")
    made = aws.index_faces(
        CollectionId="door", Image={"Bytes": content}, ExternalImageId=person_id, MaxFaces=1, QualityFilter="NONE"
    )
    assert len(made["FaceRecords"]) == 1


def test_the_door_opens_by_the_server_and_by_itself_when_the_server_is_killed(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the server names the visitor; killed, the gallery on this machine does, under the stricter rule only."""
    data = linked_data(tmp_path / "server", "core")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(data))
    key = AccessKey.fresh("admin")
    with Store.in_directory(data, create=True) as store:
        store.shelf().add_key(key)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key.secret)
    told: list[str] = []
    with serving("--no-tls") as server:
        indexed(server, key, stage.store.person("Person A").person_id)
        usual = configured(stage, server.url, FallbackSettings(threshold=99.0))
        pulses, reason, details = visited(usual, 1, told)
        assert (pulses, reason, details["source"]) == (1, "WELCOME", "site")
        assert details["model_version"] == stage.models.embedding_version
        assert examined(usual.settings).told == "site knows 1 faces"
        server.process.kill()
        server.process.wait()
        with pytest.raises(MatchError, match="site: no answer"):
            examined(usual.settings)
        pulses, reason, details = visited(usual, 2, told)
        assert (pulses, reason, details["source"]) == (1, "WELCOME", "local")
        assert details["similarity"] >= 99.0
        stricter = configured(stage, server.url, FallbackSettings(badge=True))
        pulses, reason, details = visited(stricter, 3, told)
        assert (pulses, reason) == (0, "BADGE_NEEDED")
    assert "ENGINE_CHANGED local" in told
