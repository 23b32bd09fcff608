"""The example configuration is complete, current and true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kiosk.config.example import example
from kiosk.config.load import parse
from kiosk.config.tree import Settings

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "kiosk.example.toml"


def test_the_example_is_the_generated_one() -> None:
    """A new or changed setting renews the example: python -m kiosk.config.example > docs/kiosk.example.toml."""
    assert EXAMPLE.read_text(encoding="utf-8") == example()


def test_as_it_stands_it_changes_nothing() -> None:
    """Everything in it is commented out."""
    assert parse(example(), "example") == Settings()


def test_with_every_line_uncommented_it_is_the_defaults() -> None:
    """Each shown value is the default and is accepted; settings without a default show an example."""
    bare = re.sub(r"(?m)^# (\w+ = )", r"\1", example())
    settings = parse(bare, "example").model_dump()

    def same(shown: dict[str, Any], default: dict[str, Any]) -> None:
        assert set(shown) == set(default)
        for name, value in default.items():
            if isinstance(value, dict):
                same(shown[name], value)
            elif value is None:
                assert shown[name] is not None
            else:
                assert shown[name] == value

    same(settings, Settings().model_dump())


@pytest.mark.parametrize("group", sorted(Settings.model_fields))
def test_every_setting_says_what_it_means(group: str) -> None:
    """A setting without a description would be shown without one."""
    for name, setting in type(getattr(Settings(), group)).model_fields.items():
        inner = getattr(type(getattr(getattr(Settings(), group), name)), "model_fields", {})
        assert setting.description or inner, f"{group}.{name} has no description"
        for key, value in inner.items():
            assert value.description, f"{group}.{name}.{key} has no description"


def test_the_command_writes_it() -> None:
    """The command that the file names makes the file."""
    made = subprocess.run(
        [sys.executable, "-m", "kiosk.config.example"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert made.stdout == example()
