"""Opens the places that the configuration names, or says what there is to be said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from kiosk.config.kpi import KpiSettings
from kiosk.kpi import cloudwatch_client
from kiosk.kpi.cloudwatch import CloudWatch
from kiosk.kpi.prometheus import Prometheus, published
from kiosk.kpi.sinks import Board, Sink


@contextmanager
def open_kpis(settings: KpiSettings, journal: Callable[..., None]) -> Iterator[Board | None]:
    """What to count on; None where nothing is published. The figures begin at 0.

    Raises ConfigurationError: a package is missing, the address is taken, CloudWatch's settings are of no use.
    """
    if not is_published(settings):
        yield None
        return
    sinks: list[Sink] = []
    cloud: CloudWatch | None = None
    with ExitStack() as stack:
        if settings.address is not None:
            prometheus = Prometheus()
            url = stack.enter_context(published(prometheus.registry, settings.address))
            journal("KPI_PUBLISHED", url=url)
            sinks.append(prometheus)
        if settings.cloudwatch.enabled:
            client = cloudwatch_client.open_client(settings.cloudwatch)
            stack.callback(client.close)
            cloud = CloudWatch(client, settings.cloudwatch, journal, lambda lost: _lost(board, lost))
            sinks.append(cloud)
        board = Board(sinks)
        if cloud is not None:
            stack.enter_context(cloud)
        yield board


def is_published(settings: KpiSettings) -> bool:
    """Whether the configuration names a place."""
    return settings.prometheus is not None or settings.cloudwatch.enabled


def described(settings: KpiSettings) -> str:
    """Where the figures go, for ``kiosk doctor``; nothing is sent. Raises ConfigurationError as ``open_kpis`` would."""
    told = []
    if settings.address is not None:
        Prometheus()
        told.append(f"Prometheus at http://{settings.address.shown}:{settings.address.port}/metrics")
    if settings.cloudwatch.enabled:
        cloudwatch_client.open_client(settings.cloudwatch).close()
        told.append(f"CloudWatch, {settings.cloudwatch.namespace} in {settings.cloudwatch.region}")
    return ", ".join(told) or "not published"


def _lost(board: Board, points: int) -> None:
    board.count("kiosk_kpi_lost_total", points, place="cloudwatch")
