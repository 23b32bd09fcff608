"""The painted person, under the name that these tests have for it."""

from __future__ import annotations

from tests.support.simfaces import portrait as painted

__all__ = ["painted"]
