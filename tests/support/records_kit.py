"""What the tests of the records share: templates out of a seed, a fixed clock, the proof that a store is whole."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from kiosk.records.store import KeySource, NewTemplate, Store
from kiosk.values import Embedding

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NOW_TEXT = "2026-03-01T12:00:00.000000Z"
MODEL = "test-model/1"


def template(seed: int | str, *, dimensions: int = 128, model: str = MODEL) -> NewTemplate:
    """A unit vector and a picture hash that depend on ``seed`` only."""
    digest = hashlib.sha256(str(seed).encode())
    vector = np.random.default_rng(list(digest.digest()[:8])).normal(size=dimensions).astype(np.float32)
    vector /= np.linalg.norm(vector)
    return NewTemplate(Embedding(vector, model), digest.hexdigest(), {"sharpness": 31.5})


def open_store(data: Path, *, create: bool = True) -> Store:
    """``data/kiosk.db`` with the key beside it and the clock at NOW."""
    return Store.open(data / "kiosk.db", KeySource(data / "records.key"), create=create, clock=lambda: NOW)


def record(store: Store, mark: str = "0", *, utc: str = NOW_TEXT, person_id: str | None = None) -> None:
    """One event that carries ``mark`` as its token."""
    store.record_event(utc=utc, kind="DENIED", reason="TOO_DARK", person_id=person_id, details={"token": mark})


def tokens(store: Store) -> set[str]:
    """The tokens of all events."""
    return {str(event.details["token"]) for event in store.events(limit=1_000_000) if "token" in event.details}
