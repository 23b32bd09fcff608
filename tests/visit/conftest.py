"""Fixtures of the visit's tests."""

from __future__ import annotations

import pytest

from kiosk.visit.step import step
from tests.support.ledger import Ledger
from tests.support.visits import Walk


@pytest.fixture
def walk() -> Walk:
    """A kiosk in front of which nobody stands, every step checked."""
    return Walk(stepper=Ledger(step))
