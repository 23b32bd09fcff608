"""A fresh store for a test: made once by the product and copied, since what is tested is not how it is made."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from kiosk.records.store import DATABASE, KeySource, Store

KEY = "records.key"


@cache
def _made() -> tuple[tuple[str, bytes], ...]:
    """(name, content) of an empty store's files."""
    with tempfile.TemporaryDirectory(prefix="kiosk-store-") as folder:
        place = Path(folder)
        Store.open(place / DATABASE, KeySource(place / KEY), create=True).close()
        return tuple((path.name, path.read_bytes()) for path in sorted(place.iterdir()))


def empty_store(folder: Path) -> KeySource:
    """Database and key of an empty store in ``folder``, where there is none; the key's source."""
    source = KeySource(folder / KEY)
    if not (folder / DATABASE).exists() and not source.exists():
        for name, content in _made():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
    return source
