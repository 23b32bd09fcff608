"""Badges that were shown, with what the records say of their holders.

A record that cannot be read is a fault of the records, not a badge: nobody is checked on half a knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ports import BadgeBook, BadgeReader
from kiosk.visit.events import BadgeRead


@dataclass(frozen=True, slots=True)
class Badges:
    """A reader, and the book in which its numbers are looked up."""

    reader: BadgeReader
    book: BadgeBook

    def drain(self) -> tuple[BadgeRead, ...]:
        """The badge shown since the last call, if any. Raises RecordsError where the book cannot be read."""
        badge = self.reader.read()
        return () if not badge else (BadgeRead(badge, self.book.no_flash(badge)),)
