"""The painted person and worlds around it, shared by these tests."""

from __future__ import annotations

from functools import cache

from hardware.sim.portrait import Portrait
from tests.support import simfaces


@cache
def painted() -> Portrait:
    """The painted person, computed once."""
    return Portrait.of(simfaces.photograph(), simfaces.find_still, simfaces.matte)
