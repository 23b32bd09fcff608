"""Writes the example configuration from the settings tree: every setting, its meaning, range and default.

``python -m kiosk.config.example > docs/kiosk.example.toml`` renews it; a test keeps the two equal. Every value is
commented out, so the file changes nothing until a line is uncommented, and a new default reaches old files too.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from kiosk.config.allowed import allowed
from kiosk.config.tree import Settings

HEAD = """\
# The door kiosk's configuration: /etc/kiosk/kiosk.toml, or any file given with --config.
#
# Every setting is shown with its default, commented out. Uncomment a line (and the [group] above it)
# to change it. Units are in the names: _s seconds, _px pixels, _mm millimetres, _deg degrees, _ratio a share
# from 0 to 1. An unknown name or a value out of range is refused at start with the line and what is allowed.
#
# Made by: python -m kiosk.config.example > docs/kiosk.example.toml
"""


def example() -> str:
    """The whole file as text."""
    return HEAD + _group("", Settings())


def _group(name: str, group: BaseModel) -> str:
    own: list[str] = []
    inner = ""
    for key, setting in type(group).model_fields.items():
        value = getattr(group, key)
        if isinstance(value, BaseModel):
            inner += _group(f"{name}.{key}" if name else key, value)
            continue
        note = ""
        if value is None:  # TOML has no null: show a value and say that it is not set
            value, note = (setting.examples or [""])[0], "  # an example: not set by default"
        own += ["", f"# {setting.description} ({allowed(setting)})", f"# {key} = {_toml(value)}{note}"]
    head = [f"\n[{name}]", *own[1:]] if own else []
    return "".join(f"{line}\n" for line in head) + inner


def _toml(value: bool | float | str | Path | tuple[object, ...] | dict[str, object]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return str([*value]).replace("'", '"')
    return f'"{value}"' if isinstance(value, str | Path) else repr(value)


def main() -> int:
    """Write the example to standard output."""
    sys.stdout.write(example())
    return 0


if __name__ == "__main__":
    sys.exit(main())
