"""The journal: an event name plus keys, one JSON line each on standard error, where journald picks it up.

Never sentences, never pictures, embeddings or names: ``person_id`` is the only trace of a person, and a
processor drops what must not be there even when somebody passes it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TextIO

import structlog

Journal = Callable[..., None]
"""``journal("DOOR_PULSED", attempt=3)``."""

_FORBIDDEN = frozenset({"name", "names", "pixels", "image", "embedding", "vector", "template", "badge", "landmarks"})


def _without_personal_data(
    _logger: object, _method: str, entry: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Keep plain scalars only; a key that could carry a face or a name is replaced by a mark."""
    clean: dict[str, Any] = {}
    for key, value in entry.items():
        if key in _FORBIDDEN or not isinstance(value, str | int | float | bool | type(None)):
            clean[key] = "[withheld]"
        else:
            clean[key] = value
    return clean


def open_journal(stream: TextIO | None = None) -> Journal:
    """A journal that writes JSON lines to ``stream`` (standard error when None)."""
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_personal_data,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    )

    def write(event: str, **keys: object) -> None:
        logger.info(event, **keys)

    return write


def no_journal(event: str, **keys: object) -> None:
    """A journal that forgets, for commands whose output is their report."""
    del event, keys
