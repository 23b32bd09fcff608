"""Which engines a configuration opens: none by default, and none that could not be judged."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kiosk.config.engines import EndpointSettings, ModelThresholds, RekognitionSettings
from kiosk.config.tree import IdentitySettings, Settings
from kiosk.errors import ConfigurationError
from kiosk.identity.failover import FailoverMatcher
from kiosk.identity.matcher import LocalMatcher
from kiosk.runtime.engines import examined, open_engines
from tests.support.parts import FakeMatcher

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


def test_an_engine_without_thresholds_is_refused_at_the_start() -> None:
    """Rather than at the door."""
    with pytest.raises(ConfigurationError, match=r"identity.models: no thresholds"), opened(Settings(rekognition=ON)):
        pass
    with pytest.raises(ConfigurationError, match="no thresholds"):
        examined(Settings(rekognition=ON))
