"""One data directory with Person A enrolled for the whole folder, an empty one a test, and a shell for both."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.cli.app import run_app
from tests.support.clikit import Shell, linked_data


@pytest.fixture
def kiosk(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs commands in this process."""
    return Shell(capsys)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with nothing in it."""
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("KIOSK_DATA_DIR", str(data))
    return data


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with weights and photographs, nobody enrolled; skips where the weights are absent."""
    data = linked_data(tmp_path / "data", "core", "demo")
    monkeypatch.setenv("KIOSK_DATA_DIR", str(data))
    return data


@pytest.fixture(scope="session")
def enrolled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with weights, photographs and Person A, badge 17, made by the command itself."""
    data = linked_data(tmp_path_factory.mktemp("cli"), "core", "demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIOSK_DATA_DIR", str(data))
        picture = data / "demo" / "photos" / "obama2.jpg"
        assert run_app(["enroll", "--name", "Person A", "--badge", "17", str(picture)]) == 0
    return data


@pytest.fixture
def enrolled(enrolled_once: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shared data directory, for tests that only read it."""
    monkeypatch.setenv("KIOSK_DATA_DIR", str(enrolled_once))
    return enrolled_once


@pytest.fixture
def no_devices(tmp_path: Path) -> Path:
    """A configuration that touches no camera, screen or relay of the machine that runs the tests."""
    path = tmp_path / "no-devices.toml"
    path.write_text('[camera]\nsource = "/dev/null"\n[display]\nkind = "memory"\n[door]\nkind = "memory"\n')
    return path
