"""Finds the line of a key in a TOML text, which ``tomllib`` does not tell.

It asks ``tomllib`` itself instead of guessing with patterns: the key begins on the first line that turns a text
without the key into a text with it. Quoted keys, dotted keys, inline tables and multi-line values come out right.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

Keys = Sequence[str | int]


def line_of(text: str, keys: Keys) -> int | None:
    """The line (from 1) on which ``keys`` (a path such as ``("camera", "fps")``) begins; None when it is absent."""
    lines = text.splitlines(keepends=True)
    if not _holds(_parsed(lines, len(lines))[1], keys):
        return None
    low, high = 0, len(lines)  # absent after ``low`` lines, present after ``high`` lines
    while high - low > 1:
        middle = (low + high) // 2
        if _holds(_parsed(lines, middle)[1], keys):
            high = middle
        else:
            low = middle
    return _parsed(lines, high - 1)[0] + 1


def _parsed(lines: list[str], count: int) -> tuple[int, dict[str, Any]]:
    """The longest readable beginning of at most ``count`` lines: (its number of lines, its tables)."""
    while count > 0:
        try:
            return count, tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:  # the cut fell inside a value that spans lines
            count -= 1
    return 0, {}


def _holds(tree: Any, keys: Keys) -> bool:
    for key in keys:
        if isinstance(tree, list) and isinstance(key, int):  # a place in a list
            if key >= len(tree):
                return False
        elif not isinstance(tree, dict) or key not in tree:
            return False
        tree = tree[key]
    return True
