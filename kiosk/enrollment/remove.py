"""Take a person out, everywhere, and say what was done.

Rules: the book forgets first, in one transaction that also writes down what is to be done elsewhere: from then on no
door lets them in, whatever an engine still holds. Every collection that may hold a face of theirs is read through, so
that faces which somebody else put there go too. A removal that is cut off goes on with the next ``settle``.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.enrollment.book import Removal
from kiosk.enrollment.desk import Registry
from kiosk.enrollment.settle import settle_after


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, and whether anything is left to do."""

    removal: Removal
    erased: int
    """Faces taken out of engines."""
    waiting: int
    """Tasks that are left; 0: nothing of the person is anywhere."""
    problems: tuple[str, ...]


def remove_person(registry: Registry, ref: str) -> Removed:
    """Erase somebody. Raises UnknownPerson, RecordsError (then nothing was changed)."""
    known = registry.book.find(ref).person_id
    places = [(engine.name, home) for engine in registry.engines for home in engine.homes(known)]
    removal = registry.book.remove(known, places + registry.aside, registry.addresses)
    done = settle_after(registry, known)
    return Removed(removal, done.erased, done.waiting, done.problems)
