"""The figures for Prometheus, and the address where it fetches them: plain HTTP, no password.

Meant for this machine or a private network: the figures name nobody, but tell when people come and go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from math import prod
from typing import Any

from kiosk.config.address import Address
from kiosk.errors import ConfigurationError
from kiosk.kpi.catalogue import METRICS, Series

MOST_AT_ONCE = 64
"""A metric of so few series shows them all from the start, at 0: a rate of something that never happened is 0 too."""
MEND = "pip install 'door-kiosk[kpi]'; on a device sudo ./setup.sh install"


class Prometheus:
    """A sink that is read at ``registry`` (prometheus_client's). Raises ConfigurationError without that package."""

    def __init__(self) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Histogram
        except ImportError as error:
            raise ConfigurationError("prometheus-client is missing", where="kpi.prometheus", mend=MEND) from error
        self.registry = CollectorRegistry()
        self._kept: dict[str, Any] = {}
        for metric in METRICS:
            names = tuple(metric.labels)
            if metric.kind == "counter":
                kept: Any = Counter(metric.name.removesuffix("_total"), metric.help, names, registry=self.registry)
            else:
                kept = Histogram(metric.name, metric.help, names, buckets=metric.bounds, registry=self.registry)
            self._kept[metric.name] = kept
            if names and prod(len(words) for words in metric.labels.values()) <= MOST_AT_ONCE:
                for values in product(*(sorted(words) for words in metric.labels.values())):
                    kept.labels(*values)

    def add(self, series: Series, amount: float) -> None:
        """A counter grew."""
        self._of(series).inc(amount)

    def observe(self, series: Series, value: float) -> None:
        """One more value of a histogram."""
        self._of(series).observe(value)

    def _of(self, series: Series) -> Any:
        kept = self._kept[series.metric.name]
        return kept.labels(*series.values) if series.values else kept


@contextmanager
def published(registry: Any, address: Address | None) -> Iterator[str | None]:
    """Serve a registry over plain HTTP at ``/metrics``; the URL. Raises ConfigurationError for an address in use."""
    if address is None:
        yield None
        return
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(address.port, address.host, registry)
    except OSError as error:
        where = f"{address.host}:{address.port}"
        raise ConfigurationError(f"cannot be listened on ({error.strerror or error})", where=where) from error
    try:
        yield f"http://{address.shown}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5.0)
