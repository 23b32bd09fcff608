"""Stand-ins for what a recording or a drill must not have: people, records, and above all a door.

Rule: with these no outcome of a visit can open anything. The matcher names nobody, so the core never builds a grant;
should one come all the same, the door refuses it.
"""

from __future__ import annotations

from kiosk.closing import Closing
from kiosk.errors import DoorError
from kiosk.reasons import Reason
from kiosk.values import DoorPosition, Embedding, Grant, Match, Pixels


class NobodyMatcher:
    """Knows nobody."""

    def __init__(self, model_version: str) -> None:
        self._model_version = model_version

    @property
    def model_version(self) -> str:
        """As given: that of the embeddings it is asked about."""
        return self._model_version

    def search(
        self, probe: Embedding, *, deadline_s: float, badge: str | None = None, crop: Pixels | None = None
    ) -> Match:
        """Always nobody."""
        del probe, deadline_s, badge, crop
        return Match(None, 0.0, 0.0, "none", self._model_version, Reason.UNKNOWN_PERSON)


class NoDoor(Closing):
    """No door: nothing is driven, whatever is asked."""

    def close(self) -> None:
        """Nothing to close."""

    @property
    def position(self) -> DoorPosition:
        """Unknown: nobody looked."""
        return DoorPosition.UNKNOWN

    @property
    def fault(self) -> DoorError | None:
        """None: what is not there cannot break."""
        return None

    @property
    def pulses(self) -> int:
        """Never any."""
        return 0

    def unlock(self, grant: Grant, *, duration_s: float) -> None:
        """Refused, always. Raises DoorError."""
        del grant, duration_s
        raise DoorError("there is no door here: this is no visit", where="no door")

    def lock(self) -> None:
        """Nothing to lock."""


class NoRecords:
    """Forgets every event: a drill is no visit and leaves no trace among them."""

    def record_event(
        self,
        *,
        utc: str,
        kind: str,
        reason: str,
        person_id: str | None,
        details: dict[str, str | float | int | None],
    ) -> None:
        """Forgotten."""
        del utc, kind, reason, person_id, details
