"""The option ``--database`` of ``kiosk rekognition``, and the records that it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.config.paths import data_dir

if TYPE_CHECKING:
    from kiosk.config.tree import Settings
    from kiosk.records.shelf import Shelf

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="PostgreSQL with pgvector, postgresql://USER@HOST/DATABASE, without a password (default: as configured, "
        "else the encrypted file in the data directory).",
    ),
]


def with_database(settings: Settings, url: str | None) -> Settings:
    """The settings, with the database that the option names if it names one. Raises ConfigurationError."""
    server = settings.rekognition.server.at(url, "--database")
    engines = settings.rekognition.model_copy(update={"server": server})
    return settings.model_copy(update={"rekognition": engines})


@contextmanager
def server_shelf(settings: Settings, *, create: bool) -> Iterator[Shelf]:
    """What the server keeps, wherever that is. Raises ConfigurationError, RecordsError."""
    from kiosk.records.shared import open_shelf

    opened = open_shelf(data_dir(), settings.records, settings.rekognition.server, create=create)
    with opened as (shelf, _search):
        yield shelf
