"""Which engines a configuration opens: none by default, and none that could not be judged."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from kiosk.config.engines import EndpointSettings, ModelThresholds, RekognitionSettings
from kiosk.config.tree import IdentitySettings, Settings
from kiosk.errors import ConfigurationError
from kiosk.identity.failover import FailoverMatcher
from kiosk.identity.matcher import LocalMatcher
from kiosk.kpi.engines import engine_observer
from kiosk.kpi.sinks import Board, Memory
from kiosk.runtime.engines import examined, open_engines
from kiosk.runtime.journal import no_journal
from kiosk.values import Embedding
from tests.support.metering import KEYS
from tests.support.parts import VERSION, FakeMatcher, unit

ON = RekognitionSettings(aws=EndpointSettings(enabled=True, endpoint_url="http://127.0.0.1:9"))
LIMITS = IdentitySettings(models={"7.0": ModelThresholds()})
LOCAL = cast(LocalMatcher, FakeMatcher())


def encode(_pixels: Any) -> bytes:
    """Never asked here."""
    raise AssertionError("nothing is sent")


def opened(settings: Settings) -> Any:
    """What the kiosk would ask."""
    return open_engines(settings, LOCAL, encode, {}.get, lambda _: True, lambda *_, **__: None)


def test_without_a_word_only_this_machine_is_asked() -> None:
    """Nothing is sent anywhere that the configuration does not name."""
    with opened(Settings()) as matcher:
        assert matcher is LOCAL
    assert examined(Settings()) == "this machine only"


def test_an_enabled_engine_comes_before_the_local_one() -> None:
    """And nothing is asked of it yet."""
    with opened(Settings(rekognition=ON, identity=LIMITS)) as matcher:
        assert isinstance(matcher, FailoverMatcher)
        assert matcher.model_version == LOCAL.model_version


def test_an_observer_sees_every_engine_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local one alone, and behind another that does not answer."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for settings in (Settings(), Settings(rekognition=ON, identity=LIMITS)):
        memory = Memory()
        observe = engine_observer(Board([memory]))
        crop = np.zeros((8, 8, 3), np.uint8)
        with open_engines(settings, LOCAL, lambda _: b"\xff", {}.get, lambda _: True, no_journal, observe) as matcher:
            found = matcher.search(Embedding(unit(1.0), VERSION), deadline_s=5.0, crop=crop)
        assert found.person_id == "person-1"
        assert memory.counts["kiosk_engine_calls_total", "local", "SearchFaces", "ok"] == 1
        asked = memory.counts["kiosk_engine_calls_total", "aws", "SearchFacesByImage", "unreachable"]
        assert asked == settings.rekognition.aws.enabled


def test_an_engine_without_thresholds_is_refused_at_the_start() -> None:
    """Rather than at the door."""
    with pytest.raises(ConfigurationError, match=r"identity.models: no thresholds"), opened(Settings(rekognition=ON)):
        pass
    with pytest.raises(ConfigurationError, match="no thresholds"):
        examined(Settings(rekognition=ON))
