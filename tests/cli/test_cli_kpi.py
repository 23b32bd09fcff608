"""``kiosk run`` publishes what it did: a clip played to its end, figures at CloudWatch, the door closed before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kiosk.runtime import wiring
from tests.support.clikit import Shell, photo
from tests.support.metering import KEYS, moto, told

MEMORY = ("--display", "memory", "--door", "memory")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A CloudWatch of this test's own."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with moto() as url:
        yield url


def test_a_run_publishes_its_visits_behind_the_closed_door(
    kiosk: Shell, enrolled: Path, aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clip ends while its face is being guided: one incomplete visit; the last figures wait for the door."""
    assert enrolled.is_dir()
    folder = tmp_path / "clip"
    folder.mkdir()
    with Image.open(photo("obama.jpg")) as picture:
        picture.thumbnail((640, 640))
        for number in range(12):
            picture.save(folder / f"{number:02}.jpg")
    config = tmp_path / "kiosk.toml"
    config.write_text(
        '[kpi]\nprometheus = "127.0.0.1:0"\n'
        f'[kpi.cloudwatch]\nenabled = true\nendpoint_url = "{aws}"\nkiosk = "north"\n'
    )
    closed: list[str] = []

    def noting(name: str, opened: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def wrapped(*arguments: Any) -> Iterator[Any]:
            with opened(*arguments) as inner:
                yield inner
            closed.append(name)

        return wrapped

    for name in ("open_door", "open_kpis"):
        monkeypatch.setattr(wiring, name, noting(name, getattr(wiring, name)))
    answer = kiosk("run", *MEMORY, "--camera", folder, "--fast", "--config", config)
    assert answer.code == 0
    assert "KPI_PUBLISHED" in answer.err
    labels = {"outcome": "incomplete", "reason": "none", "engine": "none", "kiosk": "north"}
    assert told(aws, "kiosk_authentications_total", **labels) == (1, 1)
    assert closed == ["open_door", "open_kpis"]
