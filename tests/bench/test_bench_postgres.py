"""The bench of PostgreSQL says what it measured: a small run, never judged by its figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.postgres import measure
from tests.support.pgkit import Postgres


def test_each_kind_of_search_is_measured(
    postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here and there, with sizes."""
    measure(postgres, tmp_path, 60, 2)
    told = capsys.readouterr().out
    for where in ("PostgreSQL", "memory"):
        for what in ("the first search takes", "faces of 60", "their users", "one face by id"):
            assert f"{where}: {what}" in told
    assert "bytes a face" in told
