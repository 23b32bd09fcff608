"""What every adapter does at the end of ``with``: close, whatever happened inside."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """Base of the ``Closeable`` adapters. ``close`` is theirs; ``__enter__`` too, where opening is work."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release everything; calling it again does nothing."""
        raise NotImplementedError
