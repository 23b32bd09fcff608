"""The server ends when it is told to, whenever that is."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from kiosk.config.address import Address
from kiosk.rekognition.server import serve
from tests.support.awskit import open_bench


class Finalized:
    """Python loses an exception that is raised here, as an interrupt by its own handler is."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        signal.raise_signal(self._number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_finalizer_before_the_loop_runs_is_not_lost(tmp_path: Path, number: int) -> None:
    """As soon as the address is told, whoever reads it may send one; handlers are as before in the end."""
    before = signal.getsignal(number)

    def ready(url: str) -> None:
        assert url.startswith("http://127.0.0.1:")
        Finalized(number)

    with open_bench(tmp_path) as bench, pytest.raises(KeyboardInterrupt):
        serve(bench.dispatcher, Address("127.0.0.1", 0), None, ready)
    assert signal.getsignal(number) == before
