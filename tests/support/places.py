"""Enrollment's places in memory: what the saga's tests register into, and the model that the cloud is held against."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kiosk.enrollment.places import LEASE, IndexedFace, person_key, picture_suffix
from kiosk.errors import RecordsConflict, RecordsError, UnknownPerson
from kiosk.records.texts import tidy_badge


@dataclass
class Entry:
    """One person of the directory."""

    badge: str | None
    claimed: datetime
    confirmed: bool = False
    faces: tuple[IndexedFace, ...] = ()


class MemoryDirectory:
    """A Directory that several kiosks of one process may share. ``entries`` is open to tests."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.entries: dict[str, Entry] = {}
        self._clock = clock
        self._lock = threading.Lock()

    def claim(self, person_id: str, badge: str | None) -> None:
        """As the port says."""
        person = person_key(person_id)
        key = None if badge is None else tidy_badge(badge).lower()
        with self._lock:
            known = self.entries.get(person)
            if known is not None:
                if known.badge != key:
                    raise RecordsConflict("this person is registered with another badge", mend="release it first")
                return
            other = None if key is None else self._holder(key)
            if other is not None:
                held = self.entries[other]
                if held.confirmed or self._clock() - held.claimed <= LEASE:
                    raise RecordsConflict(f"badge {badge} belongs to somebody else", mend="check the number")
                del self.entries[other]
            self.entries[person] = Entry(key, self._clock())

    def confirm(self, person_id: str, faces: Sequence[IndexedFace]) -> None:
        """As the port says."""
        with self._lock:
            entry = self.entries.get(person_key(person_id))
            if entry is None:
                raise UnknownPerson("nothing is claimed for this person", where=person_id, mend="register anew")
            entry.confirmed, entry.faces = True, tuple(faces)

    def release(self, person_id: str) -> None:
        """As the port says."""
        with self._lock:
            self.entries.pop(person_key(person_id), None)

    def holder(self, badge: str) -> str | None:
        """As the port says."""
        try:
            key = tidy_badge(badge).lower()
        except RecordsError:
            return None
        with self._lock:
            return self._holder(key)

    def faces(self, person_id: str) -> Sequence[IndexedFace] | None:
        """As the port says."""
        with self._lock:
            entry = self.entries.get(person_key(person_id))
            return None if entry is None else entry.faces

    def _holder(self, key: str) -> str | None:
        return next((person for person, entry in self.entries.items() if entry.badge == key), None)


class MemoryPictures:
    """A PictureShelf; ``pictures`` is open to tests: person_id, then sha256, to the picture."""

    def __init__(self) -> None:
        self.pictures: dict[str, dict[str, bytes]] = {}

    def keep(self, person_id: str, sha256: str, picture: bytes) -> None:
        """As the port says."""
        person = person_key(person_id)
        picture_suffix(sha256, picture)
        self.pictures.setdefault(person, {})[sha256] = picture

    def kept(self, person_id: str) -> Sequence[tuple[str, bytes]]:
        """As the port says."""
        return sorted(self.pictures.get(person_key(person_id), {}).items())

    def names(self, person_id: str) -> frozenset[str]:
        """As the port says."""
        return frozenset(self.pictures.get(person_key(person_id), {}))

    def forget(self, person_id: str, but: Collection[str] = ()) -> int:
        """As the port says."""
        found = self.pictures.pop(person_key(person_id), {})
        left = {sha256: picture for sha256, picture in found.items() if sha256 in but}
        if left:
            self.pictures[person_key(person_id)] = left
        return len(found) - len(left)
