"""The data directory is the one asked for, else the checkout's."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.config import paths


def test_the_environment_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """KIOSK_DATA_DIR wins, and is made absolute."""
    monkeypatch.setenv("KIOSK_DATA_DIR", str(tmp_path))
    assert paths.data_dir() == tmp_path
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIOSK_DATA_DIR", "some where")
    assert paths.data_dir() == tmp_path / "some where"


@pytest.mark.parametrize("value", [None, ""])
def test_a_checkout_keeps_its_data_in_var(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """Unset and empty are the same."""
    if value is None:
        monkeypatch.delenv("KIOSK_DATA_DIR", raising=False)
    else:
        monkeypatch.setenv("KIOSK_DATA_DIR", value)
    assert paths.data_dir() == Path(__file__).resolve().parents[2] / "var"


def test_an_installed_kiosk_keeps_its_data_in_the_state_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without sources around it the package is an installed one."""
    monkeypatch.delenv("KIOSK_DATA_DIR", raising=False)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "site-packages" / "kiosk" / "config" / "paths.py"))
    assert paths.data_dir() == Path("/var/lib/kiosk")
