"""The line of a key is found whatever way it was written."""

from __future__ import annotations

import pytest

from kiosk.config.lines import line_of

TEXT = '''\
# [door] in a comment
title = """
[door]
pin = "not here"
"""
[camera]
fps = 30

"width_px" = 640
list = [
  1,
  2,
]
after = 1
[door]
  pin = "GPIO17"
[quality.door]
yaw_deg = 3
[a]
b.c = { d = 1 }
'''


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("title",), 2),
        (("camera",), 6),
        (("camera", "fps"), 7),
        (("camera", "width_px"), 9),
        (("camera", "list"), 10),
        (("camera", "after"), 14),
        (("door",), 15),
        (("door", "pin"), 16),
        (("quality", "door", "yaw_deg"), 18),
        (("a", "b", "c", "d"), 20),
        (("camera", "pin"), None),
        (("door", "pin", "x"), None),
    ],
)
def test_the_line_of_a_key(keys: tuple[str, ...], line: int | None) -> None:
    """Comments, multi-line texts and arrays, quoted and dotted keys, inline tables."""
    assert line_of(TEXT, keys) == line
