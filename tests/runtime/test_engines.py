"""Which engines a configuration opens: none by default, and none that could not be judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import numpy as np
import pytest

from kiosk.cli import doctor
from kiosk.config.engines import EndpointSettings, ModelThresholds, RekognitionSettings
from kiosk.config.tree import IdentitySettings, Settings
from kiosk.errors import ConfigurationError
from kiosk.identity.failover import FailoverMatcher
from kiosk.identity.matcher import LocalMatcher
from kiosk.identity.shards import MOST_FACES
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
    assert examined(Settings()).told == "this machine only"


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


@contextmanager
def counting(faces: Mapping[str, int]) -> Iterator[str]:
    """The address of a server whose collections hold so many faces, which no test can put there."""

    class Handler(BaseHTTPRequestHandler):
        """DescribeCollection."""

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told = {"FaceModelVersion": "7.0", "FaceCount": faces[asked["CollectionId"]]}
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def doctored(faces: Mapping[str, int], monkeypatch: pytest.MonkeyPatch) -> doctor.Check:
    """What the doctor says of a server with these collections."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with counting(faces) as url:
        endpoint = EndpointSettings(enabled=True, endpoint_url=url, shards=len(faces))
        return doctor._engines(Settings(rekognition=RekognitionSettings(aws=endpoint), identity=LIMITS), Path())


def test_a_shard_that_is_nearly_full_is_a_warning_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above nine tenths of what a collection takes, by the fullest one and not by all together; at that it is well."""
    limit = MOST_FACES * 9 // 10
    check = doctored({"door-0": limit, "door-1": limit}, monkeypatch)
    assert (check.result, check.found, check.mend) == ("ok", f"aws knows {2 * limit} faces", "")
    check = doctored({"door-0": 12, "door-1": 19_460_000, "door-2": limit + 1}, monkeypatch)
    assert check.result == "warning"
    assert check.found.endswith("; aws door-1: 19.5 of 20 million, aws door-2: 18.0 of 20 million")
    assert "door-0" not in check.found
    assert check.mend.startswith("raise rekognition.aws.shards, then kiosk engines prepare, kiosk reindex")


def test_a_single_collection_that_is_nearly_full_is_asked_while_it_is_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is none of the shards': the mend says how nobody stands before a closed door meanwhile."""
    check = doctored({"door": MOST_FACES}, monkeypatch)
    assert (check.result, check.found) == ("warning", "aws knows 20000000 faces; aws door: 20.0 of 20 million")
    assert "rekognition.aws.collection_before as collection is and shards_before = 1" in check.mend
