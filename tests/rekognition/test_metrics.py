"""The figures for Prometheus: what happened is counted, and nothing in a label names anybody."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from kiosk.config.address import Address
from kiosk.errors import ConfigurationError
from kiosk.kpi.prometheus import published
from tests.support.awskit import Bench
from tests.support.painted import DARK, painting, people

HERE = Address("127.0.0.1", 0)


def fetched(bench: Bench) -> dict[tuple[str, ...], float]:
    """Every sample by its name and labels, as Prometheus would read them."""
    with published(bench.metrics.registry, HERE) as url:
        assert url is not None
        with urllib.request.urlopen(url, timeout=60) as answer:
            text = answer.read().decode()
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in families(text)
        for sample in family.samples
    }


def test_calls_errors_times_and_faces_are_counted(
    bench: Bench, aws: Any, refusal: Callable[..., tuple[str, int, str]]
) -> None:
    """By operation and AWS's name of the error."""
    aws.create_collection(CollectionId="secret-lab")
    refusal(aws.create_collection, CollectionId="secret-lab")
    refusal(bench.client(secret="0" * 40).list_collections)
    picture = {"Bytes": painting(*people(1, 2), (3, (330, 200, 50), DARK))}
    made = aws.index_faces(CollectionId="secret-lab", Image=picture, ExternalImageId="Ada")
    aws.delete_faces(CollectionId="secret-lab", FaceIds=[made["FaceRecords"][0]["Face"]["FaceId"]])
    found = fetched(bench)
    calls = "kiosk_rekognition_calls_total"
    assert found[calls, "error=none", "operation=CreateCollection"] == 1
    assert found[calls, "error=ResourceAlreadyExistsException", "operation=CreateCollection"] == 1
    assert found[calls, "error=InvalidSignatureException", "operation=none"] == 1
    assert found["kiosk_rekognition_seconds_count", "operation=IndexFaces"] == 1
    faces = "kiosk_rekognition_faces_total"
    assert [found[faces, f"what={what}"] for what in ("indexed", "not_indexed", "deleted")] == [2, 1, 1]
    told = repr(found)
    assert not any(word in told for word in ("secret-lab", "Ada", bench.admin.access_key_id))


def test_figures_are_served_only_where_they_are_asked_for(bench: Bench) -> None:
    """No address, no server; an address in use is one line."""
    with published(bench.metrics.registry, None) as url:
        assert url is None
    with published(bench.metrics.registry, HERE) as url:
        assert url is not None
        port = int(url.split(":")[2].split("/")[0])
        taken = pytest.raises(ConfigurationError, match="cannot be listened on")
        with taken, published(bench.metrics.registry, Address("127.0.0.1", port)):
            pass
