"""Where the figures go: as configured, at the kiosk's own start and end, and as the doctor tells it."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.config.kpi import CloudWatchSettings, KpiSettings
from kiosk.config.load import parse
from kiosk.config.tree import Settings
from kiosk.errors import ConfigurationError
from kiosk.kpi.catalogue import METRICS
from kiosk.kpi.opening import described, open_kpis
from tests.support.metering import KEYS, FaultyEndpoint, fetched, moto, told

ANYWHERE = "127.0.0.1:0"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """A CloudWatch of this module's own."""
    with moto() as url:
        yield url


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of nobody."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def listener() -> tuple[Callable[..., None], list[str]]:
    """A journal, and the addresses that it was told."""
    urls: list[str] = []
    return lambda _event, **keys: urls.append(str(keys.get("url"))), urls


def test_both_places_get_the_same(aws: str) -> None:
    """Prometheus while it runs, CloudWatch at the end at the latest."""
    journal, urls = listener()
    settings = KpiSettings(
        prometheus=ANYWHERE, cloudwatch=CloudWatchSettings(enabled=True, endpoint_url=aws, kiosk="both")
    )
    with open_kpis(settings, journal) as kpis:
        assert kpis is not None
        kpis.count("kiosk_faces_total", 3, what="deleted", engine="aws")
        kpis.observe("kiosk_engine_seconds", 0.3, engine="aws", operation="DeleteFaces")
        found = fetched(urls[0])
    assert found["kiosk_faces_total", "engine=aws", "what=deleted"] == 3
    assert found["kiosk_engine_seconds_bucket", "engine=aws", "le=0.5", "operation=DeleteFaces"] == 1
    assert told(aws, "kiosk_faces_total", what="deleted", engine="aws", kiosk="both")[0] == 3


def test_small_tables_begin_at_zero() -> None:
    """So that a rate is 0 before the first time; every metric has its help."""
    journal, urls = listener()
    with open_kpis(KpiSettings(prometheus=ANYWHERE), journal):
        found = fetched(urls[0])
    assert found["kiosk_faces_total", "engine=site", "what=indexed"] == 0
    assert found["kiosk_quality_failures_total", "at=door", "check=TOO_DARK"] == 0
    assert found["kiosk_people_removed_total",] == 0
    assert len(found) < 600, "the whole of the large tables would be thousands"


def test_losses_at_cloudwatch_are_seen_at_prometheus(aws: str) -> None:
    """The place that still works tells of the one that does not."""
    journal, urls = listener()
    with FaultyEndpoint(aws) as endpoint:
        endpoint.plan = ["refuse"] * 9
        cloud = CloudWatchSettings(enabled=True, endpoint_url=endpoint.url)
        with open_kpis(KpiSettings(prometheus=ANYWHERE, cloudwatch=cloud), journal) as kpis:
            assert kpis is not None
            kpis.count("kiosk_people_removed_total")
            (sink,) = [one for one in kpis._sinks if hasattr(one, "send")]
            sink.send()
            found = fetched(urls[0])
    assert found["kiosk_kpi_lost_total", "place=cloudwatch"] == 1


def test_nothing_configured_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the packages are needed."""
    without(monkeypatch, "prometheus_client", "boto3")
    journal, urls = listener()
    with open_kpis(KpiSettings(), journal) as kpis:
        assert kpis is None
    assert urls == []
    assert described(KpiSettings()) == "not published"


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """These are not installed."""
    usual = builtins.__import__

    def imported(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] in packages:
            raise ImportError(name)
        return usual(name, *rest, **more)

    for package in packages:
        monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr(builtins, "__import__", imported)


@pytest.mark.parametrize(
    ("settings", "package", "mend"),
    [
        (KpiSettings(prometheus=ANYWHERE), "prometheus_client", r"door-kiosk\[kpi\]"),
        (KpiSettings(cloudwatch=CloudWatchSettings(enabled=True)), "boto3", r"door-kiosk\[cloud\]"),
    ],
)
def test_a_missing_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, settings: KpiSettings, package: str, mend: str
) -> None:
    """At the start and for the doctor, with the mend."""
    without(monkeypatch, package)
    journal, _ = listener()
    with pytest.raises(ConfigurationError, match=mend):
        described(settings)
    with pytest.raises(ConfigurationError, match=mend), open_kpis(settings, journal):
        pass


def test_an_address_in_use_is_one_line() -> None:
    """Rather than figures that nobody gets."""
    journal, urls = listener()
    with open_kpis(KpiSettings(prometheus=ANYWHERE), journal):
        taken = urls[0].removeprefix("http://").removesuffix("/metrics")
        refused = pytest.raises(ConfigurationError, match="cannot be listened on")
        with refused, open_kpis(KpiSettings(prometheus=taken), journal):
            pass


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[kpi]\nprometheus = "9464"', "is no HOST:PORT"),
        ('[kpi]\nprometheus = "127.0.0.1:99999"', "is no HOST:PORT"),
        ('[kpi.cloudwatch]\nnamespace = "AWS/EC2"', "Amazon's"),
        ('[kpi.cloudwatch]\nnamespace = ":x"', "is not allowed"),
        ('[kpi.cloudwatch]\nkiosk = "Ada Lovelace"', "is not allowed"),
        ('[kpi.cloudwatch]\nendpoint_url = "http://elsewhere.example"', "must be https"),
        ("[kpi.cloudwatch]\nevery_s = 1", "from 10 to 3600"),
    ],
)
def test_settings_of_no_use_are_refused(text: str, words: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigurationError, match=words):
        parse(text, "kiosk.toml")


def test_the_doctor_tells_where_they_go(tmp_path: Path) -> None:
    """Loopback is well; an address that others reach is a warning, because nothing is encrypted there."""
    from kiosk.cli import doctor

    def line(text: str) -> tuple[str, str]:
        check = doctor._kpi(parse(text, "kiosk.toml"), tmp_path)
        return check.result, check.found

    assert doctor._kpi(Settings(), tmp_path).found == "not published"
    assert line('[kpi]\nprometheus = "127.0.0.1:9464"') == ("ok", "Prometheus at http://127.0.0.1:9464/metrics")
    result, found = line('[kpi]\nprometheus = "0.0.0.0:9464"\n[kpi.cloudwatch]\nenabled = true')
    assert result == "warning"
    assert "CloudWatch, DoorKiosk in eu-central-1" in found


def test_the_catalogue_is_what_is_registered() -> None:
    """Nothing of the process itself (its memory, its Python) is published along."""
    journal, urls = listener()
    with open_kpis(KpiSettings(prometheus=ANYWHERE), journal):
        found = fetched(urls[0])
    names = {metric.name.removesuffix("_total") for metric in METRICS}
    assert all(any(key[0].startswith(name) for name in names) for key in found)
