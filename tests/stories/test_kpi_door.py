"""What Prometheus reads after visits of real photographs in simulated light: synthetic, and by the whole application.

They skip where weights or photographs are absent.
"""

from __future__ import annotations

from contextlib import ExitStack

from hardware.sim.actors import LiveHead
from hardware.sim.light import Ambient
from hardware.sim.path import Path as Walk
from hardware.sim.story import Story
from kiosk.config.kpi import KpiSettings
from kiosk.demo.cast import ROOM_LUX
from kiosk.demo.play import open_stage, run_story
from kiosk.kpi.engines import engine_observer
from kiosk.kpi.opening import open_kpis
from kiosk.runtime.engines import open_engines
from kiosk.runtime.journal import no_journal
from kiosk.runtime.kpis import DoorKpis
from kiosk.runtime.wiring import open_matcher
from tests.support.facekit import weights
from tests.support.metering import fetched


def test_the_enrolled_and_a_stranger() -> None:
    """One is let in, one is not; the gallery was asked for both, and nothing tells who they were."""
    urls: list[str] = []
    data = weights("core", "demo")
    with ExitStack() as stack:
        stage = open_stage(data, stack)
        opened = open_kpis(KpiSettings(prometheus="127.0.0.1:0"), lambda _event, **keys: urls.append(str(keys["url"])))
        kpis = stack.enter_context(opened)
        assert kpis is not None
        local = open_matcher(stage.store, stage.models, stage.settings)
        store, settings, observe = stage.store, stage.settings, engine_observer(kpis)
        matcher = stack.enter_context(
            open_engines(settings, local, lambda _: b"", store.badge_holder, store.is_enrolled, no_journal, observe)
        )
        for number, portrait in enumerate((stage.props.walking, stage.props.stranger)):
            story = Story((LiveHead(portrait, Walk.walk_up()),), ((0.0, Ambient(lux=ROOM_LUX)),))
            with DoorKpis(kpis) as counted:
                run_story(stage, story, 30.0, (counted,), seed=1 + number, matcher=matcher)
        found = fetched(urls[0])
        person = store.person("Person A").person_id
    visits = "kiosk_authentications_total"
    assert found[visits, "engine=local", "outcome=approved", "reason=WELCOME"] == 1
    assert found[visits, "engine=local", "outcome=failed", "reason=UNKNOWN_PERSON"] == 1
    assert found["kiosk_similarity_bucket", "engine=local", "le=98.5", "outcome=approved"] == 0
    assert found["kiosk_similarity_bucket", "engine=local", "le=98.5", "outcome=failed"] == 1
    assert found["kiosk_engine_calls_total", "engine=local", "operation=SearchFaces", "outcome=ok"] == 2
    assert found["kiosk_engine_seconds_count", "engine=local", "operation=SearchFaces"] == 2
    assert not any(word in repr(found) for word in ("Person", person))
